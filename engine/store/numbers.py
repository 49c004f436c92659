"""Automate ranges and lines, in the store."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.store.collection import OwnedCollection
from engine.store.errors import NotFound, Taken
from engine.store.number_space import Numbers, lock_numbers, refuse_taken_numbers
from engine.store.records import AutomateRange, Line
from engine.store.rules import check_automate_range, check_line
from engine.store.tables import AutomateRangeRow, LineRow, LinkRow
from sip.digest import ha1

ALGORITHMS = ("SHA-256", "MD5")


def line_secrets(number: str, realm: str, password: str) -> dict[str, str]:
    """What is stored instead of a line's password: its HA1 for each digest algorithm we accept."""
    return {algorithm: ha1(number, realm, password, algorithm) for algorithm in ALGORITHMS}


def described(automates: AutomateRange) -> str:
    """How a range is named to people."""
    if automates.count == 1:
        return f"automate {automates.first_number}"
    return f"automates {automates.first_number}-{automates.last_number}"


class AutomateRanges(OwnedCollection[AutomateRangeRow, AutomateRange]):
    """Ranges of automates, by their first number."""

    row_type = AutomateRangeRow
    record_type = AutomateRange
    key = "first_number"
    what = "automate range"

    def check(self, session: Session, record: AutomateRange) -> None:
        """Refuse bad fields, a link that is not there, and a number that another range or a line has."""
        check_automate_range(record)
        if record.link_id is not None:
            link = session.get(LinkRow, record.link_id)
            if link is None or link.company_id != record.company_id:
                raise NotFound("link", str(record.link_id))
        lock_numbers(session)
        others = select(AutomateRangeRow).where(
            AutomateRangeRow.id != record.id, AutomateRangeRow.company_id == record.company_id
        )
        for other in map(self._record, session.scalars(others)):
            if record.overlaps(other):
                raise Taken(self.what, record.first_number, described(other))
        numbers = Numbers(record.first_number, record.count)
        refuse_taken_numbers(session, self.what, numbers, but="automates", company=record.company_id)


class Lines(OwnedCollection[LineRow, Line]):
    """Lines, by number."""

    row_type = LineRow
    record_type = Line
    key = "number"
    what = "line"

    def check(self, session: Session, record: Line) -> None:
        """Refuse bad fields and a number that another line or an automate has."""
        check_line(record)
        lock_numbers(session)
        self._refuse_taken(session, record)
        refuse_taken_numbers(
            session, self.what, Numbers(record.number), but="lines", company=record.company_id
        )
