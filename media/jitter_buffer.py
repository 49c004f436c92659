"""The jitter buffer of G.711 legs: packets in by timestamp, 20 ms out a tick, with no more delay than needed.

Each leg has a ring of 640 ms of coded audio (one octet a sample), addressed by RTP timestamp: so reordered
packets fall into place, a repeated one changes nothing, and packets of any length (10 to 60 ms) come out as
20 ms frames. The reader moves one frame a tick whether or not anything arrived; a packet is placed by how far
its timestamp lies ahead of the reader (``ahead``).

**Delay.** The first packet is read at the next tick: nobody waits unless packets miss their tick. A packet
that does, when nothing else was there to be played in the meantime, sets the reader back to itself: it is
heard late, and from then on so is everything. Packets that miss their tick while later ones are there are
lost; when that happens to more than one in a hundred (``arrivals``), the reader waits at the next gap. When
99 in 100 would do with a frame less, one is cut out: a silent one if there is one within a second, otherwise
two frames are faded into one. So a peer's clock that runs slower or faster than ours costs a frame more or
less every few minutes, and nothing else.

**Gaps** are filled by ``gaps``. Packets that come while our own tick is late say nothing of the network and
set nobody back: a backlog of ours is dropped, not carried.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from media.arrivals import STEP, Arrivals
from media.codecs.facts import ALAW_SILENCE, ULAW_SILENCE
from media.columns import Columns
from media.gaps import SILENT_FROM, Gaps, decoded, encoded
from media.rtp import FRAME, Flags, Integers, Octets

FRAMES = 32  # ring length, a power of two
RING = FRAMES * FRAME
MOST_DELAY = 10 * FRAME
"""200 ms above the earliest packets; what needs more is lost."""
MOST_AHEAD = 12 * FRAME
"""A packet this far ahead of the reader means a backlog: the reader skips to ``MOST_DELAY`` before it."""
LATE_RUN = 10
"""So many ticks in a row with nothing but packets too late, and the stream is begun anew."""
MEASURE_TICKS = 10
"""How often (200 ms) the delay each leg needs is looked at."""
MEASURED_TOGETHER = 100
"""Legs that are looked at in one tick, or a tenth of all if these are more."""
BEGINNING_TICKS = 50
"""How packets came in the first second of a stream says little: calls are being set up, addresses looked for."""
REST_TICKS = 50
"""How long a delay is kept before one frame is cut; with more frames too many, a fifth of it."""
PATIENCE_TICKS = 100
"""After so long, if no silent frame came, two others are faded into each other."""

_SILENT = 60.0  # root mean square, -55 dBov
_NOTHING: npt.NDArray[np.void] = np.zeros(0, "V160")
_FADE_IN = np.arange(1, FRAME + 1, dtype=np.float32) / (FRAME + 1)

Frames = npt.NDArray[np.void]
"""V160 [n]: one 20 ms frame an element, so that copying one is one move."""

SILENCE: Frames = np.repeat(np.array([[ULAW_SILENCE], [ALAW_SILENCE]], np.uint8), FRAME, 1).view("V160")[:, 0]
"""V160 [2], by law."""


def _octets(frames: Frames) -> Octets:
    return frames.view(np.uint8).reshape(-1, FRAME)


def _signed(difference: Integers) -> Integers:
    """A difference of timestamps, by the shorter way round."""
    return (difference + 0x80000000 & 0xFFFFFFFF) - 0x80000000


class JitterBuffer(Columns):
    """The buffers of all legs."""

    def __init__(self, capacity: int) -> None:
        self.ring = np.zeros((capacity, RING), np.uint8)
        self.filled = np.zeros((capacity, FRAMES), np.uint8)  # octets of each frame that are there, unread
        self.law = np.zeros(capacity, np.intp)
        self.running = np.zeros(capacity, np.bool_)
        self.behind_clock = np.zeros(capacity, np.int64)  # clock less timestamp of the frame read next
        self.turn = np.zeros(capacity, np.int64)  # (ticks + turn) % FRAMES: frame of the ring read next
        self.delay = np.zeros(capacity, np.int64)
        """Samples that the earliest packets wait."""
        self.needed = np.zeros(capacity, np.int64)
        """Samples of delay that would be enough."""
        self.changed_at = np.zeros(capacity, np.int64)  # tick of the last change of the delay
        self.began_at = np.zeros(capacity, np.int64)
        self.shorten = np.zeros(capacity, np.bool_)  # a frame is to be cut
        self.special = np.zeros(capacity, np.bool_)  # in a gap, or a frame is to be cut
        self.late_run = np.zeros(capacity, np.int64)
        self.late_at = np.zeros(capacity, np.int64)  # tick of the last packet too late
        self.late = np.zeros(capacity, np.int64)
        """Packets that came too late to be heard."""
        self.concealed = np.zeros(capacity, np.int64)
        """Frames that were made up for want of packets, silence after a gap not counted."""
        self.ticks = 0
        self.punctual = True
        """Our own tick is not late, so that when a packet is read says when it came."""
        self.gaps = Gaps(capacity)
        self.arrivals = Arrivals(capacity)
        self._known: list[Flags] = []
        self._view()

    def _view(self) -> None:
        # lists, so that they are no columns
        self._frames = [self.ring.reshape(-1, FRAME).view("V160")[:, 0]]
        self._fill = [self.filled.reshape(-1)]

    def grow(self, capacity: int) -> None:
        """Lengthen every column."""
        super().grow(capacity)
        self.gaps.grow(capacity)
        self.arrivals.grow(capacity)
        self._view()

    def clear(self, slot: int) -> None:
        """An empty buffer in a slot, mu-law until ``set_law``."""
        super().clear(slot)
        self.set_law(slot, 0)

    def set_law(self, slot: int, law: int) -> None:
        """Empty a leg's buffer and set its codec: 0 mu-law, 1 A-law. It starts with the next packet."""
        self.law[slot] = law
        self.stop(np.array([slot]))

    def stop(self, slots: Integers) -> None:
        """Nobody reads these any more. They start afresh, with a packet that comes then."""
        self.running[slots] = self.special[slots] = self.shorten[slots] = False

    # Packets in.

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
        lateness = self.delay[slots] - ahead
        # more than MOST_AHEAD is earlier than any delay, too
        odd = begins | ~self.running[slots] | ((ahead | lateness) < 0)
        if odd.any():
            keep = self._realign(slots, timestamp, ahead, length, begins, odd)
            if not keep.all():
                slots, rows, timestamp = slots[keep], rows[keep], timestamp[keep]
                begin, length = begin[keep], length[keep]
            ahead = self._ahead(slots, timestamp)
            lateness = np.maximum(self.delay[slots] - ahead, 0)
        self.late_run[slots] = 0
        if self.punctual:
            self.arrivals.add(slots, lateness)
        plain = (length == FRAME) & (ahead % FRAME == 0)
        if plain.all():
            self._put_frames(slots, raw, rows, begin, ahead)
            return
        self._put_frames(slots[plain], raw, rows[plain], begin[plain], ahead[plain])
        whole = ~plain & (length % FRAME == 0) & (ahead % FRAME == 0) & (ahead >= 0)
        for number in range(int(length[whole].max(initial=0)) // FRAME):  # packets of 40 or 60 ms
            of = np.flatnonzero(whole & (length > number * FRAME))
            at = number * FRAME
            self._put_frames(slots[of], raw, rows[of], begin[of] + at, ahead[of] + at)
        other = ~plain & ~whole
        if not other.any():
            return
        self._put_octets(slots[other], raw, rows[other], begin[other], length[other], ahead[other])

    def _ahead(self, slots: Integers, timestamp: Integers) -> Integers:
        """Samples from the reader to the packet, negative when it has passed."""
        return _signed(timestamp - self.ticks * FRAME + self.behind_clock[slots])

    def _reader(self, slots: Integers) -> Integers:
        """The frame of the ring that is read next."""
        return (self.ticks + self.turn[slots]) % FRAMES

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
        late = ~start & (ahead < 0)
        keep = start | (ahead + length > 0)
        if late.any():
            regained = late & self.punctual
            if self.punctual:
                idle = (self.gaps.missing[slots] >= -ahead) & ~self.filled[slots].any(axis=1)
                regained &= idle
                # nothing is lost by starting anew where it would be too much to wait
                start |= regained & (self.delay[slots] - ahead > MOST_DELAY)
                self._wait(slots[regained & ~start], -ahead[regained & ~start])
            lost = late & ~regained & ~keep
            self._count_late(slots[lost], -ahead[lost])
            start |= lost & (self.late_run[slots] >= LATE_RUN)
            keep |= regained | start
        self._start(slots[start], timestamp[start], length[start])
        self._take_early(slots, timestamp, odd & ~start & (ahead > 0))
        return keep

    def _take_early(self, slots: Integers, timestamp: Integers, which: Flags) -> None:
        """Packets that come earlier than any did before, or so early that there must be a backlog."""
        slots, timestamp = slots[which], timestamp[which]
        if not len(slots):
            return
        ahead = self._ahead(slots, timestamp)
        for index in (ahead > MOST_AHEAD).nonzero()[0].tolist():
            self.skip_frames(int(slots[index]), -((MOST_DELAY - int(ahead[index])) // FRAME))
        early = self._ahead(slots, timestamp) - self.delay[slots]
        if self.punctual and (early > 0).any():
            slots, bins = slots[early > 0], -(-early[early > 0] // STEP)
            self.arrivals.earlier(slots, bins)
            self.delay[slots] += bins * STEP

    def _wait(self, slots: Integers, samples: Integers) -> None:
        """Set readers back where nothing is queued. What is played next follows the gap as before."""
        self.behind_clock[slots] += samples
        self.delay[slots] += samples
        self.changed_at[slots] = self.ticks

    def _count_late(self, slots: Integers, samples: Integers) -> None:
        self.late[slots] += 1
        if self.punctual:
            self.arrivals.add(slots, self.delay[slots] + samples)
            self.late_run[slots] += self.late_at[slots] != self.ticks
            self.late_at[slots] = self.ticks

    def _start(self, slots: Integers, timestamp: Integers, length: Integers) -> None:
        """Begin with these packets: their last sample is in the frame read next, or beyond it."""
        if not len(slots):
            return
        fresh = slots[~self.running[slots]]
        self.ring[fresh] = _octets(SILENCE[self.law[fresh]])[:, :1]
        self.gaps.missing[fresh] = self.gaps.behind[fresh] = 0
        self.special[fresh] = False
        lead = np.maximum(FRAME - length, 0)
        self.running[slots] = True
        self.filled[slots] = 0
        self.behind_clock[slots] = self.ticks * FRAME - timestamp + lead
        self.delay[slots] = lead
        self.needed[slots] = 0
        self.late_run[slots] = 0
        self.changed_at[slots] = self.began_at[slots] = self.ticks
        self.shorten[slots] = False
        self.arrivals.forget(slots)
        for slot, samples in zip(slots[lead > 0].tolist(), lead[lead > 0].tolist(), strict=True):
            self._lead_in(slot, samples)

    def _lead_in(self, slot: int, samples: int) -> None:
        """What comes before a first packet of less than a frame is silence, and no gap."""
        at = int(self._reader(np.array([slot]))[0]) * FRAME
        self.ring[slot, at : at + samples] = _octets(SILENCE[self.law[slot : slot + 1]])[0, 0]
        self._known_octets()[slot, at : at + FRAME] = np.arange(FRAME) < samples
        self.filled[slot, at // FRAME] = samples

    def _put_frames(
        self, slots: Integers, raw: Octets, rows: Integers, begin: Integers, ahead: Integers
    ) -> None:
        at = ahead // FRAME
        at += self.turn[slots]
        at += self.ticks
        at &= FRAMES - 1
        at += slots * FRAMES
        self._fill[0][at] = FRAME
        if (begin == 12).all():
            payload = raw[:, 12 : 12 + FRAME].view("V160")[:, 0]
            self._frames[0][at] = payload[rows]
            return
        octets = raw[rows[:, None], begin[:, None] + np.arange(FRAME)]
        self._frames[0][at] = octets.view("V160")[:, 0]

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
        target = (self._reader(slots)[:, None] * FRAME + ahead[:, None] + column) % RING
        packet, sample = np.nonzero(wanted)
        leg, at = slots[packet], target[packet, sample]
        known = self._known_octets()
        frames = np.unique(leg * FRAMES + at // FRAME)
        by_frame, before = known.reshape(-1, FRAME), self._fill[0][frames]
        by_frame[frames[before == 0]] = False
        by_frame[frames[before == FRAME]] = True
        self.ring[leg, at] = raw[rows[packet], source[packet, sample]]
        known[leg, at] = True
        self._fill[0][frames] = by_frame[frames].sum(axis=1)

    def _known_octets(self) -> Flags:
        """bool [capacity, RING]: which octets of frames that came in parts are there. Made when needed."""
        if not self._known or len(self._known[0]) != len(self.ring):
            known = np.zeros(self.ring.shape, np.bool_)
            if self._known:
                known[: len(self._known[0])] = self._known[0]
            self._known = [known]
        return self._known[0]

    # Frames out.

    def read(self, slots: Integers) -> Frames:
        """Take the next 20 ms of each leg, V160 [n], and let a tick pass. slots: all different."""
        frames = self._read(slots) if len(slots) else _NOTHING
        self.ticks += 1
        self.arrivals.tick()
        share = len(slots) // MEASURED_TOGETHER + 1  # the steps cost more than the legs when these are few
        turn = self.ticks % MEASURE_TICKS
        if len(slots) and turn < share:
            self._measure(slots[turn :: min(share, MEASURE_TICKS)])
        return frames

    def _read(self, slots: Integers) -> Frames:
        at = slots * FRAMES + self._reader(slots)
        frames: Frames = self._frames[0][at]
        filled = self._fill[0][at]
        self._fill[0][at] = 0
        special = self.special[slots]
        special |= filled != FRAME
        if special.any():
            rows = np.flatnonzero(special)
            self._read_special(slots[rows], filled[rows], frames, rows)
        return frames

    def _read_special(self, slots: Integers, filled: Integers, frames: Frames, rows: Integers) -> None:
        """The frames of legs in or after a gap, or of which one is to be cut; ``rows``: where in frames."""
        octets = _octets(frames)
        law = self.law[slots]
        if self.shorten[slots].any():
            filled = self._cut(slots, filled, octets, rows)
        reader = self._reader(slots)
        missing = self.gaps.missing[slots]
        gone = filled == 0
        silent = gone & (~self.running[slots] | (missing >= SILENT_FROM))
        octets[rows[silent]] = _octets(SILENCE[law[silent]])
        made = np.flatnonzero(gone & ~silent)
        if len(made):
            at = slots[made]
            octets[rows[made]] = self.gaps.fill(self.ring, at, reader[made], law[made])
            self.concealed[at] += 1
        after = np.flatnonzero((filled == FRAME) & (missing > 0))
        if len(after):
            at, where = slots[after], rows[after]
            octets[where] = self.gaps.close(self.ring, at, reader[after], law[after], octets[where])
            self.gaps.missing[at] = self.gaps.behind[at] = 0
        for each in np.flatnonzero((filled > 0) & (filled < FRAME)).tolist():
            slot, frame, row = int(slots[each]), int(reader[each]), rows[each]
            known = self._known_octets()[slot, frame * FRAME : (frame + 1) * FRAME]
            octets[row] = self.gaps.patch(self.ring, slot, frame, int(law[each]), octets[row], known)
        # the ring keeps what is played: it is the history of the next gap
        self._frames[0][slots * FRAMES + reader] = frames[rows]
        in_gap = slots[gone]
        self.gaps.missing[in_gap] += FRAME
        self.gaps.behind[in_gap] += FRAME
        self._hold(slots[made])
        self.special[slots] = self.running[slots] & ((self.gaps.missing[slots] > 0) | self.shorten[slots])

    def _hold(self, slots: Integers) -> None:
        """Of legs that have just been given a frame made up, let those wait that need more delay."""
        slots = slots[self.needed[slots] > self.delay[slots]]
        self.turn[slots] -= 1
        self.gaps.behind[slots] -= FRAME
        self._wait(slots, np.full(len(slots), FRAME))

    def _cut(self, slots: Integers, filled: Integers, octets: Octets, rows: Integers) -> Integers:
        """Take a frame out where one is to be, and the next is there. Returns what is filled now."""
        following = (self._reader(slots) + 1) % FRAMES
        at = slots * FRAMES + following
        able = self.shorten[slots] & (self._fill[0][at] == FRAME) & ((filled == 0) | (filled == FRAME))
        chosen = np.flatnonzero(able)
        if not len(chosen):
            return filled
        legs, where, law = slots[chosen], rows[chosen], self.law[slots[chosen]]
        now = decoded(octets[where], law)
        silent = (filled[chosen] == 0) | (np.sqrt((now**2).mean(axis=1)) < _SILENT)
        much = self.delay[legs] - self.needed[legs] >= 2 * FRAME
        waited = self.ticks - self.changed_at[legs] >= np.where(much, REST_TICKS // 5, PATIENCE_TICKS)
        take = silent | waited
        chosen, legs, where, law, silent = chosen[take], legs[take], where[take], law[take], silent[take]
        after = _octets(self._frames[0][at[chosen]])
        faded = now[take] + (decoded(after, law) - now[take]) * _FADE_IN
        octets[where] = np.where(silent[:, None], after, encoded(faded, law))
        self._fill[0][at[chosen]] = 0
        self._pass(legs, 1)
        self.shorten[legs] = False
        result = filled.copy()
        result[chosen] = FRAME
        return result

    def _pass(self, slots: Integers, frames: int) -> None:
        """Move readers on, past frames that are not played."""
        self.turn[slots] += frames
        self.behind_clock[slots] -= frames * FRAME
        self.delay[slots] = np.maximum(self.delay[slots] - frames * FRAME, 0)
        self.changed_at[slots] = self.ticks

    def skip_frames(self, slot: int, frames: int) -> None:
        """Drop the next frames of a leg unheard."""
        dropped = (self._reader(np.array([slot])) + np.arange(min(frames, FRAMES))) % FRAMES
        self.filled[slot, dropped] = 0
        self._pass(np.array([slot]), frames)

    def skip(self, ticks: int) -> None:
        """Let ticks pass in which nothing is read: what should have been heard in them never is."""
        every = np.arange(len(self.turn))
        for number in range(min(ticks, FRAMES)):
            self.filled[every, (self.ticks + number + self.turn) % FRAMES] = 0
        self.ticks += ticks
        running = np.flatnonzero(self.running)
        self.gaps.missing[running] += ticks * FRAME
        self.gaps.behind[running] += ticks * FRAME
        self.special[running] = True

    def _measure(self, slots: Integers) -> None:
        """See what delay each leg needs, and whether it has a frame too many."""
        slots = slots[self.running[slots]]
        age = self.ticks - self.began_at[slots]
        self.arrivals.belittle(slots[(age >= BEGINNING_TICKS) & (age < BEGINNING_TICKS + MEASURE_TICKS)])
        needed, unused, sure = self.arrivals.measure(slots)
        unused = np.where(sure, np.minimum(unused, self.delay[slots] // STEP), 0)
        if unused.any():
            moved = unused.nonzero()[0]
            self.arrivals.earlier(slots[moved], -unused[moved])
            self.delay[slots] -= unused * STEP
        self.needed[slots] = np.where(sure, np.minimum(needed - unused * STEP, MOST_DELAY), 0)
        excess = self.delay[slots] - self.needed[slots]
        rest = np.where(excess >= 2 * FRAME, REST_TICKS // 5, REST_TICKS)
        shorten = sure & (excess >= FRAME) & (self.ticks - self.changed_at[slots] >= rest)
        self.shorten[slots] = shorten
        self.special[slots] |= shorten
