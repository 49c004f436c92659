"""What is used no more goes back to the system, when there is time for it.

A call that is over leaves objects that refer to one another; with the thresholds of a busy engine Python's
collector comes to them late, and never when the engine is quiet. So it is called then. And what is freed
and larger than 512 bytes lies in the heap of the C library, which gives back only its upper end: one small
piece that stays keeps hundreds of megabytes below it. So it is told to give back the pages in the middle, too
(``malloc_trim``), when that is worth it; where the C library knows no such call nothing is done.
"""

from __future__ import annotations

import ctypes
import gc
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

EVERY = 10.0
"""Seconds between looks; a look costs a millisecond, giving 50 MB back ten."""
WORTH = 4 << 20
"""Octets that must have become free since the last time."""
MANY = 10_000
"""Objects made since the last collection that make another one worth it: those of some hundred calls."""
FEW = 1_000
"""Objects that a quiet engine makes between two looks at most."""


class Heap(Protocol):
    """The C library's heap."""

    def free(self) -> int:
        """Octets within the heap that nobody uses, given back or not."""

    def give_back(self) -> None:
        """Let the system have the pages nobody uses."""


class _Usage(ctypes.Structure):
    """``struct mallinfo2``."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )
    fordblks: int


class GlibcHeap:
    """The heap of the GNU C library. Raises AttributeError: there is another one, or one before 2.33."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        self._usage, self._trim = library.mallinfo2, library.malloc_trim
        self._usage.restype = _Usage
        self._trim.argtypes = [ctypes.c_size_t]

    def free(self) -> int:
        """As the library counts."""
        usage: _Usage = self._usage()
        return usage.fordblks

    def give_back(self) -> None:
        """All of it."""
        self._trim(0)


def heap_of_this_process() -> Heap | None:
    """The heap that can be told to give back, if it is one."""
    try:
        return GlibcHeap()
    except AttributeError:
        return None


class Collector(Protocol):
    """Python's collector of objects that refer to one another."""

    def young(self) -> int:
        """Objects made, less those gone again, since the last whole collection; roughly."""

    def collect(self) -> None:
        """Collect all there is."""


class PythonCollector:
    """The collector of this process."""

    def young(self) -> int:
        """The counts are of objects, of collections of the first generation, and of those of the second."""
        objects, first, second = gc.get_count()
        every_first, every_second, _ = gc.get_threshold()
        return objects + (first + second * every_second) * every_first

    def collect(self) -> None:
        """Every generation."""
        gc.collect()


class MemoryKeeper:
    """Looks at the heap from time to time, between ``start`` and ``stop``."""

    def __init__(self, reactor: IReactorTime, heap: Heap | None, collector: Collector) -> None:
        self._reactor = reactor
        self._heap = heap
        self._collector = collector
        self._free = 0  # when pages were last given back, or the least since
        self._young = 0  # at the last look
        self._next: IDelayedCall | None = None

    def start(self) -> None:
        """Begin to look."""
        self._next = self._reactor.callLater(EVERY, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _look(self) -> None:
        self._next = self._reactor.callLater(EVERY, self._look)
        self._collect_when_quiet()
        if self._heap is not None:
            self._give_back(self._heap)

    def _collect_when_quiet(self) -> None:
        before, self._young = self._young, self._collector.young()
        if self._young >= MANY and abs(self._young - before) <= FEW:
            self._collector.collect()
            self._young = self._collector.young()

    def _give_back(self, heap: Heap) -> None:
        free = heap.free()
        if free < self._free + WORTH:
            self._free = min(self._free, free)
            return
        heap.give_back()
        self._free = free
