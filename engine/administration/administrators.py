"""Administrators: nobody gives more than she has, and a token gives nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, RowMapping, and_, delete, exists, not_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.action import Action
from engine.administration.fields import Culture, Uid
from engine.administration.notes import Notes
from engine.administration.noun import patch_of
from engine.administration.query import Filter
from engine.administration.table_noun import TableNoun
from engine.domain.actor import Actor, Role
from engine.domain.authentication.account import ROLES
from engine.store.admins import (
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    UID_PREFIX,
    checked_hash,
    end_sessions,
    refuse_last,
)
from engine.store.database import Database
from engine.store.domain.account_changes import AccountChanges
from engine.store.domain.administrator_tables import AdminCompanyRow, AdminFactorRow, AdminRow
from engine.store.domain.tables import CompanyRow
from engine.store.errors import Forbidden, Invalid, NotFound, Taken
from engine.store.rules import check_name

AdministratorName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        description="What she signs in with; there is one of a name on the engine.",
        examples=["jane"],
    ),
]
RoleName = Annotated[
    Literal["read-only", "operator", "administrator", "super"],
    Meta(description="What she may do: each role what those before it may."),
]
Companies = Annotated[
    Annotated[list[Uid], Meta(max_length=1000)] | None,
    Meta(description="The companies she sees; null for all there are, as a super user has."),
]
AdministratorEnabled = Annotated[bool, Meta(description="Whether she, and her tokens, are let in.")]
Password = Annotated[
    str,
    Meta(
        min_length=SHORTEST_PASSWORD,
        max_length=LONGEST_PASSWORD,
        description="Her password; it is never shown. A new one ends her sessions.",
    ),
]


class Administrator(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may administer the engine, or some of its companies."""

    uid: Uid
    name: AdministratorName
    role: RoleName
    companies: Companies
    culture: Culture
    enabled: AdministratorEnabled
    has_second_factor: Annotated[bool, Meta(description="Whether she has to show one-time codes.")]


class AdministratorDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new administrator."""

    name: AdministratorName
    password: Password
    role: RoleName
    companies: Companies
    culture: Culture = "en"
    enabled: AdministratorEnabled = True


class Administrators(TableNoun[Administrator, AdminRow]):
    """Administrators. Who is not a super user sees those whose companies are all hers."""

    name = "administrators"
    singular = "administrator"
    prefix = UID_PREFIX
    row = AdminRow
    view = Administrator
    draft = AdministratorDraft
    patch = patch_of(AdministratorDraft)
    secrets: ClassVar[frozenset[str]] = frozenset({"password"})
    filters: ClassVar[Mapping[str, Filter]] = {
        "role": Filter("Those of a role.", RoleName),
        "enabled": Filter("Those that are enabled, or are not.", bool),
    }
    orders = ("name",)
    actions = (
        Action(
            "second-factor",
            "DELETE",
            "Asks her for no one-time codes any more; she is signed out.",
            lambda noun, actor, uid, body: noun.remove_second_factor(actor, uid),
            least=Role.SUPER,
        ),
    )
    reads = Role.ADMINISTRATOR
    writes = Role.ADMINISTRATOR

    def __init__(self, database: Database, notes: Notes, changes: AccountChanges) -> None:
        super().__init__(database, notes)
        self._changes = changes

    def require_write(self, actor: Actor) -> None:
        """And no token makes whoever has more than itself."""
        super().require_write(actor)
        if actor.scopes is not None:
            raise Forbidden("a password: no token changes administrators")

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``; ``views`` adds the companies."""
        row = self.row
        return {
            "uid": row.uid,
            "name": row.name,
            "role": row.role,
            "culture": row.culture,
            "enabled": row.enabled,
            "all_companies": row.all_companies,
            "has_second_factor": exists().where(AdminFactorRow.admin_id == row.id, AdminFactorRow.confirmed),
        }

    def visible(self, actor: Actor) -> ColumnElement[bool]:
        """See ``administrators_of``."""
        return administrators_of(actor)

    def views(self, session: Session, rows: Sequence[RowMapping]) -> list[Administrator]:
        """See ``TableNoun``."""
        wanted = (
            select(AdminCompanyRow.admin_id, CompanyRow.uid)
            .join(CompanyRow, CompanyRow.id == AdminCompanyRow.company_id)
            .where(AdminCompanyRow.admin_id.in_([row["_id"] for row in rows]))
            .order_by(CompanyRow.uid)
        )
        companies: dict[int, list[str]] = defaultdict(list)
        for key, uid in session.execute(wanted):
            companies[key].append(uid)
        return [
            Administrator(
                uid=row["uid"],
                name=row["name"],
                role=row["role"],
                companies=None if row["all_companies"] else companies[row["_id"]],
                culture=row["culture"],
                enabled=row["enabled"],
                has_second_factor=bool(row["has_second_factor"]),
            )
            for row in rows
        ]

    def write(self, session: Session, actor: Actor, row: AdminRow, given: Mapping[str, Any]) -> None:
        """See ``TableNoun``."""
        given = dict(given)
        if given.get("role", row.role) != "super" or not given.get("enabled", row.enabled):
            self._refuse_last(session, row)
        if "role" in given and ROLES[given["role"]] > actor.role:
            raise Forbidden(f"the role {given['role']}")
        if "companies" in given:
            row.all_companies = given.pop("companies") is None
            if row.all_companies and actor.companies is not None:
                raise Invalid("companies", "companies of yours")
        if "password" in given:
            row.password_hash = checked_hash(given.pop("password"))
            end_sessions(session, row.id)
        super().write(session, actor, row, given)
        if not row.enabled:
            end_sessions(session, row.id)
        self._changes.after(session)

    def written(self, session: Session, actor: Actor, row: AdminRow, given: Mapping[str, Any]) -> None:
        """Put the companies, all of which must be the actor's."""
        if "companies" not in given:
            return
        session.execute(delete(AdminCompanyRow).where(AdminCompanyRow.admin_id == row.id))
        seen = true() if actor.companies is None else CompanyRow.id.in_(sorted(actor.companies))
        for uid in dict.fromkeys(given["companies"] or ()):
            key = session.scalar(select(CompanyRow.id).where(CompanyRow.uid == uid, seen))
            if key is None:
                raise NotFound("company", uid)
            session.add(AdminCompanyRow(admin_id=row.id, company_id=key))
        session.flush()

    def check(self, session: Session, row: AdminRow) -> None:
        """Refuse a name that is none or in use, and a super user of some companies only."""
        check_name(row.name)
        other = select(AdminRow.id).where(AdminRow.name == row.name, AdminRow.id != (row.id or 0))
        if session.scalar(other) is not None:
            raise Taken(self.singular, row.name, "another administrator")
        if row.role == "super" and not row.all_companies:
            raise Invalid("companies", "null: a super user has all")

    def check_unused(self, session: Session, row: AdminRow) -> None:
        """Nobody locks everybody out."""
        self._refuse_last(session, row)

    def removed(self, session: Session, row: AdminRow) -> None:
        """Her tokens and sessions go with her."""
        self._changes.after(session)

    def company_of(self, row: AdminRow) -> int | None:
        """It is the engine's own matter who administers it."""
        return None

    def remove_second_factor(self, actor: Actor, uid: str) -> None:
        """Ask somebody who has lost what makes her codes for none; she has to sign in again. Raises NotFound."""
        self.require_write(actor)
        with self._database.writing() as session:
            row = self._locked(session, actor, uid, None)
            factor = session.get(AdminFactorRow, row.id)
            if factor is None:
                raise NotFound("second factor of", row.name)
            session.delete(factor)
            end_sessions(session, row.id)
            self._note(session, actor, "second-factor-removed", row, {}, {})
            self._changes.after(session)

    def _refuse_last(self, session: Session, row: AdminRow) -> None:
        if row.id and row.role == "super" and row.enabled:
            refuse_last(session, row)


def administrators_of(actor: Actor) -> ColumnElement[bool]:
    """The rows of administrators that exist for her: with no company that is not hers; super users for such only."""
    conditions: list[ColumnElement[bool]] = []
    if actor.role < Role.SUPER:
        conditions.append(AdminRow.role != "super")
    if actor.companies is not None:
        foreign = exists().where(
            AdminCompanyRow.admin_id == AdminRow.id,
            AdminCompanyRow.company_id.not_in(sorted(actor.companies)),
        )
        conditions += [not_(AdminRow.all_companies), not_(foreign)]
    return and_(true(), *conditions)
