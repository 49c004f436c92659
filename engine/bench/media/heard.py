"""What the calls of the load generator have heard: packets, losses and gaps, counted over whole batches."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from media.rtp import Flags, Integers

MOST_GAP_MS = 2000
_FORGIVEN = 3000  # a larger jump of the sequence is a new stream, not a loss


class Heard:
    """Counts of each call since ``reset``; ``capacity`` calls."""

    def __init__(self, capacity: int) -> None:
        self.packets: Integers = np.zeros(capacity, np.int64)
        self.lost: Integers = np.zeros(capacity, np.int64)
        self.gaps: Integers = np.zeros(MOST_GAP_MS, np.int64)
        """How many packets came that many milliseconds after the one before."""
        self._sequence: Integers = np.full(capacity, -1, np.int64)
        self._arrival: Integers = np.zeros(capacity, np.int64)

    def reset(self) -> None:
        """Begin to count anew; the streams go on."""
        for counts in (self.packets, self.lost, self.gaps):
            counts[:] = 0

    def begin(self, call: int) -> None:
        """A slot is given to another call."""
        self._sequence[call] = -1

    def add(self, calls: Integers, sequences: Integers, arrivals_ns: Integers) -> None:
        """Count a batch of packets, in the order they came. All int64 [n]; a call may have several."""
        order = np.argsort(calls, kind="stable")
        calls, sequences, arrivals_ns = calls[order], sequences[order], arrivals_ns[order]
        first: Flags = np.ones(len(calls), np.bool_)
        first[1:] = calls[1:] != calls[:-1]
        before, earlier = np.empty_like(sequences), np.empty_like(arrivals_ns)
        before[1:], earlier[1:] = sequences[:-1], arrivals_ns[:-1]
        before[first], earlier[first] = self._sequence[calls[first]], self._arrival[calls[first]]
        known = before >= 0
        step = (sequences - before) & 0xFFFF
        missing = known & (step > 1) & (step < _FORGIVEN)
        np.add.at(self.lost, calls[missing], step[missing] - 1)
        gap = np.clip((arrivals_ns - earlier) // 1_000_000, 0, MOST_GAP_MS - 1)
        np.add.at(self.gaps, gap[known], 1)
        np.add.at(self.packets, calls, 1)
        last: Flags = np.ones(len(calls), np.bool_)
        last[:-1] = first[1:]
        self._sequence[calls[last]], self._arrival[calls[last]] = sequences[last], arrivals_ns[last]

    def gap_percentile(self, share: float) -> int | None:
        """The gap in milliseconds that this share of the packets stayed below or at; None before any."""
        return percentile_of(self.gaps, share)

    @property
    def longest_gap(self) -> int | None:
        """Milliseconds; None before any packet."""
        found = np.flatnonzero(self.gaps)
        return int(found[-1]) if len(found) else None


def percentile_of(histogram: npt.NDArray[np.int64], share: float) -> int | None:
    """The first bin at which ``share`` of a histogram is reached; None when it is empty."""
    total = np.cumsum(histogram)
    return int(np.searchsorted(total, share * total[-1])) if total[-1] else None
