"""Who asks for something, and what she may do."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.language import Language


class Role(enum.IntEnum):
    """What somebody may do, the least first; each may what those before it may."""

    USER = 0
    """A user: herself alone, by self-service."""
    READ_ONLY = 1
    """Reads everything in her companies."""
    OPERATOR = 2
    """And acts on what is live (calls, conferences) and resets users' PINs; changes no structure."""
    ADMINISTRATOR = 3
    """And changes everything in her companies."""
    SUPER = 4
    """And makes companies; what concerns the engine itself."""


@dataclass(frozen=True, slots=True)
class Actor:
    """In whose name a request is carried out.

    name: "admin:jane", "user:usr_...", "token:tok_..." or "local"; what the audit log shows. companies: internal
    identities; None for all of them. user: the uid of a user of her own. scopes: what a token was limited to,
    "users:read", "users:write", "*:read"; writing includes reading; None for everything the role may.
    """

    name: str
    role: Role
    companies: frozenset[int] | None
    user: str | None = None
    scopes: frozenset[str] | None = None
    language: Language = "en"

    def may(self, noun: str, *, writes: bool, least: Role) -> bool:
        """Whether she may read (or write) the things called ``noun`` (plural), which takes the role ``least``."""
        if self.role < least:
            return False
        if self.scopes is None:
            return True
        wanted = {f"{noun}:write", "*:write"}
        if not writes:
            wanted |= {f"{noun}:read", "*:read"}
        return not self.scopes.isdisjoint(wanted)

    def sees(self, company_id: int) -> bool:
        """Whether this company exists for her."""
        return self.companies is None or company_id in self.companies


LOCAL = Actor("local", Role.SUPER, None)
"""Whoever may open the engine's own Unix socket or its store."""
