"""What a leg has received: source and sequence checks, loss and jitter (RFC 3550 appendix A.1, A.3, A.8).

A column per field, a row per leg slot. Functions take one packet per slot at most, so that whole-array
assignment has no order to get wrong; a second packet of the same leg goes into the next call.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from media.bursts import Bursts
from media.columns import Columns
from media.rtp import Flags, Integers

MAX_DROPOUT = 3000
"""A larger jump forward is a restart, to be confirmed by the next packet (RFC 3550 appendix A.1)."""
MAX_MISORDER = 100
"""Further back is not a late packet but another stream."""
NO_CANDIDATE = -1
FIRST_CLOCK = 8000


@dataclass(frozen=True, slots=True)
class LossReport:
    """The receiver's half of a report block (RFC 3550 section 6.4.1)."""

    ssrc: int
    fraction_lost: int
    cumulative_lost: int
    highest_sequence: int
    jitter: int


class Reception(Columns):
    """RFC 3550's per-source state for every leg."""

    def __init__(self, capacity: int) -> None:
        self.started = np.zeros(capacity, np.bool_)
        self.ssrc = np.zeros(capacity, np.int64)
        self.highest = np.zeros(capacity, np.int64)  # extended sequence number
        self.first = np.zeros(capacity, np.int64)
        self.received = np.zeros(capacity, np.int64)  # of this source, for the report
        self.packets = np.zeros(capacity, np.int64)  # of the leg, whatever the source
        self.octets = np.zeros(capacity, np.int64)
        self.lost_before = np.zeros(capacity, np.int64)  # with earlier sources of the leg
        self.candidate_ssrc = np.full(capacity, NO_CANDIDATE, np.int64)
        self.candidate_sequence = np.zeros(capacity, np.int64)
        self.transit = np.zeros(capacity, np.int64)
        self.transit_known = np.zeros(capacity, np.bool_)
        self.jitter = np.zeros(capacity, np.float64)  # timestamp units
        self.clock = np.full(capacity, FIRST_CLOCK, np.int64)  # of them a second
        self.reported_expected = np.zeros(capacity, np.int64)
        self.reported_received = np.zeros(capacity, np.int64)
        self.bursts = Bursts(capacity)

    def grow(self, capacity: int) -> None:
        """Lengthen every column."""
        super().grow(capacity)
        self.bursts.grow(capacity)

    def clear(self, slot: int) -> None:
        """Begin a new leg in a slot."""
        super().clear(slot)
        self.bursts.clear(slot)
        self.candidate_ssrc[slot] = NO_CANDIDATE
        self.clock[slot] = FIRST_CLOCK

    def set_clock(self, slot: int, rate: int) -> None:
        """Count a leg's timestamps at another rate; what is known of its jitter keeps its time."""
        self.jitter[slot] *= rate / self.clock[slot]
        self.clock[slot] = rate
        self.transit_known[slot] = False

    def accept(self, slots: Integers, ssrc: Integers, sequence: Integers) -> tuple[Flags, Flags]:
        """Which packets belong to their leg's stream, and which of those begin it anew.

        slots, ssrc, sequence: int64 [n], slots all different. Returns bool [n] twice. A packet from another
        SSRC, or out of the sequence window, is refused until the one that follows it arrives.
        """
        step = (sequence - self.highest[slots]) & 0xFFFF
        ahead = (step < MAX_DROPOUT) & (self.ssrc[slots] == ssrc) & self.started[slots]
        if ahead.all():
            self.highest[slots] += step
            self.received[slots] += 1
            self.bursts.advance(slots, step)
            return ahead, np.zeros(len(slots), np.bool_)
        self.highest[slots[ahead]] += step[ahead]
        known = (self.ssrc[slots] == ssrc) & self.started[slots]
        behind = known & (step >= 0x10000 - MAX_MISORDER)
        confirmed = (self.candidate_ssrc[slots] == ssrc) & (self.candidate_sequence[slots] == sequence)
        begins = ~self.started[slots] | (confirmed & ~ahead & ~behind)
        accepted = ahead | behind | begins
        refused = ~accepted
        self.candidate_ssrc[slots[refused]] = ssrc[refused]
        self.candidate_sequence[slots[refused]] = (sequence[refused] + 1) & 0xFFFF
        self.bursts.advance(slots[ahead], step[ahead])
        self.bursts.late(slots[behind], 0x10000 - step[behind])
        self._begin(slots[begins], ssrc[begins], sequence[begins])
        self.received[slots[accepted]] += 1
        return accepted, begins

    def _begin(self, slots: Integers, ssrc: Integers, sequence: Integers) -> None:
        self.lost_before[slots] += self._lost(slots)
        self.started[slots] = True
        self.ssrc[slots] = ssrc
        self.first[slots] = self.highest[slots] = sequence
        self.received[slots] = 0
        self.candidate_ssrc[slots] = NO_CANDIDATE
        self.transit_known[slots] = False
        self.jitter[slots] = 0.0
        self.bursts.begin(slots)
        self.reported_expected[slots] = self.reported_received[slots] = 0

    def time(self, slots: Integers, timestamp: Integers, now: float) -> None:
        """Feed the jitter estimate with audio packets. now: in seconds, of any origin."""
        clock = self.clock[slots]
        transit = (now * clock).astype(np.int64) - timestamp
        change = (transit - self.transit[slots]).astype(np.int32)  # by the shorter way round
        spread = np.abs(change, dtype=np.float64)
        # |D| above a second is a jump of the peer's clock, not jitter
        spread *= (spread <= clock) & self.transit_known[slots]
        jitter = self.jitter[slots]
        spread -= jitter
        spread /= 16
        jitter += spread
        self.jitter[slots] = jitter
        self.transit[slots] = transit
        self.transit_known[slots] = True

    def _lost(self, slots: Integers) -> Integers:
        expected = self.highest[slots] - self.first[slots] + 1
        return np.where(self.started[slots], np.maximum(expected - self.received[slots], 0), 0)

    def lost(self, slot: int) -> int:
        """Packets lost on the leg so far, over all its sources."""
        before = int(self.lost_before[slot])
        if not self.started[slot]:
            return before
        expected = int(self.highest[slot]) - int(self.first[slot]) + 1
        return before + max(0, expected - int(self.received[slot]))

    def take_report(self, slot: int) -> LossReport | None:
        """The report block for a leg's source, and begin the next interval; None before the first packet."""
        if not self.started[slot]:
            return None
        expected = int(self.highest[slot] - self.first[slot] + 1)
        received = int(self.received[slot])
        new_expected = expected - int(self.reported_expected[slot])
        new_lost = new_expected - (received - int(self.reported_received[slot]))
        self.reported_expected[slot], self.reported_received[slot] = expected, received
        fraction = 0 if new_expected <= 0 or new_lost <= 0 else min((new_lost << 8) // new_expected, 255)
        return LossReport(
            int(self.ssrc[slot]),
            fraction,
            max(-0x800000, min(expected - received, 0x7FFFFF)),
            int(self.highest[slot]) & 0xFFFFFFFF,
            int(self.jitter[slot]),
        )
