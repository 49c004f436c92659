"""The event log: everything that happens in a company, in one order, numbered from 1 without a gap.

An event is appended in the transaction of the change it tells of: both are there, or neither. The row that counts a
company's events is locked from the first append to the commit, so a number is seen only after all those before it.
A log is bounded: its oldest events go, the numbers of the others stay.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.orm import Session

from engine.store.database import after_commit
from engine.store.errors import StoreError
from engine.store.events.tables import EventRow, EventSequenceRow

if TYPE_CHECKING:
    from engine.store.database import Database

LARGEST_DATA = 1 << 16
"""Octets of an event's data; of a larger one only that it happened is kept."""
FORGOTTEN_AT_ONCE = 5_000
"""Events removed in one transaction: others wait for it."""
PAGE = 500
_GROWN = "event_log.grown"

# the same on SQLite and PostgreSQL, and one statement: two beginners of a log do not meet
_COUNT = text(
    "INSERT INTO event_sequences (company_id, newest) VALUES (:company_id, :count)"
    " ON CONFLICT (company_id) DO UPDATE SET newest = event_sequences.newest + :count RETURNING newest"
)


class UnknownCursor(StoreError):
    """What follows a cursor is no longer kept, or it is of another log: whoever reads has to look at the things anew.

    oldest: the number of the first event that is kept; a reader may go on before it.
    """

    def __init__(self, oldest: int) -> None:
        super().__init__(f"the events that follow that one are not known (any more); the oldest is {oldest}")
        self.oldest = oldest


@dataclass(frozen=True, slots=True)
class NewEvent:
    """What is to be appended. kind: ``users.added``; subject: its uid; data: what JSON can say."""

    kind: str
    subject: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event of the log. at: Unix seconds. data: JSON."""

    sequence: int
    at: float
    kind: str
    subject: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Bounds:
    """The numbers of the oldest event kept and of the newest; oldest is newest + 1 when none is."""

    oldest: int
    newest: int


class EventLog:
    """The logs of all companies. ``on_appended`` is told after a commit, in its thread, whose logs have grown."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now
        self.on_appended: Callable[[frozenset[int]], None] = _nobody

    def append(
        self, session: Session, company_id: int, kind: str, subject: str, data: Mapping[str, object]
    ) -> int:
        """Append an event in a writing transaction; its number."""
        return self.extend(session, company_id, [NewEvent(kind, subject, data)])

    def extend(self, session: Session, company_id: int, events: Iterable[NewEvent]) -> int:
        """Append events in their order; the number of the last, 0 when there are none."""
        rows = [_columns(each) for each in events]
        if not rows:
            return 0
        newest = int(session.execute(_COUNT, {"company_id": company_id, "count": len(rows)}).scalar_one())
        at = self._now()
        for sequence, row in enumerate(rows, newest - len(rows) + 1):
            row |= {"company_id": company_id, "sequence": sequence, "at": at}
        session.execute(insert(EventRow), rows)
        self._announce(session, company_id)
        return newest

    def after(self, company_id: int, sequence: int, count: int = PAGE) -> list[LoggedEvent]:
        """The events that follow number ``sequence``, in order. Raises UnknownCursor."""
        query = (
            select(EventRow.sequence, EventRow.at, EventRow.kind, EventRow.subject, EventRow.data)
            .where(EventRow.company_id == company_id, EventRow.sequence > sequence)
            .order_by(EventRow.sequence)
            .limit(count)
        )
        with self._database.reading() as session:
            page = [_event(*row) for row in session.execute(query)]
            if page and page[0].sequence == sequence + 1:
                return page
            bounds = _bounds(session, company_id)
            if not bounds.oldest - 1 <= sequence <= bounds.newest:
                raise UnknownCursor(bounds.oldest)
            return page

    def bounds(self, company_id: int) -> Bounds:
        """How far a log reaches back, and how far it has come."""
        with self._database.reading() as session:
            return _bounds(session, company_id)

    def companies(self) -> list[int]:
        """Those with a log."""
        with self._database.reading() as session:
            return list(
                session.scalars(select(EventSequenceRow.company_id).order_by(EventSequenceRow.company_id))
            )

    def forget(self, company_id: int, most: int, before: float) -> int:
        """Remove what is older than the newest ``most`` events, and what happened before then; how many those were.

        At most ``FORGOTTEN_AT_ONCE``: as many as that means that there may be more.
        """
        with self._database.writing() as session:
            bounds = _bounds(session, company_id)
            young = (
                select(EventRow.sequence)
                .where(EventRow.company_id == company_id, EventRow.at >= before)
                .order_by(EventRow.sequence)
                .limit(1)
            )
            # the log stays one run of numbers: nothing goes before its elders, whatever the clock said
            first = session.scalars(young).one_or_none() or bounds.newest + 1
            first = max(first, bounds.newest - most + 1)
            first = min(first, bounds.oldest + FORGOTTEN_AT_ONCE)
            if first <= bounds.oldest:
                return 0
            session.execute(
                delete(EventRow).where(EventRow.company_id == company_id, EventRow.sequence < first)
            )
            return first - bounds.oldest

    def remove(self, session: Session, company_id: int) -> None:
        """A company is removed, and its log with it."""
        session.execute(delete(EventRow).where(EventRow.company_id == company_id))
        session.execute(delete(EventSequenceRow).where(EventSequenceRow.company_id == company_id))

    def _announce(self, session: Session, company_id: int) -> None:
        grown: set[int] | None = session.info.get(_GROWN)
        if grown is None:
            session.info[_GROWN] = grown = set()
            after_commit(session, lambda: self.on_appended(frozenset(grown)))
        grown.add(company_id)


def _columns(new: NewEvent) -> dict[str, Any]:
    data = msgspec.json.encode(new.data)
    if len(data) > LARGEST_DATA:
        data = b'{"too_large":true}'
    return {"kind": new.kind, "subject": new.subject, "data": data.decode()}


def _event(sequence: int, at: float, kind: str, subject: str, data: str) -> LoggedEvent:
    return LoggedEvent(sequence, at, kind, subject, data.encode())


def _bounds(session: Session, company_id: int) -> Bounds:
    oldest = select(func.min(EventRow.sequence)).where(EventRow.company_id == company_id)
    # one statement: PostgreSQL shows what is committed meanwhile to the next one
    query = select(EventSequenceRow.newest, oldest.scalar_subquery()).where(
        EventSequenceRow.company_id == company_id
    )
    newest, first = session.execute(query).one_or_none() or (0, None)
    return Bounds(newest + 1 if first is None else first, newest)


def _nobody(_companies: frozenset[int]) -> None:
    """Before anybody follows."""
