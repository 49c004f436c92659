"""Quotas: how much of an application a company may use. The super user grants them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, RowMapping, Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.fields import CompanyUid, Uid
from engine.administration.notes import Notes
from engine.administration.noun import patch_of
from engine.administration.places import company_for
from engine.administration.query import Filter
from engine.administration.table_noun import TableNoun, equal
from engine.administration.user_quotas import count_users
from engine.domain.actor import Actor, Role
from engine.domain.quotas import Share
from engine.store.database import Database
from engine.store.domain.rights_tables import QuotaRow
from engine.store.domain.tables import CompanyRow
from engine.store.errors import Invalid, Taken

ApplicationName = Annotated[
    Literal["calls", "outside", "echo", "announcement", "readback", "recorder", "room", "conference"],
    Meta(description="The application; calls: to lines of the company, outside: those that leave by a link."),
]
Bound = Annotated[int, Meta(ge=0, le=1_000_000)]
Channels = Annotated[
    Bound | None, Meta(description="Channels at once, at most; null: as many as the machine carries.")
]
Users = Annotated[
    Bound | None, Meta(description="Users that authorisations give it to, at most; null: all of them.")
]


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """What a company may use of an application, and what it uses."""

    uid: Uid
    company: CompanyUid
    application: ApplicationName
    channels: Channels
    users: Users
    channels_used: Annotated[int, Meta(description="Channels in use at this moment.")]
    users_used: Annotated[int, Meta(description="Users who have it by an authorisation.")]


class QuotaDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new quota."""

    application: ApplicationName
    company: Annotated[
        str | None, Meta(description="The uid of the company; may be left out where there is only one.")
    ] = None
    channels: Channels = None
    users: Users = None


class Quotas(TableNoun[Quota, QuotaRow]):
    """Quotas."""

    name = "quotas"
    singular = "quota"
    prefix = "quo"
    row = QuotaRow
    view = Quota
    draft = QuotaDraft
    patch = patch_of(QuotaDraft)
    filters: ClassVar[Mapping[str, Filter]] = {
        "company": Filter("Those of this company (its uid)."),
        "application": Filter("Those of this application.", ApplicationName),
    }
    orders = ("application",)
    writes = Role.SUPER

    def __init__(self, database: Database, notes: Notes, used: Callable[[Share], int]) -> None:
        """used: how many channels are in use, asked in whatever thread the noun is."""
        super().__init__(database, notes)
        self._used = used

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``."""
        return {
            "uid": QuotaRow.uid,
            "company": CompanyRow.uid,
            "application": QuotaRow.application,
            "channels": QuotaRow.channels,
            "users": QuotaRow.users,
            "_company_id": QuotaRow.company_id,
        }

    def joined(self, query: Select[Any]) -> Select[Any]:
        """With its company."""
        return query.join(CompanyRow, CompanyRow.id == QuotaRow.company_id)

    def condition(self, actor: Actor, name: str, value: Any) -> ColumnElement[bool]:
        """See ``TableNoun``."""
        return equal(CompanyRow.uid, value) if name == "company" else super().condition(actor, name, value)

    def views(self, session: Session, rows: Sequence[RowMapping]) -> list[Quota]:
        """With what is used."""
        return [
            Quota(
                uid=row["uid"],
                company=row["company"],
                application=row["application"],
                channels=row["channels"],
                users=row["users"],
                channels_used=self._used(Share(row["_company_id"], row["application"])),
                users_used=count_users(session, row["_company_id"], row["application"]),
            )
            for row in rows
        ]

    def write(self, session: Session, actor: Actor, row: QuotaRow, given: Mapping[str, Any]) -> None:
        """Find its company, which stays the same."""
        columns = dict(given)
        company = columns.pop("company", None)
        if row.is_new:
            row.company_id = company_for(session, actor, company).id
        elif company is not None and company_for(session, actor, company).id != row.company_id:
            raise Invalid("company", "the same company: a quota does not move")
        super().write(session, actor, row, columns)

    def check(self, session: Session, row: QuotaRow) -> None:
        """Refuse a second one of an application."""
        other = select(QuotaRow.uid).where(
            QuotaRow.company_id == row.company_id,
            QuotaRow.application == row.application,
            QuotaRow.id != (row.id or 0),
        )
        if (uid := session.scalar(other)) is not None:
            raise Taken("quota", f"of {row.application}", f"quota {uid}")
