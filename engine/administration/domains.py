"""Domains: a company's PBXs and mail systems, each with its users, groups and lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.action import Action
from engine.administration.dial_plans import ACTIONS, DialPlans
from engine.administration.dial_settings import (
    DEFAULTS,
    CountryPrefix,
    ExternalPrefix,
    IncomingAdd,
    IncomingRemove,
    InternalLength,
    InternationalPrefix,
    ReverseLength,
    check_plan,
    check_settings,
)
from engine.administration.fields import CompanyUid, Culture, Name, Uid
from engine.administration.notes import Notes
from engine.administration.noun import patch_of
from engine.administration.places import company_for
from engine.administration.query import Filter, Versioned
from engine.administration.table_noun import TableNoun, equal
from engine.domain.actor import Actor, Role
from engine.domain.dial_plan.settings import SETTINGS
from engine.domain.scope import DEFAULT_DOMAIN
from engine.store.database import Database
from engine.store.domain.dial_plans import starting_rows
from engine.store.domain.tables import CompanyRow, DomainRow
from engine.store.domain.user_tables import GroupRow, UserRow
from engine.store.errors import Forbidden, InUse, Invalid, Taken
from engine.store.tables import LineRow

SipDomain = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$",
        description="The host by which its lines' addresses (sip:200@HOST) are known to be its company's; on the whole"
        " engine it stands once, so the super user alone gives it. null: none.",
        examples=["sip.example.com"],
    ),
]


class Domain(msgspec.Struct, frozen=True, kw_only=True):
    """A domain of a company."""

    uid: Uid
    company: CompanyUid
    name: Name
    sip_domain: SipDomain | None
    culture: Culture
    international_prefix: InternationalPrefix
    country_prefix: CountryPrefix
    external_prefix: ExternalPrefix
    incoming_remove: IncomingRemove
    incoming_add: IncomingAdd
    internal_length: InternalLength
    reverse_length: ReverseLength


class DomainDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new domain."""

    name: Name
    company: Annotated[
        str | None, Meta(description="The uid of its company; may be left out by whoever has only one.")
    ] = None
    sip_domain: SipDomain | None = None
    culture: Culture = "en"
    international_prefix: InternationalPrefix = DEFAULTS.international_prefix
    country_prefix: CountryPrefix = DEFAULTS.country_prefix
    external_prefix: ExternalPrefix = DEFAULTS.external_prefix
    incoming_remove: IncomingRemove = DEFAULTS.incoming_remove
    incoming_add: IncomingAdd = DEFAULTS.incoming_add
    internal_length: InternalLength = DEFAULTS.internal_length
    reverse_length: ReverseLength = DEFAULTS.reverse_length


class Domains(TableNoun[Domain, DomainRow]):
    """Domains."""

    name = "domains"
    singular = "domain"
    prefix = "dom"
    row = DomainRow
    view = Domain
    draft = DomainDraft
    patch = patch_of(DomainDraft)
    filters: ClassVar[Mapping[str, Filter]] = {
        "company": Filter("Those of this company (its uid)."),
        "sip_domain": Filter("The one of this SIP domain."),
    }
    orders = ("name",)
    actions: ClassVar[tuple[Action, ...]] = ACTIONS

    def __init__(self, database: Database, notes: Notes) -> None:
        super().__init__(database, notes)
        self.dial_plans = DialPlans(database, notes)

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``."""
        row = self.row
        return {
            "uid": row.uid,
            "company": CompanyRow.uid,
            "name": row.name,
            "sip_domain": row.sip_domain,
            "culture": row.culture,
            **{name: getattr(row, name) for name in SETTINGS},
        }

    def joined(self, query: Select[Any]) -> Select[Any]:
        """With its company."""
        return query.join(CompanyRow, CompanyRow.id == DomainRow.company_id)

    def condition(self, actor: Actor, name: str, value: Any) -> ColumnElement[bool]:
        """See ``TableNoun``."""
        if name == "company":
            return equal(CompanyRow.uid, value)
        return equal(DomainRow.sip_domain, value.lower())

    def write(self, session: Session, actor: Actor, row: DomainRow, given: Mapping[str, Any]) -> None:
        """Find its company, which stays the same. Raises Forbidden for a SIP domain."""
        columns = dict(given)
        company = columns.pop("company", None)
        if row.is_new:
            row.company_id = company_for(session, actor, company).id
        elif company is not None and company_for(session, actor, company).id != row.company_id:
            raise Invalid("company", "the same company: a domain does not move")
        if (host := columns.get("sip_domain")) is not None:
            columns["sip_domain"] = host.lower()
        # somebody else's refusal would tell her of a company that does not exist for her
        if (
            columns.get("sip_domain") != row.sip_domain
            and "sip_domain" in columns
            and actor.role < Role.SUPER
        ):
            raise Forbidden("the role super, for sip_domain")
        super().write(session, actor, row, columns)

    def add_within(self, session: Session, actor: Actor, draft: msgspec.Struct) -> Versioned[Domain]:
        """A new domain has a dial plan to start with; that it was added says that its rules were, too."""
        made = super().add_within(session, actor, draft)
        row = session.scalars(select(DomainRow).where(DomainRow.uid == made.view.uid)).one()
        session.add_all(starting_rows(row))
        session.flush()
        check_plan(session, row)
        return made

    def written(self, session: Session, actor: Actor, row: DomainRow, given: Mapping[str, Any]) -> None:
        """Refuse settings with which its rules could not be."""
        if not given.keys().isdisjoint(SETTINGS):
            check_plan(session, row)

    def check(self, session: Session, row: DomainRow) -> None:
        """Refuse a name that is blank or in use, the SIP domain of another, and a dial plan that cannot be."""
        check_settings(row)
        if not row.name_folded:
            raise Invalid("name", "a name")
        others = select(DomainRow.name).where(DomainRow.id != (row.id or 0))
        name = session.scalar(
            others.where(DomainRow.company_id == row.company_id, DomainRow.name_folded == row.name_folded)
        )
        if name is not None:
            raise Taken("domain", row.name, f"domain {name}")
        if row.sip_domain is not None:
            name = session.scalar(others.where(DomainRow.sip_domain == row.sip_domain))
            if name is not None:
                raise Taken("SIP domain", row.sip_domain, f"domain {name}")

    def check_unused(self, session: Session, row: DomainRow) -> None:
        """Refuse to take a domain from under what is in it."""
        if row.id == DEFAULT_DOMAIN:
            raise InUse("domain", row.name, "the engine: it is its first")
        for table, what in ((UserRow, "users"), (GroupRow, "groups"), (LineRow, "lines")):
            count = session.scalar(select(func.count()).where(table.domain_id == row.id))
            if count:
                raise InUse("domain", row.name, f"its {count} {what}")
