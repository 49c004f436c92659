"""What an examination found: a check, its verdict, and the values its sentence needs."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class Verdict(enum.Enum):
    """``NOTE`` is worth knowing and does not make the examination fail."""

    WORKS = "works"
    NOTE = "note"
    FAILS = "fails"


@dataclass(frozen=True, slots=True)
class Finding:
    """``check`` names what was examined (``echo``, ``registration``); ``key`` names the sentence to say."""

    check: str
    verdict: Verdict
    key: str
    values: Mapping[str, object] = field(default_factory=dict)


def works(check: str, key: str, **values: object) -> Finding:
    return Finding(check, Verdict.WORKS, key, values)


def note(check: str, key: str, **values: object) -> Finding:
    return Finding(check, Verdict.NOTE, key, values)


def fails(check: str, key: str, **values: object) -> Finding:
    return Finding(check, Verdict.FAILS, key, values)
