"""Who may administer the engine, and the secrets it made for itself."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.domain.authentication.account import ROLES, Account
from engine.domain.identity import new_uid
from engine.store.database import Database
from engine.store.domain.administrator_tables import AdminCompanyRow, AdminRow, SessionRow
from engine.store.errors import InUse, Invalid, NotFound, Taken
from engine.store.passwords import hash_password
from engine.store.rules import NAME, check_name
from engine.store.tables import SecretRow

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 256
UID_PREFIX = "adm"


class Admins:
    """Administrators, by name. What is shown and changed of them through the API is a noun's matter."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Account]:
        """Every one, in the order of their names."""
        with self._database.reading() as session:
            return accounts(session, session.scalars(select(AdminRow).order_by(AdminRow.name)).all())

    def get(self, name: str) -> Account | None:
        """The one of that name."""
        with self._database.reading() as session:
            row = _find(session, name)
            return None if row is None else accounts(session, [row])[0]

    def create(self, name: str, password: str) -> Account:
        """Add a super user. Raises Taken or Invalid."""
        check_name(name)
        password_hash = checked_hash(password)
        with self._database.writing() as session:
            if _find(session, name) is not None:
                raise Taken("administrator", name, "another administrator")
            row = AdminRow(
                uid=new_uid(UID_PREFIX),
                version=1,
                name=name,
                password_hash=password_hash,
                role="super",
                all_companies=True,
                culture="en",
                enabled=True,
            )
            session.add(row)
            session.flush()
            return accounts(session, [row])[0]

    def set_password(self, name: str, password: str) -> None:
        """Change a password; who signed in with the old one is signed out. Raises NotFound or Invalid."""
        password_hash = checked_hash(password)
        with self._database.writing() as session:
            row = _find(session, name)
            if row is None:
                raise NotFound("administrator", name)
            row.password_hash = password_hash
            row.version += 1
            end_sessions(session, row.id)

    def rehash(self, admin_id: int, old: str, new: str) -> None:
        """Store the same password anew, unless it has been changed meanwhile."""
        with self._database.writing() as session:
            row = session.get(AdminRow, admin_id)
            if row is not None and row.password_hash == old:
                row.password_hash = new

    def remove(self, name: str) -> None:
        """Remove the one of that name. Raises NotFound, or InUse for the last super user."""
        with self._database.writing() as session:
            row = _find(session, name)
            if row is None:
                raise NotFound("administrator", name)
            refuse_last(session, row)
            session.delete(row)


def accounts(session: Session, rows: Iterable[AdminRow]) -> list[Account]:
    """The accounts of these rows."""
    rows = list(rows)
    limited: dict[int, set[int]] = {row.id: set() for row in rows if not row.all_companies}
    if limited:
        wanted = select(AdminCompanyRow).where(AdminCompanyRow.admin_id.in_(limited))
        for each in session.scalars(wanted):
            limited[each.admin_id].add(each.company_id)
    return [
        Account(
            name=row.name,
            password_hash=row.password_hash,
            role=ROLES[row.role],
            companies=None if row.all_companies else frozenset(limited[row.id]),
            culture="fr" if row.culture == "fr" else "en",
            enabled=row.enabled,
            uid=row.uid,
            id=row.id,
        )
        for row in rows
    ]


def checked_hash(password: str) -> str:
    """What is stored of a new password. Raises Invalid."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Invalid("password", f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    return hash_password(password)


def end_sessions(session: Session, admin_id: int) -> None:
    """Sign her out everywhere."""
    for row in session.scalars(select(SessionRow).where(SessionRow.admin_id == admin_id)):
        session.delete(row)


def refuse_last(session: Session, row: AdminRow) -> None:
    """Raise InUse where ``row`` is the only super user who may sign in: nobody locks everybody out."""
    others = (
        select(func.count())
        .select_from(AdminRow)
        .where(AdminRow.role == "super", AdminRow.enabled, AdminRow.id != row.id)
    )
    if session.scalar(others) == 0:
        raise InUse("administrator", row.name, "the engine: there is no other super user")


def _find(session: Session, name: str) -> AdminRow | None:
    if NAME.fullmatch(name) is None:
        return None  # nor could PostgreSQL be asked for any text there is
    return session.scalars(select(AdminRow).where(AdminRow.name == name)).one_or_none()


class Secrets:
    """Random bytes by name, made at the first asking and kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str, size: int = 32) -> bytes:
        """The secret ``name``; ``size`` bytes when it has to be made."""
        with self._database.writing() as session:
            row = session.get(SecretRow, name, with_for_update=True)
            if row is None:
                row = SecretRow(name=name, value=secrets.token_hex(size))
                session.add(row)
            return bytes.fromhex(row.value)
