"""Rooms that live on several workers: each mixes its own talkers, and all hear the sum of all.

A worker writes what its own legs say in such a room into memory the others read (``media.room_memory``), unlimited and
before anything of the others is added: so nothing that came over comes back, however many workers there are. What is
heard in a tick is what all of them wrote ``DELAY_TICKS`` before, added in one order. A worker's own talkers are delayed
as those of the others are; so the mix is the same on every worker, sample by sample, and who talks hears it without
what itself said then.

A part that stops or begins, since its worker died or was too late, fades over the mirror image of its last frame, and
in over its first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from media.levels import Floats
from media.room_memory import RoomMemory
from media.rtp import Flags, Integers

DELAY_TICKS = 2
"""40 ms: a worker may take the whole of its tick of 20 ms, and the next be late by as much, before the others miss
anything of it."""
_DEPTH = DELAY_TICKS + 1
_NOBODY: Integers = np.zeros(0, np.int64)
_FIRST_TALKERS = 8


@dataclass(slots=True)
class _Part:
    """What one worker says, as this one reads it."""

    memory: RoomMemory
    own: bool
    last: Floats | None = None
    """The frame before this one; None: there was none."""

    def add(self, number: int, rate: int, out: Floats) -> bool:
        """Add the frame of a tick; False when it is missing though another worker has legs in the room."""
        frame, last = self.memory.read(number, rate), self.last
        self.last = frame
        if frame is not None:
            # its own worker lets a part begin softly when it writes it
            out += frame if last is not None or self.own else frame * _ramp(len(out))
            return True
        if last is not None and len(last) == len(out):
            out += last[::-1] * _ramp(len(out))[::-1]
        return last is None or self.own or not self.memory.best_rate


@dataclass(slots=True)
class _Said:
    """Who was in this worker's part of a tick, and with what."""

    number: int
    rate: int
    slots: Integers
    parts: Floats
    count: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """Whose sound of this worker is in what some rooms hear in a tick."""

    slots: Integers
    """int64 [n]."""
    room: Integers
    """int64 [n]: of each, its place among the rooms, ascending."""
    parts: Floats
    """float32 [n, samples]: what each of them added."""
    new: Flags
    """bool [n]: it was not in what was heard in the tick before."""


class SharedRoom:
    """One room, on this worker. ``rate``: Hz, the best of all its workers so far; it does not fall."""

    def __init__(self, own: RoomMemory) -> None:
        self.own = own
        self.parts: list[_Part] = [_Part(own, own=True)]
        self.rate = 0
        self.gaps = 0
        self.begun = False
        self._said = [
            _Said(-1, 0, np.zeros(0, np.int64), np.zeros((0, 0), np.float32)) for _ in range(_DEPTH)
        ]
        self._before: Integers = _NOBODY

    @property
    def best_rate(self) -> int:
        """The best codec there is in it, on whatever worker."""
        return max(self.rate, *(part.memory.best_rate for part in self.parts))

    def hear(self, memories: Sequence[RoomMemory]) -> None:
        """Read these, its own among them; those it has read before go on."""
        known = {id(part.memory): part for part in self.parts}
        self.parts = [known.get(id(each)) or _Part(each, own=each is self.own) for each in memories]

    def begin(self, last: Floats) -> None:
        """It was this worker's alone until now, which made ``last`` of it in the tick before: float32 [samples]."""
        self.begun = True
        self.parts[[part.own for part in self.parts].index(True)].last = last

    def say(self, number: int, rate: int, total: Floats, slots: Integers, parts: Floats) -> None:
        """Write this tick's part, and remember who is in it.

        total: float32 [samples]; slots: int64 [n]; parts: float32 [n, samples]: what each of them adds to it.
        """
        former = self._said[(number - 1) % _DEPTH]
        begins = former.number != number - 1 or former.rate != rate
        said = self._said[number % _DEPTH]
        count = said.count = len(slots)
        if count > len(said.slots) or said.parts.shape[1:] != total.shape:
            room = max(_FIRST_TALKERS, 2 * count)
            said.slots, said.parts = np.zeros(room, np.int64), np.zeros((room, len(total)), np.float32)
        said.number, said.rate = number, rate
        said.slots[:count] = slots
        said.parts[:count] = parts
        if begins:
            said.parts[:count] *= _ramp(len(total))
            total = total * _ramp(len(total))
        self.own.write(number, rate, total)

    def listen(self, number: int, rate: int, out: Floats) -> tuple[Integers, Floats, Flags]:
        """What all of it said in a tick, into ``out``; who of this worker is in it, with what, and who is new."""
        out[:] = 0
        for part in self.parts:
            self.gaps += not part.add(number, rate, out)
        said = self._said[number % _DEPTH]
        if (said.number, said.rate) != (number, rate):
            self._before = _NOBODY
            return _NOBODY, np.zeros((0, len(out)), np.float32), np.zeros(0, np.bool_)
        count = said.count
        slots = said.slots[:count].copy()  # who leaves is taken out of it
        new = ~np.isin(slots, self._before)
        self._before = slots
        return slots, said.parts[:count], new

    def forget(self, slot: int) -> None:
        """A leg has left; what it said is still heard, but it is not taken out of anybody's mix any more."""
        for said in self._said:
            said.slots[said.slots == slot] = -1
        self._before = self._before[self._before != slot]


class Cascade:
    """The rooms of this worker that others have as well, by name. ``on_change`` is called when who mixes them should
    look at their rates anew."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self.rooms: dict[str, SharedRoom] = {}
        self._on_change = on_change
        self._counters: Counter[str] = Counter()

    @property
    def counters(self) -> Counter[str]:
        """What was missed or went wrong, by label."""
        gaps = sum(room.gaps for room in self.rooms.values())
        return self._counters + Counter(room_parts_missed=gaps)

    # Which rooms, and of whom.

    def share(self, name: str, token: int) -> RoomMemory:
        """Begin to share a room, or go on; what the others read. Raises OSError: there is no memory."""
        room = self.rooms.get(name)
        if room is None:
            room = self.rooms[name] = SharedRoom(RoomMemory.create(token))
            self._on_change()
        return room.own

    def hear(self, name: str, memories: Sequence[RoomMemory]) -> None:
        """Whose parts of a room are heard, this worker's own among them, in the same order on every worker."""
        room = self.rooms.get(name)
        if room is not None:
            room.hear(memories)
            self._on_change()

    def drop(self, name: str) -> None:
        """A room is over, or this worker's alone."""
        room = self.rooms.pop(name, None)
        if room is not None:
            self._counters["room_parts_missed"] += room.gaps
            room.own.close()
            self._on_change()

    # For the mixer.

    def agree(self, best: Mapping[str, int]) -> None:
        """Tell the best codec in each room here, and note what the others tell. best: Hz, of rooms somebody is in."""
        for name, room in self.rooms.items():
            room.own.best_rate = best.get(name, 0)
            room.rate = room.best_rate

    def look(self) -> None:
        """See whether somebody with a better codec came to one of the rooms elsewhere."""
        if any(room.best_rate != room.rate for room in self.rooms.values()):
            self._on_change()

    def forget(self, slot: int) -> None:
        """A leg has left its room."""
        for room in self.rooms.values():
            room.forget(slot)

    @staticmethod
    def exchange(
        rooms: Sequence[SharedRoom],
        number: int,
        rate: int,
        sums: Floats,
        room: Integers,
        slots: Integers,
        parts: Floats,
    ) -> Heard:
        """Say this tick's parts of some rooms of one rate, and hear those of ``DELAY_TICKS`` before.

        sums: float32 [rooms, samples], of this worker's own; replaced by what is heard. room: int64 [n], ascending, of
        each of ``slots`` its place in ``rooms``; parts: float32 [n, samples].
        """
        ends = np.searchsorted(room, np.arange(len(rooms) + 1)).tolist()
        heard = []
        for at, each in enumerate(rooms):
            mine = slice(ends[at], ends[at + 1])
            each.say(number, rate, sums[at], slots[mine], parts[mine])
            heard.append(each.listen(number - DELAY_TICKS, rate, sums[at]))
        return Heard(
            np.concatenate([of for of, _, _ in heard]),
            np.repeat(np.arange(len(rooms)), [len(of) for of, _, _ in heard]),
            np.concatenate([of for _, of, _ in heard]),
            np.concatenate([of for _, _, of in heard]),
        )


_RAMPS: dict[int, Floats] = {}


def _ramp(samples: int) -> Floats:
    """From just above 0 to 1."""
    ramp = _RAMPS.get(samples)
    if ramp is None:
        ramp = _RAMPS[samples] = np.arange(1, samples + 1, dtype=np.float32) / np.float32(samples)
    return ramp
