"""Giving memory back: when it is worth it, and no more often."""

from __future__ import annotations

import ctypes
import random
import weakref
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from engine.memory import (
    EVERY,
    FEW,
    MANY,
    WORTH,
    GlibcHeap,
    MemoryKeeper,
    PythonCollector,
    heap_of_this_process,
)


class PaperHeap:
    """A heap that says what it is told to say."""

    def __init__(self) -> None:
        self.unused = 0
        self.given_back = 0

    def free(self) -> int:
        return self.unused

    def give_back(self) -> None:
        self.given_back += 1


class PaperCollector:
    """Objects by number only."""

    def __init__(self) -> None:
        self.made = 0
        self.collected = 0

    def young(self) -> int:
        return self.made

    def collect(self) -> None:
        self.made = 0
        self.collected += 1


def test_what_becomes_free_is_given_back_once() -> None:
    """The heap counts what it gave back as free: only what is freed beyond that makes it worth another time."""
    clock, heap = Clock(), PaperHeap()
    keeper = MemoryKeeper(clock, heap, PaperCollector())
    keeper.start()
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
        heap.unused = unused
        clock.advance(EVERY)
        assert heap.given_back == given_back, unused
    keeper.stop()
    keeper.stop()
    assert clock.getDelayedCalls() == []


def test_a_quiet_moment_is_used() -> None:
    """Where many objects were made and hardly any more are; without a heap that can give back, too."""
    clock, collector = Clock(), PaperCollector()
    keeper = MemoryKeeper(clock, None, collector)
    keeper.start()
    for made, collected in (
        (FEW, 0),
        (MANY, 0),  # busy
        (2 * MANY, 0),
        (2 * MANY + FEW, 1),
        (MANY - 1, 1),
        (MANY - 1, 1),  # too few
        (MANY, 2),
    ):
        collector.made = made
        clock.advance(EVERY)
        assert collector.collected == collected, made
    keeper.stop()
    assert clock.getDelayedCalls() == []


def test_the_real_collector() -> None:
    """It counts what is made, and collects what refers to itself."""
    collector = PythonCollector()
    collector.collect()
    before = collector.young()
    made: list[object] = [[] for _ in range(3000)]
    assert collector.young() >= before + 2000
    made.append(made)
    watched = weakref.ref(Looping())
    collector.collect()
    assert watched() is None


class Looping:
    """An object that refers to itself."""

    def __init__(self) -> None:
        self.itself = self


def test_a_library_that_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found out at the start."""
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    assert heap_of_this_process() is None


@pytest.mark.skipif(heap_of_this_process() is None, reason="no GNU C library 2.33 or later here")
def test_the_real_heap_shrinks() -> None:
    """Large pieces with small ones kept between them: their pages are the system's again."""
    heap, rng = GlibcHeap(), random.Random(1)
    pieces = [rng.randbytes(rng.randrange(4_000, 16_000)) for _ in range(6_000)]
    before = heap.free()
    kept = pieces[::100]
    pieces.clear()
    assert heap.free() - before > 30 << 20
    held = resident()
    heap.give_back()
    assert held - resident() > 20 << 20
    assert len(kept) == 60


def resident() -> int:
    """Octets of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
