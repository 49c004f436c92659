"""Users in the store, by what they sign in with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from engine.domain.authentication.methods import Ldap, Local, Method, Nothing, methods_of
from engine.domain.authentication.user_account import UserAccount
from engine.domain.directory_security import Security
from engine.domain.folding import folded_key
from engine.domain.scope import DEFAULT_DOMAIN
from engine.store.database import Database
from engine.store.domain.method_tables import MethodRow
from engine.store.domain.tables import CompanyRow, DomainRow
from engine.store.domain.user_tables import GroupRow, MembershipRow, UserRow


class UserAccounts:
    """Users, by ``login@domain``: a SIP domain, or the name of the engine's first one while that has none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, login: str, domain: str) -> UserAccount | None:
        """The user of that login, as her domain checks her; somebody unknown where it has no such user.

        None where there is no such domain. The same is read for a user and for somebody unknown.
        """
        if not (login + domain).isprintable():
            return None
        with self._database.reading() as session:
            first = and_(
                DomainRow.id == DEFAULT_DOMAIN,
                DomainRow.sip_domain.is_(None),
                DomainRow.name_folded == folded_key(domain),
            )
            wanted = select(DomainRow, CompanyRow).join(CompanyRow, CompanyRow.id == DomainRow.company_id)
            found = session.execute(
                wanted.where(or_(DomainRow.sip_domain == domain.lower(), first)).limit(1)
            ).one_or_none()
            if found is None:
                return None
            row, company = found
            user = session.scalars(
                select(UserRow).where(UserRow.domain_id == row.id, UserRow.login_folded == folded_key(login))
            ).one_or_none()
            return account(session, user, row, company, login)

    def by_id(self, session: Session, key: int) -> UserAccount | None:
        """The user of that key."""
        found = session.execute(
            select(UserRow, DomainRow, CompanyRow)
            .join(DomainRow, DomainRow.id == UserRow.domain_id)
            .join(CompanyRow, CompanyRow.id == UserRow.company_id)
            .where(UserRow.id == key)
        ).one_or_none()
        return None if found is None else account(session, found[0], found[1], found[2], found[0].login)


def account(
    session: Session, user: UserRow | None, domain: DomainRow, company: CompanyRow, login: str
) -> UserAccount:
    """What is told of a user, or of somebody unknown."""
    culture = domain.culture if user is None else user.culture
    return UserAccount(
        id=0 if user is None else user.id,
        uid="" if user is None else user.uid,
        company_id=company.id,
        login=login if user is None else user.login,
        password_hash=None if user is None else user.password,
        methods=_methods(session, 0 if user is None else user.id, domain.id),
        enabled=user is not None and user.enabled and company.enabled,
        culture="fr" if culture == "fr" else "en",
    )


def _methods(session: Session, user_id: int, domain_id: int) -> Sequence[Method]:
    """Those that count for her: of several groups, the first by name that has any."""
    groups = select(MembershipRow.group_id).where(MembershipRow.user_id == user_id)
    mine = or_(
        and_(MethodRow.user_id.is_(None), MethodRow.group_id.is_(None), MethodRow.domain_id == domain_id),
        MethodRow.user_id == user_id,
        MethodRow.group_id.in_(groups),
    )
    wanted = select(MethodRow, GroupRow.name_folded).outerjoin(GroupRow, GroupRow.id == MethodRow.group_id)
    of_user: list[Method] = []
    of_groups: defaultdict[tuple[str, int], list[Method]] = defaultdict(list)
    of_domain: list[Method] = []
    for row, name in session.execute(wanted.where(mine).order_by(MethodRow.position, MethodRow.id)):
        if row.user_id is not None:
            of_user.append(method_of(row))
        elif row.group_id is not None:
            of_groups[name, row.group_id].append(method_of(row))
        else:
            of_domain.append(method_of(row))
    return methods_of(of_user, (of_groups[each] for each in sorted(of_groups)), of_domain)


def method_of(row: MethodRow) -> Method:
    """What a row says."""
    match row.kind:
        case "ldap":
            return Ldap(
                host=row.host,
                port=row.port,
                security=Security(row.security),
                pattern=row.pattern,
                authority=row.authority,
            )
        case "none":
            return Nothing()
    return Local()
