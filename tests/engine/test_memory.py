"""Giving memory back: when it is worth it, and no more often."""

from __future__ import annotations

import ctypes
import random
import weakref
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from engine.memory import BUSY, EVERY, MOST_SHARE, WORKED, WORTH, MemoryKeeper, OwnMemory


class PaperMemory:
    """A process that says of itself what it is told to say."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.holds = self.unused = 0
        self.in_use = 0
        self.given_back = self.collected = 0
        self.collection_takes = 0.0

    def worked(self) -> float:
        return self.seconds

    def collect(self) -> None:
        self.collected += 1
        self.seconds += self.collection_takes

    def resident(self) -> int:
        return self.holds

    def free(self) -> int:
        return self.unused

    def give_back(self) -> None:
        self.given_back += 1
        self.holds = self.in_use


class Kept:
    """A memory and its keeper, on a clock turned by hand."""

    def __init__(self) -> None:
        self.clock, self.memory = Clock(), PaperMemory()
        self.keeper = MemoryKeeper(self.clock, self.memory)
        self.keeper.start()

    def look(self) -> PaperMemory:
        self.clock.advance(EVERY)
        return self.memory


def test_what_becomes_free_is_given_back_once() -> None:
    """The heap counts what it gave back as free: only what is freed beyond that makes it worth another time."""
    kept = Kept()
    for unused, given_back in (
        (WORTH - 1, 0),
        (WORTH, 1),
        (WORTH, 1),
        (2 * WORTH - 1, 1),
        (2 * WORTH, 2),
        (0, 2),  # taken into use again
        (WORTH - 1, 2),
        (WORTH, 3),
    ):
        kept.memory.unused = unused
        assert kept.look().given_back == given_back, unused


def test_a_burst_between_two_looks_is_seen() -> None:
    """What was given back is in use and free again, so as much is free as before; but the process holds it now."""
    kept = Kept()
    kept.memory.unused = 8 * WORTH
    assert kept.look().given_back == 1
    kept.memory.holds = 4 * WORTH
    assert kept.look().given_back == 2
    assert kept.memory.holds == 0
    assert kept.look().given_back == 2


def test_what_is_in_use_is_not_asked_for_again_and_again() -> None:
    """Pages that cannot be given back are no reason to try every time; what grows beyond them is."""
    kept = Kept()
    kept.memory.holds = kept.memory.in_use = 4 * WORTH
    assert [kept.look().given_back for _ in range(3)] == [1, 1, 1]
    kept.memory.holds = 5 * WORTH
    assert kept.look().given_back == 2
    kept.memory.holds = kept.memory.in_use = WORTH
    assert kept.look().given_back == 2
    kept.memory.holds = 2 * WORTH
    assert kept.look().given_back == 3


def test_a_quiet_moment_after_work_is_used() -> None:
    """Once; not when hardly anything was done."""
    kept = Kept()
    kept.memory.collection_takes = 10.0  # too dear for a busy process
    for seconds, collected in (
        (BUSY * EVERY + 0.01, 1),  # what the first one costs is not known
        (10 * WORKED, 1),  # busy
        (0.0, 2),
        (BUSY * EVERY + 0.01, 2),  # busy again
        (WORKED / 3, 3),
        (WORKED / 2 - 0.01, 3),  # too little
        (0.0, 3),
        (WORKED / 2 + 0.02, 4),
    ):
        kept.memory.seconds += seconds
        assert kept.look().collected == collected, seconds


def test_a_process_that_is_never_quiet_collects_for_a_small_share_of_its_time() -> None:
    """Under steady load, for an hour: else what calls leave would pile up as long as they come."""
    kept = Kept()
    kept.memory.collection_takes = 0.05
    busy = 2 * BUSY * EVERY
    for _ in range(int(3600 / EVERY)):
        kept.memory.seconds += busy
        kept.look()
    spent = kept.memory.collected * kept.memory.collection_takes
    assert 0.5 * MOST_SHARE < spent / kept.memory.seconds < 1.1 * MOST_SHARE


def test_nothing_is_left_of_a_keeper_that_stopped() -> None:
    """Its timer goes with it; twice does no harm."""
    kept = Kept()
    kept.keeper.stop()
    kept.keeper.stop()
    assert kept.clock.getDelayedCalls() == []


class Looping:
    """An object that refers to itself."""

    def __init__(self) -> None:
        self.itself = self


def test_the_real_process() -> None:
    """It works, holds memory, and collects what refers to itself."""
    memory = OwnMemory()
    watched = weakref.ref(Looping())
    memory.collect()
    assert watched() is None
    assert memory.worked() > 0
    assert memory.resident() > 1 << 20


def test_a_library_that_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another C library, another kernel: nothing is free, nothing is given back."""
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    memory = OwnMemory()
    memory.give_back()
    assert (memory.can_give_back, memory.free()) == (False, 0)
    monkeypatch.setattr(Path, "read_text", missing)
    assert memory.resident() == 0


def missing(_path: Path) -> str:
    raise FileNotFoundError


@pytest.mark.skipif(not OwnMemory().can_give_back, reason="no GNU C library 2.33 or later here")
def test_the_real_heap_shrinks() -> None:
    """Large pieces with small ones kept between them: their pages are the system's again."""
    memory, rng = OwnMemory(), random.Random(1)
    pieces = [rng.randbytes(rng.randrange(4_000, 16_000)) for _ in range(6_000)]
    before = memory.free()
    kept = pieces[::100]
    pieces.clear()
    assert memory.free() - before > 30 << 20
    held = memory.resident()
    memory.give_back()
    assert held - memory.resident() > 20 << 20
    assert len(kept) == 60
