"""Notes a test can read, and actors it acts as."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine.administration.notes import Change
from engine.domain.actor import Actor, Role


class Notebook:
    """Keeps the changes that were noted, whether or not their transaction came to an end."""

    def __init__(self) -> None:
        self.changes: list[Change] = []

    def note(self, session: Session, change: Change) -> None:
        """Keep it."""
        self.changes.append(change)

    def forget_company(self, session: Session, company_id: int) -> None:
        """Its changes stay here."""

    def kinds(self) -> list[str]:
        """What happened, in short; forgotten then."""
        kinds = [each.kind for each in self.changes]
        self.changes.clear()
        return kinds


def administrator(*companies: int) -> Actor:
    """An administrator of these companies."""
    return Actor("admin:jane", Role.ADMINISTRATOR, frozenset(companies))
