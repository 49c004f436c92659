"""The mixer: everybody in a room hears the others, never itself (design decision 2).

All rooms of a worker are mixed at once. Members stand sorted by the rate of their room and by room, so that a room's
sum is one segment of one array operation, whether there is one room of 900 or ninety of ten. Only who is chosen
(``talkers``) is decoded; a listener gets its room's mix, encoded once for each codec, and a talker the mix without its
own part. Mixes are float32 in int16 range, at the best rate of the codecs in the room, and limited once, at the end.

Nothing starts or stops at once: a weight that changes (talker chosen or dropped, gain, mute, gate) moves over
one frame; who leaves in mid-word fades out over the mirror image of its last frame, which joins it without
a step; and who begins to hear the room does so over the mirror image of what it heard last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from media.cascade import Cascade, SharedRoom
from media.client_levels import ClientLevels
from media.codecs.g711 import Pcm
from media.coded import CodedLegs
from media.dynamics import adapt
from media.jitter_buffer import Frames, JitterBuffer
from media.legs import NONE, RoomPlayEnded
from media.levels import Floats
from media.limiter import limit
from media.mix_input import MixInput
from media.mix_output import MixOutput
from media.prompt_bank import PromptBank
from media.room_player import RoomPlayer
from media.rooms import FULL, NARROW, WIDE, Participants, Rooms, RoomSettings
from media.rtp import FRAME, Flags, Integers
from media.talkers import choose, follow
from media.transmission import Transmission

TOLD_TICKS = 5
"""How often (100 ms) it is looked whether other people talk than were told."""
LEVEL_TICKS = 10
MOST_TOLD = 16
"""Talkers named at once, the loudest first."""
RATES = (NARROW, WIDE, FULL)
_EVERYBODY = 1 << 40
_NO_SLOTS: Integers = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class RoomTalkers:
    """Who talks in a room, (slot, level in dBov), the loudest first."""

    room: str
    talkers: list[tuple[int, int]]


@dataclass(slots=True)
class _Group:
    """The rooms of one rate, on this worker alone or (``is_shared``) on several: each a range of the mixer's, as their
    members are.
    """

    rate: int
    is_shared: bool
    members: slice
    rooms: slice
    last_slots: Integers
    """Who was in the mix in the last tick, and with what."""
    last: Floats
    tails: list[tuple[int, Floats]] = field(default_factory=list)
    """One frame of somebody who went, in the room of a row."""
    shared: list[SharedRoom] = field(default_factory=list)
    """The rooms, where they are on several workers."""


class Mixer:
    """The rooms of one worker."""

    def __init__(
        self,
        capacity: int,
        jitter_buffer: JitterBuffer,
        transmission: Transmission,
        coded: CodedLegs,
        said: ClientLevels,
        bank: PromptBank,
        tell: Callable[[RoomPlayEnded], None],
    ) -> None:
        """bank: what can be played into rooms; tell: is told the end of what was."""
        self.people = Participants(capacity)
        self.rooms = Rooms()
        self.player = RoomPlayer(self.rooms, bank, tell)
        self._input = MixInput(capacity, jitter_buffer, coded, said)
        self.cascade = Cascade(self._rooms_changed)
        self.changed = False
        """Rooms are to be arranged anew, for another worker says so."""
        self.number = 0
        """Of the tick that is being made, the same on every worker."""
        self._outputs = {
            key: MixOutput(key[0], jitter_buffer, coded, transmission)
            for key in product(RATES, (False, True))
        }
        self._told: list[RoomTalkers] = []
        self._tapped: frozenset[str] = frozenset()
        self.room_sound: dict[str, Pcm] = {}
        """The last tick's mix of each tapped room, int16 [rate / 50]."""
        self._ticks = 0
        self._groups = [_empty_group(*key) for key in self._outputs]
        self._own = np.zeros(capacity, np.bool_)
        self._at = np.full(capacity, NONE, np.int64)
        self._arrange(_NO_SLOTS, _NO_SLOTS, _NO_SLOTS)

    # Commands.

    def clear(self, slot: int) -> None:
        """A new leg, in no room."""
        self.people.clear(slot)
        self._input.denoiser.forget(slot)

    def grow(self, capacity: int) -> None:
        """Room for more legs."""
        self.people.grow(capacity)
        self._input.grow(capacity)
        for output in self._outputs.values():
            output.grow(capacity)
        self._own = np.zeros(capacity, np.bool_)
        self._at = np.full(capacity, NONE, np.int64)

    def _rooms_changed(self) -> None:
        self.changed = True

    def join(self, slot: int, room: str) -> None:
        """Bring a leg into a room, out of the one it may be in."""
        self.leave(slot)
        self.people.enter(slot, self.rooms.enter(room))

    def room(self, slot: int) -> str | None:
        """The name of the room a leg is in."""
        row = int(self.people.room[slot])
        return None if row == NONE else self.rooms.name(row)

    def leave(self, slot: int) -> None:
        """Take a leg out of its room."""
        row = int(self.people.room[slot])
        if row == NONE:
            return
        name = self.rooms.name(row)
        gone = self.rooms.leave(row)
        if gone:
            self.player.close(name)
        self.cascade.forget(slot)
        for group in self._groups:
            if gone:
                group.tails = [tail for tail in group.tails if tail[0] != row]
                continue
            found = np.flatnonzero(group.last_slots == slot)
            if len(found):
                ramp = np.arange(group.last.shape[1], 0, -1, dtype=np.float32) / group.last.shape[1]
                group.tails.append((row, group.last[found[0], ::-1] * ramp))
        self.people.enter(slot, NONE)

    def set_participant(
        self,
        slot: int,
        *,
        muted: bool,
        gain_db: float,
        agc: bool,
        gate: bool,
        denoise: bool,
        volume_db: float = 0.0,
    ) -> bool:
        """How a leg is mixed, in this room and those after it; False: there is no noise removal here."""
        people = self.people
        people.volume[slot] = 10 ** (volume_db / 20)
        people.muted[slot], people.gain_db[slot] = muted, gain_db
        people.agc[slot], people.gate[slot], people.denoise[slot] = agc, gate, denoise
        people.gain[slot] = 10 ** (gain_db / 20)
        if not denoise:
            self._input.denoiser.forget(slot)
        return not denoise or self._input.denoiser.available()

    def set_room(self, name: str, settings: RoomSettings) -> None:
        """How a room is mixed, until it is empty."""
        self.rooms.set(name, settings)

    def tap(self, names: Iterable[str]) -> None:
        """Keep the mix of these rooms, and of no others, in ``room_sound``: somebody records it."""
        self._tapped = frozenset(names)

    def take_talkers(self) -> list[RoomTalkers]:
        """Where other people talk than when last asked."""
        told, self._told = self._told, []
        return told

    # Arrangement.

    def arrange(self, members: Integers, hearers: Integers, where: Integers) -> None:
        """Sort the members by rate and room, after a change.

        members: slots of open legs in rooms; hearers: those of them that are sent the room; where: int64
        [slots], the row of each leg of G.711 in the tick's block of heard frames.
        """
        if len(members) or len(self._members):
            self._arrange(members, hearers, where)

    def _arrange(self, members: Integers, hearers: Integers, where: Integers) -> None:
        people = self.people
        self.changed = False
        rooms = np.unique(people.room[members])
        self._set_rates(rooms, members)
        key = self._keys()[people.room[members]]
        self._members = members = members[np.lexsort((people.room[members], key))]
        self._at[:] = NONE
        self._at[members] = np.arange(len(members))
        rows = people.room[members]
        starts = np.flatnonzero(np.diff(rows, prepend=-1))
        self._room_rows = rows[starts]
        self._ends = np.append(starts, len(rows))
        self._room = np.repeat(np.arange(len(starts)), np.diff(self._ends))
        settings = [self.rooms.settings(row) for row in self._room_rows.tolist()]
        self._most = np.array([each.loudest or _EVERYBODY for each in settings], np.int64)
        self._levels_wanted = np.array([each.levels for each in settings], np.bool_)
        self._plain_rooms = plain = np.array([each.plain for each in settings], np.bool_)
        self._plain: Flags | None = plain[self._room] if plain.any() else None
        self._shaped = members[people.agc[members] | people.gate[members]]
        self._input.arrange(members, where, people.denoise)
        self._arrange_hearers(hearers)
        self._arrange_groups()

    def _set_rates(self, rooms: Integers, members: Integers) -> None:
        """Mix each room at the best rate in it; where that changes, all of it begins to hear anew."""
        best = np.zeros(len(self.rooms.rate), np.int64)
        np.maximum.at(best, self.people.room[members], self._input.rates(members))
        if self.cascade.rooms:
            self._agree(best)
        for row in rooms.tolist():
            rate = min(int(best[row]), self.rooms.settings(row).max_rate_hz)
            if rate != self.rooms.rate[row]:
                self.rooms.rate[row] = rate
                self.people.hears[self.people.room == row] = False

    def _agree(self, best: Integers) -> None:
        """Let the best codec on any worker decide. best: int64 [rows], Hz, of the rooms here; changed in place."""
        rows = {name: row for name in self.cascade.rooms if (row := self.rooms.row(name)) is not None}
        self.cascade.agree({name: int(best[row]) for name, row in rows.items()})
        for name, row in rows.items():
            best[row] = self.cascade.rooms[name].rate

    def _keys(self) -> Integers:
        """int64 [rows]: what rooms are sorted by, those of a rate that other workers have as well behind the others."""
        keys = 2 * self.rooms.rate
        for name in self.cascade.rooms:
            row = self.rooms.row(name)
            if row is not None:
                keys[row] += 1
        return keys

    def _arrange_hearers(self, hearers: Integers) -> None:
        people = self.people
        hears = np.zeros(len(people.room), np.bool_)
        hears[hearers] = True
        people.fresh |= hears & ~people.hears
        people.fresh &= hears
        people.hears[:] = hears
        self._hears = hears[self._members]
        self._fresh = people.fresh[self._members].nonzero()[0]
        self._own[:] = False

    def _arrange_groups(self) -> None:
        keys = self._keys()[self._room_rows]
        for group in self._groups:
            key = 2 * group.rate + group.is_shared
            first, end = np.searchsorted(keys, (key, key + 1)).tolist()
            group.rooms = slice(first, end)
            group.members = slice(int(self._ends[first]), int(self._ends[end]))
            rows = self._room_rows[group.rooms]
            group.tails = [tail for tail in group.tails if tail[0] in rows]
            hearing = np.flatnonzero(self._hears[group.members]) + group.members.start
            room = self._room[hearing] - first
            self._outputs[group.rate, group.is_shared].arrange(self._members[hearing], room, rows)
            names = [self.rooms.name(row) for row in rows.tolist()] if group.is_shared else []
            group.shared = [self.cascade.rooms[name] for name in names]
            for row, room in zip(rows.tolist(), group.shared, strict=bool(group.shared)):
                if not room.begun:
                    room.begin(self._last_sum(row))

    def _last_sum(self, row: int) -> Floats:
        """What was said in the room of a row in the last tick, float32 [samples]."""
        group = next(
            each for each in self._groups if each.rate == self.rooms.rate[row] and not each.is_shared
        )
        total: Floats = group.last[self.people.room[group.last_slots] == row].sum(axis=0)
        return total

    # The tick.

    def tick(self, heard: Frames) -> None:
        """Mix 20 ms of every room, into the packets of those who hear it. heard: V160, as arranged."""
        members, people = self._members, self.people
        if self.room_sound:
            self.room_sound = {}
        if not len(members):
            return
        self._ticks += 1
        follow(people, members, self._input.levels(heard.view(np.uint8).reshape(-1, FRAME)))
        if len(self._shaped):
            adapt(people, self._shaped)
        chosen = choose(people, members, self._room, self._most, self._plain)
        before = people.weight[members]
        weight = people.gain[members]
        weight *= chosen
        people.weight[members] = weight
        for group in self._groups:
            if group.rooms.stop > group.rooms.start:
                self._mix(group, before, weight)
        self._fresh = _NO_SLOTS
        if self.cascade.rooms:
            self.cascade.look()
        if self._ticks % TOLD_TICKS == 0:
            self._tell()

    def _mix(self, group: _Group, before: Floats, weight: Floats) -> None:
        """Mix the rooms of one rate. before, weight: float32 [members]."""
        start = group.members.start
        active = (weight + before)[group.members].nonzero()[0]  # neither is ever below 0
        active += start
        before = before[active]
        parts = self._parts(group, active, before, weight[active])
        room = self._room[active]
        room -= group.rooms.start
        sums = self._sums(group, parts, room)
        if self.player.active:
            self.player.add(sums, self._room_rows[group.rooms], group.rate)
        if group.is_shared:
            active, room, parts, before = self._exchange(group, sums, active, room, parts)
        hears = self._hears[active]
        if hears.all():
            own_at, own = active, sums[room]
            own -= parts
        else:
            own_at, own, before = active[hears], sums[room[hears]], before[hears]
            own -= parts[hears]
        begun = self._fresh[(self._fresh >= start) & (self._fresh < group.members.stop)]
        if len(begun):
            silent = begun[~np.isin(begun, own_at)]
            own = np.concatenate((own, sums[self._room[silent] - group.rooms.start]))
            own_at = np.concatenate((own_at, silent))
            before = np.concatenate((before, np.zeros(len(silent), np.float32)))
        self._send(group, sums, own, own_at, before == 0)

    def _exchange(
        self, group: _Group, sums: Floats, active: Integers, room: Integers, parts: Floats
    ) -> tuple[Integers, Integers, Floats, Floats]:
        """Tell the other workers what is said here, and take what is heard in its place, in ``sums``.

        Returns the same of those who are in that: where they stand among the members, their rooms, what they added,
        and 0 where they were not in it in the tick before, as their weight would be.
        """
        heard = self.cascade.exchange(
            group.shared, self.number, group.rate, sums, room, self._members[active], parts
        )
        at = np.where(heard.slots == NONE, NONE, self._at[heard.slots])
        there = (at != NONE) & (self._room[at] == heard.room + group.rooms.start)
        return at[there], heard.room[there], heard.parts[there], np.where(heard.new[there], 0, 1)

    def _parts(self, group: _Group, active: Integers, before: Floats, weight: Floats) -> Floats:
        """What each of the active contributes, weighted: float32 [active, samples]."""
        slots = self._members[active]
        parts = self._input.sound(active, slots[before == 0], group.rate)
        changed = ((before != 1) | (weight != 1)).nonzero()[0]
        if len(changed):
            begin = before[changed, None]
            parts[changed] *= begin + (weight[changed, None] - begin) * _ramp(parts.shape[1])
        group.last_slots, group.last = slots, parts
        return parts

    @staticmethod
    def _room_sums(parts: Floats, room: Integers, rooms: int) -> Floats:
        if rooms == 1:
            one: Floats = parts.sum(axis=0, keepdims=True)
            return one
        ends = room.searchsorted(np.arange(rooms + 1))
        first, heard = ends[:-1], ends[:-1] < ends[1:]
        if heard.all():
            each: Floats = np.add.reduceat(parts, first, axis=0)
            return each
        sums = np.zeros((rooms, parts.shape[1]), np.float32)
        if len(room):
            sums[heard] = np.add.reduceat(parts, first[heard], axis=0)
        return sums

    def _sums(self, group: _Group, parts: Floats, room: Integers) -> Floats:
        """The mix of each room of a group, float32 [rooms, samples]. room: int64 [parts], from 0."""
        sums = self._room_sums(parts, room, group.rooms.stop - group.rooms.start)
        if group.tails:
            rows = self._room_rows[group.rooms].tolist()
            for row, samples in group.tails:
                sums[rows.index(row)] += samples
            group.tails = []
        return sums

    def _send(self, group: _Group, sums: Floats, own: Floats, own_at: Integers, new: Flags) -> None:
        """Limit the mixes and send them; whose own one is new goes on from that of its room."""
        people, rooms = self.people, self.rooms
        output = self._outputs[group.rate, group.is_shared]
        slots = self._members[own_at]
        rows = self._room_rows[group.rooms]
        if new.any():
            people.limiter[slots[new]] = rooms.limiter[people.room[slots[new]]]
            output.follow_shared(slots[new], self._room[own_at[new]] - group.rooms.start)
        gains = people.limiter[slots]
        if limit(own, gains):
            people.limiter[slots] = gains
        fresh = people.fresh[slots].nonzero()[0] if len(self._fresh) else _NO_SLOTS
        mirrored = output.mirrored(slots[fresh])
        gains = rooms.limiter[rows]
        if limit(sums, gains):
            rooms.limiter[rows] = gains
        if self._tapped:
            self._keep_tapped(rows, sums)
        self._own[slots] = True
        output.send_shared(sums, self._own)
        self._own[slots] = False
        if len(slots):
            output.send_own(own, slots, fresh, mirrored)
            people.fresh[slots[fresh]] = False

    def _keep_tapped(self, rows: Integers, sums: Floats) -> None:
        for row, mix in zip(rows.tolist(), sums, strict=True):
            name = self.rooms.name(row)
            if name in self._tapped:
                self.room_sound[name] = np.clip(np.rint(mix), -32768, 32767).astype(np.int16)

    def _tell(self) -> None:
        """Note the rooms in which other people talk than were told."""
        people, members = self.people, self._members
        talking = people.talking[members]
        differs = talking != people.told[members]
        rooms = np.zeros(len(self._room_rows), np.bool_)
        rooms[self._room[differs]] = True
        rooms &= ~self._plain_rooms
        if self._ticks % LEVEL_TICKS == 0 and self._levels_wanted.any():
            rooms[self._room[talking]] |= self._levels_wanted[self._room[talking]]
        if not rooms.any():
            return
        people.told[members] = talking
        ends = self._ends
        for room in np.flatnonzero(rooms).tolist():
            slots = members[ends[room] : ends[room + 1]]
            slots = slots[people.talking[slots]]
            slots = slots[np.argsort(people.envelope[slots], kind="stable")][:MOST_TOLD]
            named = [(int(slot), round(float(people.envelope[slot]))) for slot in slots.tolist()]
            self._told.append(RoomTalkers(self.rooms.name(int(self._room_rows[room])), named))


def _ramp(samples: int) -> Floats:
    """From just above 0 to 1."""
    return np.arange(1, samples + 1, dtype=np.float32) / np.float32(samples)


def _empty_group(rate: int, is_shared: bool) -> _Group:
    nothing = np.zeros((0, rate // 50), np.float32)
    return _Group(rate, is_shared, slice(0, 0), slice(0, 0), _NO_SLOTS, nothing)
