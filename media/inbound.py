"""What comes in: a tick's packets through the header and sequence checks to the queues and the events."""

from __future__ import annotations

import numpy as np

from media.arrangement import Arrangement
from media.client_levels import ClientLevels
from media.coded import CodedLegs
from media.digits import Digits
from media.jitter_buffer import JitterBuffer
from media.legs import NONE, Legs
from media.reception import Reception
from media.rtp import Flags, Headers, Integers, Octets, read_headers

COMFORT_NOISE = 13
"""Payload type of RFC 3389. Whoever sends it has fallen silent: it is counted, and not played."""
FLOOD_LIMIT = 200
"""Packets a second of one stream; the newest over it are dropped unread (security F8)."""


class Inbound:
    """The receiving half of the plane. Nothing is raised: what is not fit is dropped and counted."""

    def __init__(
        self,
        legs: Legs,
        reception: Reception,
        jitter_buffer: JitterBuffer,
        arrangement: Arrangement,
        digits: Digits,
        coded: CodedLegs,
        client_levels: ClientLevels,
    ) -> None:
        self._client_levels = client_levels
        self._coded = coded
        self._legs = legs
        self._reception = reception
        self._jitter_buffer = jitter_buffer
        self._arrangement = arrangement
        self._digits = digits
        self.control: list[tuple[int, bytes]] = []
        """RTCP that came on the RTP port of a leg that negotiated so (RFC 5761); the driver empties it."""

    def receive(self, slots: Integers, raw: Octets, sizes: Integers, now: float) -> None:
        """Take one datagram a leg.

        slots: int64 [n], all different; raw: uint8 [n or more, room], a datagram a row; sizes: int64 [n], -1
        where there is none: not read, or not authentic.
        """
        legs = self._legs
        raw = raw[: len(slots)]
        count = legs.this_second[slots]
        count += sizes >= 0
        legs.this_second[slots] = count
        within = count <= FLOOD_LIMIT
        if not within.any():  # a flood of one leg must not cost the others their tick
            legs.flooded[slots] += 1
            return
        headers = read_headers(raw, sizes)
        audio = headers.valid & within & (headers.payload_type == legs.payload_type[slots])
        if audio.all():  # as in most ticks
            self._take_audio(slots, raw, np.arange(len(slots)), headers, now)
            return
        event = headers.valid & within & ~audio & (headers.payload_type == legs.event_type[slots])
        comfort = headers.valid & within & ~audio & (headers.payload_type == COMFORT_NOISE)
        good = audio | event | comfort
        if not good.all():
            self._drop(slots, headers, good, raw, sizes)
        rows = audio.nonzero()[0]
        if len(rows):
            self._take_audio(slots[rows], raw, rows, headers.of(audio), now)
        rows = (event | comfort).nonzero()[0]
        if len(rows):
            rows = rows[self._accept(slots[rows], headers.of(event | comfort))[0]]
            self._events(rows[event[rows]], slots, raw, headers, now)

    def _accept(self, slots: Integers, headers: Headers) -> tuple[Flags, Flags]:
        """Check the sequence and count what is taken: bool [n], bool [n] whether a stream begins anew."""
        reception = self._reception
        accepted, begins = reception.accept(slots, headers.ssrc, headers.sequence)
        length = headers.length
        if not accepted.all():
            slots, length = slots[accepted], length[accepted]
        reception.packets[slots] += 1
        reception.octets[slots] += length
        return accepted, begins

    def _take_audio(self, slots: Integers, raw: Octets, rows: Integers, headers: Headers, now: float) -> None:
        """Take sound, a packet a leg. rows: int64 [n], each packet's row in ``raw``; headers: of these packets."""
        accepted, begins = self._accept(slots, headers)
        if not accepted.all():
            slots, rows, begins, headers = (
                slots[accepted],
                rows[accepted],
                begins[accepted],
                headers.of(accepted),
            )
        self._reception.time(slots, headers.timestamp, now)
        wanted = self._legs.receive[slots] & self._arrangement.is_heard[slots] & (headers.length > 0)
        if not wanted.all():
            slots, rows, begins, headers = slots[wanted], rows[wanted], begins[wanted], headers.of(wanted)
        if len(slots):
            if self._client_levels.offered:
                self._client_levels.read(slots, raw, rows, headers)
            self._queue(slots, raw, rows, headers, begins)

    def end_of_second(self) -> None:
        """Count each leg's packets anew."""
        self._legs.this_second[:] = 0

    def _queue(self, slots: Integers, raw: Octets, rows: Integers, headers: Headers, begins: Flags) -> None:
        coded = self._coded.index[slots] != NONE
        if coded.any():
            self._coded.receive(slots[coded], raw, rows[coded], headers.of(coded), begins[coded])
            if coded.all():
                return
            slots, rows, begins, headers = slots[~coded], rows[~coded], begins[~coded], headers.of(~coded)
        self._jitter_buffer.insert(slots, raw, rows, headers.timestamp, headers.begin, headers.length, begins)

    def _drop(self, slots: Integers, headers: Headers, good: Flags, raw: Octets, sizes: Integers) -> None:
        """Count what is not taken, and put aside the RTCP among it (RFC 5761 section 4)."""
        legs = self._legs
        over = legs.this_second[slots] > FLOOD_LIMIT
        legs.flooded[slots[over]] += 1
        control = ~over & ~good & legs.mux[slots] & headers.marker
        control &= (headers.payload_type >= 64) & (headers.payload_type <= 95)
        for row in np.flatnonzero(control).tolist():
            self.control.append((int(slots[row]), raw[row, : sizes[row]].tobytes()))
        legs.malformed[slots[~good & ~over & ~control & (sizes >= 0)]] += 1

    def _events(self, rows: Integers, slots: Integers, raw: Octets, headers: Headers, now: float) -> None:
        """Read telephone events; there are a few a second at most."""
        for row in rows.tolist():
            slot, begin = int(slots[row]), int(headers.begin[row])
            if self._legs.receive[slot]:
                payload = raw[row, begin : begin + int(headers.length[row])].tobytes()
                self._digits.receive(slot, payload, int(headers.timestamp[row]), now)
