"""The tables of companies and domains, and what all tables of things that are administered share."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, synonym

from engine.domain.dial_plan import DialSettings
from engine.domain.folding import LONGEST_FOLDED
from engine.store.tables import NounRow

_DIALLING = DialSettings()


class CompanyNounRow(NounRow):
    """One that belongs to a company."""

    __abstract__ = True
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id", ondelete="RESTRICT"), index=True)


class CompanyRow(NounRow):
    """A company: what shares nothing with the others on the engine."""

    __tablename__ = "companies"
    name: Mapped[str] = mapped_column(String(80))
    name_folded: Mapped[str] = mapped_column(String(LONGEST_FOLDED), unique=True)
    culture: Mapped[str] = mapped_column(String(8))
    enabled: Mapped[bool]
    company_id: Mapped[int] = synonym("id")


class DomainRow(CompanyNounRow):
    """A domain of a company: one PBX, one mail system, one dial plan."""

    __tablename__ = "domains"
    __table_args__ = (UniqueConstraint("company_id", "name_folded"),)
    name: Mapped[str] = mapped_column(String(80))
    name_folded: Mapped[str] = mapped_column(String(LONGEST_FOLDED))
    sip_domain: Mapped[str | None] = mapped_column(String(255), unique=True)
    culture: Mapped[str] = mapped_column(String(8))
    # Its dial plan: engine.domain.dial_plan.DialSettings, whose defaults are a new domain's.
    international_prefix: Mapped[str] = mapped_column(String(8), default=_DIALLING.international_prefix)
    country_prefix: Mapped[str] = mapped_column(String(4), default=_DIALLING.country_prefix)
    external_prefix: Mapped[str] = mapped_column(String(8), default=_DIALLING.external_prefix)
    incoming_remove: Mapped[str] = mapped_column(String(17), default=_DIALLING.incoming_remove)
    incoming_add: Mapped[str] = mapped_column(String(17), default=_DIALLING.incoming_add)
    internal_length: Mapped[int] = mapped_column(default=_DIALLING.internal_length)
    reverse_length: Mapped[int] = mapped_column(default=_DIALLING.reverse_length)


class DialRuleRow(CompanyNounRow):
    """A rule of a domain's dial plan; those of equal priority are tried in the order of their keys."""

    __tablename__ = "dial_rules"
    domain_id: Mapped[int] = mapped_column(ForeignKey("domains.id", ondelete="CASCADE"), index=True)
    direction: Mapped[str] = mapped_column(String(8))
    priority: Mapped[int]
    pattern: Mapped[str] = mapped_column(String(255))
    result: Mapped[str] = mapped_column(String(128))
    enabled: Mapped[bool]
    note: Mapped[str] = mapped_column(String(128))
