"""Calls that are over, in the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, cast

from sqlalchemy import CursorResult, delete, insert, select

from engine.domain.scope import company_of, plain
from engine.store.collection import Collection
from engine.store.records import CallRecord
from engine.store.rules import printable
from engine.store.tables import CallRow

_COLUMNS = tuple(field.name for field in fields(CallRecord) if field.name != "id")


class Calls(Collection[CallRow, CallRecord]):
    """Calls, by id."""

    row_type = CallRow
    record_type = CallRecord
    key = "id"
    what = "call"

    def journal(self, ended: Sequence[CallRecord]) -> None:
        """Store many calls in one transaction; what comes from the network is made safe to show."""
        with self._database.writing() as session:
            session.execute(insert(CallRow), [_values(each) for each in ended])

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
