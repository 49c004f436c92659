"""The call journal in the store: written in batches, cleaned once a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import CursorResult, bindparam, delete, func, insert, or_, select, update

from engine.domain.folding import fold
from engine.domain.identity import new_uid
from engine.store.database import Database
from engine.store.domain.journal_table import JournalRow
from engine.store.records import JournalCall
from engine.store.rules import printable

PREFIX = "cal"


class Journal:
    """The calls each line, automate and room of ours remembers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, calls: Sequence[JournalCall], qualities: Mapping[str, float]) -> None:
        """Store many in one transaction.

        qualities: the average MOS of calls, by Call-ID; also of some that are stored already.
        """
        known = {printable(call_id, 255): mos for call_id, mos in qualities.items()}
        rows = [_columns(each, known) for each in calls]
        late = [
            {"of": call_id, "heard": mos}
            for call_id, mos in known.items()
            if call_id not in {row["call_id"] for row in rows}
        ]
        if not rows and not late:
            return
        with self._database.writing() as session:
            if rows:
                session.execute(insert(JournalRow), rows)
            if late:
                rated = update(JournalRow).where(JournalRow.call_id == bindparam("of"))
                session.connection().execute(rated.values(mos=bindparam("heard")), late)

    def clean(self, before: float, most: int, least: int) -> int:
        """Remove what began earlier, and in a company what is beyond its newest ``most`` (0: no limit); how many.

        The newest ``least`` of each user, and of each number that has none, stay whatever their age.
        """
        newest = JournalRow.started_at.desc(), JournalRow.id.desc()
        owner = JournalRow.company_id, func.coalesce(JournalRow.user, JournalRow.line)
        ranked = select(
            JournalRow.id.label("id"),
            JournalRow.started_at.label("started_at"),
            func.row_number().over(partition_by=owner, order_by=newest).label("of_owner"),
            func.row_number().over(partition_by=JournalRow.company_id, order_by=newest).label("of_company"),
        ).subquery()
        old = ranked.c.started_at < before
        too_many = old if most == 0 else or_(old, ranked.c.of_company > most)
        gone = select(ranked.c.id).where(ranked.c.of_owner > least, too_many)
        with self._database.writing() as session:
            done = session.execute(delete(JournalRow).where(JournalRow.id.in_(gone)))
            return int(cast("CursorResult[tuple[()]]", done).rowcount)


def _columns(call: JournalCall, qualities: Mapping[str, float]) -> dict[str, Any]:
    """A row; what comes from the network is made safe to show."""
    call_id = printable(call.call_id, 255)
    number, name = printable(call.number, 255), printable(call.name, 128)
    answered_by = printable(call.answered_by, 255)
    return {
        "uid": new_uid(PREFIX),
        "version": 1,
        "company_id": call.company_id,
        "line": call.line,
        "user": call.user,
        "direction": call.direction,
        "number": number,
        "name": name,
        "started_at": call.started_at,
        "seconds": call.seconds,
        "answered_by": answered_by,
        "mos": qualities.get(call_id),
        "recording": call.recording,
        "call_id": call_id,
        "search_text": fold(f"{number} {name} {answered_by}"),
    }
