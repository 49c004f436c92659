"""Where a thing is: finding the company and the domain that a request names, or means."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import ColumnElement, Select, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.domain.actor import Actor
from engine.domain.identity import LONGEST
from engine.store.domain.tables import CompanyRow, DomainRow
from engine.store.errors import Invalid, NotFound
from engine.store.rules import printable
from engine.store.tables import NounRow

RowT = TypeVar("RowT", bound=NounRow)


def seen_by(actor: Actor, column: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """The rows whose company exists for her; ``column`` says whose they are."""
    return true() if actor.companies is None else column.in_(sorted(actor.companies))


def find(session: Session, actor: Actor, row: type[RowT], what: str, uid: str) -> RowT:
    """The row of that identity. Raises NotFound where it is of a company that does not exist for her."""
    company: InstrumentedAttribute[int] = row.company_id
    known = uid if uid.isprintable() else ""
    found = session.scalars(select(row).where(row.uid == known, seen_by(actor, company))).one_or_none()
    if found is None:
        raise NotFound(what, printable(uid, LONGEST))
    return found


def company_for(session: Session, actor: Actor, uid: str | None) -> CompanyRow:
    """The company a new thing is made in: the one named, else the only one there is for the actor.

    Raises NotFound, or Invalid when one has to be named.
    """
    if uid is not None:
        return find(session, actor, CompanyRow, "company", uid)
    return _only(session, select(CompanyRow).where(seen_by(actor, CompanyRow.id)), "company")


def domain_for(session: Session, actor: Actor, uid: str | None) -> DomainRow:
    """The domain a new thing is made in, found as ``company_for`` finds a company."""
    if uid is not None:
        return find(session, actor, DomainRow, "domain", uid)
    return _only(session, select(DomainRow).where(seen_by(actor, DomainRow.company_id)), "domain")


def moved(session: Session, actor: Actor, uid: str | None, company_id: int) -> DomainRow:
    """The domain of the same company something is moved to. Raises NotFound or Invalid."""
    domain = domain_for(session, actor, uid)
    if domain.company_id != company_id:
        raise Invalid("domain", "a domain of the same company")
    return domain


def _only(session: Session, query: Select[RowT], field: str) -> RowT:
    found = session.scalars(query.limit(2)).all()
    if len(found) != 1:
        raise Invalid(field, f"the uid of a {field}: there is not just one")
    return found[0]
