"""API tokens and sessions in the store, found by the hash of what is shown. Lists of them are a noun's matter."""

from __future__ import annotations

from sqlalchemy import delete, select

from engine.domain.authentication.account import Session, TokenAccount
from engine.domain.identity import new_uid
from engine.store.admins import accounts
from engine.store.database import Database
from engine.store.domain.administrator_tables import AdminRow, ApiTokenRow, SessionRow

MOST_SESSIONS = 20
"""Of one administrator; with one more, the one unused for longest ends."""


class ApiTokens:
    """Tokens of programs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, digest: str) -> TokenAccount | None:
        """The token whose hash this is, over or not."""
        with self._database.reading() as session:
            wanted = select(ApiTokenRow, AdminRow).join(AdminRow, AdminRow.id == ApiTokenRow.admin_id)
            found = session.execute(wanted.where(ApiTokenRow.digest == digest)).one_or_none()
            if found is None:
                return None
            token, admin = found
            return TokenAccount(
                uid=token.uid,
                account=accounts(session, [admin])[0],
                scopes=frozenset(token.scopes),
                expires_at=token.expires_at,
                used_at=token.used_at,
            )

    def used(self, uid: str, now: float) -> None:
        """Note when it was used."""
        with self._database.writing() as session:
            row = session.scalars(select(ApiTokenRow).where(ApiTokenRow.uid == uid)).one_or_none()
            if row is not None:
                row.used_at = now


class Sessions:
    """Browsers that somebody has signed in with."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, digest: str, admin_id: int, source: str, now: float, ends_at: float) -> str:
        """Keep one; answers its identity. Sessions that are over go, and the oldest of too many."""
        with self._database.writing() as session:
            session.execute(delete(SessionRow).where(SessionRow.ends_at <= now))
            mine = select(SessionRow).where(SessionRow.admin_id == admin_id).order_by(SessionRow.seen_at)
            for each in session.scalars(mine).all()[: -(MOST_SESSIONS - 1)]:
                session.delete(each)
            row = SessionRow(
                uid=new_uid("ses"),
                digest=digest,
                admin_id=admin_id,
                source=source[:64],
                created_at=now,
                seen_at=now,
                ends_at=ends_at,
            )
            session.add(row)
            return row.uid

    def find(self, digest: str) -> Session | None:
        """The session whose hash this is, over or not."""
        with self._database.reading() as session:
            wanted = select(SessionRow, AdminRow).join(AdminRow, AdminRow.id == SessionRow.admin_id)
            found = session.execute(wanted.where(SessionRow.digest == digest)).one_or_none()
            if found is None:
                return None
            row, admin = found
            return Session(
                uid=row.uid,
                account=accounts(session, [admin])[0],
                source=row.source,
                created_at=row.created_at,
                seen_at=row.seen_at,
                ends_at=row.ends_at,
            )

    def seen(self, uid: str, now: float) -> None:
        """Note when it was used."""
        with self._database.writing() as session:
            row = session.scalars(select(SessionRow).where(SessionRow.uid == uid)).one_or_none()
            if row is not None:
                row.seen_at = now

    def close(self, digest: str) -> None:
        """End one; one that is over already stays so."""
        with self._database.writing() as session:
            session.execute(delete(SessionRow).where(SessionRow.digest == digest))
