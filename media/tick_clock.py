"""When a worker makes its ticks: every 20 ms, and after a delay without a burst. Knows time only as it is told.

A tick that could not be made in time is made at once, and those it held up follow at half the interval, so
that nobody's jitter buffer overflows and nobody's runs dry. After a longer stall the ticks are left out: time
goes on, what should have been heard in them is not carried along.
"""

from __future__ import annotations

TICK_SECONDS = 0.02
MOST_CATCH_UP = 5
"""Ticks that are made up for: 100 ms, what receivers buffer."""
CATCH_UP_SECONDS = TICK_SECONDS / 2
"""The interval of ticks that are late."""
LATE_SECONDS = 0.01
"""A tick begun later than this is counted as late."""
PUNCTUAL_SECONDS = 0.005
"""Up to here the time at which a tick reads a packet says when the packet came."""


class TickClock:
    """The schedule of one worker, from its first tick on."""

    def __init__(self, now: float) -> None:
        self.number = int(now / TICK_SECONDS)
        """Of the tick that is being made."""
        self._due = (self.number + 1) * TICK_SECONDS
        self.wake = self._due
        """When the next tick is to be made."""
        self.punctual = True
        """The tick that is being made is on time."""
        self.ticks = self.late = self.skipped = 0

    def start(self, now: float) -> int:
        """Begin a tick, at ``wake`` or later. Returns how many ticks before it are left out."""
        late = now - self._due
        left_out = int(late / TICK_SECONDS)
        if left_out <= MOST_CATCH_UP:
            left_out = 0
        self.ticks += 1
        self.late += late > LATE_SECONDS
        self.skipped += left_out
        self.punctual = late < PUNCTUAL_SECONDS
        self.number += 1 + left_out
        self._due = (self.number + 1) * TICK_SECONDS
        self.wake = max(self._due, now + CATCH_UP_SECONDS)
        return left_out
