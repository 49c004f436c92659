"""How a user's password is checked: an ordered list of methods, hers, a group's of hers, or else the domain's."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from engine.domain.directory_security import Security


class Outcome(enum.Enum):
    """What a method says of a login and a password."""

    RIGHT = "right"
    WRONG = "wrong"
    UNANSWERED = "unanswered"
    """It could not be asked, or has nothing to say of this user."""


@dataclass(frozen=True, slots=True)
class Local:
    """A password of our own, as argon2 keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ldap:
    """A bind to a directory (RFC 4513).

    pattern: who binds, with ``?`` for the login. authority: certificates (PEM) that sign the server's own, empty for
    those of the system.
    """

    host: str
    port: int = 636
    security: Security = Security.LDAPS
    pattern: str
    authority: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Nothing:
    """Any password is right. It has to be forced, and is told loudly."""


Method = Local | Ldap | Nothing


def methods_of(
    user: Sequence[Method], groups: Iterable[Sequence[Method]], domain: Sequence[Method]
) -> Sequence[Method]:
    """Those that count for a user: the first list that has any. Where none has, a password of our own."""
    return next((each for each in (user, *groups, domain) if each), (Local(),))
