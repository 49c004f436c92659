"""What administrators' one-time codes are checked by, in the store: a code is taken once, whoever asks at a time."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.domain.authentication.second_factor import (
    Factor,
    accepted,
    new_recovery_codes,
    new_secret,
    recovery_digest,
)
from engine.store.admins import end_sessions
from engine.store.audit import Audit
from engine.store.database import Database
from engine.store.domain.account_changes import AccountChanges
from engine.store.domain.administrator_tables import AdminFactorRow, AdminRow
from engine.store.errors import InUse, NotFound


class SecondFactors:
    """By the key of their administrator."""

    def __init__(self, database: Database, changes: AccountChanges, audit: Audit) -> None:
        self._database = database
        self._changes = changes
        self._audit = audit

    def begin(self, admin_id: int) -> str:
        """A new secret, which counts for nothing until it is confirmed. Raises InUse where one is confirmed."""
        secret = new_secret()
        with self._database.writing() as session:
            row = session.get(AdminFactorRow, admin_id, with_for_update=True)
            if row is not None and row.confirmed:
                raise InUse("second factor", "of yours", "who signs in; remove it first")
            row = row or AdminFactorRow(admin_id=admin_id)
            row.secret, row.confirmed, row.last_step, row.recovery = secret, False, 0, []
            session.add(row)
        return secret

    def confirm(self, admin_id: int, code: str, now: float, by: str, uid: str) -> list[str] | None:
        """Count from now on, as ``by`` wants; answers the recovery codes, or None for a wrong code. Raises NotFound."""
        with self._database.writing() as session:
            row = session.get(AdminFactorRow, admin_id, with_for_update=True)
            if row is None or row.confirmed:
                raise NotFound("second factor", "to be confirmed")
            if not _take(row, code, now):
                return None
            codes = new_recovery_codes()
            row.recovery = [recovery_digest(each) for each in codes]
            self._note(session, by, "added", uid)
            return codes

    def is_needed(self, admin_id: int) -> bool:
        """Whether she has to show a code."""
        with self._database.reading() as session:
            wanted = select(AdminFactorRow.confirmed).where(AdminFactorRow.admin_id == admin_id)
            return bool(session.scalar(wanted))

    def take(self, admin_id: int, code: str, now: float) -> bool:
        """Whether it is a right code, which it is no more then."""
        with self._database.writing() as session:
            row = session.get(AdminFactorRow, admin_id, with_for_update=True)
            return row is not None and row.confirmed and _take(row, code, now)

    def remove(self, name: str, by: str) -> None:
        """Ask the administrator of that name, as ``by`` wants, for no code any more; she has to sign in again.

        Raises NotFound.
        """
        with self._database.writing() as session:
            admin = session.scalars(select(AdminRow).where(AdminRow.name == name)).one_or_none()
            row = None if admin is None else session.get(AdminFactorRow, admin.id, with_for_update=True)
            if admin is None or row is None:
                raise NotFound("second factor of", name)
            session.delete(row)
            end_sessions(session, admin.id)
            self._note(session, by, "removed", admin.uid)

    def _note(self, session: Session, by: str, verb: str, uid: str) -> None:
        self._audit.append(session, None, by, f"administrators.second-factor-{verb}", uid, {})
        self._changes.after(session)


def _take(row: AdminFactorRow, code: str, now: float) -> bool:
    factor = Factor(row.secret, row.confirmed, row.last_step, frozenset(row.recovery))
    after = accepted(factor, code, now)
    if after is None:
        return False
    row.confirmed, row.last_step, row.recovery = after.confirmed, after.last_step, sorted(after.recovery)
    return True
