"""Whether memory grows while calls come and go: two windows of one length compared, at the same load.

What an engine holds depends on how many calls are up and, at first, on how many there have been: tables and
pools grow to the most that was needed, caches fill. So the reference is not the empty engine but the first window
after the warm-up, when as many calls come as go; and the last window is held against it, process by process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import mean, median

LONGEST_WINDOW = 60.0
"""Seconds."""
_FEWEST = 3
"""Windows that must fit into what is measured; with fewer they would overlap."""


@dataclass(frozen=True, slots=True)
class MemoryGrowth:
    """One process, or all together. ``mb_an_hour``: the slope of a straight line through all samples."""

    mb_warm: float
    mb_end: float
    mb_most: float
    percent: float
    mb_an_hour: float


@dataclass(frozen=True, slots=True)
class _Sample:
    passed: float
    calls: int
    memory: Mapping[str, float]


class MemoryWatch:
    """Samples of the processes' memory, taken by its owner. ``warm_up``: seconds that are not looked at."""

    def __init__(self, warm_up: float) -> None:
        self._warm_up = warm_up
        self._samples: list[_Sample] = []

    def add(self, passed: float, calls: int, memory: Mapping[str, float]) -> None:
        """One sample, ``passed`` seconds after the beginning. memory: MiB by the name of the process."""
        if passed >= self._warm_up:
            self._samples.append(_Sample(passed, calls, memory))

    @property
    def window(self) -> float:
        """Length of the two windows in seconds."""
        if not self._samples:
            return 0.0
        return min(LONGEST_WINDOW, (self._samples[-1].passed - self._warm_up) / _FEWEST)

    def _windows(self) -> tuple[list[_Sample], list[_Sample]]:
        first, last = self._samples[0].passed + self.window, self._samples[-1].passed - self.window
        return (
            [each for each in self._samples if each.passed <= first],
            [each for each in self._samples if each.passed >= last],
        )

    def calls_up(self) -> tuple[float, float]:
        """How many calls were up in the first and in the last window, on average."""
        warm, end = self._windows()
        return mean(each.calls for each in warm), mean(each.calls for each in end)

    def growth(self) -> dict[str, MemoryGrowth]:
        """By process, and of all together as ``all``. Raises ValueError: there is no sample after the warm-up."""
        if not self._samples:
            raise ValueError("memory was never looked at after the warm-up")
        names = sorted({name for each in self._samples for name in each.memory})
        grown = {name: self._of([name]) for name in names}
        grown["all"] = self._of(names)
        return grown

    def _of(self, names: list[str]) -> MemoryGrowth:
        warm, end = (median(_sum(each, names) for each in part) for part in self._windows())
        return MemoryGrowth(
            mb_warm=round(warm, 1),
            mb_end=round(end, 1),
            mb_most=round(max(_sum(each, names) for each in self._samples), 1),
            percent=round(100 * (end - warm) / warm, 2) if warm else 0.0,
            mb_an_hour=round(3600 * self._slope(names), 1),
        )

    def _slope(self, names: list[str]) -> float:
        """MiB a second, by least squares."""
        count = len(self._samples)
        middle = sum(each.passed for each in self._samples) / count
        spread = sum((each.passed - middle) ** 2 for each in self._samples)
        moved = sum((each.passed - middle) * _sum(each, names) for each in self._samples)
        return moved / spread if spread else 0.0


def _sum(sample: _Sample, names: list[str]) -> float:
    return sum(sample.memory.get(name, 0.0) for name in names)
