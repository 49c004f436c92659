"""How late packets come: a distribution per leg, from which follows the delay its jitter buffer needs.

A row is a histogram over 256 ms in steps of 10 ms: how much later than the earliest packets of the leg a
packet came, weighted so that what is older counts less (time constant ``MEMORY_TICKS``). Instead of making
all old weights smaller at each tick, each new one is made larger.
"""

from __future__ import annotations

import numpy as np

from media.columns import Columns
from media.rtp import Flags, Integers

STEP = 80
"""Samples of a bin."""
BINS = 32
MEMORY_TICKS = 400
"""8 s: long enough that four late packets in it are one in a hundred."""
TAIL = 0.01
"""The share of packets that may come too late."""
_ANOTHER_PATH = 6
"""Bins that packets come earlier at once, by which what was seen before counts for little."""
_TOGETHER = 0.2
_LITTLE = 0.02
"""What becomes of the weight of what is no measure any more."""
_ENOUGH = 10.0
"""Packets, by weight, before there is anything to be said."""
_GROWTH = MEMORY_TICKS / (MEMORY_TICKS - 1)
_MOST_WEIGHT = 1e6  # well within float32
_EVERY_BIN = np.arange(BINS)


class Arrivals(Columns):
    """The distributions of all legs."""

    def __init__(self, capacity: int) -> None:
        self.seen = np.zeros((capacity, BINS), np.float32)
        self.latest = np.zeros(capacity, np.int64)  # the greatest lateness of a tick with packets
        self.latest_at = np.zeros(capacity, np.int64)  # and which tick that was
        self._weight = 1.0
        self._ticks = 0

    def tick(self) -> None:
        """Let time pass."""
        self._ticks += 1
        self._weight *= _GROWTH
        if self._weight > _MOST_WEIGHT:
            self.seen /= self._weight
            self._weight = 1.0

    def add(self, slots: Integers, lateness: Integers) -> None:
        """One packet a leg. slots: int64 [n], all different; lateness: int64 [n], samples, not negative.

        What comes in a tick after a later packet was held up with it, and is little evidence of its own.
        """
        alone = (self.latest_at[slots] != self._ticks) | (lateness >= self.latest[slots])
        bins = np.minimum(lateness // STEP, BINS - 1)
        if alone.all():
            self.latest[slots], self.latest_at[slots] = lateness, self._ticks
            self.seen[slots, bins] += self._weight
            return
        self.latest[slots[alone]], self.latest_at[slots] = lateness[alone], self._ticks
        self.seen[slots, bins] += np.where(alone, self._weight, _TOGETHER * self._weight)

    def forget(self, slots: Integers) -> None:
        """Begin anew."""
        self.seen[slots] = 0

    def belittle(self, slots: Integers) -> None:
        """Let what was seen until now count for little."""
        self.seen[slots] *= _LITTLE

    def earlier(self, slots: Integers, bins: Integers) -> None:
        """The earliest packets of legs come so much earlier than was known; a negative number: later.

        slots: int64 [n], all different; bins: int64 [n].
        """
        seen = self.seen[slots] * np.where(bins >= _ANOTHER_PATH, _LITTLE, 1.0)[:, None]
        at = np.minimum(np.maximum(_EVERY_BIN + bins[:, None], 0), BINS - 1)
        at += BINS * np.arange(len(slots))[:, None]
        moved = np.bincount(at.reshape(-1), seen.reshape(-1), BINS * len(slots))
        self.seen[slots] = moved.reshape(-1, BINS)

    def measure(self, slots: Integers) -> tuple[Integers, Integers, Flags]:
        """What a few legs need, int64 [n] twice and bool [n].

        Returns the samples of delay that are enough for all but ``TAIL`` of the packets, counted like
        lateness; how much too early "earliest" is by now, in bins; and of which legs this can be said.
        """
        seen = self.seen[slots]
        total = seen.sum(axis=1)
        too_late = seen[:, ::-1].cumsum(axis=1) > TAIL * total[:, None]
        needed = (BINS - 1 - too_late.argmax(axis=1)) * STEP
        unused = (seen > TAIL / 5 * total[:, None]).argmax(axis=1)
        return needed, unused, total >= _ENOUGH * self._weight
