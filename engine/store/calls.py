"""Calls that are over, in the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from sqlalchemy import CursorResult, delete, insert, select

from engine.domain.scope import company_of, plain
from engine.store.collection import Collection
from engine.store.database import Database
from engine.store.event_log import EventLog, NewEvent
from engine.store.records import CallRecord
from engine.store.rules import printable
from engine.store.tables import CallRow

_COLUMNS = tuple(field.name for field in fields(CallRecord) if field.name != "id")
_TOLD = ("number", "direction", "link", "codec", "started_at", "seconds", "mos_average")


class Calls(Collection[CallRow, CallRecord]):
    """Calls, by id."""

    row_type = CallRow
    record_type = CallRecord
    key = "id"
    what = "call"

    def __init__(self, database: Database, log: EventLog) -> None:
        super().__init__(database)
        self._log = log

    def journal(self, ended: Sequence[CallRecord]) -> None:
        """Store many calls in one transaction; what comes from the network is made safe to show.

        The logs of their companies tell of them.
        """
        with self._database.writing() as session:
            rows = [_values(each) for each in ended]
            session.execute(insert(CallRow), rows)
            by_company: defaultdict[int, list[NewEvent]] = defaultdict(list)
            for row in rows:
                by_company[row["company_id"]].append(_told(row))
            for company_id in sorted(by_company):
                self._log.extend(session, company_id, by_company[company_id])

    def latest(self, count: int, number: str | None = None) -> list[CallRecord]:
        """The newest calls, of one scoped number or all."""
        query = select(CallRow).order_by(CallRow.started_at.desc(), CallRow.id.desc()).limit(count)
        if number is not None:
            query = query.where(CallRow.number == plain(number), CallRow.company_id == company_of(number))
        with self._database.reading() as session:
            return [self._record(row) for row in session.scalars(query)]

    def forget_before(self, time: float) -> int:
        """Remove the calls that began earlier; how many those were."""
        with self._database.writing() as session:
            done = session.execute(delete(CallRow).where(CallRow.started_at < time))
            return int(cast("CursorResult[tuple[()]]", done).rowcount)


def _values(record: CallRecord) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in _COLUMNS}  # asdict copies deeply, ten times as slowly
    values |= {"call_id": printable(record.call_id, 255), "number": printable(record.number, 255)}
    return values


def _told(row: Mapping[str, Any]) -> NewEvent:
    """As it stands in its company's log: a party's call, when it is over."""
    told = {name: row[name] for name in _TOLD}
    return NewEvent("calls.ended", row["call_id"], told)
