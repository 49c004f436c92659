"""Payloads of all sizes are kept as they came, in memory that fits most of them."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.packet_pool import ROOM, SHORT, PacketPool

sizes = st.one_of(st.integers(0, SHORT), st.sampled_from((SHORT, SHORT + 1, ROOM)), st.integers(0, ROOM))


def put(pool: PacketPool, payloads: list[bytes], begin: list[int]) -> list[int]:
    """Entries of payloads that came together, each behind a header of its own length."""
    raw = np.full((len(payloads) + 1, 12 + 60 + ROOM), 255, np.uint8)
    for row, (payload, first) in enumerate(zip(payloads, begin, strict=True)):
        raw[row + 1, first : first + len(payload)] = np.frombuffer(payload, np.uint8)
    entries = pool.take(np.array([len(each) for each in payloads]))
    pool.fill(entries, raw, np.arange(1, len(payloads) + 1), np.array(begin))
    return entries.tolist()


def kept(pool: PacketPool, entry: int) -> bytes:
    """What a decoder would be given."""
    address, size = pool.payload(entry)
    assert pool.addresses(np.array([entry])).tolist() == [address]
    return ctypes.string_at(address, size)


batches = st.lists(
    st.lists(st.tuples(sizes, st.sampled_from((12, 16, 72))), min_size=1, max_size=90), min_size=1, max_size=4
)


@given(batches)
def test_every_payload_is_kept(batches: list[list[tuple[int, int]]]) -> None:
    """Whatever their sizes and however much comes at once; what is given back is used again for others only."""
    pool = PacketPool()
    held: dict[int, bytes] = {}
    for number, batch in enumerate(batches):
        payloads = [bytes([1 + number + place % 200]) * size for place, (size, _) in enumerate(batch)]
        entries = put(pool, payloads, [first for _, first in batch])
        assert not held.keys() & set(entries)
        assert not {0, 1} & set(entries), "0 is none"
        held |= dict(zip(entries, payloads, strict=True))
        assert {entry: kept(pool, entry) for entry in held} == held
        gone = list(held)[::2]
        pool.give_back(np.array(gone))
        for entry in gone:
            del held[entry]


@pytest.mark.parametrize("size", [SHORT, ROOM])
def test_what_is_given_back_is_used_again(size: int) -> None:
    """The pool is as large as what once waited at the same time."""
    pool = PacketPool()
    for _ in range(50):
        pool.give_back(np.array(put(pool, [b"x" * size] * 50, [12] * 50)))
    assert len(pool.length) == 128
