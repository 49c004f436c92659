"""RFC 3550's receiver state, a row per leg, against the RFC's own code run per packet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.reception import MAX_DROPOUT, MAX_MISORDER, LossReport, Reception

STARTS = [0, 1, 0x7FFE, 0x8000, 0xFFFD, 0xFFFF]
SLOT = 3


@dataclass
class Oracle:
    """Appendix A.1 and A.3 for one leg; a change of source is confirmed by its next packet."""

    ssrc: int | None = None
    highest: int = 0
    first: int = 0
    received: int = 0
    candidate: tuple[int, int] | None = None

    def accept(self, ssrc: int, sequence: int) -> bool:
        if self.ssrc is None:
            self.begin(ssrc, sequence)
            return True
        step = (sequence - self.highest) % 65536
        if ssrc == self.ssrc and step < MAX_DROPOUT:
            self.highest += step
        elif ssrc == self.ssrc and step >= 65536 - MAX_MISORDER:
            pass
        elif self.candidate == (ssrc, sequence):
            self.begin(ssrc, sequence)
            return True
        else:
            self.candidate = (ssrc, (sequence + 1) % 65536)
            return False
        self.received += 1
        return True

    def begin(self, ssrc: int, sequence: int) -> None:
        self.ssrc, self.highest, self.first, self.received, self.candidate = ssrc, sequence, sequence, 1, None


def accept(reception: Reception, sequence: int, ssrc: int = 1) -> bool:
    accepted, _ = reception.accept(np.array([SLOT]), np.array([ssrc]), np.array([sequence & 0xFFFF]))
    return bool(accepted[0])


@given(
    st.sampled_from(STARTS),
    st.lists(
        st.tuples(
            st.sampled_from([1, 1, 1, 1, 2]),
            st.sampled_from([1, 1, 1, 1, 0, 2, -1, -50, -MAX_MISORDER, -MAX_MISORDER - 1, 2999, 3000, 30000]),
        ),
        max_size=60,
    ),
)
def test_agrees_with_the_rfc(start: int, walk: list[tuple[int, int]]) -> None:
    """Any walk of sequence numbers and sources: the same packets are taken, the same loss is counted."""
    reception, oracle, sequence = Reception(8), Oracle(), start
    for ssrc, step in walk:
        sequence = (sequence + step) % 65536
        assert accept(reception, sequence, ssrc) == oracle.accept(ssrc, sequence)
        report = reception.take_report(SLOT)
        assert report is not None
        assert report.highest_sequence == oracle.highest
        assert report.cumulative_lost == oracle.highest - oracle.first + 1 - oracle.received


def test_many_legs_at_once_are_each_their_own() -> None:
    """One call with a good, a late, a strange and a first packet treats each by its own leg's state."""
    reception = Reception(8)
    for slot in (0, 1, 2):
        reception.accept(np.array([slot]), np.array([1]), np.array([100]))
    accepted, begins = reception.accept(
        np.array([0, 1, 2, 5]), np.array([1, 1, 9, 4]), np.array([101, 99, 50, 7])
    )
    assert accepted.tolist() == [True, True, False, True]
    assert begins.tolist() == [False, False, False, True]
    assert reception.highest[[0, 1, 2, 5]].tolist() == [101, 100, 100, 7]


def test_a_restart_keeps_the_losses_of_before() -> None:
    """The leg's total goes on when its peer starts a new stream; the report speaks of the new one."""
    reception = Reception(8)
    for sequence in (10, 11, 14):
        accept(reception, sequence)
    assert reception.lost(SLOT) == 2
    assert [accept(reception, s, ssrc=2) for s in (500, 501, 503)] == [False, True, True]
    assert reception.lost(SLOT) == 3
    report = reception.take_report(SLOT)
    assert report is not None
    assert (report.ssrc, report.cumulative_lost) == (2, 1)


def test_fraction_lost_is_of_the_interval() -> None:
    """Appendix A.3: each report speaks of the packets since the last one; duplicates do not go below zero."""
    reception = Reception(8)
    assert reception.take_report(SLOT) is None
    for sequence in (0, 1, 2, 3):
        accept(reception, sequence)
    assert reception.take_report(SLOT) == LossReport(1, 0, 0, 3, 0)
    for sequence in (4, 7):
        accept(reception, sequence)
    assert reception.take_report(SLOT) == LossReport(1, 128, 2, 7, 0)
    for sequence in (8, 8, 8):
        accept(reception, sequence)
    assert reception.take_report(SLOT) == LossReport(1, 0, 0, 8, 0)


@pytest.mark.parametrize("start", [0, (1 << 31) - 800, (1 << 32) - 800])
def test_jitter_is_appendix_a8(start: int) -> None:
    """The running mean of |D|, over the wrap of the timestamp."""
    reception, jitter, last = Reception(8), 0.0, None
    accept(reception, 1)
    for i, delay in enumerate([0, 0, 160, 0, 320, 160, 160]):
        arrival, timestamp = 5000 + 160 * i + delay, start + 160 * i
        reception.time(np.array([SLOT]), np.array([timestamp & 0xFFFFFFFF]), arrival / 8000)
        transit = arrival - timestamp
        if last is not None:
            jitter += (abs(transit - last) - jitter) / 16
        last = transit
        assert reception.jitter[SLOT] == pytest.approx(jitter)


def test_a_jump_of_the_clock_is_not_jitter() -> None:
    """A peer that restarts its timestamps does not report seconds of jitter."""
    reception = Reception(8)
    accept(reception, 1)
    for timestamp in (0, 160, 1 << 30):
        reception.time(np.array([SLOT]), np.array([timestamp]), 0.0 if timestamp == 0 else 0.02)
    assert reception.jitter[SLOT] == 0


def test_a_slot_is_fresh_for_its_next_leg() -> None:
    """Nothing of the old leg is left, and growing keeps everything."""
    reception = Reception(4)
    accept(reception, 77)
    reception.grow(8)
    assert reception.highest[SLOT] == 77
    reception.clear(SLOT)
    assert reception.take_report(SLOT) is None
    assert accept(reception, 5, ssrc=9)
