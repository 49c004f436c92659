"""Whether a worker has room for one more leg, from the load it measures itself and the legs it was given since.

Admission by headroom: above the line a new call is refused, rather than all that are up being spoilt. Does no I/O.
"""

from __future__ import annotations

from dataclasses import dataclass

from media.control import WorkerLoad

DEFAULT_LINE = 0.85
"""Share of a core: what is left is for peaks, and for whoever else lives on the core."""
MOST_LATE = 0.8
"""Share of ticks that come late, for seconds, with which a worker has no room: the machine has none."""
HARMLESS = 0.2
"""Share of a core with which a worker is not why ticks are late, its own or others': refusing calls would relieve
nobody, and whoever keeps the machine busy with other things would keep calls out."""
ENOUGH_LEGS = 20
"""From here on what a leg costs is known from those that are there."""
FIRST_GUESS, LEAST_GUESS = 1 / 1000, 1 / 4000
"""Share of a core that a leg is taken to cost before it is known, and at least."""


@dataclass(slots=True)
class _Worker:
    load: WorkerLoad = WorkerLoad(0.0, 0.0)  # noqa: RUF009  # frozen
    legs: int = 0  # when the load was told


class Headroom:
    """What each worker, by its index, has told; ``line`` is the share of a core above which nobody is let in."""

    def __init__(self, line: float = DEFAULT_LINE) -> None:
        self.line = line
        self._workers: dict[int, _Worker] = {}

    def told(self, worker: int, load: WorkerLoad, legs: int) -> None:
        """A worker says how much it uses; ``legs`` it has by now."""
        self._workers[worker] = _Worker(load, legs)

    def forget(self, worker: int) -> None:
        """A worker's process is gone; its successor begins at nothing."""
        self._workers.pop(worker, None)

    def share(self, worker: int) -> float:
        """The share of a core the worker used when it last said."""
        return self._of(worker).load.share

    def expected(self, worker: int, legs: int) -> float:
        """The share it will use with ``legs``: what it told, and what those it got since will cost."""
        known = self._of(worker)
        each = FIRST_GUESS
        if known.legs >= ENOUGH_LEGS:
            each = max(known.load.share / known.legs, LEAST_GUESS)
        return known.load.share + each * max(0, legs - known.legs)

    def admits(self, worker: int, legs: int) -> bool:
        """Whether one more leg than ``legs`` is still below the line."""
        load = self._of(worker).load
        if load.late >= MOST_LATE and load.share > HARMLESS:
            return False
        return self.expected(worker, legs + 1) <= self.line

    def _of(self, worker: int) -> _Worker:
        return self._workers.get(worker) or _Worker()
