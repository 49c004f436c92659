"""How often a directory may be asked about one login: it may lock an account after a few wrong passwords, and then an
outsider who guesses here would lock its owner out there.

So strangers together get fewer wrong tries a login than directories usually allow; a source from which its owner has
signed in before is counted by itself, and is not concerned by what strangers try.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass

REMEMBERED = 20_000
"""Counters held at once; the longest untouched goes first."""


@dataclass(frozen=True, slots=True)
class ForwardingSettings:
    """failures: wrong tries in ``window`` seconds; many a directory locks an account after five."""

    failures: int = 4
    window: float = 1800.0
    trust: float = 30 * 86_400.0


class Forwarding:
    """Counts wrong tries by login, those of each trusted source apart."""

    def __init__(self, settings: ForwardingSettings | None = None) -> None:
        self._settings = settings or ForwardingSettings()
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._trusted: OrderedDict[tuple[str, str], float] = OrderedDict()

    def allows(self, login: str, source: str, now: float) -> bool:
        """Whether one more try may be wrong."""
        failures = self._failures.get(self._key(login, source, now), ())
        return sum(now - each < self._settings.window for each in failures) < self._settings.failures

    def failed(self, login: str, source: str, now: float) -> None:
        """The directory said that the password is wrong."""
        key = self._key(login, source, now)
        failures = self._failures.pop(key, None) or deque(maxlen=self._settings.failures)
        failures.append(now)
        self._failures[key] = failures
        if len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, login: str, source: str, now: float) -> None:
        """The directory said that it is right: whoever asks from there is most likely the owner."""
        self._failures.pop((login.casefold(), source), None)
        key = (login.casefold(), source)
        self._trusted.pop(key, None)
        self._trusted[key] = now + self._settings.trust
        if len(self._trusted) > REMEMBERED:
            self._trusted.popitem(last=False)

    def _key(self, login: str, source: str, now: float) -> tuple[str, str]:
        """A trusted source's own counter, or that of all strangers: ``""`` is no source."""
        login = login.casefold()
        return (login, source if now < self._trusted.get((login, source), 0.0) else "")
