"""UDP port pairs of a worker (RFC 3550 section 11): RTP on an even port, RTCP on the next one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

REST_SECONDS = 5.0
"""A freed port rests, so that late packets of the old call do not meet a new one (security F7)."""


class PortPool:
    """Hands out even ports at random from a range. Does no I/O: whether a port binds is the caller's to see.

    ``pick(n)`` gives a random number below n; it is injected so that a test can fix the order. ``resting`` are
    ports that calls of a lost worker had, ``kept`` those of its calls that go on: nobody gets these but by ``claim``.
    """

    def __init__(
        self,
        first: int,
        last: int,
        pick: Callable[[int], int],
        resting: Iterable[int] = (),
        now: float = 0.0,
        kept: Iterable[int] = (),
    ) -> None:
        self._pick = pick
        self._own = ports = range(first + first % 2, last, 2)
        self._kept = {port for port in kept if port in ports}
        held = set(resting) - self._kept  # of a shared port some calls go on and others do not
        self._free = [port for port in ports if port not in held and port not in self._kept]
        self._resting = deque((now + REST_SECONDS, port) for port in ports if port in held)

    @property
    def free(self) -> int:
        """How many pairs could be taken now, those whose rest may be over not counted."""
        return len(self._free)

    @property
    def taken(self) -> int:
        """How many pairs somebody has; those that rest are nobody's."""
        return len(self._own) - len(self._free) - len(self._resting) - len(self._kept)

    def take(self, now: float) -> int | None:
        """A free even port, or None when all are in use or resting."""
        while self._resting and self._resting[0][0] <= now:
            self._free.append(self._resting.popleft()[1])
        if not self._free:
            return None
        chosen = self._pick(len(self._free))
        self._free[chosen], self._free[-1] = self._free[-1], self._free[chosen]
        return self._free.pop()

    def claim(self, port: int) -> bool:
        """Whether this very port can be had, for a leg that comes back; it is taken by that.

        One of another worker's share can be, for whoever had it is gone; it is not ours to hand out afterwards.
        """
        if port not in self._own:
            return True
        if port in self._kept:
            self._kept.remove(port)
            return True
        if port in self._free:
            self._free.remove(port)
            return True
        return False

    def give_back(self, port: int, now: float) -> None:
        """Free a port; it rests first."""
        if port not in self._own:
            return
        self._resting.append((now + REST_SECONDS, port))
