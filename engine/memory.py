"""What was freed after a flood goes back to the system.

Messages and dictionaries larger than 512 bytes live in the heap of the C library, which gives back only its
upper end: one small piece that stays keeps hundreds of megabytes below it. So now and then it is told to give
back the pages in the middle, too (``malloc_trim``), when that is worth it. Where the C library knows no such
call nothing is done.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

EVERY = 10.0
"""Seconds between looks; a look costs a millisecond, giving 50 MB back ten."""
WORTH = 16 << 20
"""Octets that must have become free since the last time."""


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


class MemoryKeeper:
    """Looks at the heap from time to time, between ``start`` and ``stop``."""

    def __init__(self, reactor: IReactorTime, heap: Heap | None) -> None:
        self._reactor = reactor
        self._heap = heap
        self._free = 0  # when pages were last given back, or the least since
        self._next: IDelayedCall | None = None

    def start(self) -> None:
        """Begin to look."""
        if self._heap is not None:
            self._next = self._reactor.callLater(EVERY, self._look, self._heap)

    def stop(self) -> None:
        """Look no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _look(self, heap: Heap) -> None:
        self._next = self._reactor.callLater(EVERY, self._look, heap)
        free = heap.free()
        if free < self._free + WORTH:
            self._free = min(self._free, free)
            return
        heap.give_back()
        self._free = free
