"""API tokens and sessions in the store, found by the hash of what is shown. Lists of them are a noun's matter."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as DatabaseSession

from engine.domain.authentication.account import Account, Session, TokenAccount
from engine.domain.authentication.user_account import UserAccount
from engine.domain.identity import new_uid
from engine.store.admins import accounts
from engine.store.database import Database
from engine.store.domain.administrator_tables import AdminRow, ApiTokenRow, SessionRow
from engine.store.domain.user_accounts import UserAccounts

MOST_SESSIONS = 20
"""Of one administrator or user; with one more, the one unused for longest ends."""


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
        self._users = UserAccounts(database)

    def open(
        self, digest: str, holder: Account | UserAccount, source: str, now: float, ends_at: float
    ) -> str:
        """Keep one; answers its identity. Sessions that are over go, and the oldest of too many."""
        of_admin = isinstance(holder, Account)
        mine = SessionRow.admin_id == holder.id if of_admin else SessionRow.user_id == holder.id
        with self._database.writing() as session:
            session.execute(delete(SessionRow).where(SessionRow.ends_at <= now))
            oldest_first = select(SessionRow).where(mine).order_by(SessionRow.seen_at)
            for each in session.scalars(oldest_first).all()[: -(MOST_SESSIONS - 1)]:
                session.delete(each)
            row = SessionRow(
                uid=new_uid("ses"),
                digest=digest,
                admin_id=holder.id if of_admin else None,
                user_id=None if of_admin else holder.id,
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
            row = session.scalars(select(SessionRow).where(SessionRow.digest == digest)).one_or_none()
            holder = None if row is None else self._holder(session, row)
            if row is None or holder is None:
                return None
            return Session(
                uid=row.uid,
                account=holder,
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

    def _holder(self, session: DatabaseSession, row: SessionRow) -> Account | UserAccount | None:
        if row.user_id is not None:
            return self._users.by_id(session, row.user_id)
        admin = session.get(AdminRow, row.admin_id)
        return None if admin is None else accounts(session, [admin])[0]


def end_sessions_of_user(session: DatabaseSession, user_id: int) -> None:
    """Sign her out everywhere."""
    session.execute(delete(SessionRow).where(SessionRow.user_id == user_id))
