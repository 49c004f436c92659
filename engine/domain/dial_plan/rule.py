"""One rule of a dial plan, as it is written."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from engine.domain.dial_plan.errors import DialPlanError

LARGEST_PRIORITY = 9999
LONGEST_NOTE = 128


class Direction(enum.StrEnum):
    """Which numbers a rule is for."""

    OUTGOING = "outgoing"
    INCOMING = "incoming"


@dataclass(frozen=True, slots=True)
class DialRule:
    """Replace what ``pattern`` finds at the start of a number by ``result``.

    priority: the lowest comes first; of equals, the one that was made first. uid: empty while it is not stored.
    """

    direction: Direction
    priority: int
    pattern: str
    result: str
    enabled: bool = True
    note: str = ""
    uid: str = ""

    def check(self) -> None:
        """Raise DialPlanError for what needs no domain to be wrong."""
        if not 0 <= self.priority <= LARGEST_PRIORITY:
            raise DialPlanError("priority", f"0 to {LARGEST_PRIORITY}")
        if len(self.note) > LONGEST_NOTE or not self.note.isprintable():
            raise DialPlanError("note", f"at most {LONGEST_NOTE} characters on one line")
