"""What calls need to know of companies and their domains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from engine.domain.scope import DEFAULT_COMPANY
from engine.store.domain.tables import CompanyRow, DomainRow

if TYPE_CHECKING:
    from engine.store.database import Database


@dataclass(frozen=True, slots=True)
class CompaniesNow:
    """Which companies are enabled, and the company each SIP domain (in lower case) belongs to."""

    enabled: frozenset[int] = frozenset({DEFAULT_COMPANY})
    sip_domains: tuple[tuple[str, int], ...] = ()


class Companies:
    """The companies of a store, as calls see them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> CompaniesNow:
        """Those that are enabled, with their SIP domains."""
        enabled = select(CompanyRow.id).where(CompanyRow.enabled)
        domains = select(DomainRow.sip_domain, DomainRow.company_id).where(DomainRow.sip_domain.is_not(None))
        with self._database.reading() as session:
            companies = frozenset(session.scalars(enabled))
            found = [(str(name).lower(), company) for name, company in session.execute(domains)]
        return CompaniesNow(companies, tuple(each for each in found if each[1] in companies))
