"""Mail on its way: what is to be sent, when it is tried again, and what could not be delivered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete, func, select, update

from engine.store.conferences.tables import MailRow
from engine.store.database import Database
from engine.store.errors import NotFound, StoreError
from engine.store.rules import printable

MOST_WAITING = 20_000
LARGEST = 2 << 20
"""Octets of one message, encoded."""


class QueueFull(StoreError):
    """Too many messages wait already: the mail server has been away for long, or something sends without measure."""

    def __init__(self) -> None:
        super().__init__(f"more than {MOST_WAITING} messages wait for the mail server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message for one recipient.

    content: as it goes over the wire, CRLF line ends. due_at: when it is tried next, Unix seconds; None: it is given
    up, and kept for an administrator to see, send again or remove. error: why the last attempt failed.
    """

    recipient: str
    subject: str
    content: bytes = field(repr=False)
    created_at: float
    due_at: float | None
    attempts: int = 0
    error: str = ""
    id: int = 0


class Mails:
    """The queue; it outlives the process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, mails: Sequence[Mail]) -> None:
        """Add many at once, all or none. Raises QueueFull."""
        with self._database.writing() as session:
            waiting = session.scalar(
                select(func.count()).select_from(MailRow).where(MailRow.due_at.is_not(None))
            )
            if (waiting or 0) + len(mails) > MOST_WAITING:
                raise QueueFull
            for each in mails:
                session.add(
                    MailRow(
                        recipient=each.recipient,
                        subject=printable(each.subject, 255),
                        content=each.content,
                        created_at=each.created_at,
                        due_at=each.due_at,
                        attempts=each.attempts,
                        error=printable(each.error, 255),
                    )
                )

    def take(self, now: float, count: int, lease: float) -> list[Mail]:
        """What is to be tried now, the longest due first, put off by ``lease`` seconds meanwhile.

        So no other node of a pool tries it too, and what was being tried when the process died is tried again.
        """
        query = select(MailRow).where(MailRow.due_at <= now).order_by(MailRow.due_at, MailRow.id).limit(count)
        with self._database.writing() as session:
            rows = list(session.scalars(query.with_for_update(skip_locked=True)))
            taken = [_mail(row) for row in rows]
            for row in rows:
                row.due_at = now + lease
            return taken

    def next_due(self) -> float | None:
        """When the next is to be tried."""
        with self._database.reading() as session:
            return session.scalar(select(func.min(MailRow.due_at)))

    def counts(self) -> tuple[int, int]:
        """How many wait, and how many are given up."""
        given_up = select(func.count()).select_from(MailRow).where(MailRow.due_at.is_(None))
        with self._database.reading() as session:
            every = session.scalar(select(func.count()).select_from(MailRow)) or 0
            dead = session.scalar(given_up) or 0
            return every - dead, dead

    def all(self, count: int = 1000) -> list[Mail]:
        """The newest first, those given up included."""
        query = select(MailRow).order_by(MailRow.created_at.desc(), MailRow.id.desc()).limit(count)
        with self._database.reading() as session:
            return [_mail(row) for row in session.scalars(query)]

    def failed(self, identity: int, error: str, due_at: float | None) -> None:
        """An attempt failed; ``due_at`` None gives it up."""
        with self._database.writing() as session:
            session.execute(
                update(MailRow)
                .where(MailRow.id == identity)
                .values(error=printable(error, 255), due_at=due_at, attempts=MailRow.attempts + 1)
            )

    def try_again(self, identity: int, now: float) -> None:
        """Put one that was given up, or waits, at the beginning of its attempts. Raises NotFound."""
        with self._database.writing() as session:
            row = session.get(MailRow, identity)
            if row is None:
                raise NotFound("mail", str(identity))
            row.due_at, row.attempts = now, 0

    def remove(self, identity: int) -> None:
        """Forget one. Raises NotFound."""
        with self._database.writing() as session:
            row = session.get(MailRow, identity)
            if row is None:
                raise NotFound("mail", str(identity))
            session.delete(row)

    def forget_given_up_before(self, time: float) -> None:
        """Remove what was given up and is older than that."""
        with self._database.writing() as session:
            session.execute(delete(MailRow).where(MailRow.due_at.is_(None), MailRow.created_at < time))


def _mail(row: MailRow) -> Mail:
    return Mail(
        recipient=row.recipient,
        subject=row.subject,
        content=row.content,
        created_at=row.created_at,
        due_at=row.due_at,
        attempts=row.attempts,
        error=row.error,
        id=row.id,
    )
