"""Flood limits: token buckets by source, by class of peer, and one over all strangers. Does no I/O.

Asked for each datagram, or each message of a stream, before it is parsed. A class of peers (a link,
loopback) has one bucket of its own, and so has each registered source: a flood of strangers costs
them nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip.flow import Address

REGISTERED = "registered"
"""The class of a source with a live registration: a bucket for each, of a stranger's size."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Messages a second, and how many may come at once."""

    per_second: float
    burst: float


@dataclass(frozen=True, slots=True)
class FloodLimits:
    """The limits of one endpoint."""

    stranger: Rate = Rate(50, 200)
    registered: Rate = Rate(50, 200)
    all_strangers: Rate = Rate(2_000, 4_000)
    """What strangers may cost together: a tenth of a core or so."""
    peers: Rate = Rate(5_000, 10_000)
    """For a class of peers that ``named`` does not hold."""
    named: tuple[tuple[str, Rate], ...] = ()
    max_sources: int = 65_536
    """Sources remembered at once; when no room is left the new ones share a bucket."""


class Bucket:
    """A token bucket."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: Rate, now: float) -> None:
        """Begin full."""
        self._rate = rate.per_second
        self._burst = self._tokens = rate.burst
        self._at = now

    def take(self, now: float) -> bool:
        """Take one token, if there is one."""
        tokens = self._tokens + (now - self._at) * self._rate
        self._at = now
        if tokens > self._burst:
            tokens = self._burst
        if tokens < 1.0:
            self._tokens = tokens
            return False
        self._tokens = tokens - 1.0
        return True

    def is_full(self, now: float) -> bool:
        """Tell whether the source was quiet long enough to be forgotten."""
        return self._tokens + (now - self._at) * self._rate >= self._burst


class FloodGate:
    """Admits or drops what comes in, by source and class."""

    def __init__(self, limits: FloodLimits, now: float) -> None:
        """Make a gate with every bucket full."""
        self._limits = limits
        self._named = dict(limits.named)
        self._sources: dict[object, Bucket] = {}
        self._classes: dict[str, Bucket] = {}
        self._strangers = Bucket(limits.all_strangers, now)
        self._overflow = Bucket(limits.stranger, now)
        self._swept_at = now

    def __len__(self) -> int:
        """Count the sources remembered."""
        return len(self._sources)

    def admit(self, source: Address, peer_class: str | None, now: float) -> str | None:
        """Give None when the message may pass, else the counter label of its drop."""
        if peer_class is None:
            if not self._source(prefix_of(source.host), self._limits.stranger, now).take(now):
                return "flood_source"
            return None if self._strangers.take(now) else "flood_strangers"
        if peer_class == REGISTERED:
            passed = self._source(source, self._limits.registered, now).take(now)
            return None if passed else "flood_registered"
        bucket = self._classes.get(peer_class)
        if bucket is None:
            bucket = Bucket(self._named.get(peer_class, self._limits.peers), now)
            self._classes[peer_class] = bucket
        return None if bucket.take(now) else "flood_peer"

    def set_rate(self, peer_class: str, rate: Rate, now: float) -> None:
        """Give a class of peers a limit of its own, from now on."""
        self._named[peer_class] = rate
        self._classes[peer_class] = Bucket(rate, now)

    def _source(self, key: object, rate: Rate, now: float) -> Bucket:
        bucket = self._sources.get(key)
        if bucket is None:
            if len(self._sources) >= self._limits.max_sources and not self._sweep(now):
                return self._overflow
            bucket = self._sources[key] = Bucket(rate, now)
        return bucket

    def _sweep(self, now: float) -> bool:
        """Forget the quiet sources, once a second at most; tell whether there is room now."""
        if now - self._swept_at >= 1.0:
            self._swept_at = now
            self._sources = {key: one for key, one in self._sources.items() if not one.is_full(now)}
        return len(self._sources) < self._limits.max_sources


def prefix_of(host: str) -> str:
    """Give what one sender cannot leave at will: an IPv4 address, the /64 of an IPv6 address."""
    if ":" not in host:
        return host
    return IPv6Address(host.partition("%")[0]).exploded[:19]
