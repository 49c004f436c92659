"""What is used no more goes back to the system.

A call that is over leaves objects that refer to one another; with the thresholds of a busy engine Python's
collector comes to them late: after hours of calls, and never when the engine is quiet. So it is called when
there is time for it, and under load as often as costs little. And what is freed and larger than 512 bytes lies in
the heap of the C library, which gives back only its upper end: one small piece that stays keeps hundreds of
megabytes below it. So it is told to give back the pages in the middle, too (``malloc_trim``), when that is worth
it; where the C library knows no such call nothing is done.
"""

from __future__ import annotations

import ctypes
import gc
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

EVERY = 10.0
"""Seconds between looks; a look costs a millisecond, giving 50 MB back ten."""
WORTH = 4 << 20
"""Octets by which the process, or what is free in its heap, must have grown since pages were last given back."""
BUSY = 0.05
"""Share of a processor above which a collection must earn its time: it may take 50 ms with 5,000 calls up."""
WORKED = 0.3
"""Seconds of processor time since the last collection that make another one worth it."""
MOST_SHARE = 0.02
"""Of a busy process's time that collections may take: without any it would grow by what each call leaves, for hours."""


class Memory(Protocol):
    """The memory of a process."""

    def worked(self) -> float:
        """Seconds of processor time used."""

    def collect(self) -> None:
        """Collect what only refers to itself."""

    def resident(self) -> int:
        """Octets that the process holds."""

    def free(self) -> int:
        """Octets of its heap that nobody uses, given back or not."""

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


class OwnMemory:
    """The memory of this process."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        self._usage: Callable[[], _Usage] | None = getattr(library, "mallinfo2", None)
        self._trim: Callable[[int], int] | None = getattr(library, "malloc_trim", None)
        if self._usage is None or self._trim is None:  # not the GNU C library, or one before 2.33
            self._usage = self._trim = None
        else:
            self._usage.restype = _Usage
            self._trim.argtypes = [ctypes.c_size_t]

    @property
    def can_give_back(self) -> bool:
        """Whether the C library knows how."""
        return self._trim is not None

    def worked(self) -> float:
        """In all threads."""
        return time.process_time()

    def collect(self) -> None:
        """Every generation."""
        gc.collect()

    def resident(self) -> int:
        """As the kernel counts; 0 where it does not say."""
        try:
            return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            return 0

    def free(self) -> int:
        """As the C library counts."""
        return 0 if self._usage is None else self._usage().fordblks

    def give_back(self) -> None:
        """All of it."""
        if self._trim is not None:
            self._trim(0)


class MemoryKeeper:
    """Looks at the memory from time to time, between ``start`` and ``stop``."""

    def __init__(self, reactor: IReactorTime, memory: Memory) -> None:
        self._reactor = reactor
        self._memory = memory
        self._worked = self._worked_at_collection = 0.0
        self._cost = 0.0  # seconds the last collection took
        self._resident = self._free = 0  # when pages were last given back, or the least since
        self._next: IDelayedCall | None = None

    def start(self) -> None:
        """Begin to look."""
        self._worked = self._worked_at_collection = self._memory.worked()
        self._next = self._reactor.callLater(EVERY, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _look(self) -> None:
        self._next = self._reactor.callLater(EVERY, self._look)
        self._collect()
        self._give_back()

    def _collect(self) -> None:
        before, self._worked = self._worked, self._memory.worked()
        is_quiet = self._worked - before <= BUSY * EVERY
        worth = WORKED if is_quiet else max(WORKED, self._cost / MOST_SHARE)
        if self._worked - self._worked_at_collection >= worth:
            self._memory.collect()
            self._worked_at_collection = self._memory.worked()
            self._cost = self._worked_at_collection - self._worked

    def _give_back(self) -> None:
        """A burst between two looks shows in what the process holds, one that lasted in what is free."""
        resident, free = self._memory.resident(), self._memory.free()
        if resident >= self._resident + WORTH or free >= self._free + WORTH:
            self._memory.give_back()
            self._resident, self._free = self._memory.resident(), free
        else:
            self._resident, self._free = min(self._resident, resident), min(self._free, free)
