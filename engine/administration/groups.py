"""Groups of users and of other groups; who is in them is said by memberships."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.fields import CompanyUid, DomainUid, Name, OwnDomain, Uid
from engine.administration.noun import patch_of
from engine.administration.places import domain_for, moved
from engine.administration.query import Filter
from engine.administration.table_noun import TableNoun, equal
from engine.domain.actor import Actor
from engine.store.domain.tables import CompanyRow, DomainRow
from engine.store.domain.user_tables import GroupRow, MembershipRow, UserRow
from engine.store.domain.versions import touch
from engine.store.errors import Invalid, Taken

Description = Annotated[str, Meta(max_length=255, description="What it is for, on one line.")]


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group."""

    uid: Uid
    company: CompanyUid
    domain: DomainUid
    name: Name
    description: Description
    members: Annotated[int, Meta(description="How many users and groups are in it themselves.")]


class GroupDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new group."""

    name: Name
    domain: OwnDomain = None
    description: Description = ""


class Groups(TableNoun[Group, GroupRow]):
    """Groups."""

    name = "groups"
    singular = "group"
    prefix = "grp"
    row = GroupRow
    view = Group
    draft = GroupDraft
    patch = patch_of(GroupDraft)
    filters: ClassVar[Mapping[str, Filter]] = {
        "company": Filter("Those of this company (its uid)."),
        "domain": Filter("Those of this domain (its uid)."),
    }
    search = ("name", "description")
    orders = ("name",)

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``."""
        members = select(func.count()).where(MembershipRow.group_id == GroupRow.id).correlate(GroupRow)
        return {
            "uid": GroupRow.uid,
            "company": CompanyRow.uid,
            "domain": DomainRow.uid,
            "name": GroupRow.name,
            "description": GroupRow.description,
            "members": members.scalar_subquery(),
        }

    def joined(self, query: Select[Any]) -> Select[Any]:
        """With its company and domain."""
        query = query.join(CompanyRow, CompanyRow.id == GroupRow.company_id)
        return query.join(DomainRow, DomainRow.id == GroupRow.domain_id)

    def condition(self, actor: Actor, name: str, value: Any) -> ColumnElement[bool]:
        """See ``TableNoun``."""
        return equal(CompanyRow.uid if name == "company" else DomainRow.uid, value)

    def write(self, session: Session, actor: Actor, row: GroupRow, given: Mapping[str, Any]) -> None:
        """Find its domain."""
        columns = dict(given)
        domain = columns.pop("domain", None)
        if row.is_new:
            place = domain_for(session, actor, domain)
            row.company_id, row.domain_id = place.company_id, place.id
        elif domain is not None:
            row.domain_id = moved(session, actor, domain, row.company_id).id
        super().write(session, actor, row, columns)

    def check(self, session: Session, row: GroupRow) -> None:
        """Refuse a name that is blank or in use in its domain."""
        if not row.name_folded:
            raise Invalid("name", "a name")
        other = select(GroupRow.name).where(
            GroupRow.domain_id == row.domain_id,
            GroupRow.name_folded == row.name_folded,
            GroupRow.id != (row.id or 0),
        )
        if (name := session.scalar(other)) is not None:
            raise Taken("group", row.name, f"group {name}")

    def leaving(self, session: Session, actor: Actor, row: GroupRow) -> None:
        """Its memberships go with it: users and groups that tell of them change."""
        inside = select(MembershipRow.user_id).where(MembershipRow.group_id == row.id)
        around = select(MembershipRow.group_id).where(MembershipRow.member_group_id == row.id)
        touch(session, UserRow, *session.scalars(inside))
        touch(session, GroupRow, *session.scalars(around))
