"""How much one line may call outside: at once, and in a minute (security reference C7).

A stolen password is worth as much as the calls it can place. Whoever owns the call is counted: the line
that dials, that transfers, or that forwards.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

MINUTE = 60.0

Alive = Callable[[], bool]
"""Whether a call is still up."""


@dataclass(frozen=True, slots=True)
class TollLimits:
    """Calls behind links that one line may have: up at the same time, and begun in a minute."""

    at_once: int
    a_minute: int


class Tolls:
    """Counts the calls of each line."""

    def __init__(self, limits: TollLimits, seconds: Callable[[], float]) -> None:
        self.limits = limits
        self._seconds = seconds
        self._up: dict[str, list[Alive]] = {}
        self._begun: dict[str, deque[float]] = {}

    def admit(self, line: str, alive: Alive) -> bool:
        """Count one more call of ``line``, up as long as ``alive`` says so; False when it is one too many."""
        now = self._seconds()
        begun = self._begun.setdefault(line, deque())
        while begun and now - begun[0] >= MINUTE:
            begun.popleft()
        up = self._up[line] = [each for each in self._up.get(line, ()) if each()]
        if len(up) >= self.limits.at_once or len(begun) >= self.limits.a_minute:
            return False
        begun.append(now)
        up.append(alive)
        return True

    def restore(self, line: str, alive: Alive) -> None:
        """Count a call that another process had admitted."""
        self._up.setdefault(line, []).append(alive)
