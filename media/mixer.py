"""The mixer: everybody in a room hears the others, never itself (design decision 2).

All rooms of a worker are mixed at once. Members stand sorted by room, so that a room's sum is one segment of
one array operation, whether there is one room of 900 or ninety of ten. Only who is chosen (``talkers``) is
decoded; a listener gets its room's mix, encoded once for each codec, and a talker the mix without its own part,
encoded with those of all other talkers. Mixes are float32 in int16 range, and limited once, at the end.

Nothing starts or stops at once: a weight that changes (talker chosen or dropped, gain, mute, gate) moves over
one frame; who leaves in mid-word fades out over the mirror image of its last frame, which joins it without
a step; and who begins to hear the room does so over the mirror image of what it heard last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from media.codecs.facts import ULAW_SILENCE
from media.codecs.g711 import Octets, alaw_decode, alaw_encode, ulaw_decode, ulaw_encode
from media.dynamics import adapt
from media.jitter_buffer import Frames, JitterBuffer
from media.legs import NONE
from media.levels import SILENT, Floats, coded_levels
from media.limiter import limit
from media.rooms import Participants, Rooms, RoomSettings
from media.rtp import FRAME, Flags, Integers
from media.talkers import choose, follow
from media.transmission import MARKER, Transmission

TOLD_TICKS = 5
"""How often (100 ms) it is looked whether other people talk than were told."""
LEVEL_TICKS = 10
MOST_TOLD = 16
"""Talkers named at once, the loudest first."""
_EVERYBODY = 1 << 40
_OCTETS = np.arange(256, dtype=np.uint8)
_DECODED: Floats = np.stack([ulaw_decode(_OCTETS), alaw_decode(_OCTETS)]).astype(np.float32)
"""float32 [law, octet]."""
_NO_SLOTS: Integers = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class RoomTalkers:
    """Who talks in a room, (slot, level in dBov), the loudest first."""

    room: str
    talkers: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Tail:
    """What is left of somebody who went: one frame, in the room of that row."""

    room: int
    samples: Floats


class Mixer:
    """The rooms of one worker."""

    def __init__(self, capacity: int, jitter_buffer: JitterBuffer, transmission: Transmission) -> None:
        self.people = Participants(capacity)
        self.rooms = Rooms()
        self._jitter_buffer = jitter_buffer
        self._transmission = transmission
        self._told: list[RoomTalkers] = []
        self._ticks = 0
        self._last_slots, self._last = _NO_SLOTS, np.zeros((0, FRAME), np.float32)
        self._tails: list[_Tail] = []
        self._ramp = np.arange(1, FRAME + 1, dtype=np.float32) / np.float32(FRAME)
        self._decoded = np.zeros((capacity, FRAME), np.float32)
        self._arrange(_NO_SLOTS, _NO_SLOTS, _NO_SLOTS)

    # Commands.

    def clear(self, slot: int) -> None:
        """A new leg, in no room."""
        self.people.clear(slot)

    def grow(self, capacity: int) -> None:
        """Room for more legs."""
        self.people.grow(capacity)
        self._decoded = np.zeros((capacity, FRAME), np.float32)

    def join(self, slot: int, room: str) -> None:
        """Bring a leg into a room, out of the one it may be in."""
        self.leave(slot)
        self.people.enter(slot, self.rooms.enter(room))

    def leave(self, slot: int) -> None:
        """Take a leg out of its room."""
        row = int(self.people.room[slot])
        if row == NONE:
            return
        self._fade_out(slot, row)
        self.people.enter(slot, NONE)
        if self.rooms.leave(row):
            self._tails = [tail for tail in self._tails if tail.room != row]

    def _fade_out(self, slot: int, row: int) -> None:
        found = np.flatnonzero(self._last_slots == slot)
        if len(found):
            mirrored = self._last[found[0], ::-1] * self._ramp[::-1]
            self._tails.append(_Tail(row, mirrored))

    def set_participant(
        self, slot: int, *, muted: bool, gain_db: float, agc: bool, gate: bool, denoise: bool
    ) -> None:
        """How a leg is mixed, in this room and those after it."""
        people = self.people
        people.muted[slot], people.gain_db[slot] = muted, gain_db
        people.agc[slot], people.gate[slot], people.denoise[slot] = agc, gate, denoise
        people.gain[slot] = 10 ** (gain_db / 20)

    def set_room(self, name: str, settings: RoomSettings) -> None:
        """How a room is mixed, until it is empty."""
        self.rooms.set(name, settings)

    def take_talkers(self) -> list[RoomTalkers]:
        """Where other people talk than when last asked."""
        told, self._told = self._told, []
        return told

    # Arrangement.

    def arrange(self, members: Integers, hearers: Integers, where: Integers) -> None:
        """Sort the members by room, after a change.

        members: slots of open legs in rooms; hearers: those of them that are sent the room; where: int64
        [capacity], the row of each member in the tick's block of heard frames.
        """
        if len(members) or len(self._members):
            self._arrange(members, hearers, where)

    def _arrange(self, members: Integers, hearers: Integers, where: Integers) -> None:
        people = self.people
        order = np.argsort(people.room[members], kind="stable")
        self._members = members = members[order]
        rows = people.room[members]
        self._room_rows, self._first, self._room = np.unique(rows, return_index=True, return_inverse=True)
        settings = [self.rooms.settings(row) for row in self._room_rows.tolist()]
        self._most = np.array([each.loudest or _EVERYBODY for each in settings], np.int64)
        self._levels_wanted = np.array([each.levels for each in settings], np.bool_)
        plain = np.array([each.plain for each in settings], np.bool_)
        self._plain: Flags | None = plain[self._room] if plain.any() else None
        self._heard_at = where[members]
        self._law = self._jitter_buffer.law[members]
        self._shaped = members[people.agc[members] | people.gate[members]]
        self._arrange_hearers(hearers)

    def _arrange_hearers(self, hearers: Integers) -> None:
        people, members = self.people, self._members
        hears = np.zeros(len(people.room), np.bool_)
        hears[hearers] = True
        people.fresh |= hears & ~people.hears
        people.fresh &= hears
        people.hears[:] = hears
        self._hears = hears[members]
        at = np.flatnonzero(self._hears)
        pairs, self._pair = np.unique(self._room[at] * 2 + self._law[at], return_inverse=True)
        self._pair_room, self._pair_law = pairs >> 1, pairs & 1
        self._listeners = members[at]

    # The tick.

    def tick(self, heard: Frames) -> None:
        """Mix 20 ms of every room, into the packets of those who hear it. heard: V160, as arranged."""
        members, people = self._members, self.people
        if not len(members):
            return
        self._ticks += 1
        octets = heard.view(np.uint8).reshape(-1, FRAME)
        follow(people, members, self._levels(octets))
        if len(self._shaped):
            adapt(people, self._shaped)
        chosen = choose(people, members, self._room, self._most, self._plain)
        before = people.weight[members]
        weight = np.where(chosen, people.gain[members], np.float32(0.0))
        people.weight[members] = weight
        active = np.flatnonzero((weight > 0) | (before > 0))
        parts = self._parts(octets, active, before[active], weight[active])
        sums = self._sums(parts, active)
        self._mirror_fresh()
        self._send_shared(sums)
        self._send_own(sums, parts, active, before)
        if self._ticks % TOLD_TICKS == 0:
            self._tell()

    def _levels(self, octets: Octets) -> Floats:
        """float32 [members]."""
        levels = np.full(len(self._members), np.float32(SILENT))
        for law in (0, 1):
            of_law = np.flatnonzero(self._law == law)
            if len(of_law) == len(levels):
                return coded_levels(octets[self._heard_at], law)
            if len(of_law):
                levels[of_law] = coded_levels(octets[self._heard_at[of_law]], law)
        return levels

    def _parts(self, octets: Octets, active: Integers, before: Floats, weight: Floats) -> Floats:
        """What each of the active contributes, weighted: float32 [active, 160]."""
        parts = self._decoded[: len(active)]
        laws = self._law[active]
        rows = octets[self._heard_at[active]]
        for law in (0, 1):
            of_law = np.flatnonzero(laws == law)
            if len(of_law) == len(parts):
                np.take(_DECODED[law], rows, out=parts, mode="clip")
            elif len(of_law):
                parts[of_law] = np.take(_DECODED[law], rows[of_law], mode="clip")
        changed = np.flatnonzero((before != 1) | (weight != 1))
        if len(changed):
            begin = before[changed, None]
            parts[changed] *= begin + (weight[changed, None] - begin) * self._ramp
        self._last_slots, self._last = self._members[active], parts
        return parts

    def _sums(self, parts: Floats, active: Integers) -> Floats:
        """The mix of each room, float32 [rooms, 160]."""
        if len(self._room_rows) == 1:
            sums: Floats = parts.sum(axis=0, keepdims=True)
        else:
            sums = np.zeros((len(self._room_rows), FRAME), np.float32)
            if len(active):
                room = self._room[active]
                first = np.flatnonzero(np.diff(room, prepend=-1))
                sums[room[first]] = np.add.reduceat(parts, first, axis=0)
        if self._tails:
            for tail in self._tails:
                sums[np.searchsorted(self._room_rows, tail.room)] += tail.samples
            self._tails = []
        return sums

    def _send_shared(self, sums: Floats) -> None:
        """The mix of each room to all of it; who is heard gets its own after this."""
        if not len(self._listeners):
            return
        mixes = sums.copy()
        gains = self.rooms.limiter[self._room_rows]
        limit(mixes, gains)
        self.rooms.limiter[self._room_rows] = gains
        coded = _encode(mixes[self._pair_room], self._pair_law).view("V160")[:, 0]
        self._transmission.packets["frame"][self._listeners] = coded[self._pair]

    def _send_own(self, sums: Floats, parts: Floats, active: Integers, before: Floats) -> None:
        """The mix without its own part to each who is in it, and to those who did not hear the room before."""
        people, members = self.people, self._members
        hearing = self._hears[active]
        at = active[hearing]
        mixes = sums[self._room[at]]
        mixes -= parts if len(at) == len(active) else parts[hearing]
        fresh = np.flatnonzero(people.fresh[members])
        if len(fresh):
            silent = fresh[~np.isin(fresh, at)]
            mixes = np.concatenate([mixes, sums[self._room[silent]]])
            at = np.concatenate([at, silent])
        if not len(at):
            return
        slots = members[at]
        new = slots[before[at] == 0]
        people.limiter[new] = self.rooms.limiter[people.room[new]]
        gains = people.limiter[slots]
        limit(mixes, gains)
        people.limiter[slots] = gains
        if len(fresh):
            self._fade_in(mixes, slots)
        frames = _encode(mixes, self._law[at]).view("V160")[:, 0]
        self._transmission.packets["frame"][slots] = frames

    def _mirror_fresh(self) -> None:
        """Keep what those heard last who hear the room from now on, before it is overwritten."""
        people, packets = self.people, self._transmission.packets
        self._fresh = slots = np.sort(self._members[people.fresh[self._members]])
        if not len(slots):
            return
        last = packets["frame"][slots].view(np.uint8).reshape(-1, FRAME)[:, ::-1]
        mirrored = _DECODED[self._jitter_buffer.law[slots][:, None], last] * self._ramp[::-1]
        mirrored[packets["second"][slots] >= MARKER] = 0  # a talkspurt begins: it heard nothing
        self._mirrored: Floats = mirrored

    def _fade_in(self, mixes: Floats, slots: Integers) -> None:
        """Let those who begin to hear the room do so softly, out of what they heard last."""
        rows = np.flatnonzero(self.people.fresh[slots])
        mixes[rows] *= self._ramp
        mixes[rows] += self._mirrored[np.searchsorted(self._fresh, slots[rows])]
        self.people.fresh[slots] = False

    def _tell(self) -> None:
        """Note the rooms in which other people talk than were told."""
        people, members = self.people, self._members
        talking = people.talking[members]
        differs = talking != people.told[members]
        rooms = np.zeros(len(self._room_rows), np.bool_)
        rooms[self._room[differs]] = True
        if self._ticks % LEVEL_TICKS == 0 and self._levels_wanted.any():
            rooms[self._room[talking]] |= self._levels_wanted[self._room[talking]]
        if not rooms.any():
            return
        people.told[members] = talking
        ends = np.append(self._first, len(members))
        for room in np.flatnonzero(rooms).tolist():
            slots = members[ends[room] : ends[room + 1]]
            slots = slots[people.talking[slots]]
            slots = slots[np.argsort(people.envelope[slots], kind="stable")][:MOST_TOLD]
            named = [(int(slot), round(float(people.envelope[slot]))) for slot in slots.tolist()]
            self._told.append(RoomTalkers(self.rooms.name(int(self._room_rows[room])), named))


def _encode(mixes: Floats, laws: Integers) -> Octets:
    """G.711 of limited mixes, uint8 [n, 160]. mixes: float32 [n, 160], used up; laws: int64 [n]."""
    samples = np.rint(mixes, out=mixes).astype(np.int16)
    if not laws.any():
        return ulaw_encode(samples)
    if laws.all():
        return alaw_encode(samples)
    octets = np.full(samples.shape, ULAW_SILENCE, np.uint8)
    for law, encode in ((0, ulaw_encode), (1, alaw_encode)):
        of_law = np.flatnonzero(laws == law)
        octets[of_law] = encode(samples[of_law])
    return octets
