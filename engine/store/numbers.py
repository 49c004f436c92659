"""Automate ranges and lines, in the store."""

from __future__ import annotations

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from engine.domain.scope import DEFAULT_COMPANY
from engine.store.collection import OwnedCollection
from engine.store.domain.tables import DomainRow
from engine.store.domain.user_tables import UserRow
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

    def in_service(self) -> list[Line]:
        """Those that are enabled, and that are nobody's or an enabled user's, in the order of their numbers."""
        mine = select(LineRow).outerjoin(UserRow, UserRow.id == LineRow.user_id)
        on = mine.where(LineRow.enabled, or_(LineRow.user_id.is_(None), UserRow.enabled))
        with self._database.reading() as session:
            return [self._record(row) for row in session.scalars(on.order_by(LineRow.number, LineRow.id))]

    def _put(self, session: Session, record: Line, identity: int | None) -> LineRow:
        row = super()._put(session, record, identity)
        if identity is None and row.company_id != DEFAULT_COMPANY:
            first = select(func.min(DomainRow.id)).where(DomainRow.company_id == row.company_id)
            row.domain_id = session.scalar(first) or row.domain_id
        return row

    def check(self, session: Session, record: Line) -> None:
        """Refuse bad fields and a number that another line or an automate has."""
        check_line(record)
        lock_numbers(session)
        self._refuse_taken(session, record)
        refuse_taken_numbers(
            session, self.what, Numbers(record.number), but="lines", company=record.company_id
        )
