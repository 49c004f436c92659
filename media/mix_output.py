"""What the legs of a room are sent of its mix: encoded once for all that only listen, and once for each that talks.

A room's mix leaves at the room's rate and is brought to those of its listeners, once for each rate. Frames of G.711 are
written into the packets; what coded legs hear is handed to their encoders under the room as key.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from media.codecs.g711 import Octets, Pcm, alaw_encode, ulaw_encode
from media.coded import CodedLegs
from media.jitter_buffer import JitterBuffer
from media.legs import NONE
from media.levels import Floats
from media.mix_input import DECODED
from media.resampling import Histories
from media.rooms import NARROW
from media.rtp import FRAME, Flags, Integers
from media.transmission import MARKER, Transmission

_NOTHING: Integers = np.zeros(0, np.int64)
_ENCODE = (ulaw_encode, alaw_encode)
_NO_SOUND: Floats = np.zeros((0, FRAME), np.float32)


@dataclass(frozen=True, slots=True)
class _CodedListeners:
    """Coded legs of one room at one rate."""

    room: int
    rate: int
    slots: Integers


class MixOutput:
    """The hearers of all rooms of one mix rate."""

    def __init__(
        self, rate: int, jitter_buffer: JitterBuffer, coded: CodedLegs, transmission: Transmission
    ) -> None:
        self._rate = rate
        self._jitter_buffer = jitter_buffer
        self._coded = coded
        self._transmission = transmission
        self._rooms = Histories(0)  # by row of Rooms
        self._legs = Histories(len(jitter_buffer.law))
        self._ramp = np.arange(1, rate // 50 + 1, dtype=np.float32) / np.float32(rate // 50)
        self._narrow_ramp = self._ramp[:: rate // NARROW][:FRAME]
        self._room_rows = _NOTHING

    def grow(self, capacity: int) -> None:
        """Room for more legs."""
        self._legs.grow(capacity)

    def arrange(self, slots: Integers, room: Integers, room_rows: Integers) -> None:
        """Take up who hears. slots: int64 [n]; room: int64 [n], place in ``room_rows``; room_rows: rows of Rooms."""
        if len(room_rows) and room_rows.max() >= self._rooms.capacity:
            self._rooms.grow(2 * int(room_rows.max()) + 1)
        begun = np.setdiff1d(room_rows, self._room_rows)
        self._rooms.forget(begun)
        self._room_rows = room_rows
        coded = self._coded.index[slots] != NONE
        narrow = np.flatnonzero(~coded)
        law = self._jitter_buffer.law[slots[narrow]]
        pairs, self._pair = np.unique(room[narrow] * 2 + law, return_inverse=True)
        self._pair_law, self._pair_room = pairs & 1, pairs >> 1
        self._narrow = slots[narrow]
        self._law = int(law[0]) if len(law) and (law == law[0]).all() else None
        self._wide = self._coded_listeners(slots[coded], room[coded])
        self._arrange_lines()

    def _coded_listeners(self, slots: Integers, room: Integers) -> list[_CodedListeners]:
        rates = self._coded.rate[self._coded.index[slots]]
        return [
            _CodedListeners(each, rate, slots[(room == each) & (rates == rate)])
            for each, rate in sorted(set(zip(room.tolist(), rates.tolist(), strict=True)))
        ]

    def _arrange_lines(self) -> None:
        """Which rooms are heard at which rate, each once: a line that is resampled twice would tear."""
        heard: dict[int, set[int]] = {NARROW: set(self._pair_room.tolist())} if len(self._narrow) else {}
        for each in self._wide:
            heard.setdefault(each.rate, set()).add(each.room)
        self._lines = {rate: np.array(sorted(rooms), np.int64) for rate, rooms in heard.items()}
        if len(self._narrow):
            self._pair_at = self._lines[NARROW].searchsorted(self._pair_room)

    # What all of a room hear.

    def send_shared(self, mixes: Floats, own: Flags) -> None:
        """Send each room's mix to all who hear it.

        mixes: float32 [rooms, samples], limited; own: bool [slots], who is sent a mix of its own after this.
        """
        if self._rate == NARROW and not self._wide and own[self._narrow].all():
            return  # nobody only listens, and no filter has to be kept going
        lines = {
            rate: self._rooms.process(mixes[rooms], self._room_rows[rooms], self._rate, rate)
            for rate, rooms in self._lines.items()
        }
        if len(self._narrow):
            heard = lines[NARROW][self._pair_at]
            octets = encode_narrow(heard, self._law, self._pair_law, exact=self._rate == NARROW)
            self._transmission.frames[self._narrow] = octets.view("V160")[:, 0][self._pair]
        for each in self._wide:
            slots = each.slots[~own[each.slots]]
            if len(slots):
                line = lines[each.rate][np.searchsorted(self._lines[each.rate], each.room)]
                self._coded.outbound.put(
                    slots.tolist(), _rounded(line), ("room", int(self._room_rows[each.room]))
                )

    # What one hears alone.

    def follow_shared(self, slots: Integers, room: Integers) -> None:
        """Let legs that are about to have a mix of their own go on where that of their room is."""
        rates = np.where(self._coded.index[slots] == NONE, NARROW, self._coded.rate[self._coded.index[slots]])
        for rate in np.unique(rates[rates != self._rate]).tolist():
            which = rates == rate
            rows = self._room_rows[room[which]]
            self._legs.of(self._rate, rate)[slots[which]] = self._rooms.of(self._rate, rate)[rows]

    def mirrored(self, slots: Integers) -> Floats:
        """What legs heard last, mirrored and fading out, float32 [n, 160]; nothing of coded ones."""
        if not len(slots):
            return _NO_SOUND
        packets = self._transmission.packets
        last = packets["frame"][slots].view(np.uint8).reshape(-1, FRAME)[:, ::-1]
        mirrored: Floats = DECODED[self._jitter_buffer.law[slots][:, None], last] * self._narrow_ramp[::-1]
        mirrored[packets["second"][slots] >= MARKER] = 0  # a talkspurt begins: it heard nothing
        return mirrored

    def send_own(self, mixes: Floats, slots: Integers, fresh: Integers, mirrored: Floats) -> None:
        """Send each of these legs a mix of its own, after ``send_shared``.

        mixes: float32 [n, samples], limited, used up; fresh: int64, which of the n did not hear the room before;
        mirrored: float32 [fresh, 160], what they heard instead.
        """
        if len(fresh):
            mixes[fresh] *= self._ramp
        if not self._wide:
            self._send_own_narrow(mixes, slots, fresh, mirrored)
            return
        coded = self._coded.index[slots] != NONE
        at = np.flatnonzero(~coded)
        if len(at):
            soft = ~coded[fresh]
            self._send_own_narrow(mixes[at], slots[at], at.searchsorted(fresh[soft]), mirrored[soft])
        if len(at) < len(slots):
            self._send_own_coded(mixes, slots, np.flatnonzero(coded))

    def _send_own_narrow(self, mixes: Floats, slots: Integers, fresh: Integers, mirrored: Floats) -> None:
        """As ``send_own``, of legs of G.711 only."""
        lines = self._legs.process(mixes, slots, self._rate, NARROW)
        if len(fresh):
            lines[fresh] += mirrored
        octets = encode_narrow(lines, self._law, self._jitter_buffer.law[slots], exact=self._rate == NARROW)
        self._transmission.frames[slots] = octets.view("V160")[:, 0]

    def _send_own_coded(self, mixes: Floats, slots: Integers, at: Integers) -> None:
        rates = self._coded.rate[self._coded.index[slots[at]]]
        for rate in np.unique(rates).tolist():
            which = at[rates == rate]
            lines = self._legs.process(mixes[which], slots[which], self._rate, rate)
            for slot, line in zip(slots[which].tolist(), _rounded(lines), strict=True):
                self._coded.outbound.put((slot,), line)


def _rounded(lines: Floats) -> Pcm:
    # a filter may ring a little beyond what was limited
    return np.clip(np.rint(lines), -32768, 32767).astype(np.int16)


def encode_narrow(lines: Floats, law: int | None, laws: Integers, *, exact: bool = False) -> Octets:
    """G.711, uint8 [n, 160].

    lines: float32 [n, 160], used up; law: of all of them; None: ``laws`` says it of each, int64 [n]; exact: no filter
    has touched the lines since they were limited.
    """
    samples = np.rint(lines, out=lines).astype(np.int16) if exact else _rounded(lines)
    if law is not None:
        return _ENCODE[law](samples)
    octets = np.empty(samples.shape, np.uint8)
    for each, encode in enumerate(_ENCODE):
        of_law = (laws == each).nonzero()[0]
        octets[of_law] = encode(samples[of_law])
    return octets
