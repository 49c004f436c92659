"""The queue of coded packets: in by timestamp, 20 ms out a tick, with a delay that adapts to the network.

A coded packet cannot be laid down sample by sample as G.711 can (``jitter_buffer``). It is kept whole until its turn,
at the place its timestamp gives it: each leg has a ring of 640 ms in units of 2.5 ms, the shortest frame there is
(RFC 6716), and a packet stands in the unit where it begins. So reordered packets fall into place, a repeated one
changes nothing, and packets of every length have room.

The delay begins at one frame. A packet that comes too late sets the reader back by as much, up to ``MOST_DELAY``;
where every packet has come early for a while the delay is cut again, at once when much of it is a backlog, else by
a frame after a time that doubles with each late packet. That also follows the drift of the peer's clock.
"""

from __future__ import annotations

import numpy as np

from media.columns import Columns
from media.packet_pool import ROOM, PacketPool
from media.rtp import Flags, Integers, Octets

UNITS_PER_SECOND = 400
FRAME_UNITS = 8
RING_UNITS = 256
MOST_DELAY = 10 * FRAME_UNITS
"""200 ms."""
MOST_AHEAD = 2 * MOST_DELAY
"""A packet this far ahead of the reader means a backlog: the reader goes after it."""
BACKLOG = 3 * FRAME_UNITS
"""So much more delay than any packet of a review needed is dropped at once."""
LATE_RUN = 3
"""So many packets in a row too late for any delay are a stream that began anew."""
REVIEW_TICKS = 25
"""Every 500 ms the delay is looked at."""
_FIRST_PATIENCE, _MOST_PATIENCE = 4, 64
"""Reviews, 2 s to 32 s, in which every packet must have been early before a frame is cut."""
LOSSY_REVIEWS = 40
"""For 20 s after a loss a frame of delay stays, so that the next packet is there to recover the lost one from."""
_FAR = 1 << 30
_SEEN = 64


class PacketQueue(Columns):
    """The queues of all coded legs, a row each."""

    def __init__(self, capacity: int) -> None:
        self.entry = np.zeros((capacity, RING_UNITS), np.int32)  # of the pool, by unit of the ring
        self.seen = np.zeros((capacity, _SEEN), np.int32)  # sequence number + 1 of what has come
        self.unit = np.ones(capacity, np.int64)  # RTP timestamps in 2.5 ms
        self.running = np.zeros(capacity, np.bool_)
        self.reader = np.zeros(capacity, np.int64)  # unit of the ring that is read next
        self.read_timestamp = np.zeros(capacity, np.int64)  # RTP timestamp of that unit
        self.pending = np.zeros(capacity, np.int64)  # units decoded already that are still to be heard
        self.late = np.zeros(capacity, np.int64)
        self.late_run = np.zeros(capacity, np.int64)
        self.least_ahead = np.full(capacity, _FAR, np.int64)
        self.most_ahead = np.zeros(capacity, np.int64)
        self.patience = np.full(capacity, _FIRST_PATIENCE, np.int64)
        self.early_reviews = np.zeros(capacity, np.int64)
        self.lossy_reviews = np.zeros(capacity, np.int64)  # still to come with a frame of delay kept
        self._pool = PacketPool()
        self.punctual = True
        """Our own tick is not late. Where it is, a late packet says nothing of the network, and nobody waits for it."""

    @property
    def pool(self) -> PacketPool:
        """Where the payloads are."""
        return self._pool

    def grow(self, capacity: int) -> None:
        """Lengthen every column."""
        old = len(self.unit)
        super().grow(capacity)
        self.unit[old:] = 1
        self.least_ahead[old:] = _FAR
        self.patience[old:] = _FIRST_PATIENCE

    def begin(self, row: int, clock: int) -> None:
        """An empty queue for a stream with so many timestamps a second."""
        self.drop(row)
        self.clear(row)
        self.unit[row] = clock // UNITS_PER_SECOND
        self.least_ahead[row] = _FAR
        self.patience[row] = _FIRST_PATIENCE

    def drop(self, row: int) -> None:
        """Throw away what a leg has queued; it starts again with the next packet."""
        ring = self.entry[row]
        self._pool.give_back(ring[ring > 0])
        ring[:] = 0
        self.running[row] = False
        self.pending[row] = 0

    def insert(
        self,
        rows: Integers,
        raw: Octets,
        at: Integers,
        sequence: Integers,
        timestamp: Integers,
        begin: Integers,
        length: Integers,
        units: Integers,
        begins: Flags,
    ) -> None:
        """Queue one packet a leg.

        rows: int64 [n], all different, the legs' rows; at: int64 [n], each packet's row in ``raw``; begin, length:
        of its payload in octets; units: its length in 2.5 ms; begins: bool [n], the stream starts anew with it.
        """
        place = sequence % _SEEN
        self.seen[rows[begins]] = 0
        fresh = (self.seen[rows, place] != sequence + 1) & (units > 0) & (length <= ROOM)
        self.seen[rows, place] = sequence + 1
        ahead = self._ahead(rows, timestamp)
        odd = begins | ~self.running[rows] | (ahead < 0) | (ahead > MOST_AHEAD)
        if odd.any():
            fresh &= self._realign(rows, timestamp, ahead, units, begins, odd & fresh)
            ahead = self._ahead(rows, timestamp)
        if not fresh.all():
            rows, at, begin, length = rows[fresh], at[fresh], begin[fresh], length[fresh]
            units, ahead = units[fresh], ahead[fresh]
        self.late_run[rows] = 0
        self.least_ahead[rows] = np.minimum(self.least_ahead[rows], ahead)
        self.most_ahead[rows] = np.maximum(self.most_ahead[rows], ahead)
        self._store(rows, raw, at, begin, length, units, ahead)

    def _ahead(self, rows: Integers, timestamp: Integers) -> Integers:
        """Units from the reader to the packet, negative when its turn has come."""
        difference = timestamp - self.read_timestamp[rows]
        ahead: Integers = ((difference + 0x80000000 & 0xFFFFFFFF) - 0x80000000) // self.unit[rows]
        return ahead

    def _realign(
        self,
        rows: Integers,
        timestamp: Integers,
        ahead: Integers,
        units: Integers,
        begins: Flags,
        odd: Flags,
    ) -> Flags:
        """Move the readers of legs whose packet is not where it should be. Returns which packets to keep."""
        start = odd & (begins | ~self.running[rows] | (ahead >= RING_UNITS))
        late = odd & ~start & (ahead < 0)
        self.late_run[rows[late]] += self.punctual
        self.late[rows[late & (ahead + units <= 0)]] += 1
        needed = -(ahead // FRAME_UNITS) * FRAME_UNITS
        delayed = late & (np.maximum(self.most_ahead[rows], 0) + needed <= MOST_DELAY + FRAME_UNITS)
        delayed &= ~begins & self.punctual
        start |= late & ~delayed & (self.late_run[rows] >= LATE_RUN)
        self._set_back(rows[delayed], needed[delayed])
        for row, stamp in zip(rows[start].tolist(), timestamp[start].tolist(), strict=True):
            self._start(row, stamp)
        early = odd & ~start & (ahead > MOST_AHEAD)
        for row, excess in zip(rows[early].tolist(), (ahead[early] - FRAME_UNITS).tolist(), strict=True):
            self.skip(row, excess)
        keep: Flags = start | delayed | ~late | (late & (ahead + units > self.pending[rows]))
        return keep

    def _start(self, row: int, timestamp: int) -> None:
        self.drop(row)
        self.running[row] = True
        self.late_run[row] = self.most_ahead[row] = self.early_reviews[row] = 0
        self.least_ahead[row] = _FAR
        self.read_timestamp[row] = (timestamp - FRAME_UNITS * int(self.unit[row])) & 0xFFFFFFFF

    def _set_back(self, rows: Integers, units: Integers) -> None:
        """Let the next frames of these legs wait, whole frames; their rings have nothing behind the reader."""
        self.reader[rows] = (self.reader[rows] - units) % RING_UNITS
        self.read_timestamp[rows] = (self.read_timestamp[rows] - units * self.unit[rows]) & 0xFFFFFFFF
        self.most_ahead[rows] += units
        self.least_ahead[rows] = _FAR
        self.early_reviews[rows] = 0
        self.patience[rows] = np.minimum(2 * self.patience[rows], _MOST_PATIENCE)

    def skip(self, row: int, units: int) -> None:
        """Drop what is next of a leg unheard."""
        dropped = (int(self.reader[row]) + np.arange(min(units, RING_UNITS))) % RING_UNITS
        entries = self.entry[row, dropped]
        self._pool.give_back(entries[entries > 0])
        self.entry[row, dropped] = 0
        self.reader[row] = (self.reader[row] + units) % RING_UNITS
        self.read_timestamp[row] = (self.read_timestamp[row] + units * self.unit[row]) & 0xFFFFFFFF
        self.pending[row] = max(0, int(self.pending[row]) - units)
        self.least_ahead[row] = _FAR
        self.most_ahead[row] = max(0, int(self.most_ahead[row]) - units)

    def _store(
        self,
        rows: Integers,
        raw: Octets,
        at: Integers,
        begin: Integers,
        length: Integers,
        units: Integers,
        ahead: Integers,
    ) -> None:
        place = (self.reader[rows] + np.maximum(ahead, 0)) % RING_UNITS
        empty = self.entry[rows, place] == 0
        if not empty.all():
            rows, at, begin, length = rows[empty], at[empty], begin[empty], length[empty]
            units, ahead, place = units[empty], ahead[empty], place[empty]
        if not len(rows):
            return
        pool = self._pool
        entries = pool.take(length)
        self.entry[rows, place] = entries
        pool.units[entries] = units
        pool.behind[entries] = np.maximum(-ahead, 0)
        pool.fill(entries, raw, at, begin)

    def read(self, rows: Integers) -> Integers:
        """Take what begins in the next 20 ms of each leg: entries, int64 [n, 8], 0 where none does.

        rows all different. The entries are the caller's now, to be given back to the pool.
        """
        where = rows[:, None], (self.reader[rows][:, None] + np.arange(FRAME_UNITS)) % RING_UNITS
        entries: Integers = self.entry[where].astype(np.int64)
        self.entry[where] = 0
        self.reader[rows] = (self.reader[rows] + FRAME_UNITS) % RING_UNITS
        step = FRAME_UNITS * self.unit[rows]
        self.read_timestamp[rows] = (self.read_timestamp[rows] + step) & 0xFFFFFFFF
        return entries

    def next_entry(self, row: int) -> int:
        """The packet a leg will need next, 0 when it has not come: it may say again what the last one did."""
        return int(self.entry[row, self.reader[row]])

    def review(self, rows: Integers) -> None:
        """Cut the delay of the legs whose packets all came earlier than they need to."""
        least = self.least_ahead[rows]
        lossy = self.lossy_reviews[rows]
        self.lossy_reviews[rows] = np.maximum(lossy - 1, 0)
        floor = np.where(lossy > 0, 2 * FRAME_UNITS, FRAME_UNITS)
        early = self.running[rows] & (least >= floor) & (least < _FAR)
        self.early_reviews[rows] = np.where(early, self.early_reviews[rows] + 1, 0)
        backlog = early & (least >= BACKLOG)
        over = early & (backlog | (self.early_reviews[rows] >= self.patience[rows]))
        for row, ahead in zip(rows[over].tolist(), least[over].tolist(), strict=True):
            frames = ahead // FRAME_UNITS - 1 if ahead >= BACKLOG else 1
            self.skip(row, frames * FRAME_UNITS)
            self.early_reviews[row] = 0
        self.least_ahead[rows] = _FAR
        self.most_ahead[rows] = 0
