"""What calls need to know of companies and their domains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from engine.store.domain.tables import CompanyRow, DomainRow

if TYPE_CHECKING:
    from engine.store.database import Database


@dataclass(frozen=True, slots=True)
class CompaniesNow:
    """Which companies are enabled, the company each SIP domain (in lower case) belongs to, and the uid of each."""

    enabled: frozenset[int]
    sip_domains: tuple[tuple[str, int], ...]
    uids: Mapping[int, str]


class Companies:
    """The companies of a store, as calls see them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> CompaniesNow:
        """Those that are enabled, with their SIP domains."""
        known = select(CompanyRow.id, CompanyRow.uid, CompanyRow.enabled)
        domains = select(DomainRow.sip_domain, DomainRow.company_id).where(DomainRow.sip_domain.is_not(None))
        with self._database.reading() as session:
            companies = session.execute(known).all()
            found = [(str(name).lower(), company) for name, company in session.execute(domains)]
        enabled = frozenset(key for key, _, is_on in companies if is_on)
        uids = {key: uid for key, uid, _ in companies}
        return CompaniesNow(enabled, tuple(each for each in found if each[1] in enabled), uids)
