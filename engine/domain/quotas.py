"""How much of an application a company may use: channels at once, users in all; counted, and refused when spent.

A channel is one conversation of an application: a caller at an automate, a call between two, one seat of a
conference. A user counts as soon as an authorisation gives her the application, herself or through a group.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from engine.domain.rights import Authorisation, ObjectKind
from engine.domain.structure import Structure


class Share(NamedTuple):
    """Whose use of what is counted; ``company``: its key in the store."""

    company: int
    application: str


@dataclass(frozen=True, slots=True)
class Quota:
    """What a company may use of an application at most; None: as much as the machine carries."""

    company: int
    application: str
    channels: int | None = None
    users: int | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """A quota that is used up: ``limit`` of ``what`` (``channels`` or ``users``)."""

    application: str
    what: str
    limit: int


class Channels:
    """The channels in use, and the quotas that bound them."""

    def __init__(self) -> None:
        self._limits: Mapping[Share, int] = {}
        self._used: Counter[Share] = Counter()

    def bound(self, quotas: Iterable[Quota]) -> None:
        """Apply other quotas from now on; what is in use stays, though it be more."""
        self._limits = {
            Share(each.company, each.application): each.channels
            for each in quotas
            if each.channels is not None
        }

    def spent(self, share: Share, more: int = 1) -> Spent | None:
        """Why ``more`` channels cannot be had; None: they can."""
        limit = self._limits.get(share)
        if limit is None or self._used[share] + more <= limit:
            return None
        return Spent(share.application, "channels", limit)

    def used(self, share: Share) -> int:
        """How many are in use."""
        return self._used[share]

    def take(self, share: Share) -> None:
        """Count one more, whatever the quota: a call of another process that goes on must be counted too."""
        self._used[share] += 1

    def give_back(self, share: Share) -> None:
        """One is free again."""
        self._used[share] -= 1
        if self._used[share] <= 0:
            del self._used[share]


def users_of(
    application: str, users: Iterable[str], structure: Structure, authorisations: Iterable[Authorisation]
) -> set[str]:
    """Those of ``users`` that have the application by one of ``authorisations``, all being of one company."""
    grantees = {
        each.grantee
        for each in authorisations
        if each.kind is ObjectKind.APPLICATION and each.object == application
    }
    if not grantees:
        return set()
    return {each for each in users if each in grantees or not grantees.isdisjoint(structure.groups_of(each))}
