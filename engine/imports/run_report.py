"""How a run ended, and the lines of its report."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from engine.administration.user_import_runs import UserImportRuns
from engine.domain.identity import new_uid
from engine.domain.imports.difference import Action, Outcome
from engine.store.audit import Audit
from engine.store.domain.import_tables import UserImportRunRow
from engine.store.event_log import EventLog
from engine.store.rules import printable

BY_SCHEDULE = "schedule"
"""Who began a run that nobody asked for."""


def end(
    session: Session, run: UserImportRunRow, state: str, now: float, events: EventLog, audit: Audit
) -> None:
    """Bring a run to its end, and tell of it."""
    run.state, run.stage, run.ended_at, run.csv = state, "", now, None
    run.version += 1
    told: dict[str, object] = {"state": state, "reason": run.reason, "dry_run": run.dry_run}
    told |= {action.value: getattr(run, action.value) for action in Action}
    events.append(session, run.company_id, f"{UserImportRuns.name}.ended", run.uid, told)
    audit.append(
        session,
        run.company_id,
        run.started_by,
        f"{UserImportRuns.name}.ended",
        run.uid,
        {name: [None, value] for name, value in told.items()},
    )
    session.flush()


def outcome_columns(run: UserImportRunRow, outcome: Outcome) -> dict[str, Any]:
    """One line of the report, as a row."""
    return {
        "uid": new_uid("uio"),
        "version": 1,
        "company_id": run.company_id,
        "run_id": run.id,
        "action": outcome.action.value,
        "login": printable(outcome.login, 255),
        "reference": printable(outcome.reference, 1024),
        "reason": outcome.reason,
        "field": outcome.field,
        "changes": {name: list(change) for name, change in outcome.changes.items()},
    }
