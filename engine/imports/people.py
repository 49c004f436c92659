"""The users of a domain as they are, read for an import without an object of the ORM each."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.administration.user_imports import FIELDS
from engine.domain.imports.candidate import LOGIN
from engine.domain.imports.difference import Known
from engine.store.domain.import_tables import ImportedUserRow, UserImportRow
from engine.store.domain.user_tables import GroupRow, MembershipRow, UserRow
from engine.store.tables import LineRow


@dataclass(frozen=True, slots=True)
class Shown:
    """What else of a user is told when she changes."""

    uid: str
    version: int
    has_password: bool
    has_voicemail_pin: bool
    groups: list[str]
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class People:
    """The users of an import's domain; by id, what is told of each. reserved: the logins of the company's others."""

    known: list[Known]
    shown: dict[int, Shown]
    reserved: list[tuple[str, str]]


def people_of(session: Session, source: UserImportRow) -> People:
    """Everybody in the domain, held until the end of a writing transaction on a database that has others."""
    groups: defaultdict[int, list[str]] = defaultdict(list)
    within: set[int] = set()
    members = (
        select(MembershipRow.user_id, GroupRow.id, GroupRow.uid)
        .join(GroupRow, GroupRow.id == MembershipRow.group_id)
        .join(UserRow, UserRow.id == MembershipRow.user_id)
        .where(UserRow.domain_id == source.domain_id)
    )
    for user_id, group_id, uid in session.execute(members.order_by(GroupRow.uid)):
        assert user_id is not None, "the join leaves out groups in groups"
        groups[user_id].append(uid)
        if group_id == source.group_id:
            within.add(user_id)
    numbers: defaultdict[int, list[str]] = defaultdict(list)
    lines = select(LineRow.user_id, LineRow.number).join(UserRow, UserRow.id == LineRow.user_id)
    for user_id, number in session.execute(
        lines.where(UserRow.domain_id == source.domain_id).order_by(LineRow.number)
    ):
        assert user_id is not None, "the join leaves out lines that are nobody's"
        numbers[user_id].append(number)
    fields = [getattr(UserRow, name) for name in FIELDS]
    wanted = (
        select(
            UserRow.id,
            UserRow.uid,
            UserRow.version,
            UserRow.password.is_not(None),
            UserRow.voicemail_pin.is_not(None),
            UserRow.enabled,
            ImportedUserRow.import_id,
            ImportedUserRow.key,
            ImportedUserRow.disabled_here,
            *fields,
        )
        .outerjoin(ImportedUserRow, ImportedUserRow.user_id == UserRow.id)
        .where(UserRow.domain_id == source.domain_id)
        .order_by(UserRow.id)
        .with_for_update(of=UserRow)
    )
    known, shown = [], {}
    for (
        identity,
        uid,
        version,
        has_password,
        has_pin,
        enabled,
        owner,
        key,
        disabled_here,
        *values,
    ) in session.execute(wanted):
        in_group = source.group_id is None or identity in within
        known.append(
            Known(
                identity,
                dict(zip(FIELDS, values, strict=True)),
                enabled,
                owner,
                key or "",
                bool(disabled_here),
                in_group,
            )
        )
        shown[identity] = Shown(
            uid, version, bool(has_password), bool(has_pin), groups[identity], tuple(numbers[identity])
        )
    others = select(UserRow.login).where(
        UserRow.company_id == source.company_id, UserRow.domain_id != source.domain_id
    )
    return People(known, shown, [(LOGIN, login) for login in session.scalars(others)])
