"""An administrator as whoever checks her password sees her."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.domain.actor import Actor, Role
from engine.domain.authentication.user_account import UserAccount

if TYPE_CHECKING:
    from engine.language import Language

ROLES: dict[str, Role] = {
    role.name.lower().replace("_", "-"): role
    for role in (Role.READ_ONLY, Role.OPERATOR, Role.ADMINISTRATOR, Role.SUPER)
}
"""The roles an administrator may have, by the words they are stored and shown by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An administrator. companies: internal identities, None for all. id: 0 until it is stored."""

    name: str
    password_hash: str = field(repr=False)
    role: Role = Role.SUPER
    companies: frozenset[int] | None = None
    culture: Language = "en"
    enabled: bool = True
    uid: str = ""
    id: int = 0

    def actor(self) -> Actor:
        """In her own name, with all that she may do."""
        return Actor(f"admin:{self.name}", self.role, self.companies, language=self.culture)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAccount:
    """An API token, and whose it is. Times are Unix seconds."""

    uid: str
    account: Account
    scopes: frozenset[str]
    expires_at: float
    used_at: float | None

    def actor(self) -> Actor:
        """What its administrator may do, as far as its scopes go."""
        owner = self.account.actor()
        return Actor(
            f"token:{self.uid}", owner.role, owner.companies, scopes=self.scopes, language=owner.language
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that somebody has signed in with. Times are Unix seconds."""

    uid: str
    account: Account | UserAccount
    source: str
    created_at: float
    seen_at: float
    ends_at: float
