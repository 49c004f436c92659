"""Reading who is in what, and what they were given, in the terms of the rules."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from engine.domain.parameters import Setting
from engine.domain.quotas import Quota
from engine.domain.rights import Authorisation, ObjectKind
from engine.domain.structure import Node, Structure
from engine.store.domain.rights_tables import AuthorisationRow, ParameterRow, QuotaRow
from engine.store.domain.tables import CompanyRow, DomainRow
from engine.store.domain.user_tables import GroupRow, MembershipRow, UserRow


def read_structure(
    session: Session, company_id: int | None = None, users: Collection[str] | None = None
) -> Structure:
    """Who is in what: of all companies, or of one; of all users, or of some, with all groups in any case."""
    return Structure(_nodes(session, company_id, users), _memberships(session, company_id, users))


def read_authorisations(session: Session, company_id: int | None = None) -> list[Authorisation]:
    """What was given: in all companies, or in one."""
    rows = session.execute(
        select(
            AuthorisationRow.uid,
            CompanyRow.uid,
            AuthorisationRow.grantee,
            AuthorisationRow.kind,
            AuthorisationRow.object,
        )
        .join(CompanyRow, CompanyRow.id == AuthorisationRow.company_id)
        .where(_of(AuthorisationRow.company_id, company_id))
    )
    return [
        Authorisation(uid, company, who, ObjectKind(kind), what) for uid, company, who, kind, what in rows
    ]


def read_settings(session: Session, company_id: int | None = None) -> list[Setting]:
    """The parameters that are set: in all companies, or in one."""
    rows = session.execute(
        select(ParameterRow.owner, ParameterRow.name, ParameterRow.value).where(
            _of(ParameterRow.company_id, company_id)
        )
    )
    return [Setting(*row) for row in rows]


def read_quotas(session: Session, company_id: int | None = None) -> list[Quota]:
    """Of all companies, or of one."""
    rows = session.execute(
        select(QuotaRow.company_id, QuotaRow.application, QuotaRow.channels, QuotaRow.users).where(
            _of(QuotaRow.company_id, company_id)
        )
    )
    return [Quota(*row) for row in rows]


def _nodes(session: Session, company_id: int | None, users: Collection[str] | None) -> Iterator[Node]:
    companies: dict[int, str] = {}
    for key, uid in session.execute(
        select(CompanyRow.id, CompanyRow.uid).where(_of(CompanyRow.id, company_id))
    ):
        companies[key] = uid
        yield Node(uid, uid)
    domains: dict[int, str] = {}
    for key, uid, company in session.execute(
        select(DomainRow.id, DomainRow.uid, DomainRow.company_id).where(_of(DomainRow.company_id, company_id))
    ):
        domains[key] = uid
        yield Node(uid, companies[company], uid)
    groups = select(GroupRow.uid, GroupRow.company_id, GroupRow.domain_id)
    people = select(UserRow.uid, UserRow.company_id, UserRow.domain_id)
    if users is not None:
        people = people.where(UserRow.uid.in_(users))
    for query, column in ((groups, GroupRow.company_id), (people, UserRow.company_id)):
        # many rows: the connection's own, without what the session adds to each
        for uid, company, domain in session.connection().execute(query.where(_of(column, company_id))):
            yield Node(uid, companies[company], domains[domain])


def _memberships(
    session: Session, company_id: int | None, users: Collection[str] | None
) -> Iterator[tuple[str, str]]:
    inner = aliased(GroupRow)
    of_company = _of(MembershipRow.company_id, company_id)
    of_groups = (
        select(inner.uid, GroupRow.uid)
        .select_from(MembershipRow)
        .join(GroupRow, GroupRow.id == MembershipRow.group_id)
        .join(inner, inner.id == MembershipRow.member_group_id)
        .where(of_company)
    )
    of_users = (
        select(UserRow.uid, GroupRow.uid)
        .select_from(MembershipRow)
        .join(GroupRow, GroupRow.id == MembershipRow.group_id)
        .join(UserRow, UserRow.id == MembershipRow.user_id)
        .where(of_company)
    )
    if users is not None:
        of_users = of_users.where(UserRow.uid.in_(users))
    for query in (of_groups, of_users):
        yield from ((member, group) for member, group in session.connection().execute(query))


def _of(column: InstrumentedAttribute[int], company_id: int | None) -> ColumnElement[bool]:
    return true() if company_id is None else column == company_id
