"""How often one source, or one client of it, may ask: a bucket of tokens each, kept for those heard of lately."""

from __future__ import annotations

from collections import OrderedDict

BURST_SECONDS = 2.0
"""So long a time's worth of requests may come at once."""
MOST_KEYS = 10_000
"""Buckets kept. Beyond, those asked for longest ago are forgotten, which fills them: never too strict."""


class RateLimit:
    """At most ``rate`` requests a second of each key, in the long run; 0: any number."""

    def __init__(self, rate: float, most_keys: int = MOST_KEYS) -> None:
        self.rate = rate
        self._most_keys = most_keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # key -> (tokens, when)

    def wait(self, key: str, now: float) -> float:
        """Take a token: 0 where there is one, else the seconds after which there will be. now: seconds, monotonic."""
        if self.rate <= 0:
            return 0.0
        most = max(1.0, self.rate * BURST_SECONDS)
        tokens, when = self._buckets.pop(key, (most, now))
        tokens = min(most, tokens + max(0.0, now - when) * self.rate)
        waits = 0.0 if tokens >= 1.0 else (1.0 - tokens) / self.rate
        self._buckets[key] = (tokens if waits else tokens - 1.0, now)
        if len(self._buckets) > self._most_keys:
            self._buckets.popitem(last=False)
        return waits

    def __len__(self) -> int:
        return len(self._buckets)
