"""Who may administer the engine, and the secrets it made for itself."""

from __future__ import annotations

import secrets
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.store.collection import Collection
from engine.store.database import Database
from engine.store.errors import InUse, Invalid
from engine.store.passwords import hash_password, is_outdated, nobody, password_matches
from engine.store.records import Admin
from engine.store.rules import check_name
from engine.store.tables import AdminRow, SecretRow

SHORTEST_PASSWORD = 10


class Admins(Collection[AdminRow, Admin]):
    """Administrators, by name."""

    row_type = AdminRow
    record_type = Admin
    key = "name"
    what = "admin"

    def check(self, session: Session, record: Admin) -> None:
        """Refuse a bad name or one in use."""
        check_name(record.name)
        self._refuse_taken(session, record)

    def create(self, name: str, password: str) -> Admin:
        """Add an administrator. Raises Taken or Invalid."""
        return self.add(Admin(name=name, password_hash=_hashed(password)))

    def set_password(self, name: str, password: str) -> None:
        """Change a password. Raises NotFound or Invalid."""
        admin = self.get(name)
        self.update(Admin(name=name, password_hash=_hashed(password), id=admin.id if admin else 0))

    def verify(self, name: str, password: str) -> bool:
        """Whether this is the administrator's password; an unknown name takes as long as a wrong password.

        A hash of an earlier version is replaced, now that the password is known.
        """
        admin = self.get(name)
        matches = password_matches(password, admin.password_hash if admin else nobody())
        if admin is None or not matches:
            return False
        if is_outdated(admin.password_hash):
            self.update(replace(admin, password_hash=hash_password(password)))
        return True

    def _check_unused(self, session: Session, row: AdminRow) -> None:
        if session.scalar(select(func.count()).select_from(AdminRow)) == 1:
            raise InUse("admin", row.name, "the engine: there is no other")


def _hashed(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid("password", f"at least {SHORTEST_PASSWORD} characters")
    return hash_password(password)


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
