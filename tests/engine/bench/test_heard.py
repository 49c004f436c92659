"""What the load generator counts of the packets that come, against a packet-by-packet oracle."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.bench.media.heard import Heard, percentile_of

CALLS = 4
packets = st.lists(
    st.tuples(st.integers(0, CALLS - 1), st.integers(0, 0xFFFF), st.integers(0, 40_000_000)), max_size=40
)


def oracle(batches: list[list[tuple[int, int, int]]]) -> tuple[list[int], list[int], dict[int, int]]:
    """The same counts, a packet at a time. The third of a packet is the time since the one before it."""
    got, lost, gaps = [0] * CALLS, [0] * CALLS, {}
    last: dict[int, tuple[int, int]] = {}
    now = 0
    for batch in batches:
        for call, sequence, passed in batch:
            now += passed
            got[call] += 1
            if call in last:
                step = (sequence - last[call][0]) & 0xFFFF
                lost[call] += step - 1 if 1 < step < 3000 else 0
                gap = min((now - last[call][1]) // 1_000_000, 1999)
                gaps[gap] = gaps.get(gap, 0) + 1
            last[call] = (sequence, now)
    return got, lost, gaps


@given(st.lists(packets, max_size=4))
def test_batches_are_counted_as_single_packets_are(batches: list[list[tuple[int, int, int]]]) -> None:
    """However many packets of one call a batch holds, each counts after the one before it."""
    heard, now = Heard(CALLS), 0
    for batch in batches:
        arrivals = now + np.cumsum([passed for _, _, passed in batch], dtype=np.int64)
        calls = np.array([call for call, _, _ in batch], np.int64)
        sequences = np.array([sequence for _, sequence, _ in batch], np.int64)
        heard.add(calls, sequences, arrivals)
        now = int(arrivals[-1]) if len(arrivals) else now
    got, lost, gaps = oracle(batches)
    assert (heard.packets.tolist(), heard.lost.tolist()) == (got, lost)
    assert {gap: int(heard.gaps[gap]) for gap in np.flatnonzero(heard.gaps).tolist()} == gaps


def test_a_new_call_in_a_slot_begins_afresh() -> None:
    """The packets of the slot's former call are not taken for its predecessors."""
    heard = Heard(1)
    heard.add(np.array([0]), np.array([10]), np.array([0]))
    heard.begin(0)
    heard.add(np.array([0]), np.array([500]), np.array([90_000_000]))
    assert (heard.lost[0], heard.gaps.sum(), heard.longest_gap) == (0, 0, None)


def test_percentiles() -> None:
    """A share of the packets stayed at or below the gap; without packets there is none."""
    assert percentile_of(np.array([0, 98, 0, 2]), 0.98) == 1
    assert percentile_of(np.array([0, 98, 0, 2]), 0.999) == 3
    assert percentile_of(np.array([0, 0]), 0.5) is None
