"""The media plane: every leg of a worker as rows of arrays, and the 20 ms tick over them (design decision 2).

The plane knows neither sockets nor clock nor process. Its driver hands it what came in, one packet a leg at
a time (``receive``), and once every 20 ms calls ``tick``; then it sends row ``packets[slot]`` for every slot
of ``senders``, and each datagram of ``extra``, and takes ``outputs``. Nothing is raised out of a tick:
what is not fit is dropped and counted.

Here are the commands and the order of the tick; ``inbound`` receives, ``arrangement`` says who sends what.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from media.arrangement import Arrangement
from media.client_levels import ClientLevels
from media.codecs.g711 import alaw_decode, ulaw_decode
from media.codecs.loading import Codecs
from media.coded import CodedLegs
from media.coded_outbound import Packet
from media.coded_playing import CodedPlaying
from media.coded_prompts import CodedPrompts
from media.control import Stream, begin_stream
from media.digits import Digits
from media.dtmf import CLOCK
from media.hooks import Hooks
from media.inbound import Inbound
from media.jitter_buffer import SILENCE, Frames, JitterBuffer
from media.legs import NONE, Legs, Negotiated, Output, PlayEnded
from media.mixer import Mixer
from media.packet_queue import REVIEW_TICKS
from media.player import PLAIN, SPEECH_DBOV, Player, PlayOptions
from media.private_rooms import PrivateRooms
from media.reception import Reception
from media.rooms import RoomSettings
from media.rtp import FRAME, Integers, Octets
from media.talkers import AUDIBLE
from media.transmission import Transmission

TICKS_PER_SECOND = 50
SIGN_OF_LIFE_TICKS = 250
"""An idle leg sends 20 ms of silence every 5 s, so that a NAT binding stays (RFC 6263)."""
FIRST_CAPACITY = 64


class Plane:
    """All legs of one worker."""

    def __init__(
        self,
        random_bits: Callable[[int], int],
        capacity: int = FIRST_CAPACITY,
        codecs: Codecs | None = None,
        clock: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """clock: seconds, to measure plug-ins by."""
        self._random_bits = random_bits
        self._outputs: list[Output] = []
        self.capacity = capacity
        self.legs = Legs(capacity)
        self.reception = Reception(capacity)
        self.jitter_buffer = JitterBuffer(capacity)
        self.player = Player(capacity)
        self.transmission = Transmission(capacity)
        self.coded = CodedLegs(self.transmission, capacity, codecs)
        self.client_levels = ClientLevels(capacity)
        self.mixer = Mixer(
            capacity,
            self.jitter_buffer,
            self.transmission,
            self.coded,
            self.client_levels,
            self.player.bank,
            self._outputs.append,
        )
        self._private_rooms = PrivateRooms(self.legs, self.coded, self.mixer)
        self._coded_playing = CodedPlaying(
            capacity, self.player, self.mixer.people, self.coded, CodedPrompts(self.player.bank)
        )
        self._digits = Digits(self.legs, self.transmission, self.coded, self._outputs)
        self.hooks = Hooks(capacity, clock)
        self._arrangement = Arrangement(
            self.legs,
            self.jitter_buffer,
            self.player,
            self.transmission,
            self.coded,
            self.mixer,
            self.hooks,
            self._coded_playing,
        )
        self._inbound = Inbound(
            self.legs,
            self.reception,
            self.jitter_buffer,
            self._arrangement,
            self._digits,
            self.coded,
            self.client_levels,
        )
        self._free = list(range(capacity - 1, -1, -1))
        self._ticks = 0
        self._changed = True
        self.recorded_frames: Frames = np.zeros(0, "V160")
        """V160 [n]: what the legs of ``recorded`` said in this tick."""
        self.extra: list[tuple[int, Packet]] = []
        """(slot, packet): what is to be sent beside the rows of ``senders``, events and all of the coded legs."""

    @property
    def senders(self) -> Integers:
        """The slots whose row of packets is to be sent."""
        return self._arrangement.senders

    @property
    def generation(self) -> int:
        """Changes whenever ``senders`` or the memory of the packets does."""
        return self._arrangement.generation

    @property
    def recorded(self) -> Integers:
        """The slots that are recorded, of those that speak G.711."""
        return self._arrangement.recorded

    @property
    def coded_recorded(self) -> Integers:
        """The slots that are recorded, of the coded legs: their sound is in ``coded``."""
        return self._arrangement.coded_recorded

    # Commands.

    def open(self, stream: Stream | None = None) -> int:
        """A new leg, that sends and accepts nothing until ``negotiate``. Returns its slot.

        stream: where its own stream begins; None: at random.
        """
        if not self._free:
            self._grow()
        slot = self._free.pop()
        for part in (self.legs, self.reception, self.jitter_buffer, self.player, self.mixer):
            part.clear(slot)
        if stream is None:
            stream = begin_stream(self._random_bits)
        self.transmission.begin(slot, ssrc=stream.ssrc, sequence=stream.sequence, timestamp=stream.timestamp)
        self.legs.open[slot] = True
        return slot

    def close(self, slot: int) -> None:
        """End a leg. Its slot may be used again at once."""
        self.stop_playing(slot)
        self.bridge(slot, None)
        self.mixer.leave(slot)
        self._private_rooms.forget(slot)
        self._digits.close(slot)
        self.hooks.close(slot)
        self.coded.negotiate(slot, None)
        self.legs.clear(slot)
        self._free.append(slot)
        self._changed = True

    def negotiate(self, slot: int, terms: Negotiated) -> None:
        """Take up an offer/answer; playing, echo, recording and bridges go on."""
        legs = self.legs
        if int(self.jitter_buffer.law[slot]) != terms.law or legs.payload_type[slot] == NONE:
            self.jitter_buffer.set_law(slot, terms.law)
        self.player.set_law(slot, terms.law)
        legs.payload_type[slot] = terms.payload_type
        legs.event_type[slot] = NONE if terms.event_type is None else terms.event_type
        send_event = terms.event_type if terms.send_event_type is None else terms.send_event_type
        legs.send_event_type[slot] = NONE if send_event is None else send_event
        if terms.inband and not legs.inband[slot]:
            self._digits.inband.clear(slot)
        legs.inband[slot], legs.hush[slot] = terms.inband, terms.hush
        legs.send[slot], legs.receive[slot], legs.mux[slot] = terms.send, terms.receive, terms.mux
        send_type = terms.payload_type if terms.send_payload_type is None else terms.send_payload_type
        self.transmission.set_payload_type(slot, send_type)
        if terms.event_clock != legs.event_clock[slot]:
            legs.event_clock[slot] = terms.event_clock
            self._digits.change_clock(slot)
        self._set_clock(slot, CLOCK if terms.terms is None else terms.terms.clock)
        self.client_levels.negotiate(slot, None if terms.terms is None else terms.level_id)
        self.coded.negotiate(slot, terms.terms)
        self.coded.outbound.set_payload_type(slot, send_type)
        self._changed = True

    def _set_clock(self, slot: int, rate: int) -> None:
        """Count a leg's timestamps, in and out, so many a second."""
        if rate != self.reception.clock[slot]:
            self.transmission.set_clock(slot, rate)
            self.reception.set_clock(slot, rate)

    def play(
        self,
        slot: int,
        names: list[str],
        *,
        loop: bool,
        tag: int,
        skip: int = 0,
        options: PlayOptions = PLAIN,
    ) -> list[str]:
        """Play prompts in turn, the first ``skip`` ticks left out. Returns the names that are not loaded."""
        self.stop_playing(slot)
        self._coded_playing.begin(slot)
        unknown = self.player.start(slot, names, loop=loop, tag=tag, skip=skip, options=options)
        if not self.player.playing[slot]:
            self._outputs.append(PlayEnded(slot, tag, interrupted=bool(unknown)))
        self._changed = True
        return unknown

    def stop_playing(self, slot: int, cause: Literal["", "digit", "speech"] = "") -> None:
        """Stop what a leg plays, if it does."""
        place = self.player.place(slot)
        tag = self.player.stop(slot)
        if tag is not None:
            self._outputs.append(PlayEnded(slot, tag, interrupted=True, cause=cause, position=place))
            self._changed = True

    def pause_playing(self, slot: int, *, on: bool) -> None:
        """Hold what a leg plays, or go on."""
        self.player.pause(slot, on=on)
        self._changed = True

    def seek(self, slot: int, ticks: int, *, relative: bool) -> None:
        """Go on elsewhere in what a leg plays."""
        self.player.seek(slot, ticks, relative=relative)

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
            if end is not None and peers[end] != NONE:
                peers[peers[end]] = NONE
                peers[end] = NONE
        if other is not None and other != slot:
            peers[slot], peers[other] = other, slot
        self._changed = True

    def join(self, slot: int, room: str) -> None:
        """Bring a leg into a room; it is heard by the others in it, and hears them."""
        self.mixer.join(slot, room)
        self._changed = True

    def leave(self, slot: int) -> None:
        """Take a leg out of its room."""
        self.mixer.leave(slot)
        self._changed = True

    def set_participant(
        self,
        slot: int,
        *,
        muted: bool,
        gain_db: float,
        agc: bool,
        gate: bool,
        denoise: bool,
        volume_db: float = 0.0,
    ) -> bool:
        """How a leg is mixed, now and in rooms to come; False: there is no noise removal here."""
        self._changed = True
        return self.mixer.set_participant(
            slot, muted=muted, gain_db=gain_db, agc=agc, gate=gate, denoise=denoise, volume_db=volume_db
        )

    def set_room(self, name: str, settings: RoomSettings) -> None:
        """How a room is mixed, until it is empty."""
        self.mixer.set_room(name, settings)
        self._changed = True

    def send_digits(self, slot: int, digits: str) -> None:
        """Send digits, as telephone events or as tones, in place of the audio; ``DigitsOut`` follows."""
        self._digits.send(slot, digits)

    def take_outputs(self) -> list[Output]:
        """What happened since the last call."""
        outputs = self._outputs.copy()
        self._outputs.clear()
        return outputs

    def buffered_ms(self, slot: int) -> float:
        """How long what a leg says waits here before it is played."""
        row = int(self.coded.index[slot])
        if row == NONE:
            return float(self.jitter_buffer.delay[slot]) / 8
        return 2.5 * float(self.coded.queue.most_ahead[row])

    def take_control(self) -> list[tuple[int, bytes]]:
        """(slot, packet): RTCP that came on the RTP port of legs that negotiated so (RFC 5761)."""
        control, self._inbound.control = self._inbound.control, []
        return control

    def _grow(self) -> None:
        """Double the capacity."""
        self._free += range(2 * self.capacity - 1, self.capacity - 1, -1)
        self.capacity *= 2
        parts = (
            self.legs,
            self.reception,
            self.jitter_buffer,
            self.player,
            self.transmission,
            self._digits.inband,
            self.client_levels,
        )
        for part in (*parts, self.mixer, self.hooks, self._coded_playing):
            part.grow(self.capacity)
        self.coded.grow(self.capacity)
        self._changed = True

    # Receiving.

    def receive(self, slots: Integers, raw: Octets, sizes: Integers, now: float) -> None:
        """Take one datagram a leg.

        slots: int64 [n], all different; raw: uint8 [n or more, room], a datagram a row; sizes: int64 [n].
        """
        if self._changed or self._digits.changed or self.hooks.changed or self.mixer.changed:
            self._arrange()
        self._inbound.receive(slots, raw, sizes, now)

    # The tick.

    def tick(self, now: float, number: int | None = None) -> None:
        """Make the next 20 ms of every leg. number: of the tick, the same on every worker; by default they count up."""
        self._ticks += 1
        self.mixer.number = self.mixer.number + 1 if number is None else number
        self.client_levels.tick += 1
        self.transmission.advance(1)
        if self._changed or self._digits.changed or self.hooks.changed or self.mixer.changed:
            self._arrange()
        arrangement = self._arrangement
        arrangement.mark_talkspurts()
        heard = self.jitter_buffer.read(arrangement.heard)
        self._read_coded(arrangement)
        if self.hooks.active:
            self.hooks.run(heard, self.jitter_buffer, self.coded)
        if len(arrangement.recorded):
            self.recorded_frames = heard[arrangement.recorded_at]
        if len(arrangement.inband) or len(arrangement.coded_inband):
            self._hear_digits(heard)
        if len(arrangement.interruptible) or len(arrangement.coded_interruptible):
            self._stop_for_speech(heard)
        if self._digits.pressed:
            self._stop_for_digits()
        arrangement.write_frames(heard)
        self.transmission.write_headers(arrangement.senders)
        self.extra = self._speak_coded(arrangement)
        self._end_playing(arrangement.players)
        self._end_playing(self._coded_playing.players)
        self._end_playing(self._coded_playing.under)
        self._end_playing(arrangement.under)
        self._digits.tick(now, self.extra, self.jitter_buffer.law)
        if self._ticks % TICKS_PER_SECOND == 0:
            self._inbound.end_of_second()
        if self._ticks % REVIEW_TICKS == 0:
            self.coded.review(arrangement.coded_heard)
        if self._ticks % SIGN_OF_LIFE_TICKS == 0:
            self._show_life()

    def _stop_for_speech(self, heard: Frames) -> None:
        """End prompts their callers speak over."""
        arrangement, player = self._arrangement, self.player
        rows = self.coded.index[arrangement.coded_interruptible]
        stopped = [
            player.spoken_over(arrangement.interruptible, arrangement.speaking(heard)),
            player.spoken_over(arrangement.coded_interruptible, self.coded.level[rows] < SPEECH_DBOV),
        ]
        for slot in np.concatenate(stopped).tolist():
            self.stop_playing(
                slot, "speech"
            )  # its last frame goes out: the order of ``heard`` holds for this tick

    def _stop_for_digits(self) -> None:
        """End prompts that a key is to stop."""
        for slot in self._digits.pressed:
            if self.player.stop_on_digit[slot]:
                self.stop_playing(slot, "digit")
        self._digits.pressed.clear()

    def _read_coded(self, arrangement: Arrangement) -> None:
        """Decode the coded legs, but for those that say they are silent and whom only a room hears."""
        coded, said = self.coded, self.client_levels
        slots, passable = arrangement.coded_heard, arrangement.coded_passable
        if not said.offered or not len(passable):
            coded.read(slots)
            return
        envelope = self.mixer.people.envelope[passable]
        idle = said.idle(passable, envelope)
        passed = passable[idle]
        coded.pass_over(passed)
        coded.read(np.setdiff1d(slots, passed))
        checked = passable[~idle & (envelope >= AUDIBLE)]
        said.check(checked, coded.level[coded.index[checked]].astype(np.float32))

    def _hear_digits(self, heard: Frames) -> None:
        """Find the digits in the sound, and silence them for those it goes to."""
        arrangement, laws = self._arrangement, self.jitter_buffer.law
        slots, at = arrangement.inband, arrangement.inband_at
        octets = heard[at].view(np.uint8).reshape(-1, FRAME)
        sound = np.where(laws[slots][:, None] == 0, ulaw_decode(octets), alaw_decode(octets))
        sound = sound.astype(np.float32)
        rows = self.coded.index[arrangement.coded_inband]
        if len(rows):
            sound = np.concatenate((sound, self.coded.narrow(rows)))
        everybody = np.concatenate((slots, arrangement.coded_inband))
        hushed = self._digits.hear(everybody, sound, self.mixer.people.room[everybody] != NONE)
        if len(hushed):
            narrow = hushed[hushed < len(slots)]
            heard[at[narrow]] = SILENCE[laws[slots[narrow]]]
            self.coded.pcm[rows[hushed[hushed >= len(slots)] - len(slots)]] = 0

    def set_punctual(self, punctual: bool) -> None:
        """Whether the tick whose packets come next is on time, so that when they are read says when they came."""
        self.jitter_buffer.punctual = self.coded.queue.punctual = punctual

    def skip(self, ticks: int) -> None:
        """Let ticks pass that came too late to be made: time goes on, nothing is sent."""
        self.transmission.advance(ticks)
        self.jitter_buffer.skip(ticks)
        self.coded.skip(self._arrangement.coded_heard, ticks)

    def _speak_coded(self, arrangement: Arrangement) -> list[tuple[int, Packet]]:
        """What coded legs are sent in this tick."""
        coded = self.coded
        outbound = coded.outbound
        outbound.begin_tick()
        sent = self._coded_playing.speak()
        for slot in arrangement.coded_echoes.tolist():
            outbound.put((slot,), coded.sound(slot))
        return sent + outbound.flush(arrangement.may_send)

    def _arrange(self) -> None:
        self._changed = self._digits.changed = self.hooks.changed = False
        self._private_rooms.update()
        self._arrangement.update()

    def _end_playing(self, players: Integers) -> None:
        if not len(players):
            return
        for slot, tag in self.player.finished(players):
            self._outputs.append(PlayEnded(slot, tag, interrupted=False))
            self._changed = True

    def _show_life(self) -> None:
        """Send a frame of silence on the legs that may send and have nothing to."""
        legs = self.legs
        idle = legs.open & legs.send & (legs.payload_type != NONE) & ~legs.signalling_events
        idle &= ~self.transmission.talking
        coded = idle & (self.coded.index != NONE)
        self.extra += self.coded.outbound.show_life(np.flatnonzero(coded).tolist(), SIGN_OF_LIFE_TICKS)
        idle &= ~coded
        for slot in np.flatnonzero(idle).tolist():
            payload_type = int(self.transmission.packets["second"][slot]) & 0x7F
            silence = SILENCE[int(self.jitter_buffer.law[slot])].tobytes()
            self.extra.append((slot, self.transmission.single(slot, payload_type, silence, marker=True)))
