"""Companies: the super user makes them; everybody else sees her own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.fields import Culture, Name, Uid
from engine.administration.notes import Notes
from engine.administration.noun import patch_of
from engine.administration.query import Filter
from engine.administration.table_noun import TableNoun
from engine.domain.actor import Role
from engine.domain.scope import DEFAULT_COMPANY
from engine.store.database import Database
from engine.store.domain.account_changes import AccountChanges
from engine.store.domain.ownership import first_owned, forget_meetings
from engine.store.domain.tables import CompanyRow, DomainRow
from engine.store.errors import InUse, Invalid, Taken

Enabled = Annotated[bool, Meta(description="Whether its users, lines and automates may call and be called.")]


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """A company. It shares nothing with the others on the engine, not even that they exist."""

    uid: Uid
    name: Name
    culture: Culture
    enabled: Enabled


class CompanyDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new company."""

    name: Name
    culture: Culture = "en"
    enabled: Enabled = True


class Companies(TableNoun[Company, CompanyRow]):
    """Companies."""

    name = "companies"
    singular = "company"
    prefix = "cmp"
    row = CompanyRow
    view = Company
    draft = CompanyDraft
    patch = patch_of(CompanyDraft)
    filters: ClassVar[Mapping[str, Filter]] = {
        "enabled": Filter("Those that are enabled, or are not.", bool),
    }
    orders = ("name",)
    writes = Role.SUPER

    def __init__(self, database: Database, notes: Notes, changes: AccountChanges | None = None) -> None:
        """changes: what tells whoever remembers who may do what."""
        super().__init__(database, notes)
        self._changes = changes

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``."""
        row = self.row
        return {"uid": row.uid, "name": row.name, "culture": row.culture, "enabled": row.enabled}

    def check(self, session: Session, row: CompanyRow) -> None:
        """Refuse a name that is blank or in use, and to switch off what everything without a company belongs to."""
        if not row.name_folded:
            raise Invalid("name", "a name")
        other = select(CompanyRow.name).where(
            CompanyRow.name_folded == row.name_folded, CompanyRow.id != (row.id or 0)
        )
        if (name := session.scalar(other)) is not None:
            raise Taken("company", row.name, f"company {name}")
        if row.id == DEFAULT_COMPANY and not row.enabled:
            raise Invalid("enabled", "true: the engine's first company stays")

    def check_unused(self, session: Session, row: CompanyRow) -> None:
        """Refuse to take a company from under its domains."""
        if row.id == DEFAULT_COMPANY:
            raise InUse("company", row.name, "the engine: it is its first")
        domain = session.scalar(select(DomainRow.name).where(DomainRow.company_id == row.id).limit(1))
        if domain is not None:
            raise InUse("company", row.name, f"domain {domain}")
        if (owned := first_owned(session, row.id)) is not None:
            raise InUse("company", row.name, owned)

    def removed(self, session: Session, row: CompanyRow) -> None:
        """Its log of events goes with it."""
        self._notes.forget_company(session, row.id)
        forget_meetings(session, row.id)
        if self._changes is not None:
            self._changes.after(session)  # SQLite gives the key of the last company to the next one made
