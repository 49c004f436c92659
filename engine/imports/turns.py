"""Whose turn it is: the imports that are due by their schedules, and the run that waits longest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.administration.user_import_runs import UserImportRuns, begin
from engine.domain.identity import new_uid
from engine.domain.imports.run_state import INTERRUPTED, RUNNING, UNDER_WAY, WAITING
from engine.domain.imports.schedule import parse_schedule
from engine.imports.run_report import BY_SCHEDULE, end
from engine.store.audit import Audit
from engine.store.database import Database
from engine.store.domain.import_tables import UserImportRow, UserImportRunRow
from engine.store.event_log import EventLog


class Turns:
    """The runs to come. now: Unix seconds."""

    def __init__(self, database: Database, events: EventLog, audit: Audit, now: Callable[[], float]) -> None:
        self._database = database
        self._events = events
        self._audit = audit
        self._now = now

    def ask(self) -> int:
        """Ask for a run of each import that is due; how many those are.

        An engine that was down when one was due makes up for it once. One whose last run is still under way waits.
        """
        now = self._now()
        with self._database.reading() as session:
            due = [row.id for row in _scheduled(session) if _is_due(row, now)]
        if not due:
            return 0
        with self._database.writing() as session:
            busy = select(UserImportRunRow.import_id).where(UserImportRunRow.state.in_(UNDER_WAY))
            wanted = select(UserImportRow).where(UserImportRow.id.in_(due), UserImportRow.id.not_in(busy))
            sources = session.scalars(wanted).all()
            for source in sources:
                run = UserImportRunRow(uid=new_uid(UserImportRuns.prefix), version=1)
                run.company_id, run.import_id, run.csv = source.company_id, source.id, None
                begin(run, BY_SCHEDULE, now, dry_run=False, force=False)
                source.scheduled_from = now
                session.add(run)
            return len(sources)

    def next(self) -> int | None:
        """The run that waits longest, by its key."""
        with self._database.reading() as session:
            waiting = select(UserImportRunRow.id).where(UserImportRunRow.state == WAITING)
            return session.scalar(waiting.order_by(UserImportRunRow.id).limit(1))

    def interrupt(self) -> int:
        """End the runs that nobody carries out any more, as after a crash; how many those were."""
        with self._database.writing() as session:
            running = select(UserImportRunRow).where(UserImportRunRow.state == RUNNING)
            runs = session.scalars(running).all()
            for run in runs:
                self._end(session, run)
            return len(runs)

    def ended(self, run_id: int) -> int | None:
        """The process of a run is gone: one that is not through was interrupted. The company it is of."""
        with self._database.writing() as session:
            run = session.get(UserImportRunRow, run_id)
            if run is None:
                return None
            if run.state in UNDER_WAY:
                self._end(session, run)
            return run.company_id

    def _end(self, session: Session, run: UserImportRunRow) -> None:
        end(session, run, INTERRUPTED, self._now(), self._events, self._audit)


def _scheduled(session: Session) -> list[UserImportRow]:
    wanted = select(UserImportRow).where(UserImportRow.enabled, UserImportRow.schedule != "")
    return list(session.scalars(wanted))


def _is_due(row: UserImportRow, now: float) -> bool:
    schedule = parse_schedule(row.schedule)
    if schedule is None:
        return False
    last = datetime.fromtimestamp(row.scheduled_from, UTC)
    return schedule.next_after(last, ZoneInfo(row.time_zone)).timestamp() <= now
