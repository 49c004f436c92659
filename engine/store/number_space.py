"""One space of numbers for each company: automates, lines, and rooms with their ranges; in it, none stands twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine.store.conferences.tables import ConferenceRoomRow, RoomRangeRow
from engine.store.errors import Taken
from engine.store.records import is_digits
from engine.store.tables import AutomateRangeRow, LineRow

Owner = Literal["automates", "lines", "conference"]


@dataclass(frozen=True, slots=True)
class Numbers:
    """``count`` consecutive numbers from ``first``: digits, unless it is one alone. 0100 and 100 are two numbers."""

    first: str
    count: int = 1

    @property
    def last(self) -> str:
        """The last of them."""
        return self.first if self.count == 1 else self._number(self.count - 1)

    def __contains__(self, number: str) -> bool:
        if self.count == 1:
            return number == self.first
        return is_digits(number) and len(number) == len(self.first) and self.first <= number <= self.last

    def __iter__(self) -> Iterator[str]:
        if self.count == 1:
            return iter((self.first,))
        return map(self._number, range(self.count))

    def overlaps(self, other: Numbers) -> bool:
        """Whether a number is in both."""
        return other.first in self or self.first in other

    def __str__(self) -> str:
        return self.first if self.count == 1 else f"{self.first}-{self.last}"

    def _number(self, index: int) -> str:
        return str(int(self.first) + index).zfill(len(self.first))


def refuse_taken_numbers(session: Session, what: str, numbers: Numbers, *, but: Owner, company: int) -> None:
    """Raise Taken when one of ``numbers`` belongs to another kind of owner than ``but``, which looks at its own.

    Numbers of other companies are none.
    """
    for owner, other in _taken(session, but, company):
        if numbers.overlaps(other):
            raise Taken(what, numbers.first, f"{owner if other.count == 1 else _PLURAL[owner]} {other}")


_PLURAL = {"automate": "automates", "line": "lines", "room": "rooms", "room range": "room range"}


def _taken(session: Session, but: Owner, company: int) -> Iterator[tuple[str, Numbers]]:
    if but != "automates":
        ranges = select(AutomateRangeRow).where(AutomateRangeRow.company_id == company)
        for automates in session.scalars(ranges.order_by(AutomateRangeRow.first_number)):
            yield "automate", Numbers(automates.first_number, automates.count)
    if but != "lines":
        lines = select(LineRow.number).where(LineRow.company_id == company)
        for number in session.scalars(lines.order_by(LineRow.number)):
            yield "line", Numbers(number)
    if but != "conference":
        rooms = select(ConferenceRoomRow.number).where(ConferenceRoomRow.company_id == company)
        for number in session.scalars(rooms.order_by(ConferenceRoomRow.number)):
            yield "room", Numbers(number)
        set_aside = select(RoomRangeRow).where(RoomRangeRow.company_id == company)
        for row in session.scalars(set_aside.order_by(RoomRangeRow.first_number)):
            yield "room range", Numbers(row.first_number, row.count)


def lock_numbers(session: Session) -> None:
    """Let no other node of a PostgreSQL pool add a number between our look and our commit."""
    if session.get_bind().dialect.name == "postgresql":
        tables = "automate_ranges, lines, conference_rooms, conference_ranges"
        session.execute(text(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE"))  # a constant
