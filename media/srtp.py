"""SRTP and SRTCP of a worker's legs (RFC 3711, RFC 7714): what came is opened in place before the plane sees it.

A leg has a context for each direction, from the keys that signalling exchanged. A packet whose tag is wrong, or that
was seen before, is dropped and counted, and nothing else happens (security F4): libsrtp moves the roll-over counter
and the replay window by authentic packets only, and so do we with the bound on sources.

A new key takes the place of the old one at once, in both directions; what comes under the old one is still opened for
``GRACE_SECONDS``, since the peer changes over only when our answer has reached it. The same key again changes nothing.

A stream may be older than our context of it: a worker was lost, and this one carries its calls on. How often its
sequence number has wrapped is then found by trying, as long as nothing was authentic under the key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from media.rtp import Flags, Integers, Octets

if TYPE_CHECKING:
    from media.control import SrtpTerms
    from media.libsrtp import Context, Function, Rows

GRACE_SECONDS = 5.0
"""How long packets under the former key are taken: a 200 that is lost is sent again within some seconds."""
MOST_SOURCES = 16
"""SSRCs opened under one key. Each costs libsrtp a stream for as long as the key lives."""
TRAILER = 20
"""Octets a packet may grow: the longest tag is 16; SRTCP adds four for its index and E bit."""
MOST_BUFFERS = 4
MOST_WRAPS = 64
"""How often a stream may have wrapped before we met it: 23 hours at 50 packets a second."""
SEARCH_SECONDS = 1.0
"""Least time between two trials of that, each a millisecond or two, on one leg."""
LONGEST = 2048
"""Octets of one packet handled by itself: RTCP, events, coded frames."""


@dataclass(slots=True)
class _Secure:
    terms: SrtpTerms
    inbound: Context
    outbound: Context
    sources: set[int] = field(default_factory=set)
    former: Context | None = None
    former_until: float = 0.0
    search_at: float = 0.0


class SrtpLegs:
    """The contexts of the legs that have some, by slot."""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self._legs: dict[int, _Secure] = {}
        self._is_secure: Flags = np.zeros(64, np.bool_)
        self._source: npt.NDArray[np.int64] = np.full(64, -1, np.int64)  # SSRC of the last authentic packet
        self._failed: Integers = np.zeros(64, np.int64)
        self._changing: set[int] = set()  # slots with a former key
        self._fresh: set[int] = set()  # slots where nothing was authentic yet under the key
        self._received: dict[int, Rows] = {}
        self._single: Octets | None = None
        self._single_rows: Rows | None = None
        self._sealed: Octets = np.zeros((0, 0), np.uint8)
        self._sealed_rows: Rows | None = None
        self._sealing: list[Any] = []
        self._sealing_slots: Integers = np.zeros(0, np.int64)
        self._plain_size = 0

    def __len__(self) -> int:
        """How many legs are secure."""
        return len(self._legs)

    def __contains__(self, slot: object) -> bool:
        """Whether the leg in this slot is."""
        return slot in self._legs

    def secure(self, slot: int, terms: SrtpTerms | None, now: float) -> None:
        """Take up the keys of an offer/answer; None: the leg goes on without SRTP.

        Raises ValueError: a key does not fit its suite (signalling has checked that).
        """
        leg = self._legs.get(slot)
        if terms is None:
            if leg is not None:
                self.clear(slot)
            return
        from media.libsrtp import Context  # loads OpenSSL: not in a worker that has no secure leg

        if leg is None:
            inbound = Context(terms.suite, terms.receive_key, inbound=True)
            outbound = Context(terms.suite, terms.send_key, inbound=False)
            self._make_room(slot)
            self._legs[slot] = _Secure(terms, inbound, outbound)
            self._is_secure[slot] = True
            self._fresh.add(slot)
            self._source[slot], self._failed[slot] = -1, 0
            return
        former, same_suite = leg.terms, leg.terms.suite == terms.suite
        if not same_suite or former.receive_key != terms.receive_key:
            leg.former, leg.former_until = leg.inbound, now + GRACE_SECONDS
            leg.inbound = Context(terms.suite, terms.receive_key, inbound=True)
            leg.sources.clear()
            self._source[slot] = -1
            self._changing.add(slot)
            self._fresh.add(slot)
        if not same_suite or former.send_key != terms.send_key:
            leg.outbound = Context(terms.suite, terms.send_key, inbound=False)
        leg.terms = terms

    def clear(self, slot: int) -> None:
        """Forget a leg's keys."""
        if self._legs.pop(slot, None) is not None:
            self._is_secure[slot] = False
            self._changing.discard(slot)
            self._fresh.discard(slot)

    def failed(self, slot: int) -> int:
        """Packets of the leg whose tag was wrong."""
        return int(self._failed[slot]) if slot in self._legs else 0

    def _make_room(self, slot: int) -> None:
        while slot >= len(self._is_secure):
            size = len(self._is_secure)
            self._is_secure = np.concatenate([self._is_secure, np.zeros(size, np.bool_)])
            self._source = np.concatenate([self._source, np.full(size, -1, np.int64)])
            self._failed = np.concatenate([self._failed, np.zeros(size, np.int64)])

    def is_secure(self, slots: Integers) -> Flags:
        """bool [n]: which of the slots have keys."""
        if len(slots):
            self._make_room(int(slots.max()))
        secure: Flags = self._is_secure[slots]
        return secure

    # Receiving.

    def unprotect(self, slots: Integers, raw: Octets, sizes: Integers, now: float) -> None:
        """Open what came for secure legs, in place; what cannot be gets size -1.

        slots: int64 [n]; raw: uint8 [n or more, room], a datagram a row; sizes: int64 [n], changed.
        """
        rows = np.flatnonzero(self.is_secure(slots) & (sizes > 0))
        if not len(rows):
            return
        if self._changing:
            self._end_grace(now)
        kind = raw[rows, 1]
        control = (kind >= 192) & (kind <= 223)  # RTCP on the RTP port (RFC 5761 section 4)
        if control.any():
            for row in rows[control].tolist():
                self._open_control(int(slots[row]), raw, row, sizes)
            rows = rows[~control]
        ssrc = np.ascontiguousarray(raw[rows, 8:12]).view(">u4")[:, 0].astype(np.int64)
        known = ssrc == self._source[slots[rows]]
        if not known.all():
            taken = known | self._may_begin(slots[rows], ssrc, known)
            sizes[rows[~taken]] = -1
            rows, ssrc = rows[taken], ssrc[taken]
        self._open(slots[rows], raw, rows, sizes, now)
        if not known.all():
            self._remember(slots[rows], ssrc, sizes[rows] > 0)

    def _open(self, slots: Integers, raw: Octets, rows: Integers, sizes: Integers, now: float) -> None:
        kept = self._keep(slots, raw, rows, sizes) if self._changing or self._fresh else {}
        buffer = self._rows_of(raw)
        lengths, legs = buffer.lengths, self._legs
        lengths[rows] = sizes[rows]
        handles = [legs[slot].inbound.handle for slot in slots.tolist()]
        statuses = buffer.work("unprotect", handles, rows)
        sizes[rows] = lengths[rows]
        if any(statuses):
            for row, slot, status in zip(rows.tolist(), slots.tolist(), statuses, strict=True):
                if status:
                    saved = kept.get(row)
                    opened = None if saved is None else self._open_otherwise(slot, saved, now)
                    if opened is None:
                        self._count_failure(slot, status)
                        sizes[row] = -1
                    else:
                        raw[row, : len(opened)] = np.frombuffer(opened, np.uint8)
                        sizes[row] = len(opened)

    def _rows_of(self, raw: Octets) -> Rows:
        """The pointers into a buffer that is received into, made once for it."""
        rows = self._received.get(id(raw))
        if rows is None:
            from media.libsrtp import Rows

            rows = Rows(raw)  # which keeps ``raw``, so its id stays its own
            while len(self._received) >= MOST_BUFFERS:
                del self._received[next(iter(self._received))]  # the one not used for longest
        else:
            del self._received[id(raw)]
        self._received[id(raw)] = rows
        return rows

    def _may_begin(self, slots: Integers, ssrc: Integers, known: Flags) -> Flags:
        """Which packets of other sources than the last one may be tried."""
        taken = np.zeros(len(slots), np.bool_)
        for at in np.flatnonzero(~known).tolist():
            sources = self._legs[int(slots[at])].sources
            taken[at] = int(ssrc[at]) in sources or len(sources) < MOST_SOURCES
            if not taken[at]:
                self.counters["srtp_sources"] += 1
        return taken

    def _remember(self, slots: Integers, ssrc: Integers, authentic: Flags) -> None:
        for at in np.flatnonzero(authentic).tolist():
            slot = int(slots[at])
            self._source[slot] = ssrc[at]
            self._fresh.discard(slot)
            self._legs[slot].sources.add(int(ssrc[at]))

    def _count_failure(self, slot: int, status: int) -> None:
        from media.libsrtp import REPLAYED

        if status in REPLAYED:
            self.counters["srtp_replayed"] += 1
        else:
            self.counters["srtp_unauthentic"] += 1
            self._failed[slot] += 1

    # Packets that the leg's context does not open: under the former key, or of a stream older than it.

    def _end_grace(self, now: float) -> None:
        for slot in [slot for slot in self._changing if now >= self._legs[slot].former_until]:
            self._changing.discard(slot)
            self._legs[slot].former = None

    def _keep(self, slots: Integers, raw: Octets, rows: Integers, sizes: Integers) -> dict[int, bytes]:
        """The packets that may be tried again, by row: a failed attempt spoils them."""
        return {
            row: raw[row, : sizes[row]].tobytes()
            for row, slot in zip(rows.tolist(), slots.tolist(), strict=True)
            if slot in self._changing or slot in self._fresh
        }

    def _open_otherwise(self, slot: int, data: bytes, now: float) -> bytes | None:
        opened = self._open_by_former(slot, data)
        leg = self._legs[slot]
        if opened is not None:
            return opened
        if slot not in self._fresh:  # the context may have been found by an earlier packet of this batch
            return self._one("unprotect", leg.inbound, data)[1]
        if now < leg.search_at:
            return None
        from media.libsrtp import resumed

        leg.search_at = now + SEARCH_SECONDS
        found = resumed(leg.terms.suite, leg.terms.receive_key, data, MOST_WRAPS)
        if found is None:
            return None
        leg.inbound, opened = found
        self._fresh.discard(slot)
        self.counters["srtp_resumed"] += 1
        return opened

    def _open_by_former(self, slot: int, data: bytes, function: Function = "unprotect") -> bytes | None:
        former = self._legs[slot].former
        return None if former is None else self._one(function, former, data)[1]

    # Single packets.

    def _one(self, function: Function, context: Context, data: bytes) -> tuple[int, bytes | None]:
        """One packet through libsrtp: its status, and the result."""
        if len(data) + TRAILER > LONGEST:
            return -1, None
        if self._single is None or self._single_rows is None:
            from media.libsrtp import Rows

            self._single = np.zeros((1, LONGEST), np.uint8)
            self._single_rows = Rows(self._single)
        self._single[0, : len(data)] = np.frombuffer(data, np.uint8)
        lengths = self._single_rows.lengths
        lengths[0] = len(data)
        status = self._single_rows.work_first(function, [context.handle])[0]
        return status, None if status else self._single[0, : lengths[0]].tobytes()

    def _opened(self, function: Function, slot: int, data: bytes) -> bytes | None:
        leg = self._legs[slot]
        at = 4 if function == "unprotect_rtcp" else 8
        ssrc = int.from_bytes(data[at : at + 4], "big")
        if ssrc not in leg.sources and len(leg.sources) >= MOST_SOURCES:
            self.counters["srtp_sources"] += 1
            return None
        status, opened = self._one(function, leg.inbound, data)
        if opened is None:
            opened = self._open_by_former(slot, data, function) if slot in self._changing else None
            if opened is None:
                self._count_failure(slot, status)
            return opened
        leg.sources.add(ssrc)
        return opened

    def open_single(self, slot: int, data: bytes) -> bytes | None:
        """One SRTP packet of a secure leg; None when it is not authentic or came before."""
        return self._opened("unprotect", slot, data)

    def open_rtcp(self, slot: int, data: bytes) -> bytes | None:
        """One SRTCP packet; a leg without keys gets it as it is."""
        return self._opened("unprotect_rtcp", slot, data) if slot in self._legs else data

    def _open_control(self, slot: int, raw: Octets, row: int, sizes: Integers) -> None:
        opened = self.open_rtcp(slot, raw[row, : sizes[row]].tobytes())
        if opened is None:
            sizes[row] = -1
            return
        raw[row, : len(opened)] = np.frombuffer(opened, np.uint8)
        sizes[row] = len(opened)

    def protect_single(self, slot: int, data: bytes) -> bytes | None:
        """A packet as it is sent, of a secure leg or not; None: it must not be sent."""
        return self._protected("protect", slot, data)

    def protect_rtcp(self, slot: int, data: bytes) -> bytes | None:
        """A compound packet as it is sent."""
        return self._protected("protect_rtcp", slot, data)

    def _protected(self, function: Function, slot: int, data: bytes) -> bytes | None:
        leg = self._legs.get(slot)
        if leg is None:
            return data
        _, protected = self._one(function, leg.outbound, data)
        if protected is None:
            self.counters["srtp_not_sent"] += 1
        return protected

    # A tick's worth of packets.

    def arrange(self, slots: Sequence[int], size: int) -> list[memoryview]:
        """Prepare to seal a packet of ``size`` octets of each of these secure slots a tick.

        Returns what to send: a view a slot, filled by ``seal``. Good until the next call.
        """
        if not slots:
            self._sealing, self._sealing_slots = [], np.zeros(0, np.int64)
            return []
        if len(slots) > len(self._sealed) or self._plain_size != size:
            from media.libsrtp import Rows

            room = (size + TRAILER + 3) // 4 * 4
            self._sealed = np.zeros((2 * len(slots), room), np.uint8)
            self._sealed_rows = Rows(self._sealed)
            self._plain_size = size
        legs = [self._legs[slot] for slot in slots]
        self._sealing = [leg.outbound.handle for leg in legs]
        self._sealing_slots = np.array(slots, np.int64)
        return [
            memoryview(row)[: size + leg.terms.tag_size] for row, leg in zip(self._sealed, legs, strict=False)
        ]

    def seal(self, packets: Octets) -> None:
        """Protect this tick's packets of the arranged slots. packets: uint8 [capacity, size], left as it is."""
        rows, count = self._sealed_rows, len(self._sealing)
        if not count or rows is None:
            return
        self._sealed[:count, : self._plain_size] = packets[self._sealing_slots]
        rows.lengths[:count] = self._plain_size
        statuses = rows.work_first("protect", self._sealing)
        if any(statuses):  # a key used up after 2**48 packets: what is not sealed must not be read by anybody
            for at, status in enumerate(statuses):
                if status:
                    self._sealed[at] = 0
                    self.counters["srtp_not_sent"] += 1
