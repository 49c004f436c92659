"""Silence for those who guess passwords (security reference C4).

Failures are counted by source and by (user, source), never by user alone: else a stranger could lock the
owner of a number out from anywhere. A source where somebody has lately given a right password is most
likely a site with many phones behind one address; there one phone with an old password must not silence
its neighbours, so the source as a whole is allowed more.
"""

from __future__ import annotations

import ipaddress
from collections import deque
from dataclasses import dataclass, field

REMEMBERED = 20_000  # keys held at once; the longest untouched goes first


@dataclass(frozen=True, slots=True)
class GuessingSettings:
    """Limits of the guard; times in seconds."""

    failures: int = 10
    shared_failures: int = 100
    """For a whole source from which a right password came within ``trust``."""
    window: float = 60.0
    silence: float = 60.0
    longest_silence: float = 3600.0
    trust: float = 3600.0


@dataclass(slots=True)
class _Record:
    """What is known of one key."""

    failures: deque[float] = field(default_factory=deque)
    silent_until: float = 0.0
    silence: float = 0.0
    trusted_until: float = 0.0


class GuessingGuard:
    """Counts failures and says who is not to be answered for now."""

    def __init__(self, settings: GuessingSettings | None = None) -> None:
        """Begin with nobody suspected."""
        self._settings = settings or GuessingSettings()
        self._records: dict[tuple[str, str], _Record] = {}

    def silenced(self, source: str, user: str, now: float) -> bool:
        """Tell whether a request of ``user`` from host ``source`` is dropped; changes nothing."""
        source = _network(source)
        return any(
            record is not None and now < record.silent_until
            for record in (self._records.get(("", source)), self._records.get((user, source)))
        )

    def failed(self, source: str, user: str, now: float) -> bool:
        """Count a wrong password; True when it begins a silence.

        Count only what proves its source (a nonce given to that host): a forged address must not silence
        the one it belongs to.
        """
        source = _network(source)
        whole, pair = self._record("", source), self._record(user, source)
        allowed = self._settings.shared_failures if now < whole.trusted_until else self._settings.failures
        begun = [self._count(whole, allowed, now), self._count(pair, self._settings.failures, now)]
        return any(begun)

    def succeeded(self, source: str, user: str, now: float) -> None:
        """Note a right password: the pair is forgiven, the source as a whole is trusted for a while."""
        source = _network(source)
        self._records.pop((user, source), None)
        self._record("", source).trusted_until = now + self._settings.trust

    def _count(self, record: _Record, allowed: int, now: float) -> bool:
        settings = self._settings
        failures = record.failures
        failures.append(now)
        while now - failures[0] >= settings.window:
            failures.popleft()
        if len(failures) < allowed:
            return False
        failures.clear()
        if now - record.silent_until > settings.longest_silence:
            record.silence = 0.0  # long well-behaved: begin anew
        record.silence = min(record.silence * 2 or settings.silence, settings.longest_silence)
        record.silent_until = now + record.silence
        return True

    def _record(self, user: str, source: str) -> _Record:
        """Give the record of a key, as the youngest of all."""
        record = self._records.pop((user, source), None) or _Record()
        self._records[user, source] = record
        if len(self._records) > REMEMBERED:
            del self._records[next(iter(self._records))]
        return record


def _network(source: str) -> str:
    """Take an IPv6 source by its /64: whoever has one address there has them all."""
    if ":" not in source:
        return source
    try:
        address = ipaddress.IPv6Address(source.partition("%")[0])
    except ValueError:
        return source
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
