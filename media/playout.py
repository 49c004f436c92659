"""The playout queue: packets in by timestamp, 20 ms out a tick, a fixed delay between (design decision 2).

Each leg has a ring of 640 ms of coded audio (one octet a sample), addressed by RTP timestamp: so reordered
packets fall into place, a repeated one changes nothing, what is missing stays silent, and packets of any
length (10, 30, 40, 60 ms) come out as 20 ms frames. The reader moves one frame a tick whether or not
anything arrived; a packet is placed by how far its timestamp lies ahead of the reader.

The delay is fixed at ``TARGET`` from the first packet; it is cut back when a backlog arrives at once or
stays, and the reader is set back when packets keep coming too late. Concealment and an adaptive delay are
not here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from media.codecs.facts import ALAW_SILENCE, ULAW_SILENCE
from media.columns import Columns
from media.rtp import FRAME, Flags, Integers, Octets

FRAMES = 32  # ring length, a power of two
RING = FRAMES * FRAME
TARGET = 2 * FRAME
"""Delay of the first packet: 40 ms, what a network jitter of as much needs."""
MOST_AHEAD = 6 * FRAME
"""A packet this far ahead of the reader means a backlog: it is dropped down to ``TARGET``."""
LATE_RUN = 3
"""So many packets in a row too late, and the reader is set back instead of dropping more."""
TRIM_TICKS = 100
"""How long (2 s) every packet must have been early before one frame of the delay is cut."""

_FAR = 1 << 30
_NOTHING: npt.NDArray[np.void] = np.zeros(0, "V160")

Frames = npt.NDArray[np.void]
"""V160 [n]: one 20 ms frame an element, so that copying one is one move."""

SILENCE: Frames = np.repeat(np.array([[ULAW_SILENCE], [ALAW_SILENCE]], np.uint8), FRAME, 1).view("V160")[:, 0]
"""V160 [2], by law."""


class PlayoutQueue(Columns):
    """The queues of all legs."""

    def __init__(self, capacity: int) -> None:
        self.ring = np.zeros((capacity, RING), np.uint8)
        self.law = np.zeros(capacity, np.intp)
        self.running = np.zeros(capacity, np.bool_)
        self.reader = np.zeros(capacity, np.int64)  # frame of the ring that is read next
        self.read_timestamp = np.zeros(capacity, np.int64)  # RTP timestamp of that frame
        self.late_run = np.zeros(capacity, np.int64)
        self.late = np.zeros(capacity, np.int64)
        self.least_ahead = np.full(capacity, _FAR, np.int64)
        self._frames = self._as_frames()

    def _as_frames(self) -> Frames:
        return self.ring.reshape(-1, FRAME).view("V160")[:, 0]

    def columns(self) -> dict[str, npt.NDArray[np.generic]]:
        """The columns; the frame view is not one."""
        return {name: column for name, column in super().columns().items() if name != "_frames"}

    def grow(self, capacity: int) -> None:
        """Lengthen every column."""
        super().grow(capacity)
        self._frames = self._as_frames()

    def clear(self, slot: int) -> None:
        """An empty queue in a slot, mu-law until ``set_law``."""
        super().clear(slot)
        self.set_law(slot, 0)

    def set_law(self, slot: int, law: int) -> None:
        """Empty a leg's queue and set its codec: 0 mu-law, 1 A-law. It starts with the next packet."""
        self.law[slot] = law
        self.running[slot] = False
        self.late_run[slot] = 0
        self.least_ahead[slot] = _FAR
        self.ring[slot] = ALAW_SILENCE if law else ULAW_SILENCE

    def insert(
        self,
        slots: Integers,
        raw: Octets,
        rows: Integers,
        timestamp: Integers,
        begin: Integers,
        length: Integers,
        begins: Flags,
    ) -> None:
        """Queue one packet a leg.

        slots: int64 [n], all different; rows: int64 [n], each packet's row in ``raw``; begin and length: of
        its payload; begins: bool [n], the stream starts anew with this packet.
        """
        ahead = self._ahead(slots, timestamp)
        odd = begins | ~self.running[slots] | (ahead < 0) | (ahead > MOST_AHEAD)
        if odd.any():
            keep = self._realign(slots, timestamp, ahead, length, begins, odd)
            if not keep.all():
                slots, rows, timestamp = slots[keep], rows[keep], timestamp[keep]
                begin, length, odd = begin[keep], length[keep], odd[keep]
            ahead = self._ahead(slots, timestamp)
        self.late_run[slots[~odd]] = 0
        self.least_ahead[slots] = np.minimum(self.least_ahead[slots], ahead)
        plain = (length == FRAME) & (ahead % FRAME == 0)
        if plain.all():
            self._put_frames(slots, raw, rows, begin, ahead)
            return
        self._put_frames(slots[plain], raw, rows[plain], begin[plain], ahead[plain])
        other = ~plain
        self._put_octets(slots[other], raw, rows[other], begin[other], length[other], ahead[other])

    def _ahead(self, slots: Integers, timestamp: Integers) -> Integers:
        """Samples from the reader to the packet, negative when it has passed."""
        difference = timestamp - self.read_timestamp[slots]
        return (difference + 0x80000000 & 0xFFFFFFFF) - 0x80000000

    def _realign(
        self,
        slots: Integers,
        timestamp: Integers,
        ahead: Integers,
        length: Integers,
        begins: Flags,
        odd: Flags,
    ) -> Flags:
        """Move the readers of legs whose packet is not where it should be. Returns which packets to keep."""
        start = begins | ~self.running[slots] | (ahead > RING)
        late = ~start & (ahead + length <= 0)
        self.late[slots[late]] += 1
        self.late_run[slots[late]] += 1
        start |= late & (self.late_run[slots] >= LATE_RUN)
        early = odd & ~start & (ahead > MOST_AHEAD)
        at = slots[start]
        self.running[at] = True
        self.late_run[at] = 0
        self.least_ahead[at] = _FAR
        self.read_timestamp[at] = (timestamp[start] - TARGET) & 0xFFFFFFFF
        self.ring[at] = SILENCE[self.law[at]].view(np.uint8).reshape(-1, FRAME)[:, :1]
        for slot, excess in zip(slots[early].tolist(), (ahead[early] - TARGET).tolist(), strict=True):
            self.skip(slot, excess // FRAME)
        return start | ~late

    def skip(self, slot: int, frames: int) -> None:
        """Drop the next frames of a leg unheard."""
        dropped = (int(self.reader[slot]) + np.arange(min(frames, FRAMES))) % FRAMES
        self._frames[slot * FRAMES + dropped] = SILENCE[self.law[slot]]
        self.reader[slot] = (self.reader[slot] + frames) % FRAMES
        self.read_timestamp[slot] = (self.read_timestamp[slot] + frames * FRAME) & 0xFFFFFFFF
        self.least_ahead[slot] = _FAR

    def _put_frames(
        self, slots: Integers, raw: Octets, rows: Integers, begin: Integers, ahead: Integers
    ) -> None:
        at = slots * FRAMES + (self.reader[slots] + ahead // FRAME) % FRAMES
        if (begin == 12).all():
            payload = raw[:, 12 : 12 + FRAME].view("V160")[:, 0]
            self._frames[at] = payload[rows]
            return
        octets = raw[rows[:, None], begin[:, None] + np.arange(FRAME)]
        self._frames[at] = octets.view("V160")[:, 0]

    def _put_octets(
        self,
        slots: Integers,
        raw: Octets,
        rows: Integers,
        begin: Integers,
        length: Integers,
        ahead: Integers,
    ) -> None:
        """Packets that are not one whole frame, octet by octet; what has been passed is left out."""
        column = np.arange(int(length.max(initial=0)))
        wanted = (column < length[:, None]) & (ahead[:, None] + column >= 0)
        source = np.minimum(begin[:, None] + column, raw.shape[1] - 1)
        target = (self.reader[slots][:, None] * FRAME + ahead[:, None] + column) % RING
        packet, sample = np.nonzero(wanted)
        self.ring[slots[packet], target[packet, sample]] = raw[rows[packet], source[packet, sample]]

    def read(self, slots: Integers) -> Frames:
        """Take the next 20 ms of each leg, V160 [n]; silence where nothing came. slots all different."""
        if not len(slots):
            return _NOTHING
        reader = self.reader[slots]
        at = slots * FRAMES + reader
        frames: Frames = self._frames[at]
        self._frames[at] = SILENCE[self.law[slots]]
        self.reader[slots] = (reader + 1) % FRAMES
        self.read_timestamp[slots] = (self.read_timestamp[slots] + FRAME) & 0xFFFFFFFF
        return frames

    def trim(self, slots: Integers) -> int:
        """Cut a frame of delay where every packet since the last trim came early. Returns how many legs."""
        least = self.least_ahead[slots]
        early = slots[(least >= TARGET + FRAME) & (least < _FAR)]
        for slot in early.tolist():
            self.skip(slot, 1)
        self.least_ahead[slots] = _FAR
        return len(early)
