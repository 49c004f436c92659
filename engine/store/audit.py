"""The audit log: who changed what, when. Nothing changes an entry; what is too old goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import msgspec
from sqlalchemy import CursorResult, delete, insert, update
from sqlalchemy.orm import Session

from engine.domain.identity import new_uid
from engine.store.events.tables import AuditRow
from engine.store.rules import printable

if TYPE_CHECKING:
    from engine.store.database import Database

SECRET = "***"  # noqa: S105  # what stands for one
"""What an entry says of a secret: that it changed, not what it was."""

Changes = Mapping[str, Sequence[object]]
"""Field to the pair of what it was before and what it is after; secrets as ``SECRET``."""


class Audit:
    """The log of all companies."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now

    def append(
        self,
        session: Session,
        company_id: int | None,
        actor_name: str,
        action: str,
        subject: str,
        changes: Changes,
    ) -> None:
        """Note a change in the transaction that makes it. company_id None: it is of no company."""
        self.extend(session, company_id, actor_name, [(action, subject, changes)])

    def extend(
        self,
        session: Session,
        company_id: int | None,
        actor_name: str,
        changes: Iterable[tuple[str, str, Changes]],
    ) -> None:
        """Note many changes of one actor at once, each as (action, subject, what changed)."""
        common = {"company_id": company_id, "at": self._now(), "actor": printable(actor_name, 128)}
        rows = [
            common
            | {
                "uid": new_uid("aud"),
                "version": 1,
                "action": action,
                "subject": printable(subject, 255),
                "changes": msgspec.json.encode(fields).decode(),
            }
            for action, subject, fields in changes
        ]
        if rows:
            session.execute(insert(AuditRow), rows)

    def detach(self, session: Session, company_id: int) -> None:
        """A company is removed: what was done in it stays, for those who see all companies."""
        session.execute(update(AuditRow).where(AuditRow.company_id == company_id).values(company_id=None))

    def forget_before(self, time: float) -> int:
        """Remove older entries; how many those were."""
        with self._database.writing() as session:
            done = session.execute(delete(AuditRow).where(AuditRow.at < time))
            return int(cast("CursorResult[tuple[()]]", done).rowcount)
