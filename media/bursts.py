"""Loss in bursts and in gaps (RFC 3611 section 4.7.2 and appendix A.2), for every leg at once.

Whether a packet was lost is decided when ``DEPTH`` packets after it have come, so that one that is only out of order
is none. Until then each leg's last packets are the bits of a word. A burst is a stretch that begins and ends with a
loss and has fewer than ``GMIN`` packets received in a row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from media.columns import Columns
from media.rtp import Integers

DEPTH = 16
GMIN = 16
"""The recommended value."""
_WORD = 63
_ALL = np.uint64((1 << 64) - 1)
_FULL = np.uint64((1 << (DEPTH + 1)) - 1)
"""Nothing is missing of the last packets, the one that is decided next included."""
_ONE = np.uint64(1)


@dataclass(frozen=True, slots=True)
class BurstReport:
    """Densities 0 to 1, durations in packets."""

    burst_density: float = 0.0
    gap_density: float = 0.0
    burst_packets: float = 0.0
    gap_packets: float = 0.0
    burst_ratio: float = 1.0
    """Mean length of what was lost in a row, by what random loss would give (G.107 section 7.5)."""


class Bursts(Columns):
    """The transitions of appendix A.2, a row a leg."""

    def __init__(self, capacity: int) -> None:
        self.arrived = np.full(capacity, _ALL, np.uint64)
        self.steps = np.full(capacity, -DEPTH, np.int64)  # packets decided
        self.decided_at = np.zeros(capacity, np.int64)  # of them, up to the last loss
        self.run = np.zeros(capacity, np.int64)  # lost within the burst, or the one lost in the gap
        self.c11 = np.zeros(capacity, np.int64)
        self.c13 = np.zeros(capacity, np.int64)
        self.c14 = np.zeros(capacity, np.int64)
        self.c22 = np.zeros(capacity, np.int64)
        self.c23 = np.zeros(capacity, np.int64)
        self.c33 = np.zeros(capacity, np.int64)
        self.losses = np.zeros(capacity, np.int64)

    def clear(self, slot: int) -> None:
        """Begin a new leg in a slot."""
        super().clear(slot)
        self.arrived[slot] = _ALL
        self.steps[slot] = -DEPTH

    def begin(self, slots: Integers) -> None:
        """A stream begins: what came before it is not missing."""
        self.arrived[slots] = _ALL

    def advance(self, slots: Integers, step: Integers) -> None:
        """Packets came that are ``step`` after the last one; 0: the same again. slots: int64 [n], all different."""
        self.steps[slots] += step
        jumps = step != 1
        if jumps.any():
            far, further = slots[jumps], step[jumps]
            for slot, word, steps in zip(
                far.tolist(), self.arrived[far].tolist(), further.tolist(), strict=True
            ):
                self._jump(slot, word, steps)
            slots = slots[~jumps]
        words = self.arrived[slots]
        words <<= _ONE
        words |= _ONE
        self.arrived[slots] = words
        missing = (words & _FULL) != _FULL
        if missing.any():
            self._decide(slots[missing], words[missing])

    def _decide(self, slots: Integers, words: npt.NDArray[np.uint64]) -> None:
        """Look at the packet that is now ``DEPTH`` back."""
        lost = (words >> np.uint64(DEPTH)) & _ONE == 0
        for slot in slots[lost].tolist():
            self._lost(slot, int(self.steps[slot]))

    def _jump(self, slot: int, word: int, steps: int) -> None:
        """Several packets on, one by one: something is missing between."""
        at = int(self.steps[slot]) - steps
        for number in range(1, steps + 1):
            word = (word << 1 | (number == steps)) & int(_ALL)
            if not word >> DEPTH & 1:
                self._lost(slot, at + number)
        self.arrived[slot] = word

    def late(self, slots: Integers, back: Integers) -> None:
        """Packets came that are ``back`` (1 or more) before the newest; all different slots."""
        near = back <= _WORD
        slots, back = slots[near], back[near]
        self.arrived[slots] |= _ONE << back.astype(np.uint64)

    def _lost(self, slot: int, at: int) -> None:
        """A packet is lost: number ``at`` of those decided (RFC 3611 appendix A.2)."""
        received = at - int(self.decided_at[slot]) - 1
        self.decided_at[slot] = at
        self.losses[slot] += 1
        if received >= GMIN or self.losses[slot] == 1:
            if self.run[slot] == 1:
                self.c14[slot] += 1
            elif self.run[slot] > 1:
                self.c13[slot] += 1
            self.run[slot] = 1
            self.c11[slot] += received
        else:
            self.run[slot] += 1
            if received == 0:
                self.c33[slot] += 1
            else:
                self.c23[slot] += 1
                self.c22[slot] += received - 1

    def report(self, slot: int) -> BurstReport:
        """What of all so far was burst and what gap."""
        losses = int(self.losses[slot])
        if not losses:
            return BurstReport(gap_packets=max(0.0, float(self.steps[slot])))
        c13, c14, run = int(self.c13[slot]), int(self.c14[slot]), int(self.run[slot])
        # what goes on now is taken as if it ended here
        c13, c14 = (c13, c14 + 1) if run == 1 else (c13 + 1, c14)
        c11 = int(self.c11[slot] + max(0, self.steps[slot] - self.decided_at[slot]))
        c22, c23, c33 = int(self.c22[slot]), int(self.c23[slot]), int(self.c33[slot])
        total = c11 + c14 + 2 * c13 + c22 + 2 * c23 + c33
        loss = losses / max(1, int(self.steps[slot]))
        ratio = max(1.0, losses / (losses - c33) * (1 - loss)) if losses > c33 else 1.0
        gap_density = c14 / (c11 + c14) if c11 + c14 else 0.0
        if not c13:
            return BurstReport(0.0, gap_density, 0.0, float(self.steps[slot]), ratio)
        p32 = c23 / (c13 + c23 + c33)
        p23 = 1.0 if c22 + c23 < 1 else 1 - c22 / (c22 + c23)
        gap = (c11 + c14 + c13) / c13
        return BurstReport(p23 / (p23 + p32), gap_density, max(0.0, total / c13 - gap), gap, ratio)
