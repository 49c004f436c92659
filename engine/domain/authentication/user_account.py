"""A user as whoever checks her password sees her."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.domain.actor import Actor, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.domain.authentication.methods import Method
    from engine.language import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAccount:
    """A user, or somebody whom her domain does not know: then ``id`` is 0, and she is never let in.

    methods: those that count for her. enabled: she and her company.
    """

    id: int
    uid: str
    company_id: int
    login: str
    password_hash: str | None = field(repr=False)
    methods: Sequence[Method]
    enabled: bool
    culture: Language

    def actor(self) -> Actor:
        """In her own name: herself alone."""
        company = frozenset({self.company_id})
        return Actor(f"user:{self.uid}", Role.USER, company, user=self.uid, language=self.culture)
