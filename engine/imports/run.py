"""One run of an import: read the source, compare, write everything in one transaction, report.

Whatever stops it stops it before anything has changed; only the run itself says, in a transaction of its own, how far
it is and why it ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine.administration.notes import StoreNotes
from engine.administration.users import Users
from engine.domain.actor import Actor, Role
from engine.domain.imports.difference import Action, Difference, TooManyGone
from engine.domain.imports.entry import Entry, SourceError
from engine.domain.imports.run_state import (
    COMPARING,
    DONE,
    FAILED,
    READING,
    RUNNING,
    WAITING,
    WRITING,
)
from engine.imports.definition import comparison_of, entries_of, reading_of
from engine.imports.people import people_of
from engine.imports.run_report import end, outcome_columns
from engine.imports.writing import Writing
from engine.store.audit import Audit
from engine.store.database import Database
from engine.store.domain.import_tables import UserImportOutcomeRow, UserImportRow, UserImportRunRow
from engine.store.errors import StoreError
from engine.store.event_log import EventLog
from engine.store.rules import printable

KEPT_RUNS = 20
"""Reports kept of each import."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Carries out runs. now: Unix seconds."""

    database: Database
    users: Users
    events: EventLog
    audit: Audit
    now: Callable[[], float] = time.time

    def run(self, run_id: int) -> None:
        """Carry out a run that waits; how it went is in its row. Does nothing when it is gone or has begun."""
        begun = self._begin(run_id)
        if begun is None:
            return
        source, csv = begun
        try:
            entries = entries_of(source, csv, lambda count: self._progress(run_id, READING, entries=count))
            self._carry_out(run_id, source.id, entries)
        except SourceError as error:
            self._fail(run_id, error.reason, error.detail)
        except TooManyGone as error:
            self._fail(run_id, "too_many_gone", f"{error.gone}/{error.users}")
        except (StoreError, SQLAlchemyError) as error:
            self._fail(run_id, "store", type(error).__name__)
        except BaseException:
            self._fail(run_id, "bug", "")  # and let it be seen
            raise

    def run_called(self, uid: str) -> None:
        """Carry out the run of that uid."""
        with self.database.reading() as session:
            found = session.scalars(
                select(UserImportRunRow.id).where(UserImportRunRow.uid == uid)
            ).one_or_none()
        if found is not None:
            self.run(found)

    # ---- its steps

    def _begin(self, run_id: int) -> tuple[UserImportRow, str | None] | None:
        with self.database.writing() as session:
            run = session.get(UserImportRunRow, run_id, with_for_update=True)
            if run is None or run.state != WAITING:
                return None
            csv, run.csv = run.csv, None
            run.state, run.stage = RUNNING, READING
            run.version += 1
            source = session.get_one(UserImportRow, run.import_id)
        return source, csv

    def _carry_out(self, run_id: int, import_id: int, entries: Sequence[Entry]) -> None:
        self._progress(run_id, COMPARING, entries=len(entries))
        with self.database.reading() as session:
            run = session.get_one(UserImportRunRow, run_id)
            source = session.get_one(UserImportRow, import_id)
            found = list(reading_of(source).candidates(entries))
            comparison = comparison_of(source, force=run.force)
            dry_run, actor = run.dry_run, self._actor(run)
        if not dry_run:
            self._progress(run_id, WRITING)
        with self.database.writing() as session:
            source = session.get_one(UserImportRow, import_id, with_for_update=not dry_run)
            people = people_of(session, source)
            difference = comparison.compare(found, people.known, people.reserved)
            if not dry_run:
                logs = self.events, self.audit
                difference = Writing(session, source, people, actor, self.users, logs).carry_out(difference)
            self._report(session, run_id, difference)

    def _actor(self, run: UserImportRunRow) -> Actor:
        """In whose name users change; what she may was asked when the run was."""
        return Actor(run.started_by, Role.ADMINISTRATOR, frozenset({run.company_id}))

    # ---- its row

    def _progress(self, run_id: int, stage: str, **counts: int) -> None:
        """Say how far it is. It is no change of the run that anybody waits for, so its version stays."""
        with self.database.writing() as session:
            session.execute(
                update(UserImportRunRow).where(UserImportRunRow.id == run_id).values(stage=stage, **counts)
            )

    def _report(self, session: Session, run_id: int, difference: Difference) -> None:
        """The end of the run, in the transaction of what it did."""
        run = session.get_one(UserImportRunRow, run_id)
        for action, count in difference.counts.items():
            setattr(run, action.value, count)
        run.spared = difference.spared
        rows = [
            outcome_columns(run, each) for each in difference.outcomes if each.action is not Action.UNCHANGED
        ]
        if rows:
            session.execute(insert(UserImportOutcomeRow), rows)
        self._end(session, run, DONE)

    def _fail(self, run_id: int, reason: str, detail: str) -> None:
        with self.database.writing() as session:
            run = session.get(UserImportRunRow, run_id)
            if run is not None:
                run.reason, run.detail = reason, printable(detail, 255)
                self._end(session, run, FAILED)

    def _end(self, session: Session, run: UserImportRunRow, state: str) -> None:
        end(session, run, state, self.now(), self.events, self.audit)
        old = (
            select(UserImportRunRow.id)
            .where(UserImportRunRow.import_id == run.import_id)
            .order_by(UserImportRunRow.id.desc())
            .offset(KEPT_RUNS)
        )
        session.execute(delete(UserImportRunRow).where(UserImportRunRow.id.in_(list(session.scalars(old)))))


def runner(database: Database) -> Runner:
    """One over an opened database, whoever opened it."""
    logs = _Logs(EventLog(database), Audit(database))
    return Runner(database, Users(database, StoreNotes(logs)), logs.events, logs.audit)


@dataclass(frozen=True, slots=True)
class _Logs:
    events: EventLog
    audit: Audit
