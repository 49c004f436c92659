"""How much of a core a worker uses, as it tells the engine: processor time, and whether its ticks are on time.

Processor time does not depend on what else the machine does; late ticks do, and say when all the workers together are
too many for it. Knows time only as it is told.
"""

from __future__ import annotations

from media.control import WorkerLoad

WINDOW_TICKS = 25
"""Ticks between two looks, half a second."""
_SMOOTHING = 0.5  # of a look's figure, against those before it
_LATE_SMOOTHING = 0.2  # a stall of a second is no lasting trouble
_WORTH_TELLING = 0.02


class LoadMeter:
    """One worker's load. ``look`` after each tick; now and then it has something to tell."""

    def __init__(self, now: float, cpu_seconds: float) -> None:
        self._at = now
        self._cpu_seconds = cpu_seconds
        self._late_ticks = 0
        self._ticks = 0
        self._share = self._late = 0.0
        self._told = WorkerLoad(0.0, 0.0)

    @property
    def due(self) -> bool:
        """Whether it is time for a look; counts a tick."""
        self._ticks += 1
        return self._ticks % WINDOW_TICKS == 0

    def look(self, now: float, cpu_seconds: float, late_ticks: int) -> WorkerLoad | None:
        """Take the totals so far; the load, when it is another than the engine was told last."""
        wall = max(now - self._at, 1e-3)
        share = (cpu_seconds - self._cpu_seconds) / wall
        late = (late_ticks - self._late_ticks) / WINDOW_TICKS
        self._at, self._cpu_seconds, self._late_ticks = now, cpu_seconds, late_ticks
        self._share += _SMOOTHING * (share - self._share)
        self._late += _LATE_SMOOTHING * (late - self._late)
        seen = WorkerLoad(round(self._share, 3), round(self._late, 3))
        changed = max(abs(seen.share - self._told.share), abs(seen.late - self._told.late))
        if changed < _WORTH_TELLING:
            return None
        self._told = seen
        return seen
