"""A change, as it is noted in the transaction that makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.orm import Session

from engine.domain.actor import Actor
from engine.store.audit import Audit
from engine.store.event_log import EventLog


@dataclass(frozen=True, slots=True)
class Change:
    """Something an actor did to a thing.

    kind: "users.added", "users.changed", "users.removed" or another verb. company_id: None for what concerns no
    company. view: the thing after it, or as it last was. fields: what changed, each with its value before and after;
    ``engine.store.audit.SECRET`` for both where they are not to be shown.
    """

    actor: Actor
    kind: str
    subject: str
    company_id: int | None
    view: Mapping[str, Any]
    fields: Mapping[str, tuple[Any, Any]]


class Notes(Protocol):
    """Where changes are noted: the event log and the audit log, within the transaction ``session``."""

    def note(self, session: Session, change: Change) -> None:
        """Keep it."""

    def forget_company(self, session: Session, company_id: int) -> None:
        """It is gone: nobody is left who could follow its events."""


class Logs(Protocol):
    """What has both logs: a store."""

    @property
    def events(self) -> EventLog:
        """What follows events is told from here."""

    @property
    def audit(self) -> Audit:
        """Who made which change."""


class StoreNotes:
    """The store's own logs: what follows events is told of a change, the audit log keeps who made it."""

    def __init__(self, store: Logs) -> None:
        self._events = store.events
        self._audit = store.audit

    def note(self, session: Session, change: Change) -> None:
        """Append an event and an audit entry."""
        self._audit.append(
            session,
            change.company_id,
            change.actor.name,
            change.kind,
            change.subject,
            {name: list(pair) for name, pair in change.fields.items()},
        )
        if change.company_id is not None:
            data = {"actor": change.actor.name, **change.view}
            self._events.append(session, change.company_id, change.kind, change.subject, data)

    def forget_company(self, session: Session, company_id: int) -> None:
        """Its events go; what was done in it stays in the audit log, for those who see all companies."""
        self._events.remove(session, company_id)
        self._audit.detach(session, company_id)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The fields that are not the same in both, each with its two values."""
    names = [*before, *(name for name in after if name not in before)]
    return {
        name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    }
