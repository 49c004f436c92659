"""Memberships: that a user, or a group, is in a group of the same company."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from engine.administration.fields import CompanyUid, Uid
from engine.administration.noun import patch_of
from engine.administration.places import find
from engine.administration.query import Filter
from engine.administration.table_noun import TableNoun, equal
from engine.administration.user_quotas import check_users
from engine.domain.actor import Actor
from engine.domain.identity import is_uid
from engine.store.domain.tables import CompanyRow
from engine.store.domain.user_tables import GroupRow, MembershipRow, UserRow
from engine.store.domain.versions import touch
from engine.store.errors import Invalid, Taken

GroupUid = Annotated[str, Meta(max_length=32, description="The group (its uid).")]
MemberUid = Annotated[
    str, Meta(max_length=32, description="Who is in it: a user or another group of its company (the uid).")
]
_Inner = aliased(GroupRow)


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """That somebody is in a group."""

    uid: Uid
    company: CompanyUid
    group: GroupUid
    member: MemberUid


class MembershipDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new membership."""

    group: GroupUid
    member: MemberUid


class Memberships(TableNoun[Membership, MembershipRow]):
    """Memberships."""

    name = "memberships"
    singular = "membership"
    prefix = "mbr"
    row = MembershipRow
    view = Membership
    draft = MembershipDraft
    patch = patch_of(MembershipDraft)
    filters: ClassVar[Mapping[str, Filter]] = {
        "company": Filter("Those of this company (its uid)."),
        "group": Filter("Those in this group (its uid)."),
        "member": Filter("Those of this user, or group (the uid)."),
    }
    orders = ("uid",)

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``."""
        return {
            "uid": MembershipRow.uid,
            "company": CompanyRow.uid,
            "group": GroupRow.uid,
            "member": func.coalesce(UserRow.uid, _Inner.uid),
        }

    def joined(self, query: Select[Any]) -> Select[Any]:
        """With both sides."""
        return (
            query.join(CompanyRow, CompanyRow.id == MembershipRow.company_id)
            .join(GroupRow, GroupRow.id == MembershipRow.group_id)
            .outerjoin(UserRow, UserRow.id == MembershipRow.user_id)
            .outerjoin(_Inner, _Inner.id == MembershipRow.member_group_id)
        )

    def condition(self, actor: Actor, name: str, value: Any) -> ColumnElement[bool]:
        """See ``TableNoun``."""
        match name:
            case "company":
                return equal(CompanyRow.uid, value)
            case "group":
                return equal(GroupRow.uid, value)
        return equal(UserRow.uid if is_uid(value, "usr") else _Inner.uid, value)

    def write(self, session: Session, actor: Actor, row: MembershipRow, given: Mapping[str, Any]) -> None:
        """Find the group and the member."""
        self._touch(session, row)
        if "group" in given:
            group = find(session, actor, GroupRow, "group", given["group"])
            if not row.is_new and group.company_id != row.company_id:
                raise Invalid("group", "a group of the same company")
            row.company_id, row.group_id = group.company_id, group.id
        if "member" in given:
            row.user_id = row.member_group_id = None
            if is_uid(given["member"], "usr"):
                user = find(session, actor, UserRow, "user", given["member"])
                company, row.user_id = user.company_id, user.id
            else:
                inner = find(session, actor, GroupRow, "group", given["member"])
                company, row.member_group_id = inner.company_id, inner.id
            if company != row.company_id:
                raise Invalid("member", "a user or a group of the group's company")
        self._touch(session, row)

    def removed(self, session: Session, row: MembershipRow) -> None:
        """Both sides tell of it."""
        self._touch(session, row)

    def _touch(self, session: Session, row: MembershipRow) -> None:
        touch(session, GroupRow, row.group_id)
        touch(session, UserRow, row.user_id)

    def check(self, session: Session, row: MembershipRow) -> None:
        """Refuse what there is already, and groups that would be in one another in a ring."""
        there = select(MembershipRow.uid).where(
            MembershipRow.group_id == row.group_id,
            MembershipRow.user_id.is_not_distinct_from(row.user_id),
            MembershipRow.member_group_id.is_not_distinct_from(row.member_group_id),
            MembershipRow.id != (row.id or 0),
        )
        if (uid := session.scalar(there)) is not None:
            raise Taken("membership", "of this member in this group", f"membership {uid}")
        if row.member_group_id is not None and row.member_group_id in _around(session, row.group_id):
            raise Invalid("member", "a group that this one is not in")

    def written(self, session: Session, actor: Actor, row: MembershipRow, given: Mapping[str, Any]) -> None:
        """Refuse more users of an application than the company's quotas have."""
        check_users(session, row.company_id)


def _around(session: Session, group_id: int) -> set[int]:
    """The group and all groups it is in, however far out."""
    outer = (
        select(MembershipRow.group_id)
        .where(MembershipRow.member_group_id == group_id)
        .cte("outer_groups", recursive=True)
    )
    further = select(MembershipRow.group_id).join(outer, MembershipRow.member_group_id == outer.c.group_id)
    return {group_id, *session.scalars(select(outer.union(further).c.group_id))}
