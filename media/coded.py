"""Coded legs: those whose codec works frame by frame with a state, as all but G.711 do.

A leg of the plane that speaks such a codec has a row here besides its slot: ``index[slot]``, -1 for the others.
Packets wait in a ``PacketQueue``; each tick ``read`` makes 20 ms of sound of every leg that is listened to, in
``pcm`` at the leg's own ``rate``, lost packets made up for, and ``level`` says how loud it is. What the legs are sent
goes through ``outbound`` (``media.coded_outbound``). The only Python per leg and tick is the call of its decoder.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from media.codecs.coding import Decoder, Pcm, Terms
from media.codecs.loading import Codecs, make_decoder
from media.coded_outbound import CodedOutbound
from media.columns import Columns
from media.concealment import Concealer
from media.packet_queue import FRAME_UNITS, LOSSY_REVIEWS, UNITS_PER_SECOND, PacketQueue
from media.rtp import FRAME, Flags, Headers, Integers, Octets
from media.tones import RATE
from media.transmission import Transmission

MOST_SAMPLES = 960
"""20 ms at 48 kHz."""
LONGEST_SAMPLES = 5760
"""120 ms at 48 kHz."""
SILENT = 127
"""dBov below full scale, the lowest level RFC 6464 knows."""
CONCEALED_TICKS = 10
"""200 ms without a packet, and a leg is silent: what was lost is over, or the peer pauses."""
QUIET = 70
"""Below this level (-70 dBov) what is concealed is not worth the codec's work: silence."""
EDGES_PER_SECOND = 200
FIRST_ROWS = 16
_BLOCK = 32
_OPUS, _EVEN, _G729 = range(3)
_NONE = -1


class CodedRows(Columns):
    """What a tick leaves, and where each leg stands."""

    def __init__(self, capacity: int) -> None:
        self.slot = np.full(capacity, _NONE, np.int64)
        self.rate = np.zeros(capacity, np.int64)
        self.pcm = np.zeros((capacity, MOST_SAMPLES), np.int16)
        self.level = np.full(capacity, SILENT, np.int64)
        self.kind = np.zeros(capacity, np.int64)  # how long a packet is
        self.unit_octets = np.ones(capacity, np.int64)  # _EVEN: octets in 2.5 ms
        self.missing = np.full(capacity, CONCEALED_TICKS, np.int64)  # ticks since the last packet
        self.broken_off = np.zeros(capacity, np.int64)  # the last sample before the codec changed


class CodedLegs:
    """All coded legs of a worker. Rows are its own; everything outside it speaks of slots."""

    def __init__(self, transmission: Transmission, capacity: int, codecs: Codecs | None = None) -> None:
        self.index: Integers = np.full(capacity, _NONE, np.int64)
        """int64 [slots]: each leg's row, -1 where its codec is G.711."""
        self.rows = CodedRows(FIRST_ROWS)
        self.queue = PacketQueue(FIRST_ROWS)
        self._codecs = Codecs() if codecs is None else codecs
        self.outbound = CodedOutbound(transmission, capacity, self._codecs)
        self._terms: dict[int, Terms] = {}
        self._decoders: dict[int, Decoder] = {}
        self._pending: dict[int, Pcm] = {}
        self._free = list(range(FIRST_ROWS - 1, -1, -1))
        self._scratch: Pcm = np.zeros(LONGEST_SAMPLES, np.int16)
        self._concealers: dict[int, Concealer] = {}
        self._lost: list[int] = []

    @property
    def rate(self) -> Integers:
        """int64 [rows]: samples a second of each row's sound."""
        return self.rows.rate

    @property
    def pcm(self) -> Pcm:
        """int16 [rows, 960]: the last tick's sound; of a row the first ``rate / 50`` samples count, the rest is 0."""
        return self.rows.pcm

    @property
    def level(self) -> Integers:
        """int64 [rows]: the last tick's level in -dBov (RFC 6464): 0 is the loudest, 127 silence."""
        return self.rows.level

    def sound(self, slot: int) -> Pcm:
        """The last tick's sound of a coded leg, int16 [rate / 50]: a view that the next tick changes."""
        row = int(self.index[slot])
        return self.rows.pcm[row, : int(self.rows.rate[row]) // 50]

    def narrow(self, rows: Integers) -> npt.NDArray[np.float32]:
        """The last tick's sound at 8 kHz, float32 [n, 160] in int16 range: means of 2 or 6 samples.

        Good for looking at frequencies below 2 kHz, not for listening.
        """
        sound = np.zeros((len(rows), FRAME), np.float32)
        for rate in np.unique(self.rows.rate[rows]).tolist():
            at = np.flatnonzero(self.rows.rate[rows] == rate)
            factor = rate // RATE
            sound[at] = self.rows.pcm[rows[at], : FRAME * factor].reshape(-1, FRAME, factor).mean(2)
        return sound

    def late(self, slot: int) -> int:
        """Packets of a leg that came after their turn; 0 of one that is not coded."""
        row = int(self.index[slot])
        return 0 if row == _NONE else int(self.queue.late[row])

    # Legs.

    def grow(self, capacity: int) -> None:
        """Make room for more slots."""
        grown = np.full(capacity, _NONE, np.int64)
        grown[: len(self.index)] = self.index
        self.index = grown
        self.outbound.grow(capacity)

    def negotiate(self, slot: int, terms: Terms | None) -> None:
        """Set what a slot speaks; None: G.711, or no more at all. The same terms again change nothing."""
        row = int(self.index[slot])
        former = self._terms.get(row)
        if former == terms:
            return
        if terms is None:
            self._close(slot, row)
            return
        self._codecs.ready(terms.codec)
        if row == _NONE:
            row = self._open(slot)
        self._terms[row] = terms
        heard_alike = former is not None and former[:3] == terms[:3]  # only what we send is another
        if not heard_alike:
            self._begin(row, terms)
        self.outbound.negotiate(slot, terms)

    def _open(self, slot: int) -> int:
        if not self._free:
            old = len(self.rows.slot)
            for part in (self.rows, self.queue):
                part.grow(2 * old)
            for concealer in self._concealers.values():
                concealer.grow(2 * old)
            self._free += range(2 * old - 1, old - 1, -1)
        row = self._free.pop()
        self.index[slot] = row
        return row

    def _begin(self, row: int, terms: Terms) -> None:
        rows = self.rows
        slot = int(np.flatnonzero(self.index == row)[0])
        last = int(rows.pcm[row, rows.rate[row] // 50 - 1]) if rows.rate[row] else 0
        rows.clear(row)
        rows.slot[row], rows.rate[row], rows.level[row] = slot, terms.rate, SILENT
        rows.broken_off[row] = last
        rows.kind[row] = {"OPUS": _OPUS, "G729": _G729}.get(terms.codec, _EVEN)
        rows.unit_octets[row] = 20 if terms.codec == "G722" else 2 * terms.rate // UNITS_PER_SECOND
        rows.missing[row] = CONCEALED_TICKS
        self.queue.begin(row, terms.clock)
        self._decoders.pop(row, None)
        self._pending.pop(row, None)
        for concealer in self._concealers.values():
            concealer.clear(row)

    def _close(self, slot: int, row: int) -> None:
        self.queue.drop(row)
        self.rows.clear(row)
        self.rows.slot[row] = _NONE
        self.index[slot] = _NONE
        for kept in (self._terms, self._decoders, self._pending):
            kept.pop(row, None)
        self._free.append(row)
        self.outbound.negotiate(slot, None)

    # Receiving.

    def receive(self, slots: Integers, raw: Octets, at: Integers, headers: Headers, begins: Flags) -> None:
        """Queue one packet a leg.

        slots: int64 [n], all different, of coded legs; at: int64 [n], each packet's row in ``raw``; headers: theirs;
        begins: bool [n], the stream starts anew with the packet.
        """
        rows = self.index[slots]
        begin, length = headers.begin, headers.length
        units = self._units(rows, raw, at, begin, length)
        queue = self.queue
        queue.insert(rows, raw, at, headers.sequence, headers.timestamp, begin, length, units, begins)

    def _units(
        self, rows: Integers, raw: Octets, at: Integers, begin: Integers, length: Integers
    ) -> Integers:
        """How long each packet is, in 2.5 ms; 0: it is none of its codec."""
        kind = self.rows.kind[rows]
        units = length // self.rows.unit_octets[rows]
        coded = kind == _OPUS
        if coded.any():
            from media.codecs.opus import packet_units

            which, first = at[coded], begin[coded]
            second = raw[which, np.minimum(first + 1, raw.shape[1] - 1)]
            units[coded] = packet_units(raw[which, first], second, length[coded])
        annexed = kind == _G729
        if annexed.any():
            units[annexed] = 4 * (length[annexed] // 10 + (length[annexed] % 10 == 2))
        limited: Integers = np.minimum(units, 6 * FRAME_UNITS)
        return limited

    # The tick.

    def read(self, slots: Integers) -> None:
        """Make the next 20 ms of these legs, all different: ``pcm`` and ``level``."""
        if not len(slots):
            return
        rows, queue, state = self.index[slots], self.queue, self.rows
        entries = queue.read(rows)
        first = entries[:, 0]
        pool = queue.pool
        silent = state.missing[rows] >= CONCEALED_TICKS
        plain = (first > 0) & (pool.units[first] == FRAME_UNITS) & (queue.pending[rows] == 0)
        plain &= ~entries[:, 1:].any(axis=1) & (pool.behind[first] == 0)
        self._decode_plain(rows[plain], first[plain])
        for at in np.flatnonzero(~plain).tolist():
            row = int(rows[at])
            if entries[at].any() or queue.pending[row]:
                self._piece_together(row, entries[at].tolist())
            else:
                self._make_up(row)
        used = entries[entries > 0]
        pool.give_back(used)
        self._substitute(rows)
        self._soften(rows, rows[silent & (state.missing[rows] == 0)])
        state.level[rows] = levels(state.pcm, rows, state.rate[rows])

    def _soften(self, rows: Integers, begun: Integers) -> None:
        """Let sound begin, and end where the codec changed, within 5 ms and not at once. begun: rows."""
        state = self.rows
        for row in begun.tolist():
            edge = int(state.rate[row]) // EDGES_PER_SECOND
            ramp = (np.arange(edge) + 0.5) / edge
            state.pcm[row, :edge] = np.rint(state.pcm[row, :edge] * ramp)
        if not state.broken_off[rows].any():
            return
        for row in rows[state.broken_off[rows] != 0].tolist():
            edge = int(state.rate[row]) // EDGES_PER_SECOND
            fading = state.broken_off[row] * (1 + np.cos(np.pi * (np.arange(edge) + 0.5) / edge)) / 2
            state.pcm[row, :edge] = np.clip(np.rint(state.pcm[row, :edge] + fading), -32768, 32767)
            state.broken_off[row] = 0

    def pass_over(self, slots: Integers) -> None:
        """Let these legs be silent for a tick without decoding what they sent."""
        self.skip(slots, 1)
        rows = self.index[slots]
        self.rows.pcm[rows] = 0
        self.rows.level[rows] = SILENT
        self.rows.missing[rows] = CONCEALED_TICKS  # the next sound begins softly

    def skip(self, slots: Integers, ticks: int) -> None:
        """Let ticks pass unheard that came too late to be made."""
        for row in self.index[slots].tolist():
            self.queue.skip(row, ticks * FRAME_UNITS)
            self._pending.pop(row, None)
            self.queue.pending[row] = 0

    def review(self, slots: Integers) -> None:
        """Look at the delay of these legs; to be called every ``REVIEW_TICKS``."""
        self.queue.review(self.index[slots])

    def _decode_plain(self, rows: Integers, entries: Integers) -> None:
        """The common case: one packet of 20 ms a leg, decoded straight into its row."""
        pool, pcm, decoders = self.queue.pool, self.rows.pcm, self._decoders
        sources = pool.addresses(entries).tolist()
        targets = (pcm.ctypes.data + rows * (2 * MOST_SAMPLES)).tolist()
        rooms = (self.rows.rate[rows] // 50).tolist()
        sizes = pool.length[entries].tolist()
        self.rows.missing[rows] = 0
        for row, source, size, target, room in zip(
            rows.tolist(), sources, sizes, targets, rooms, strict=True
        ):
            decoder = decoders.get(row) or self._decoder(row)
            if decoder is None or decoder.decode(source, size, target, room) != room:
                self._make_up(row)

    def _decoder(self, row: int) -> Decoder | None:
        """A leg's decoder, None as long as its library is being loaded."""
        terms = self._terms[row]
        decoder = self._decoders.get(row)
        if decoder is None and self._codecs.ready(terms.codec):
            decoder = self._decoders[row] = make_decoder(terms)
        return decoder

    def _make_up(self, row: int) -> None:
        """20 ms of a leg for which nothing has come."""
        self._fill(row, self.rows.pcm[row, : int(self.rows.rate[row]) // 50])

    def _fill(self, row: int, out: Pcm) -> None:
        """Make up for a gap: from what the next packet repeats, by the codec, or by silence when it lasts."""
        state, queue = self.rows, self.queue
        decoder = self._decoders.get(row)
        missing = int(state.missing[row])
        state.missing[row] = missing + 1
        if decoder is None or missing >= CONCEALED_TICKS or (missing and state.level[row] >= QUIET):
            out[:] = 0
            return
        target, samples = out.ctypes.data, len(out)
        entry = queue.next_entry(row)
        if entry:
            queue.lossy_reviews[row] = LOSSY_REVIEWS
            source, size = queue.pool.payload(entry)
            if decoder.recover(source, size, target, samples):
                return
        if not decoder.conceal(target, samples):
            out[:] = 0
            if samples == state.rate[row] // 50:
                self._lost.append(row)

    def _substitute(self, rows: Integers) -> None:
        """Put something like what was heard last in place of what is lost of codecs without a concealment."""
        state = self.rows
        lost, self._lost = self._lost, []
        rows = rows[(state.kind[rows] == _EVEN) & (state.missing[rows] <= CONCEALED_TICKS)]
        for rate in np.unique(state.rate[rows]).tolist():
            concealer = self._concealers.get(rate)
            if concealer is None:
                concealer = self._concealers[rate] = Concealer(len(state.slot), rate)
            of_rate = rows[state.rate[rows] == rate]
            is_lost = np.isin(of_rate, lost)
            gone, there = of_rate[is_lost], of_rate[~is_lost]
            if len(gone):
                state.pcm[gone, : rate // 50] = concealer.lost(gone)
            if len(there):
                sound = state.pcm[there, : rate // 50]
                concealer.heard(there, sound)
                state.pcm[there, : rate // 50] = sound

    def _piece_together(self, row: int, entries: list[int]) -> None:
        """20 ms of packets that are longer or shorter, or stand in the midst of it."""
        rate = int(self.rows.rate[row])
        samples, unit = rate // 50, rate // UNITS_PER_SECOND
        out = self.rows.pcm[row, :samples]
        filled = self._take_pending(row, out)
        for place, entry in enumerate(entries):
            if not entry:
                continue
            if filled < place * unit:
                self._fill(row, out[filled : place * unit])
                filled = place * unit
            sound = self._decoded(row, entry)
            taken = min(len(sound), samples - filled)
            out[filled : filled + taken] = sound[:taken]
            filled += taken
            if taken < len(sound):
                self._keep(row, sound[taken:])
        if filled < samples:
            self._fill(row, out[filled:])
        self.queue.pending[row] = len(self._pending.get(row, ())) // unit

    def _take_pending(self, row: int, out: Pcm) -> int:
        """Put what was decoded before into ``out``; how many samples that is."""
        pending = self._pending.pop(row, None)
        if pending is None:
            return 0
        taken = min(len(pending), len(out))
        out[:taken] = pending[:taken]
        if taken < len(pending):
            self._pending[row] = pending[taken:]
        return taken

    def _keep(self, row: int, sound: Pcm) -> None:
        """Remember what is to be heard after this tick; two packets that overlap are heard after each other."""
        before = self._pending.get(row)
        kept = sound.copy() if before is None else np.concatenate((before, sound))
        self._pending[row] = kept[:LONGEST_SAMPLES]

    def _decoded(self, row: int, entry: int) -> Pcm:
        """A packet's sound without what came too late, int16 [n]: a view of the scratch."""
        decoder = self._decoder(row)
        if decoder is None:
            return self._scratch[:0]
        pool = self.queue.pool
        rate = int(self.rows.rate[row])
        room = min(LONGEST_SAMPLES, rate * int(pool.units[entry]) // UNITS_PER_SECOND)
        source, size = pool.payload(entry)
        count = decoder.decode(source, size, self._scratch.ctypes.data, room)
        if count:
            self.rows.missing[row] = 0
        behind = rate * int(pool.behind[entry]) // UNITS_PER_SECOND
        return self._scratch[behind:count]


def levels(pcm: Pcm, rows: Integers, rate: Integers) -> npt.NDArray[np.int64]:
    """-dBov of some rows (RFC 6464 appendix A), 127 for silence.

    pcm: int16 [all, 960]; rows: int64 [n]; rate: int64 [n]. Block by block: as floats at once they would take twice
    the memory of the sound itself.
    """
    power = np.empty(len(rows), np.float32)
    for begin in range(0, len(rows), _BLOCK):
        wave = pcm[rows[begin : begin + _BLOCK]].astype(np.float32)
        np.einsum("ij,ij->i", wave, wave, out=power[begin : begin + _BLOCK])
    decibels = -10 * np.log10(np.maximum(power / (rate // 50) / np.float32(32768.0**2), 1e-13))
    found: npt.NDArray[np.int64] = np.clip(np.rint(decibels), 0, SILENT).astype(np.int64)
    return found
