"""Showing a thousand numbers that do the same as one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_ALIKE = ("application", "link", "state", "last_error")


def gathered(automates: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The automates with consecutive numbers that are alike as one, ``8000-8999``, their calls added up."""
    runs: list[dict[str, Any]] = []
    last = ""
    for each in automates:
        number = str(each["number"])
        run = runs[-1] if runs else None
        if run is not None and _follows(last, number) and all(run[name] == each[name] for name in _ALIKE):
            run["number"] = f"{run['number'].partition('-')[0]}-{number}"
            run["calls"] += each["calls"]
        else:
            runs.append(dict(each))
        last = number
    return runs


def _follows(one: str, other: str) -> bool:
    return len(one) == len(other) and one.isdecimal() and other.isdecimal() and int(other) == int(one) + 1
