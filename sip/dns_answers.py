"""What the name system says, and how long we believe it: records, and a cache of them.

Silence and refusals are remembered too, but shortly: a PBX that comes back is wanted at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from sip.errors import SipError

LONGEST = 3600.0  # seconds an answer is believed at most, whatever its TTL
SHORTEST = 1.0  # a TTL of 0 must not make every request of a busy second ask again
NEGATIVE = 15.0  # for "there is none", whatever the zone's SOA says: well under the 30 s a link has to heal
FAILURE = (
    30.0  # for silence and SERVFAIL where another step of RFC 3263 helps out or an old answer is at hand
)
BRIEF_FAILURE = 5.0  # the same where nothing helps: ask again soon
STALE = 86400.0  # an old answer is used that long while the name servers are silent (RFC 8767)
ENTRIES = 1024

R = TypeVar("R")


class Naptr(NamedTuple):
    """A NAPTR record (RFC 3403)."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


class Srv(NamedTuple):
    """An SRV record (RFC 2782)."""

    priority: int
    weight: int
    port: int
    target: str


@dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """The records of one name and type; none at all is an answer too. ``ttl`` in seconds."""

    records: tuple[R, ...]
    ttl: float


class LookupFailed(SipError):
    """The name system did not answer, or refused to; ``label`` is a counter label."""

    def __init__(self, label: str) -> None:
        """Name what happened."""
        super().__init__(label)
        self.label = label


class Lookup(Protocol):
    """How names are looked up; all raise LookupFailed."""

    def naptr(self, name: str) -> Awaitable[Answer[Naptr]]:
        """Look up NAPTR records."""

    def srv(self, name: str) -> Awaitable[Answer[Srv]]:
        """Look up SRV records."""

    def addresses(self, name: str) -> Awaitable[Answer[str]]:
        """Look up A and AAAA records."""

    def system_addresses(self, name: str) -> Awaitable[Answer[str]]:
        """Ask the system's resolver: for ``localhost`` and names without a dot."""


@dataclass(slots=True)
class _Entry(Generic[R]):
    records: tuple[R, ...] | None
    """None: the last look-up failed, and there is nothing older."""
    asked_until: float
    """No new look-up before."""
    usable_until: float
    """How long the records may stand in for a name server that is silent."""
    label: str = ""


class AnswerCache(Generic[R]):
    """Answers of one record type by name."""

    def __init__(self, ask: Callable[[str], Awaitable[Answer[R]]], failure: float) -> None:
        """Cache what ``ask`` finds; a failed look-up is repeated after ``failure`` seconds."""
        self._ask = ask
        self._failure = failure
        self._entries: dict[str, _Entry[R]] = {}

    async def get(self, name: str, now: float) -> tuple[R, ...]:
        """Give the records of ``name``. Raises LookupFailed."""
        name = name.lower().rstrip(".")
        entry = self._entries.get(name)
        if entry is None or now >= entry.asked_until:
            entry = await self._renew(name, entry, now)
        if entry.records is None:
            raise LookupFailed(entry.label)
        return entry.records

    async def _renew(self, name: str, old: _Entry[R] | None, now: float) -> _Entry[R]:
        try:
            answer = await self._ask(name)
        except LookupFailed as failure:
            if old is not None and old.records is not None and now < old.usable_until:
                entry = _Entry(old.records, now + FAILURE, old.usable_until)
            else:
                entry = _Entry(None, now + self._failure, now, failure.label)
        else:
            longest = LONGEST if answer.records else NEGATIVE
            until = now + min(max(answer.ttl, SHORTEST), longest)
            entry = _Entry(answer.records, until, until + (STALE if answer.records else 0.0))
        self._entries.pop(name, None)
        self._entries[name] = entry
        if len(self._entries) > ENTRIES:
            del self._entries[next(iter(self._entries))]
        return entry
