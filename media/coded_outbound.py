"""What coded legs are sent: each sound encoded once for all that hear it.

``put`` hands in 20 ms for one leg or for many; ``flush`` encodes at the tick's end and makes the packets. Legs of
equal terms (codec, rate, bit rate, ...) that are put the same sound under one key share an encoder: the listeners of
a room cost one encode together. A leg that is put a sound of its own, under no key, has its own encoder.

A listener that begins to talk is sent another sound from one tick to the next. Its decoder follows the shared encoder,
so its own encoder begins as a copy of that one, or, where the codec cannot be copied, is led there by what the shared
one has lately encoded: the switch does not click. The way back has no such copy, so it waits for a pause in the sound.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from media.codecs.coding import Encoder, Pcm, Terms
from media.codecs.loading import Codecs, make_encoder
from media.columns import Columns
from media.rtp import HEADER_SIZE, VERSION, Flags, Integers, Octets
from media.transmission import MARKER, Transmission

MOST_PAYLOAD = 1200
"""Octets of a packet; what a codec makes beyond it (L16 at 48 kHz) goes in two."""
LEAD_IN = 12
"""Frames (240 ms) that bring an encoder which cannot be copied to where another is."""
PAUSE = 64
"""Samples below this (-54 dBov) are a pause, in which another encoder is not heard."""
PATIENCE_TICKS = 150
"""After 3 s without a pause a leg goes back to the shared encoder all the same."""
MOST_WAITING = 8
"""Legs of a worker that may wait for a pause at once: each costs an encoder, and who has just joined a loud room is
one of many."""
_IDLE_TICKS = 100
"""A shared encoder nobody used for 2 s is let go."""

Packet = bytes | memoryview
Sent = list[tuple[int, Packet]]


class Shaping(Protocol):
    """How what a leg is to hear is changed for it."""

    def shape(self, pcm: Pcm) -> Pcm: ...


class _Outgoing(Columns):
    def __init__(self, capacity: int) -> None:
        self.payload_type = np.zeros(capacity, np.uint8)
        self.spoke = np.full(capacity, -2, np.int64)  # the tick of the last packet


@dataclass(slots=True)
class _Stream:
    """One encoder and who hears it."""

    encoder: Encoder
    used: int
    """Tick it was used last."""
    recent: deque[Pcm] | None = None
    """What it encoded last, where it cannot be copied."""

    def encode(self, pcm: Pcm, tick: int) -> bytes:
        self.used = tick
        if self.recent is not None:
            self.recent.append(pcm.copy())
        return self.encoder.encode(pcm)


@dataclass(frozen=True, slots=True)
class _Wish:
    slots: list[int]
    pcm: Pcm
    key: Hashable | None = None


@dataclass(slots=True)
class _Streams:
    """The encoders in use."""

    shared: dict[tuple[Hashable, Terms], _Stream] = field(default_factory=dict)
    own: dict[int, _Stream] = field(default_factory=dict)
    followed: dict[int, _Stream] = field(default_factory=dict)
    """The shared stream each listener has heard last."""


class CodedOutbound:
    """The sending half of all coded legs."""

    def __init__(self, transmission: Transmission, capacity: int, codecs: Codecs) -> None:
        self._transmission = transmission
        self._codecs = codecs
        self._outgoing = _Outgoing(capacity)
        self._terms: dict[int, Terms] = {}
        self._loss: dict[int, int] = {}
        self._streams = _Streams()
        self._wishes: list[_Wish] = []
        self._tick = 0
        self._now_waiting = 0
        self._tapped: frozenset[int] = frozenset()
        self.shaped: Mapping[int, Shaping] = {}
        """How what legs hear in this tick is changed for each alone."""
        self.heard: dict[int, Pcm] = {}
        """By slot, what a tapped leg is sent in this tick: int16, of its rate or (a prompt) of 8 kHz."""

    def grow(self, capacity: int) -> None:
        """Make room for more slots."""
        self._outgoing.grow(capacity)

    def negotiate(self, slot: int, terms: Terms | None) -> None:
        """Set what a slot is sent from now on; None: nothing coded."""
        self._streams.own.pop(slot, None)
        self._streams.followed.pop(slot, None)
        self._loss.pop(slot, None)
        self._outgoing.spoke[slot] = -2
        if terms is None:
            self._terms.pop(slot, None)
        else:
            self._terms[slot] = terms

    def set_payload_type(self, slot: int, payload_type: int) -> None:
        """Set the payload type of a slot's packets."""
        self._outgoing.payload_type[slot] = payload_type

    def report_loss(self, slot: int, percent: int) -> None:
        """Say how much of what a slot was sent lately did not arrive (RTCP)."""
        if slot in self._terms:
            self._loss[slot] = percent

    def put(self, slots: Iterable[int], pcm: Pcm, key: Hashable | None = None) -> None:
        """Give legs their next 20 ms, at most once a tick for a leg.

        pcm: int16 [rate / 50] at the rate of these legs; it must not change before ``flush``. key: what the legs have
        in common (a room), so that all put under it are sent the same; None: each leg has a sound of its own.
        """
        self._wishes.append(_Wish(list(slots), pcm, key))

    def put_payload(self, slots: Iterable[int], payload: bytes) -> Sent:
        """The packets of a payload that is encoded already: a prompt's. At most once a tick, before ``flush``."""
        return self._packets(list(slots), payload)

    def terms(self, slot: int) -> Terms | None:
        """How a slot speaks, None where it cannot yet: its codec is being loaded."""
        terms = self._terms.get(slot)
        return terms if terms is not None and self._codecs.ready(terms.codec) else None

    def tap(self, slots: Iterable[int]) -> None:
        """Keep what these legs are sent, and no others, in ``heard``: somebody records it."""
        self._tapped = frozenset(slots)

    def is_tapped(self, slot: int) -> bool:
        """Whether what a leg is sent is to be kept."""
        return slot in self._tapped

    def show_life(self, slots: Iterable[int], ticks: int) -> Sent:
        """20 ms of silence for those that were sent nothing for so many ticks."""
        packets: Sent = []
        for slot in slots:
            terms = self.terms(slot)
            if terms is not None and self._outgoing.spoke[slot] <= self._tick - ticks:
                self._streams.own.pop(slot, None)  # a new encoder does not begin in a DTX pause
                packets += self._send_own(slot, np.zeros(terms.samples, np.int16))
        return packets

    def say(self, slot: int, pcm: Pcm) -> Sent:
        """The packets of a sound that a leg is sent whatever else was put: our digits. pcm: as in ``put``."""
        terms = self.terms(slot)
        return [] if terms is None or len(pcm) != terms.samples else self._send_own(slot, pcm)

    def begin_tick(self) -> None:
        """Another 20 ms."""
        self._tick += 1
        if self.heard:
            self.heard = {}

    def flush(self, may_send: Flags) -> Sent:
        """Encode what was put and return (slot, packet) of everything to be sent. may_send: bool [slots]."""
        wishes, self._wishes = self._wishes, []
        self._now_waiting = 0
        packets: Sent = []
        if self.shaped:
            wishes, self.shaped = self._shape(wishes), {}
        if wishes:
            self._part_streams(wishes)
        if self._tapped:
            for wish in wishes:
                self.heard.update(
                    (slot, wish.pcm) for slot in self._tapped.intersection(wish.slots) if may_send[slot]
                )
        for wish in wishes:
            slots = [slot for slot in wish.slots if may_send[slot] and slot in self._terms]
            if wish.key is None:
                for slot in slots:
                    packets += self._send_own(slot, wish.pcm)
                continue
            for terms, alike in self._by_terms(slots).items():
                packets += self._send_shared(wish.key, terms, alike, wish.pcm)
        if self._tick % _IDLE_TICKS == 0:
            self._let_go()
        return packets

    def _shape(self, wishes: list[_Wish]) -> list[_Wish]:
        """The wishes, those for legs that hear something of their own taken out of what is shared."""
        made: list[_Wish] = []
        for wish in wishes:
            alone = self.shaped.keys() & wish.slots
            made += (_Wish([slot], self.shaped[slot].shape(wish.pcm)) for slot in sorted(alone))
            others = [slot for slot in wish.slots if slot not in alone] if alone else wish.slots
            if others:
                made.append(_Wish(others, wish.pcm, wish.key))
        return made

    def _by_terms(self, slots: list[int]) -> dict[Terms, list[int]]:
        found: dict[Terms, list[int]] = {}
        for slot in slots:
            found.setdefault(self._terms[slot], []).append(slot)
        return found

    def _part_streams(self, wishes: list[_Wish]) -> None:
        """Before anything is encoded: copy the shared encoder of each leg that is to have its own from now on."""
        streams = self._streams
        for wish in wishes:
            if wish.key is not None:
                continue
            for slot in wish.slots:
                followed = streams.followed.pop(slot, None)
                if followed is not None and slot not in streams.own and slot in self._terms:
                    streams.own[slot] = self._branch(followed, self._terms[slot])

    def _branch(self, stream: _Stream, terms: Terms) -> _Stream:
        """A stream that goes on from where another is now."""
        encoder = stream.encoder.clone()
        if encoder is not None:
            return _Stream(encoder, self._tick)
        encoder = make_encoder(terms)
        for pcm in stream.recent or ():
            encoder.encode(pcm)
        return _Stream(encoder, self._tick)

    def _send_own(self, slot: int, pcm: Pcm) -> Sent:
        terms = self._terms[slot]
        stream = self._streams.own.get(slot)
        if stream is None:
            if not self._codecs.ready(terms.codec):
                return []
            stream = self._streams.own[slot] = _Stream(make_encoder(terms), self._tick)
        return self._encode_own(slot, pcm, self._tick)

    def _encode_own(self, slot: int, pcm: Pcm, used: int) -> Sent:
        stream = self._streams.own[slot]
        stream.encoder.expect_loss(self._loss.get(slot, 0))
        return self._packets([slot], stream.encode(pcm, used))

    def _send_shared(self, key: Hashable, terms: Terms, slots: list[int], pcm: Pcm) -> Sent:
        streams = self._streams
        stream = streams.shared.get((key, terms))
        if stream is None:
            if not self._codecs.ready(terms.codec):
                return []
            stream = streams.shared[key, terms] = self._begin_shared(terms, slots)
        strangers = [slot for slot in slots if streams.followed.get(slot) is not stream]
        waiting = self._waiting(strangers, pcm)
        for slot in strangers:
            if slot not in waiting:
                streams.followed[slot] = stream
                streams.own.pop(slot, None)
        packets: Sent = []
        for slot in waiting:
            packets += self._encode_own(slot, pcm, streams.own[slot].used)
        if waiting:
            slots = [slot for slot in slots if slot not in waiting]
            if not slots:
                return packets
        if self._loss:
            stream.encoder.expect_loss(max(self._loss.get(slot, 0) for slot in slots))
        return packets + self._packets(slots, stream.encode(pcm, self._tick))

    def _waiting(self, slots: list[int], pcm: Pcm) -> list[int]:
        """Which of these, that are sent what all hear again, go on with their own encoder until there is a pause."""
        own = self._streams.own
        begun = [slot for slot in slots if slot in own and self._tick - own[slot].used < PATIENCE_TICKS]
        if not begun or int(np.abs(pcm.astype(np.int32)).max()) < PAUSE:
            return []
        waiting = begun[: MOST_WAITING - self._now_waiting]
        self._now_waiting += len(waiting)
        return waiting

    def _begin_shared(self, terms: Terms, slots: list[int]) -> _Stream:
        """A new shared stream; it goes on from the own encoder of one of its first listeners if one has any."""
        streams = self._streams
        giver = next((slot for slot in slots if slot in streams.own), None)
        encoder = make_encoder(terms) if giver is None else streams.own.pop(giver).encoder
        stream = _Stream(encoder, self._tick, None if encoder.copies else deque(maxlen=LEAD_IN))
        if giver is not None:
            streams.followed[giver] = stream
        return stream

    def _let_go(self) -> None:
        streams = self._streams
        for key in [key for key, each in streams.shared.items() if self._tick - each.used > _IDLE_TICKS]:
            del streams.shared[key]
        kept = {id(each) for each in streams.shared.values()}
        for slot in [slot for slot, each in streams.followed.items() if id(each) not in kept]:
            del streams.followed[slot]

    def _packets(self, slots: list[int], payload: bytes) -> Sent:
        """One payload as a packet for each slot; of one too long, the halves."""
        if not payload or not slots:
            return []
        if len(slots) == 1 and len(payload) <= MOST_PAYLOAD:
            return [(slots[0], self._single(slots[0], payload))]
        if len(payload) <= MOST_PAYLOAD:
            return self._part(np.array(slots), payload, 0.0)
        half = len(payload) // 2 & ~1
        where = np.array(slots)
        return self._part(where, payload[:half], 0.0) + self._part(where, payload[half:], 0.5)

    def _single(self, slot: int, payload: bytes) -> bytes:
        outgoing = self._outgoing
        begins = bool(outgoing.spoke[slot] < self._tick - 1)
        outgoing.spoke[slot] = self._tick
        return self._transmission.single(slot, int(outgoing.payload_type[slot]), payload, marker=begins)

    def _part(self, slots: Integers, payload: bytes, offset: float) -> Sent:
        """The packets of a payload that begins ``offset`` of a frame after the tick."""
        outgoing = self._outgoing
        second = outgoing.payload_type[slots]
        starts = outgoing.spoke[slots] < self._tick - 1
        outgoing.spoke[slots] = self._tick
        block: Octets = np.empty((len(slots), HEADER_SIZE + len(payload)), np.uint8)
        block[:, 0] = VERSION << 6
        block[:, 1] = second | np.where(starts, MARKER, 0).astype(np.uint8)
        block[:, 2:HEADER_SIZE] = self._transmission.number(slots, len(payload), offset)
        block[:, HEADER_SIZE:] = np.frombuffer(payload, np.uint8)
        size = block.shape[1]
        flat = block.reshape(-1).data
        return [(slot, flat[at * size : (at + 1) * size]) for at, slot in enumerate(slots.tolist())]
