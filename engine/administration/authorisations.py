"""Authorisations: who may use what. What nobody is authorised to is forbidden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.fields import CompanyUid, Uid
from engine.administration.noun import patch_of
from engine.administration.places import find
from engine.administration.query import Filter
from engine.administration.table_noun import TableNoun, equal
from engine.administration.user_quotas import check_users
from engine.domain.actor import Actor
from engine.domain.applications import APPLICATIONS
from engine.domain.identity import is_uid
from engine.domain.rights import ACROSS_DOMAINS, ObjectKind
from engine.store.domain.rights_tables import AuthorisationRow
from engine.store.domain.tables import CompanyRow, DomainRow
from engine.store.domain.user_tables import GroupRow, UserRow
from engine.store.errors import Invalid, Taken

GROUP = "grp"

Kind = Annotated[
    Literal[
        "application",
        "directory",
        "calendar",
        "intercom-group",
        "queue",
        "call-journal",
        "statistics",
        "recordings",
        "line-presence",
        "presence",
    ],
    Meta(
        description="What may be used: an application, or the directory, calendar, call journal... of somebody."
    ),
]
Grantee = Annotated[
    str, Meta(max_length=32, description="Who may: the uid of a user, or of a group with all who are in it.")
]
Object = Annotated[
    str,
    Meta(
        max_length=32,
        description="An application by its name, else whose it is: the uid of a user, a group, a domain, the company.",
        examples=["conference"],
    ),
]


class Authorisation(msgspec.Struct, frozen=True, kw_only=True):
    """That somebody may use something."""

    uid: Uid
    company: CompanyUid
    grantee: Grantee
    kind: Kind
    object: Object


class AuthorisationDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new authorisation."""

    grantee: Grantee
    kind: Kind
    object: Object


class Authorisations(TableNoun[Authorisation, AuthorisationRow]):
    """Authorisations."""

    name = "authorisations"
    singular = "authorisation"
    prefix = "aut"
    row = AuthorisationRow
    view = Authorisation
    draft = AuthorisationDraft
    patch = patch_of(AuthorisationDraft)
    filters: ClassVar[Mapping[str, Filter]] = {
        "company": Filter("Those of this company (its uid)."),
        "grantee": Filter("What this user, or group, was given itself (the uid)."),
        "kind": Filter("Those on objects of this kind.", Kind),
        "object": Filter("Those on this object."),
    }
    orders = ("grantee", "object")

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``."""
        row = AuthorisationRow
        return {
            "uid": row.uid,
            "company": CompanyRow.uid,
            "grantee": row.grantee,
            "kind": row.kind,
            "object": row.object,
        }

    def joined(self, query: Select[Any]) -> Select[Any]:
        """With its company."""
        return query.join(CompanyRow, CompanyRow.id == AuthorisationRow.company_id)

    def condition(self, actor: Actor, name: str, value: Any) -> ColumnElement[bool]:
        """See ``TableNoun``."""
        return equal(CompanyRow.uid, value) if name == "company" else super().condition(actor, name, value)

    def write(self, session: Session, actor: Actor, row: AuthorisationRow, given: Mapping[str, Any]) -> None:
        """Find who and what; both are of one company, and of one domain where the kind does not cross those."""
        super().write(session, actor, row, given)
        grantee = self._grantee(session, actor, row)
        if row.is_new:
            row.company_id = grantee.company_id
        elif grantee.company_id != row.company_id:
            raise Invalid("grantee", "somebody of the same company")
        domain = self._object(session, actor, row)
        kind = ObjectKind(row.kind)
        if kind not in ACROSS_DOMAINS and domain is not None and domain != grantee.domain_id:
            raise Invalid("object", "one of the grantee's own domain: this kind is not given across domains")

    def check(self, session: Session, row: AuthorisationRow) -> None:
        """Refuse what was given already."""
        other = select(AuthorisationRow.uid).where(
            AuthorisationRow.grantee == row.grantee,
            AuthorisationRow.kind == row.kind,
            AuthorisationRow.object == row.object,
            AuthorisationRow.id != (row.id or 0),
        )
        if (uid := session.scalar(other)) is not None:
            raise Taken("authorisation", f"of {row.grantee}", f"authorisation {uid}")

    def written(
        self, session: Session, actor: Actor, row: AuthorisationRow, given: Mapping[str, Any]
    ) -> None:
        """Refuse more users of an application than the company's quota has."""
        if row.kind == ObjectKind.APPLICATION:
            check_users(session, row.company_id, row.object)

    @staticmethod
    def _grantee(session: Session, actor: Actor, row: AuthorisationRow) -> UserRow | GroupRow:
        grantee: UserRow | GroupRow
        if is_uid(row.grantee, GROUP):
            grantee = find(session, actor, GroupRow, "group", row.grantee)
            row.grantee_user_id, row.grantee_group_id = None, grantee.id
        else:
            grantee = find(session, actor, UserRow, "user", row.grantee)
            row.grantee_user_id, row.grantee_group_id = grantee.id, None
        return grantee

    @staticmethod
    def _object(session: Session, actor: Actor, row: AuthorisationRow) -> int | None:
        """The key of the object's domain; None where it has none of its own."""
        row.object_user_id = row.object_group_id = row.object_domain_id = None
        if row.kind == ObjectKind.APPLICATION:
            if row.object not in APPLICATIONS:
                raise Invalid("object", f"an application: {', '.join(APPLICATIONS)}")
            return None
        found: UserRow | GroupRow | DomainRow | CompanyRow
        domain: int | None
        if is_uid(row.object, GROUP):
            found = find(session, actor, GroupRow, "group", row.object)
            row.object_group_id, domain = found.id, found.domain_id
        elif is_uid(row.object, "dom"):
            found = find(session, actor, DomainRow, "domain", row.object)
            row.object_domain_id = domain = found.id
        elif is_uid(row.object, "cmp"):
            found, domain = find(session, actor, CompanyRow, "company", row.object), None
        else:
            found = find(session, actor, UserRow, "user", row.object)
            row.object_user_id, domain = found.id, found.domain_id
        if found.company_id != row.company_id:
            raise Invalid("object", "something of the grantee's company")
        return domain
