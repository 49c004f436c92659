"""Payloads of the packets that wait in the queues of all coded legs.

Most packets of a call are of some 40 to 240 octets, a few codecs and bit rates make longer ones. So there are slots of
two sizes: with room for the longest in each, what waits would take six times the memory, and a backlog of every leg,
once the machine was busy for some 100 ms, is memory that stays.
"""

from __future__ import annotations

import numpy as np

from media.columns import pages
from media.rtp import Integers, Octets

ROOM = 1464
"""Octets of a packet's payload at most: what an Ethernet frame holds. Whole words."""
SHORT = 256
"""Octets of most packets at most: 20 ms of Opus at up to 100 kbit/s, 30 ms of G.722."""
_FIRST_SLOTS = 64


class _Slots:
    """Memory for payloads up to one size. Slot 0 is none."""

    def __init__(self, room: int) -> None:
        self.data: Octets = np.zeros((_FIRST_SLOTS, room), np.uint8)
        self._free: Integers = np.arange(_FIRST_SLOTS - 1, 0, -1)
        self._free_count = _FIRST_SLOTS - 1

    @property
    def free(self) -> int:
        """How many are free."""
        return self._free_count

    def take(self, count: int) -> Integers:
        """Slots to be filled, no more than are free."""
        self._free_count -= count
        return self._free[self._free_count : self._free_count + count].copy()

    def give_back(self, slots: Integers) -> None:
        """Slots that are not needed any more, all different."""
        self._free[self._free_count : self._free_count + len(slots)] = slots
        self._free_count += len(slots)

    def grow(self) -> None:
        """Twice as many."""
        old = len(self.data)
        data = pages(2 * old, self.data)
        data[:old] = self.data
        self.data = data
        free = np.zeros(2 * old, np.int64)
        free[: self._free_count] = self._free[: self._free_count]
        free[self._free_count : self._free_count + old] = np.arange(2 * old - 1, old - 1, -1)
        self._free, self._free_count = free, self._free_count + old


class PacketPool:
    """Entry 0 is none. An entry is twice its slot, and one more where the slot is a long one."""

    def __init__(self) -> None:
        self.length: Integers = np.zeros(2 * _FIRST_SLOTS, np.int64)
        self.units: Integers = np.zeros(2 * _FIRST_SLOTS, np.int64)
        self.behind: Integers = np.zeros(2 * _FIRST_SLOTS, np.int64)
        """Units of the packet whose turn had passed when it came."""
        self._sizes = (_Slots(SHORT), _Slots(ROOM))
        self._room: Integers = np.array((SHORT, ROOM))
        self._base: Integers = np.zeros(2, np.int64)
        self._fit()

    def _fit(self) -> None:
        """Follow the slots, of which there are more now."""
        self._base = np.array([each.data.ctypes.data for each in self._sizes])
        old, new = len(self.length), 2 * max(len(each.data) for each in self._sizes)
        if new > old:
            for name in ("length", "units", "behind"):
                grown = np.zeros(new, np.int64)
                grown[:old] = getattr(self, name)
                setattr(self, name, grown)

    def take(self, length: Integers) -> Integers:
        """Entries for payloads of so many octets, int64 [n], at most ``ROOM``; the pool grows as needed."""
        long = length > SHORT
        if not long.any():
            entries = self._take(0, len(length))
        else:
            entries = np.empty(len(length), np.int64)
            for which in range(len(self._sizes)):
                of_size = np.flatnonzero(long == which)
                entries[of_size] = self._take(which, len(of_size))
        self.length[entries] = length
        return entries

    def _take(self, which: int, count: int) -> Integers:
        slots = self._sizes[which]
        while slots.free < count:
            slots.grow()
            self._fit()
        return 2 * slots.take(count) + which

    def give_back(self, entries: Integers) -> None:
        """Entries that are not needed any more, all different."""
        long = entries & 1
        if not long.any():
            self._sizes[0].give_back(entries >> 1)
            return
        for which, each in enumerate(self._sizes):
            each.give_back(entries[long == which] >> 1)

    def fill(self, entries: Integers, raw: Octets, at: Integers, begin: Integers) -> None:
        """Copy the payloads of entries taken: each from row ``at`` of ``raw``, octet ``begin`` on, int64 [n]."""
        long = entries & 1
        if not long.any():
            self._copy(0, entries, raw, at, begin)
            return
        for which in range(len(self._sizes)):
            of_size = np.flatnonzero(long == which)
            if len(of_size):
                self._copy(which, entries[of_size], raw, at[of_size], begin[of_size])

    def _copy(self, which: int, entries: Integers, raw: Octets, at: Integers, begin: Integers) -> None:
        data, slots = self._sizes[which].data, entries >> 1
        widest = int(self.length[entries].max())
        first = int(begin[0])
        if (begin == first).all():
            data[slots, :widest] = raw[at, first : first + widest]
            return
        column = np.minimum(begin[:, None] + np.arange(widest), raw.shape[1] - 1)
        data[slots, :widest] = raw[at[:, None], column]

    def addresses(self, entries: Integers) -> Integers:
        """Where payloads begin, int64 [n]; true until the next ``take``."""
        which = entries & 1
        addresses: Integers = self._base[which] + (entries >> 1) * self._room[which]
        return addresses

    def payload(self, entry: int) -> tuple[int, int]:
        """Address and octets of a payload."""
        which = entry & 1
        return int(self._base[which]) + (entry >> 1) * int(self._room[which]), int(self.length[entry])
