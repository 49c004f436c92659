"""The media plane: every leg of a worker as rows of arrays, and the 20 ms tick over them (design decision 2).

The plane knows neither sockets nor clock nor process. Its driver hands it what came in, one packet a leg at
a time (``receive``), and once every 20 ms calls ``tick``; then it sends row ``packets[slot]`` for every slot
of ``senders``, and each datagram of ``extra``, and takes ``outputs``. Nothing is raised out of a tick:
what is not fit is dropped and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from media.codecs.g711 import ALAW_TO_ULAW, ULAW_TO_ALAW
from media.columns import Columns
from media.dtmf import DigitBegan, DigitEnded, EventReceiver, EventSender
from media.player import Player
from media.playout import SILENCE, TRIM_TICKS, Frames, PlayoutQueue
from media.reception import Reception
from media.rtp import FRAME, Flags, Headers, Integers, Octets, read_headers
from media.transmission import Transmission

TICK_SECONDS = 0.02
TICKS_PER_SECOND = 50
FLOOD_LIMIT = 200
"""Packets a second of one stream; the newest over it are dropped unread (security F8)."""
SIGN_OF_LIFE_TICKS = 250
"""An idle leg sends 20 ms of silence every 5 s, so that a NAT binding stays (RFC 6263)."""
FIRST_CAPACITY = 64

_TRANSLATE = np.stack([np.frombuffer(ULAW_TO_ALAW, np.uint8), np.frombuffer(ALAW_TO_ULAW, np.uint8)])
"""uint8 [law of the source, octet]: the octet in the other law."""
_NONE = -1


@dataclass(frozen=True, slots=True)
class PlayEnded:
    slot: int
    tag: int
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Digit:
    slot: int
    digit: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class DigitsOut:
    """All queued digits of a leg are sent; ``ok`` False: there was no payload type to send them with."""

    slot: int
    ok: bool


Output = PlayEnded | Digit | DigitsOut


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What offer/answer says of a leg's packets. ``law``: 0 mu-law, 1 A-law."""

    law: int
    payload_type: int
    event_type: int | None
    send: bool
    receive: bool
    mux: bool = False
    send_payload_type: int | None = None
    send_event_type: int | None = None


class Legs(Columns):
    """What a leg does, and what was dropped on it."""

    def __init__(self, capacity: int) -> None:
        self.open = np.zeros(capacity, np.bool_)
        self.send = np.zeros(capacity, np.bool_)
        self.receive = np.zeros(capacity, np.bool_)
        self.mux = np.zeros(capacity, np.bool_)
        self.payload_type = np.full(capacity, _NONE, np.int64)
        self.event_type = np.full(capacity, _NONE, np.int64)
        self.send_event_type = np.full(capacity, _NONE, np.int64)
        self.echo = np.zeros(capacity, np.bool_)
        self.recording = np.zeros(capacity, np.bool_)
        self.peer = np.full(capacity, _NONE, np.int64)
        self.signalling_events = np.zeros(capacity, np.bool_)  # our own digits are going out
        self.this_second = np.zeros(capacity, np.int64)
        self.flooded = np.zeros(capacity, np.int64)
        self.malformed = np.zeros(capacity, np.int64)

    def clear(self, slot: int) -> None:
        """A row that is not open and accepts nothing."""
        super().clear(slot)
        for column in (self.payload_type, self.event_type, self.send_event_type, self.peer):
            column[slot] = _NONE


class Plane:
    """All legs of one worker."""

    def __init__(self, random_bits: Callable[[int], int], capacity: int = FIRST_CAPACITY) -> None:
        self._random_bits = random_bits
        self.capacity = capacity
        self.legs = Legs(capacity)
        self.reception = Reception(capacity)
        self.playout = PlayoutQueue(capacity)
        self.player = Player(capacity)
        self.transmission = Transmission(capacity)
        self._free = list(range(capacity - 1, -1, -1))
        self._event_receivers: dict[int, EventReceiver] = {}
        self._event_senders: dict[int, EventSender] = {}
        self._digits_asked: set[int] = set()
        self._marked: Integers = np.zeros(0, np.int64)
        self._marked_generation = 0
        self._ticks = 0
        self._changed = True
        self._outputs: list[Output] = []
        self.generation = 0
        """Changes whenever ``senders`` or the memory of the packets does."""
        self.senders: Integers = np.zeros(0, np.int64)
        self.recorded: Integers = np.zeros(0, np.int64)
        self.recorded_frames: Frames = np.zeros(0, "V160")
        self.extra: list[tuple[int, bytes]] = []
        self.control: list[tuple[int, bytes]] = []
        """RTCP that came on the RTP port of a leg that negotiated so (RFC 5761); the driver empties it."""
        self._arrange()

    # Commands.

    def open(self) -> int:
        """A new leg, that sends and accepts nothing until ``negotiate``. Returns its slot."""
        if not self._free:
            self._grow()
        slot = self._free.pop()
        for part in (self.legs, self.reception, self.playout, self.player):
            part.clear(slot)
        bits = self._random_bits
        self.transmission.begin(slot, ssrc=bits(32), sequence=bits(16), timestamp=bits(32))
        self.legs.open[slot] = True
        return slot

    def close(self, slot: int) -> None:
        """End a leg. Its slot may be used again at once."""
        self.stop_playing(slot)
        self.bridge(slot, None)
        self._event_receivers.pop(slot, None)
        self._event_senders.pop(slot, None)
        self._digits_asked.discard(slot)
        self.legs.clear(slot)
        self._free.append(slot)
        self._changed = True

    def negotiate(self, slot: int, terms: Negotiated) -> None:
        """Take up an offer/answer; playing, echo, recording and bridges go on."""
        legs = self.legs
        if int(self.playout.law[slot]) != terms.law or legs.payload_type[slot] == _NONE:
            self.playout.set_law(slot, terms.law)
        self.player.set_law(slot, terms.law)
        legs.payload_type[slot] = terms.payload_type
        legs.event_type[slot] = _NONE if terms.event_type is None else terms.event_type
        send_event = terms.event_type if terms.send_event_type is None else terms.send_event_type
        legs.send_event_type[slot] = _NONE if send_event is None else send_event
        legs.send[slot], legs.receive[slot], legs.mux[slot] = terms.send, terms.receive, terms.mux
        send_type = terms.payload_type if terms.send_payload_type is None else terms.send_payload_type
        self.transmission.set_payload_type(slot, send_type)
        self._changed = True

    def play(self, slot: int, names: list[str], *, loop: bool, tag: int) -> list[str]:
        """Play prompts in turn. Returns the names that are not loaded."""
        self.stop_playing(slot)
        unknown = self.player.start(slot, names, loop=loop, tag=tag)
        if not self.player.playing[slot]:
            self._outputs.append(PlayEnded(slot, tag, interrupted=bool(unknown)))
        self._changed = True
        return unknown

    def stop_playing(self, slot: int) -> None:
        """Stop what a leg plays, if it does."""
        tag = self.player.stop(slot)
        if tag is not None:
            self._outputs.append(PlayEnded(slot, tag, interrupted=True))
            self._changed = True

    def echo(self, slot: int, *, on: bool) -> None:
        """Return what a leg says to it."""
        self.legs.echo[slot] = on
        self._changed = True

    def record(self, slot: int, *, on: bool) -> None:
        """Have a leg's sound put into ``recorded_frames``."""
        self.legs.recording[slot] = on
        self._changed = True

    def bridge(self, slot: int, other: int | None) -> None:
        """Let two legs hear each other, and nobody else any more; ``other`` None parts them."""
        peers = self.legs.peer
        for end in (slot, other):
            if end is not None and peers[end] != _NONE:
                peers[peers[end]] = _NONE
                peers[end] = _NONE
        if other is not None and other != slot:
            peers[slot], peers[other] = other, slot
        self._changed = True

    def send_digits(self, slot: int, digits: str) -> None:
        """Send digits as telephone events in place of the audio; ``DigitsOut`` follows."""
        if self.legs.send_event_type[slot] == _NONE:
            self._outputs.append(DigitsOut(slot, ok=False))
            return
        self._event_sender(slot).send(digits)
        self._digits_asked.add(slot)

    def take_outputs(self) -> list[Output]:
        """What happened since the last call."""
        outputs, self._outputs = self._outputs, []
        return outputs

    def _grow(self) -> None:
        """Double the capacity."""
        self._free += range(2 * self.capacity - 1, self.capacity - 1, -1)
        self.capacity *= 2
        for part in (self.legs, self.reception, self.playout, self.player, self.transmission):
            part.grow(self.capacity)
        self._changed = True

    # Receiving.

    def receive(self, slots: Integers, raw: Octets, sizes: Integers, now: float) -> None:
        """Take one datagram a leg.

        slots: int64 [n], all different; raw: uint8 [n or more, room], a datagram a row; sizes: int64 [n].
        """
        if self._changed:
            self._arrange()
        legs = self.legs
        raw = raw[: len(slots)]
        legs.this_second[slots] += 1
        within = legs.this_second[slots] <= FLOOD_LIMIT
        if not within.any():  # a flood of one leg must not cost the others their tick
            legs.flooded[slots] += 1
            return
        headers = read_headers(raw, sizes)
        audio = headers.payload_type == legs.payload_type[slots]
        event = headers.payload_type == legs.event_type[slots]
        good = headers.valid & (audio | event) & within
        if not good.all():
            self._drop(slots, headers, good, raw, sizes)
        rows = np.flatnonzero(good)
        accepted, begins = self.reception.accept(slots[rows], headers.ssrc[rows], headers.sequence[rows])
        if not accepted.all():
            rows, begins = rows[accepted], begins[accepted]
        slots_in = slots[rows]
        self.reception.packets[slots_in] += 1
        self.reception.octets[slots_in] += headers.length[rows]
        heard = audio[rows]
        self.reception.time(slots_in[heard], headers.timestamp[rows[heard]], int(now * 8000))
        wanted = heard & legs.receive[slots_in] & self._is_heard[slots_in] & (headers.length[rows] > 0)
        if wanted.any():
            self._queue(slots_in[wanted], raw, rows[wanted], headers, begins[wanted])
        if not heard.all():
            self._events(rows[~heard], slots, raw, headers, now)

    def _queue(self, slots: Integers, raw: Octets, rows: Integers, headers: Headers, begins: Flags) -> None:
        self.playout.insert(
            slots, raw, rows, headers.timestamp[rows], headers.begin[rows], headers.length[rows], begins
        )

    def _drop(self, slots: Integers, headers: Headers, good: Flags, raw: Octets, sizes: Integers) -> None:
        """Count what is not taken, and put aside the RTCP among it (RFC 5761 section 4)."""
        legs = self.legs
        over = legs.this_second[slots] > FLOOD_LIMIT
        legs.flooded[slots[over]] += 1
        control = ~over & ~good & legs.mux[slots] & headers.marker
        control &= (headers.payload_type >= 64) & (headers.payload_type <= 95)
        for row in np.flatnonzero(control).tolist():
            self.control.append((int(slots[row]), raw[row, : sizes[row]].tobytes()))
        legs.malformed[slots[~good & ~over & ~control]] += 1

    def _events(self, rows: Integers, slots: Integers, raw: Octets, headers: Headers, now: float) -> None:
        """Read telephone events; there are a few a second at most."""
        for row in rows.tolist():
            slot, begin = int(slots[row]), int(headers.begin[row])
            if self.legs.receive[slot]:
                payload = raw[row, begin : begin + int(headers.length[row])].tobytes()
                receiver = self._event_receivers.setdefault(slot, EventReceiver())
                self._digits(slot, receiver.receive(payload, int(headers.timestamp[row]), now))

    def _digits(self, slot: int, digits: list[DigitBegan | DigitEnded]) -> None:
        """Report digits, and let them cross the bridge."""
        peer = int(self.legs.peer[slot])
        crosses = peer != _NONE and self.legs.send_event_type[peer] != _NONE
        for digit in digits:
            if isinstance(digit, DigitEnded):
                self._outputs.append(Digit(slot, digit.digit, digit.duration_ms))
                if crosses:
                    self._event_sender(peer).release(digit.duration_ms)
            elif crosses:
                self._event_sender(peer).press(digit.digit)

    def _event_sender(self, slot: int) -> EventSender:
        """The leg's sender of digits; from now on its audio gives way."""
        self.legs.signalling_events[slot] = True
        self._changed = True
        return self._event_senders.setdefault(slot, EventSender())

    # The tick.

    def tick(self, now: float) -> None:
        """Make the next 20 ms of every leg."""
        self._ticks += 1
        self.transmission.advance(1)
        if self._changed:
            self._arrange()
        if self._marked_generation != self.generation or len(self._marked):
            self._mark_talkspurts()
            self._marked_generation = self.generation
        heard = self.playout.read(self._heard)
        if len(self.recorded):
            self.recorded_frames = heard[self._recorded_at]
        self._write_frames(heard)
        self.transmission.write_headers(self.senders)
        for slot, tag in self.player.finished(self._players) if len(self._players) else ():
            self._outputs.append(PlayEnded(slot, tag, interrupted=False))
            self._changed = True
        self.extra = []
        if self._event_senders:
            self._send_events()
        if self._event_receivers:
            for slot, receiver in self._event_receivers.items():
                self._digits(slot, receiver.handle_timer(now))
        if self._ticks % TICKS_PER_SECOND == 0:
            self.legs.this_second[:] = 0
        if self._ticks % TRIM_TICKS == 0:
            self.playout.trim(self._heard)
        if self._ticks % SIGN_OF_LIFE_TICKS == 0:
            self._show_life()

    def skip(self, ticks: int) -> None:
        """Let ticks pass that came too late to be made: time goes on, nothing is sent."""
        self.transmission.advance(ticks)
        for slot in self._heard.tolist():
            self.playout.skip(slot, ticks)

    def _write_frames(self, heard: Frames) -> None:
        """Put each sender's 20 ms into its packet."""
        frames = self.transmission.packets["frame"]
        if len(self._players):
            frames[self._players] = self.player.bank.rows[self.player.take(self._players)]
        if len(self._echoes):
            frames[self._echoes] = heard[self._echoed_at]
        if len(self._bridged):
            crossing = heard[self._bridged_at]
            if len(self._transcoded):
                octets = crossing[self._transcoded].view(np.uint8).reshape(-1, FRAME)
                law = self.playout.law[self.legs.peer[self._bridged[self._transcoded]]]
                crossing[self._transcoded] = _TRANSLATE[law[:, None], octets].view("V160")[:, 0]
            frames[self._bridged] = crossing

    def _arrange(self) -> None:
        """Work out who sends what, after a change. Playing goes before a bridge, a bridge before echo."""
        legs, player = self.legs, self.player
        free = legs.open & legs.send & ~legs.signalling_events & (legs.payload_type != _NONE)
        joined = legs.open & (legs.peer != _NONE)
        self._is_heard = (legs.echo | legs.recording | joined) & legs.open
        self._heard = np.flatnonzero(self._is_heard)
        where = np.zeros(self.capacity, np.int64)
        where[self._heard] = np.arange(len(self._heard))
        self._players = np.flatnonzero(free & player.playing)
        self._bridged = np.flatnonzero(free & joined & ~player.playing)
        self._echoes = np.flatnonzero(free & legs.echo & ~joined & ~player.playing)
        self._bridged_at = where[legs.peer[self._bridged]]
        self._echoed_at = where[self._echoes]
        laws = self.playout.law
        self._transcoded = np.flatnonzero(laws[self._bridged] != laws[legs.peer[self._bridged]])
        self.recorded = np.flatnonzero(legs.open & legs.recording)
        self._recorded_at = where[self.recorded]
        self.senders = np.concatenate([self._players, self._bridged, self._echoes])
        self.generation += 1
        self._start_queues()
        self._changed = False

    def _mark_talkspurts(self) -> None:
        """Set the marker on the first packet of who had been silent, and take it off the next one."""
        transmission = self.transmission
        transmission.unmark(self._marked)
        self._marked = self.senders[~transmission.talking[self.senders]]
        transmission.mark(self._marked)
        transmission.talking[:] = False
        transmission.talking[self.senders] = True

    def _start_queues(self) -> None:
        """A queue nobody reads stands still; it starts afresh when somebody does again."""
        idle = self.playout.running & ~self._is_heard
        self.playout.running[idle] = False

    def _send_events(self) -> None:
        """Send the digits of the legs that have some; each is a packet of its own, in place of the audio."""
        for slot, sender in list(self._event_senders.items()):
            packet = sender.tick() if sender.busy else None
            event_type = int(self.legs.send_event_type[slot])
            if packet is not None and self.legs.send[slot] and event_type != _NONE:
                data = self.transmission.single(
                    slot, event_type, packet.payload, marker=packet.marker, age=packet.age
                )
                self.extra.append((slot, data))
            if not sender.busy:
                self._digits_over(slot)

    def _digits_over(self, slot: int) -> None:
        del self._event_senders[slot]
        self.legs.signalling_events[slot] = False
        self._changed = True
        if slot in self._digits_asked:
            self._digits_asked.discard(slot)
            self._outputs.append(DigitsOut(slot, ok=True))

    def _show_life(self) -> None:
        """Send a frame of silence on the legs that may send and have nothing to."""
        legs = self.legs
        idle = legs.open & legs.send & (legs.payload_type != _NONE) & ~legs.signalling_events
        idle &= ~self.transmission.talking
        for slot in np.flatnonzero(idle).tolist():
            payload_type = int(self.transmission.packets["second"][slot]) & 0x7F
            silence = SILENCE[int(self.playout.law[slot])].tobytes()
            self.extra.append((slot, self.transmission.single(slot, payload_type, silence, marker=True)))
