"""Webhooks as their delivery knows them: where each leads, how far it is, what its receiver refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import case, delete, func, insert, select, update

from engine.domain.identity import new_uid
from engine.store.domain.tables import CompanyRow
from engine.store.events.tables import DeadLetterRow, WebhookRow
from engine.store.rules import printable

if TYPE_CHECKING:
    from engine.store.database import Database
    from engine.store.event_log import LoggedEvent

MOST_DEAD = 10_000
"""Dead letters of a webhook; the oldest go."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One that is enabled. cursor: the number of the last event that is done with."""

    id: int
    uid: str
    version: int
    company_id: int
    company: str
    url: str
    kinds: tuple[str, ...]
    secret: str = field(repr=False)
    cursor: int


class Webhooks:
    """Reads them, and notes what their delivery comes to."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now

    def enabled(self) -> list[Webhook]:
        """Those of companies that are enabled, in the order of their keys."""
        row = WebhookRow
        query = (
            select(
                row.id,
                row.uid,
                row.version,
                row.company_id,
                CompanyRow.uid,
                row.url,
                row.kinds,
                row.secret,
                row.cursor,
            )
            .join(CompanyRow, CompanyRow.id == row.company_id)
            .where(row.enabled, CompanyRow.enabled)
            .order_by(row.id)
        )
        with self._database.reading() as session:
            return [
                Webhook(key, uid, version, company_id, company, url, tuple(kinds), secret, cursor)
                for key, uid, version, company_id, company, url, kinds, secret, cursor in session.execute(
                    query
                )
            ]

    def delivered(self, key: int, cursor: int) -> None:
        """Everything up to this number is done with, and the receiver answers."""
        with self._database.writing() as session:
            session.execute(
                update(WebhookRow)
                .where(WebhookRow.id == key)
                .values(cursor=cursor, failing_since=None, error="")
            )

    def failed(self, key: int, error: str) -> None:
        """An attempt failed."""
        since = case((WebhookRow.failing_since.is_(None), self._now()), else_=WebhookRow.failing_since)
        with self._database.writing() as session:
            session.execute(
                update(WebhookRow)
                .where(WebhookRow.id == key)
                .values(failing_since=since, error=printable(error, 255))
            )

    def missed(self, key: int, count: int, cursor: int) -> None:
        """So many events were no longer kept: it goes on after ``cursor``."""
        with self._database.writing() as session:
            session.execute(
                update(WebhookRow)
                .where(WebhookRow.id == key)
                .values(missed=WebhookRow.missed + count, cursor=cursor)
            )

    def put_aside(self, hook: Webhook, event: LoggedEvent, error: str) -> None:
        """Keep an event as a dead letter; it is done with."""
        letter = {
            "uid": new_uid("dlt"),
            "version": 1,
            "company_id": hook.company_id,
            "webhook_id": hook.id,
            "sequence": event.sequence,
            "at": event.at,
            "kind": event.kind,
            "subject": event.subject,
            "data": event.data.decode(),
            "given_up_at": self._now(),
            "error": printable(error, 255),
        }
        ours = DeadLetterRow.webhook_id == hook.id
        with self._database.writing() as session:
            if session.scalar(select(func.count()).select_from(WebhookRow).where(WebhookRow.id == hook.id)):
                session.execute(insert(DeadLetterRow), letter)
                newest = select(DeadLetterRow.id).where(ours).order_by(DeadLetterRow.id.desc())
                last = session.scalar(newest.offset(MOST_DEAD).limit(1))
                if last is not None:
                    session.execute(delete(DeadLetterRow).where(ours, DeadLetterRow.id <= last))
                session.execute(
                    update(WebhookRow).where(WebhookRow.id == hook.id).values(cursor=event.sequence)
                )
