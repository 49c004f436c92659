"""How one domain's PBX dials: its prefixes, and how long its own numbers are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

from engine.domain.dial_plan.errors import DialPlanError

MOST_INTERNAL = 15
"""E.164 allows no longer number; a private one of that length is one already."""

_CHECKS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "international_prefix": (re.compile(r"[0-9]{0,8}"), "at most 8 digits, such as 00"),
    "country_prefix": (
        re.compile(r"[1-9][0-9]{0,3}|"),
        "1 to 4 digits without the +, such as 33, or nothing",
    ),
    "external_prefix": (re.compile(r"[0-9*#]{0,8}"), "at most 8 digits, * or #, such as 0"),
    "incoming_remove": (re.compile(r"\+?[0-9*#]{0,16}"), "at most 16 digits, * or #, a leading + allowed"),
    "incoming_add": (re.compile(r"\+?[0-9*#]{0,16}"), "at most 16 digits, * or #, a leading + allowed"),
}


@dataclass(frozen=True, slots=True)
class DialSettings:
    """What the dial plan of a domain reckons with; the defaults are those of a PBX in France.

    incoming_remove, incoming_add: taken from, and put before, an outside number that comes in.
    internal_length: most digits a number of the PBX's own has.
    reverse_length: how many last digits of a caller's number are compared with those of a directory.
    """

    international_prefix: str = "00"
    country_prefix: str = "33"
    external_prefix: str = "0"
    incoming_remove: str = ""
    incoming_add: str = ""
    internal_length: int = 4
    reverse_length: int = 9

    def check(self) -> None:
        """Raise DialPlanError for a field that does not hold what it must."""
        for name, (pattern, expected) in _CHECKS.items():
            if pattern.fullmatch(getattr(self, name)) is None:
                raise DialPlanError(name, expected)
        for name in ("internal_length", "reverse_length"):
            if not 1 <= getattr(self, name) <= MOST_INTERNAL:
                raise DialPlanError(name, f"1 to {MOST_INTERNAL} digits")

    def reverse_key(self, number: str) -> str:
        """The last digits of ``number``, by which it is looked up in directories."""
        return "".join(each for each in number if each in "0123456789")[-self.reverse_length :]


NEUTRAL = DialSettings(external_prefix="")
"""Numbers are dialled as they stand: what a store had before there were dial plans."""

SETTINGS = tuple(each.name for each in fields(DialSettings))
