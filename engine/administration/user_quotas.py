"""How many users have an application, against what their company may have."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.domain.quotas import users_of
from engine.store.domain.rights_tables import QuotaRow
from engine.store.domain.structures import read_authorisations, read_structure
from engine.store.domain.user_tables import UserRow
from engine.store.errors import Spent


def count_users(session: Session, company_id: int, application: str) -> int:
    """The users of a company that have an application."""
    users = session.scalars(select(UserRow.uid).where(UserRow.company_id == company_id))
    structure = read_structure(session, company_id)
    return len(users_of(application, users, structure, read_authorisations(session, company_id)))


def check_users(session: Session, company_id: int, application: str | None = None) -> None:
    """Raise Spent when more users have an application, or any, than the company may have."""
    quotas = select(QuotaRow.application, QuotaRow.users).where(
        QuotaRow.company_id == company_id, QuotaRow.users.is_not(None)
    )
    if application is not None:
        quotas = quotas.where(QuotaRow.application == application)
    for name, limit in session.execute(quotas).all():
        if limit is not None and count_users(session, company_id, name) > limit:
            raise Spent(f"users of {name}", limit)
