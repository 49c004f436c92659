"""Two companies with all their nouns, as most tests need them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from engine.administration.catalogue import nouns
from engine.administration.companies import CompanyDraft
from engine.administration.domains import DomainDraft
from engine.administration.noun import Noun
from engine.administration.query import Query
from engine.domain.actor import LOCAL, Actor
from engine.store import NotFound, Store
from tests.engine.administration.notebook import Notebook, administrator

LARGEST_KEY = 10


@dataclass(slots=True)
class Place:
    """A company with one domain, and its administrator."""

    company: str
    domain: str
    administrator: Actor


@dataclass(slots=True)
class Town:
    """The nouns by name, what was noted, and two companies that must not know of each other."""

    store: Store
    notebook: Notebook = field(default_factory=Notebook)
    nouns: dict[str, Noun[Any]] = field(init=False)
    ours: Place = field(init=False)
    theirs: Place = field(init=False)

    def __post_init__(self) -> None:
        self.nouns = {each.name: each for each in nouns(self.store, self.notebook)}
        self.ours, self.theirs = self.found("Ours"), self.found("Theirs")
        self.notebook.changes.clear()

    def found(self, name: str) -> Place:
        """Found a company."""
        company = self.nouns["companies"].add(LOCAL, CompanyDraft(name=name)).view.uid
        domain = self.nouns["domains"].add(LOCAL, DomainDraft(name="main", company=company)).view.uid
        return Place(company, domain, administrator(self.key_of(company)))

    def key_of(self, company: str) -> int:
        """The key nobody is shown: that of the only company by which somebody sees it."""
        for key in range(1, LARGEST_KEY):
            try:
                self.nouns["companies"].get(administrator(key), company)
            except NotFound:
                continue
            return key
        raise AssertionError(company)

    def add(self, noun: str, actor: Actor | None = None, **fields: object) -> Any:
        """Add one in our company, from what a body would say; the view."""
        draft = msgspec.convert(fields, self.nouns[noun].draft)
        return self.nouns[noun].add(actor or self.ours.administrator, draft).view

    def change(self, noun: str, uid: str, actor: Actor | None = None, **fields: object) -> Any:
        """Change one of our company; the view."""
        patch = msgspec.convert(fields, self.nouns[noun].patch)
        return self.nouns[noun].change(actor or self.ours.administrator, uid, patch).view

    def remove(self, noun: str, uid: str, actor: Actor | None = None) -> None:
        """Remove one of our company."""
        self.nouns[noun].remove(actor or self.ours.administrator, uid)

    def list(self, noun: str, actor: Actor | None = None, q: str | None = None, **filters: str) -> list[Any]:
        """Those that the administrator of our company sees."""
        return self.nouns[noun].page(actor or self.ours.administrator, Query(q=q, filters=filters)).items
