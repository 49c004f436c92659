"""The tick over all legs, on a virtual clock; packets in and out are arrays, there is no socket."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from media.codecs.g711 import Pcm, alaw_decode, alaw_encode, ulaw_decode, ulaw_encode
from media.dtmf import DIGITS, EventPayload
from media.inbound import FLOOD_LIMIT
from media.legs import Digit, DigitsOut, Negotiated, PlayEnded
from media.plane import SIGN_OF_LIFE_TICKS, Plane
from media.rtp import FRAME, RtpPacket
from media.tones import dtmf

ROOM = 1088
PCMU = Negotiated(law=0, payload_type=0, event_type=101, send=True, receive=True)
PCMA = Negotiated(law=1, payload_type=8, event_type=96, send=True, receive=True)
DELAY = 0


class Phone:
    """The far end of a leg: what it says by frames, and what it has heard."""

    def __init__(self, terms: Negotiated = PCMU, start: int = 0) -> None:
        self.terms = terms
        self.sequence = itertools.count(start)
        self.timestamp = start
        self.heard: list[RtpPacket] = []

    def says(self, payload: bytes) -> bytes:
        packet = RtpPacket(self.terms.payload_type, next(self.sequence) & 0xFFFF, self.timestamp, 7, payload)
        self.timestamp = self.timestamp + len(payload) & 0xFFFFFFFF
        return packet.serialise()

    def presses(self, digit: str, duration: int, timestamp: int, *, end: bool = False) -> bytes:
        payload = EventPayload(DIGITS.index(digit), end, 10, duration).serialise()
        assert self.terms.event_type is not None
        return RtpPacket(
            self.terms.event_type, next(self.sequence) & 0xFFFF, timestamp, 7, payload
        ).serialise()

    def frames(self) -> list[bytes]:
        return [packet.payload for packet in self.heard if packet.payload_type == self.terms.payload_type]


class Studio:
    """A plane and its clock. Begins at a given sequence number and timestamp on every leg."""

    def __init__(self, start: int = 0) -> None:
        self.plane = Plane(lambda bits: start & ((1 << bits) - 1))
        self.now = 0.0
        self.phones: dict[int, Phone] = {}
        self.outputs: list[object] = []

    def leg(self, terms: Negotiated = PCMU, start: int = 0) -> tuple[int, Phone]:
        slot = self.plane.open()
        self.plane.negotiate(slot, terms)
        self.phones[slot] = Phone(terms, start)
        return slot, self.phones[slot]

    def arrive(self, *datagrams: tuple[int, bytes]) -> None:
        """Datagrams of different legs, read at once."""
        raw = np.zeros((len(datagrams), ROOM), np.uint8)
        for row, (_, data) in enumerate(datagrams):
            raw[row, : len(data)] = np.frombuffer(data, np.uint8)
        slots = np.array([slot for slot, _ in datagrams])
        self.plane.receive(slots, raw, np.array([len(data) for _, data in datagrams]), self.now)

    def tick(self, times: int = 1) -> None:
        """20 ms; what is sent reaches the phones."""
        for _ in range(times):
            self.now += 0.02
            self.plane.tick(self.now)
            for slot in self.plane.senders.tolist():
                data = self.plane.transmission.packets[slot].tobytes()
                self.phones[slot].heard.append(RtpPacket.parse(data))
            for slot, data in self.plane.extra:
                self.phones[slot].heard.append(RtpPacket.parse(data))
            self.outputs += self.plane.take_outputs()

    def talk(self, ticks: int, *slots: int) -> None:
        """Each of the legs' phones says frames of its own, one a tick."""
        for number in range(ticks):
            self.arrive(*((s, self.phones[s].says(bytes([s * 40 + number % 40 + 1]) * FRAME)) for s in slots))
            self.tick()


def tone(samples: int) -> Pcm:
    wave: Pcm = (8000 * np.sin(np.arange(samples) * 0.3)).astype(np.int16)
    return wave


class TestSending:
    @pytest.mark.parametrize("start", [0, 0x7FF0, 0xFFF0, (1 << 31) - 800, (1 << 32) - 800])
    def test_headers_count_up_over_every_wrap(self, start: int) -> None:
        """Sequence by one, timestamp by 160, marker on the first packet only, one SSRC."""
        studio = Studio(start)
        studio.plane.player.bank.load("p", tone(100 * FRAME))
        slot, phone = studio.leg()
        studio.plane.transmission.sequence[slot] = start & 0xFFFF  # it begins below 2**15 by itself
        studio.plane.play(slot, ["p"], loop=False, tag=1)
        studio.tick(30)
        assert [p.sequence for p in phone.heard] == [(start + 1 + i) & 0xFFFF for i in range(30)]
        steps = {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in itertools.pairwise(phone.heard)}
        assert steps == {FRAME}
        assert [p.marker for p in phone.heard] == [True] + [False] * 29
        assert {p.ssrc for p in phone.heard} == {start & 0xFFFFFFFF}

    def test_nothing_is_sent_before_it_is_negotiated(self) -> None:
        """A late offer: the leg is there, and silent."""
        studio = Studio()
        slot = studio.plane.open()
        studio.plane.player.bank.load("p", tone(FRAME))
        studio.plane.play(slot, ["p"], loop=True, tag=1)
        studio.tick(5)
        assert len(studio.plane.senders) == 0

    def test_another_payload_type_to_send(self) -> None:
        """The peer may have given its codec another number (RFC 3264)."""
        studio = Studio()
        slot, phone = studio.leg(
            Negotiated(law=0, payload_type=0, event_type=101, send=True, receive=True, send_payload_type=97)
        )
        studio.plane.echo(slot, on=True)
        studio.tick()
        assert phone.heard[0].payload_type == 97

    def test_an_idle_leg_shows_life(self) -> None:
        """RFC 6263: a frame of silence every five seconds, marked; none on a leg that may not send."""
        studio = Studio()
        _, phone = studio.leg(PCMA)
        _, deaf = studio.leg(Negotiated(0, 0, None, send=False, receive=True))
        studio.tick(SIGN_OF_LIFE_TICKS)
        assert [(p.payload_type, p.payload, p.marker) for p in phone.heard] == [(8, b"\xd5" * FRAME, True)]
        assert deaf.heard == []


class TestPlaying:
    @pytest.mark.parametrize(("terms", "decode"), [(PCMU, ulaw_decode), (PCMA, alaw_decode)])
    def test_the_prompt_is_heard(self, terms: Negotiated, decode: object) -> None:
        """Every sample, in the leg's codec, the last frame filled with silence; then PlayEnded, once."""
        studio = Studio()
        wave = tone(5 * FRAME + 10)
        studio.plane.player.bank.load("p", wave)
        slot, phone = studio.leg(terms)
        studio.plane.play(slot, ["p"], loop=False, tag=42)
        studio.tick(10)
        assert callable(decode)
        heard = decode(np.frombuffer(b"".join(phone.frames()), np.uint8))
        assert len(heard) == 6 * FRAME
        assert np.abs(heard[: len(wave)].astype(int) - wave).max() <= 512
        assert np.abs(heard[len(wave) :]).max() <= 8
        assert studio.outputs == [PlayEnded(slot, 42, interrupted=False)]

    def test_several_in_turn_and_in_a_loop(self) -> None:
        """Items follow each other without a gap, and start over when looped."""
        studio = Studio()
        for name, value in (("a", 1000), ("b", 3000), ("c", 9000)):
            studio.plane.player.bank.load(name, np.full(2 * FRAME, value, np.int16))
        slot, phone = studio.leg()
        studio.plane.play(slot, ["a", "b", "c"], loop=True, tag=1)
        studio.tick(15)
        levels = [int(ulaw_decode(np.frombuffer(f[:1], np.uint8))[0]) // 900 for f in phone.frames()]
        assert levels == [1, 1, 3, 3, 9, 9] * 2 + [1, 1, 3]
        assert studio.outputs == []

    @pytest.mark.parametrize(
        ("skip", "loop", "expected"),
        [(3, False, [3, 9, 9]), (14, True, [3, 3, 9]), (6, False, []), (600, False, [])],
    )
    def test_what_another_worker_played_is_skipped(self, skip: int, loop: bool, expected: list[int]) -> None:
        """Into the second prompt, around the loop, or beyond the end: then it is over at once."""
        studio = Studio()
        for name, value in (("a", 1000), ("b", 3000), ("c", 9000)):
            studio.plane.player.bank.load(name, np.full(2 * FRAME, value, np.int16))
        slot, phone = studio.leg()
        studio.plane.play(slot, ["a", "b", "c"], loop=loop, tag=1, skip=skip)
        studio.tick(3)
        levels = [int(ulaw_decode(np.frombuffer(f[:1], np.uint8))[0]) // 900 for f in phone.frames()]
        assert levels[:3] == expected
        assert bool(studio.outputs) is (not loop)

    def test_many_legs_at_different_places(self) -> None:
        """Each leg has its own position in the one bank."""
        studio = Studio()
        wave = tone(50 * FRAME)
        studio.plane.player.bank.load("p", wave)
        coded = ulaw_encode(wave).tobytes()
        phones = []
        for _ in range(100):
            slot, phone = studio.leg()
            studio.plane.play(slot, ["p"], loop=True, tag=slot)
            phones.append(phone)
            studio.tick()
        for phone in phones:
            heard = b"".join(phone.frames())
            assert heard == (coded * 3)[: len(heard)]

    def test_interruptions_are_told(self) -> None:
        """Another play, a stop and a close each end what was played, as interrupted."""
        studio = Studio()
        studio.plane.player.bank.load("p", tone(100 * FRAME))
        slot, _ = studio.leg()
        for tag in (1, 2):
            studio.plane.play(slot, ["p"], loop=False, tag=tag)
            studio.tick()
        studio.plane.stop_playing(slot)
        studio.plane.stop_playing(slot)
        studio.plane.play(slot, ["p"], loop=False, tag=3)
        studio.plane.close(slot)
        studio.tick()
        assert studio.outputs == [
            PlayEnded(slot, tag, interrupted=True, position=place) for tag, place in ((1, 1), (2, 1), (3, 0))
        ]

    def test_unknown_prompts_are_left_out(self) -> None:
        """The others are played; with none left it is over at once."""
        studio = Studio()
        studio.plane.player.bank.load("p", tone(FRAME))
        studio.plane.player.bank.load("empty", tone(0))
        slot, phone = studio.leg()
        assert studio.plane.play(slot, ["x", "p", "empty"], loop=False, tag=1) == ["x"]
        studio.tick(3)
        assert len(phone.frames()) == 1
        assert studio.plane.play(slot, ["x"], loop=True, tag=2) == ["x"]
        assert studio.plane.play(slot, ["empty"], loop=True, tag=3) == []
        studio.tick()
        assert studio.outputs == [
            PlayEnded(slot, 1, interrupted=False),
            PlayEnded(slot, 2, interrupted=True),
            PlayEnded(slot, 3, interrupted=False),
        ]

    def test_codec_change_in_the_middle(self) -> None:
        """A re-INVITE to the other law: the prompt goes on where it was."""
        studio = Studio()
        wave = tone(20 * FRAME)
        studio.plane.player.bank.load("p", wave)
        slot, phone = studio.leg()
        studio.plane.play(slot, ["p"], loop=False, tag=1)
        studio.tick(10)
        studio.plane.negotiate(slot, PCMA)
        studio.tick(10)
        heard = alaw_decode(np.frombuffer(b"".join(p.payload for p in phone.heard[10:]), np.uint8))
        assert np.abs(heard.astype(int) - wave[10 * FRAME :]).max() <= 512
        assert {p.payload_type for p in phone.heard[10:]} == {8}

    def test_hold_keeps_the_place(self) -> None:
        """While the leg may not send the prompt waits; afterwards it is marked as a new talkspurt."""
        studio = Studio()
        wave = tone(20 * FRAME)
        studio.plane.player.bank.load("p", wave)
        slot, phone = studio.leg()
        studio.plane.play(slot, ["p"], loop=False, tag=1)
        studio.tick(5)
        studio.plane.negotiate(slot, Negotiated(0, 0, 101, send=False, receive=True))
        studio.tick(7)
        studio.plane.negotiate(slot, PCMU)
        studio.tick(15)
        assert b"".join(phone.frames()) == ulaw_encode(wave).tobytes()
        assert [i for i, p in enumerate(phone.heard) if p.marker] == [0, 5]
        gap = phone.heard[5].timestamp - phone.heard[4].timestamp
        assert gap == 8 * FRAME

    def test_a_prompt_is_replaced(self) -> None:
        """Of the same length or another: who plays next hears the new one."""
        studio = Studio()
        bank = studio.plane.player.bank
        old = bank.load("p", tone(2000 * FRAME))
        slot, phone = studio.leg()
        assert bank.load("p", np.zeros(2000 * FRAME, np.int16)) == old
        bank.load("p", np.full(FRAME, 5000, np.int16))
        studio.plane.play(slot, ["p"], loop=False, tag=1)
        studio.tick(2)
        assert phone.frames() == [ulaw_encode(np.full(FRAME, 5000, np.int16)).tobytes()]


class TestListening:
    @pytest.mark.parametrize("start", [0, 0x7FF0, 0xFFF0, (1 << 32) - 800])
    def test_echo_returns_what_was_said(self, start: int) -> None:
        """Octet for octet, after the playout delay, clocked by the tick."""
        studio = Studio()
        slot, phone = studio.leg(start=start)
        studio.plane.echo(slot, on=True)
        said = [phone.says(bytes([i + 1]) * FRAME) for i in range(30)]
        for data in said:
            studio.arrive((slot, data))
            studio.tick()
        expected = [b"\xff" * FRAME] * DELAY + [d[12:] for d in said]
        assert phone.frames() == expected[:30]

    def test_many_echoes_do_not_mix(self) -> None:
        """100 legs, more than the plane began with: each hears itself."""
        studio = Studio()
        slots = [studio.leg()[0] for _ in range(100)]
        for slot in slots:
            studio.plane.echo(slot, on=True)
        for number in range(8):
            studio.arrive(
                *((s, studio.phones[s].says(bytes([s + 1, number + 1]) * (FRAME // 2))) for s in slots)
            )
            studio.tick()
        for slot in slots:
            assert studio.phones[slot].frames()[-1] == bytes([slot + 1, 8 - DELAY]) * (FRAME // 2)

    def test_recorded_frames_are_what_was_heard(self) -> None:
        """Every tick gives the recorder 20 ms of each recording leg, silence included."""
        studio = Studio()
        slot, phone = studio.leg()
        studio.leg()
        studio.plane.record(slot, on=True)
        recorded = []
        for number in range(6):
            if number != 3:
                studio.arrive((slot, phone.says(bytes([number + 1]) * FRAME)))
            else:
                phone.says(bytes(FRAME))
            studio.tick()
            assert studio.plane.recorded.tolist() == [slot]
            recorded.append(studio.plane.recorded_frames[0].tobytes()[0])
        assert recorded[:3] == [1, 2, 3]
        assert recorded[3] != 0xFF  # made up
        assert recorded[5] == 6
        studio.plane.record(slot, on=False)
        studio.tick()
        assert len(studio.plane.recorded) == 0

    @pytest.mark.parametrize(
        "terms",
        [Negotiated(0, 0, 101, send=True, receive=False), Negotiated(0, 3, 101, send=True, receive=True)],
    )
    def test_what_was_not_agreed_is_not_heard(self, terms: Negotiated) -> None:
        """A direction or payload type that was not negotiated stays silent."""
        studio = Studio()
        slot = studio.plane.open()
        studio.plane.negotiate(slot, terms)
        studio.phones[slot] = phone = Phone(PCMU)
        studio.plane.echo(slot, on=True)
        for _ in range(6):
            studio.arrive((slot, phone.says(b"\x01" * FRAME)))
            studio.tick()
        assert {p.payload for p in phone.heard} == {b"\xff" * FRAME}

    def test_nothing_old_when_somebody_listens_again(self) -> None:
        """Echo off and on: what was said meanwhile is not heard afterwards."""
        studio = Studio()
        slot, phone = studio.leg()
        studio.plane.echo(slot, on=True)
        studio.talk(5, slot)
        studio.plane.echo(slot, on=False)
        studio.talk(20, slot)
        studio.plane.echo(slot, on=True)
        phone.heard.clear()
        studio.arrive((slot, phone.says(b"\x77" * FRAME)))
        studio.tick(4)
        heard = phone.frames()
        assert heard[0] == b"\x77" * FRAME
        # then that fades, and nothing else is heard
        after = ulaw_decode(np.frombuffer(b"".join(heard), np.uint8)).astype(int)
        assert np.abs(after).max() == np.abs(after[0])

    @pytest.mark.parametrize("length", [*range(30), 79, 80, 81, 159, 160, 161, 480, 1000, 1075])
    def test_hostile_payloads(self, length: int) -> None:
        """F9: any length gives silence or sound, never an exception, and the leg goes on."""
        studio = Studio()
        slot, phone = studio.leg()
        studio.plane.echo(slot, on=True)
        studio.plane.record(slot, on=True)
        for _ in range(5):
            studio.arrive((slot, phone.says(b"\x01" * length)))
            studio.arrive((slot, b"\x80" * length))
            studio.tick()
        phone.timestamp += 80000
        studio.talk(6, slot)
        assert phone.frames()[-1] != b"\xff" * FRAME

    def test_a_flood_is_cut(self) -> None:
        """F8: of 1,000 packets in a second 200 are read; the next second is served again."""
        studio = Studio()
        slot, phone = studio.leg()
        quiet, _ = studio.leg()
        studio.plane.echo(slot, on=True)
        for _ in range(50):
            for _ in range(20):
                studio.arrive((slot, phone.says(b"\x01" * FRAME)))
            studio.talk(1, quiet)
        assert studio.plane.legs.flooded[[slot, quiet]].tolist() == [1000 - FLOOD_LIMIT, 0]
        assert studio.plane.reception.packets[[slot, quiet]].tolist() == [FLOOD_LIMIT, 50]
        studio.talk(1, slot)
        assert studio.plane.reception.packets[slot] == FLOOD_LIMIT + 1

    def test_what_is_not_rtp_is_counted(self) -> None:
        """Junk on the RTP port is malformed, and nothing else happens."""
        studio = Studio()
        slot, _ = studio.leg()
        studio.plane.echo(slot, on=True)
        studio.arrive((slot, b"junk"))
        studio.arrive((slot, b""))
        studio.tick()
        assert studio.plane.legs.malformed[slot] == 2
        assert studio.plane.reception.packets[slot] == 0

    def test_comfort_noise_is_no_loss(self) -> None:
        """RFC 3389: neither malformed nor lost nor heard; what follows it is."""
        studio = Studio()
        slot, phone = studio.leg()
        studio.plane.echo(slot, on=True)
        studio.talk(5, slot)
        noise = RtpPacket(13, next(phone.sequence), phone.timestamp, 7, b"\x40")
        studio.arrive((slot, noise.serialise()))
        studio.tick(10)
        assert phone.frames()[-1] == b"\xff" * FRAME
        phone.timestamp += 10 * FRAME
        studio.talk(3, slot)
        assert phone.frames()[-1][0] == 3
        assert studio.plane.legs.malformed[slot] == 0
        assert studio.plane.reception.lost(slot) == 0
        assert studio.plane.reception.packets[slot] == 9

    def test_rtcp_on_the_rtp_port(self) -> None:
        """RFC 5761: put aside for the driver where negotiated, otherwise malformed."""
        studio = Studio()
        muxed, _ = studio.leg(Negotiated(0, 0, None, send=True, receive=True, mux=True))
        plain, _ = studio.leg()
        report = b"\x80\xc9\x00\x01\x00\x00\x00\x07"
        compound = report + b"\x81\xca\x00\x02\x00\x00\x00\x07\x01\x00\x00\x00"
        studio.arrive((muxed, compound), (plain, compound))
        assert studio.plane.take_control() == [(muxed, compound)]
        assert studio.plane.legs.malformed[[muxed, plain]].tolist() == [0, 1]
        studio.arrive((muxed, report))  # shorter than an RTP header, and RTCP all the same
        assert studio.plane.take_control() == [(muxed, report)]


class TestBridging:
    @pytest.mark.parametrize("terms", [PCMU, PCMA])
    def test_each_hears_the_other(self, terms: Negotiated) -> None:
        """Nobody hears itself, and nobody else hears them; the codec is changed on the way if need be."""
        studio = Studio()
        (a, first), (b, second), (c, third) = studio.leg(PCMU), studio.leg(terms), studio.leg()
        studio.plane.echo(c, on=True)
        studio.plane.bridge(a, b)
        waves = {a: tone(20 * FRAME), b: np.roll(tone(20 * FRAME), 3)}
        codes = {a: ulaw_encode(waves[a]).tobytes(), b: ulaw_encode(waves[b]).tobytes()}
        if terms is PCMA:
            codes[b] = alaw_encode(waves[b]).tobytes()
        for i in range(20):
            at = slice(i * FRAME, (i + 1) * FRAME)
            studio.arrive((a, first.says(codes[a][at])), (b, second.says(codes[b][at])))
            studio.tick()
        decode_b = ulaw_decode if terms is PCMU else alaw_decode
        for phone, decode, wave in ((first, ulaw_decode, waves[b]), (second, decode_b, waves[a])):
            heard = decode(np.frombuffer(b"".join(phone.frames()[DELAY:]), np.uint8)).astype(int)
            assert np.abs(heard - wave[: len(heard)]).max() <= 800
        assert set(third.frames()) == {b"\xff" * FRAME}

    def test_parting(self) -> None:
        """Either end parts both; joining another parts from the first; a leg is never its own peer."""
        studio = Studio()
        a, b, c = (studio.leg()[0] for _ in range(3))
        peers = studio.plane.legs.peer
        studio.plane.bridge(a, b)
        studio.plane.bridge(b, c)
        assert peers[[a, b, c]].tolist() == [-1, c, b]
        studio.plane.bridge(c, None)
        assert peers[[a, b, c]].tolist() == [-1, -1, -1]
        studio.plane.bridge(a, a)
        assert peers[a] == -1
        studio.plane.bridge(a, b)
        studio.plane.close(b)
        assert peers[a] == -1

    def test_digits_cross(self) -> None:
        """A digit pressed on one side is sent on the other as an event in place of its audio."""
        studio = Studio()
        (a, first), (b, second) = studio.leg(), studio.leg(PCMA)
        studio.plane.bridge(a, b)
        studio.talk(3, a)
        for i in range(1, 6):
            studio.arrive((a, first.presses("5", i * FRAME, first.timestamp)))
            studio.tick()
        studio.arrive((a, first.presses("5", 6 * FRAME, first.timestamp, end=True)))
        studio.tick(15)
        events = [EventPayload.parse(p.payload) for p in second.heard if p.payload_type == 96]
        assert {e.event for e in events if e} == {5}
        assert sum(e.end for e in events if e) == 3
        assert max(e.duration for e in events if e) == 6 * FRAME
        assert studio.outputs == [Digit(a, "5", 120)]
        assert first.frames()


class TestDigits:
    def test_received(self) -> None:
        """Reported once at its end; also when its end was lost."""
        studio = Studio()
        slot, phone = studio.leg()
        for _ in range(3):
            studio.arrive((slot, phone.presses("#", 800, 5000, end=True)))
        studio.arrive((slot, phone.presses("1", 320, 9000)))
        studio.tick(20)
        assert studio.outputs == [Digit(slot, "#", 100), Digit(slot, "1", 40)]

    def test_sent(self) -> None:
        """The audio gives way, sequence numbers stay in one row, and its end is told once."""
        studio = Studio()
        studio.plane.player.bank.load("p", tone(100 * FRAME))
        slot, phone = studio.leg()
        studio.plane.play(slot, ["p"], loop=True, tag=1)
        studio.tick(3)
        studio.plane.send_digits(slot, "9")
        studio.tick(20)
        kinds = [p.payload_type for p in phone.heard]
        assert kinds == [0] * 3 + [101] * 8 + [0] * 8
        assert [p.sequence for p in phone.heard] == list(range(1, 20))
        assert len({p.timestamp for p in phone.heard[3:11]}) == 1
        assert phone.heard[3].timestamp == phone.heard[2].timestamp + FRAME
        assert studio.outputs == [DigitsOut(slot, ok=True)]

    def test_not_negotiated(self) -> None:
        """Without telephone-event the digits are refused at once."""
        studio = Studio()
        slot, _ = studio.leg(Negotiated(0, 0, None, send=True, receive=True))
        studio.plane.send_digits(slot, "1")
        studio.tick()
        assert studio.outputs == [DigitsOut(slot, ok=False)]

    def test_nothing_to_send(self) -> None:
        """A string without a digit in it is done at once."""
        studio = Studio()
        slot, _ = studio.leg()
        studio.plane.send_digits(slot, ",")
        studio.tick()
        assert studio.outputs == [DigitsOut(slot, ok=True)]

    def test_closed_while_sending(self) -> None:
        """A leg that ends in the middle of a digit sends no more, and its slot is clean."""
        studio = Studio()
        slot, phone = studio.leg()
        studio.plane.send_digits(slot, "1")
        studio.tick()
        studio.plane.close(slot)
        studio.tick(3)
        assert len(phone.heard) == 1
        again, other = studio.leg()
        assert again == slot
        studio.plane.echo(again, on=True)
        studio.tick()
        assert len(other.frames()) == 1


def test_skipped_ticks_let_time_go_on() -> None:
    """After a stall the timestamp shows how long it was, and old sound is not heard late."""
    studio = Studio()
    slot, phone = studio.leg()
    studio.plane.echo(slot, on=True)
    studio.talk(5, slot)
    studio.plane.skip(50)
    studio.tick()
    assert phone.heard[-1].timestamp - phone.heard[-2].timestamp == 51 * FRAME
    assert phone.heard[-1].sequence == phone.heard[-2].sequence + 1
    assert phone.frames()[-1] == b"\xff" * FRAME


class TestDigitsInTheSound:
    SOUND = Negotiated(law=0, payload_type=0, event_type=None, send=True, receive=True, inband=True)
    ALAW = Negotiated(law=1, payload_type=8, event_type=None, send=True, receive=True, inband=True)

    def press(self, studio: Studio, slot: int, keys: str) -> None:
        """The phone sends the keys as tones, 60 ms on, 60 ms off, and some silence."""
        sound = np.concatenate([dtmf(keys, 60, 60), np.zeros(10 * FRAME, np.int16)])
        phone = studio.phones[slot]
        octets = (alaw_encode if phone.terms.law else ulaw_encode)(sound).tobytes()
        for at in range(0, len(octets), FRAME):
            studio.arrive((slot, phone.says(octets[at : at + FRAME])))
            studio.tick()

    def digits(self, studio: Studio, slot: int) -> str:
        return "".join(o.digit for o in studio.outputs if isinstance(o, Digit) and o.slot == slot)

    @pytest.mark.parametrize("terms", [SOUND, ALAW])
    def test_they_are_reported(self, terms: Negotiated) -> None:
        """As those of events are, whichever the law; a leg that did not ask is not listened to."""
        studio = Studio()
        slot, _ = studio.leg(terms)
        other, _ = studio.leg()
        self.press(studio, slot, "159#")
        self.press(studio, other, "1")
        assert self.digits(studio, slot) == "159#"
        assert self.digits(studio, other) == ""

    def test_a_leg_after_another_begins_afresh(self) -> None:
        """A digit that sounded when its leg closed is not the next leg's."""
        studio = Studio()
        slot, _ = studio.leg(self.SOUND)
        phone = studio.phones[slot]
        for _ in range(5):
            studio.arrive((slot, phone.says(ulaw_encode(dtmf("5", 20, 0)).tobytes())))
            studio.tick()
        studio.plane.close(slot)
        again, _ = studio.leg(self.SOUND)
        assert again == slot
        studio.tick(20)
        assert self.digits(studio, slot) == ""

    def test_many_legs(self) -> None:
        """More legs than the plane began with: the new rows hear nothing until something is said."""
        studio = Studio()
        legs = [studio.leg(self.SOUND)[0] for _ in range(70)]
        studio.tick(10)
        self.press(studio, legs[-1], "7")
        assert [o for o in studio.outputs if isinstance(o, Digit)] == [Digit(legs[-1], "7", 60)]

    def test_they_cross_a_bridge_as_events(self) -> None:
        """To a peer with telephone-event they go as such, and of the tone it hears less than 40 ms."""
        studio = Studio()
        here, _ = studio.leg(self.SOUND)
        there, peer = studio.leg()
        studio.plane.bridge(here, there)
        self.press(studio, here, "42")
        studio.tick(20)
        assert self.digits(studio, here) == "42"
        events = [EventPayload.parse(p.payload) for p in peer.heard if p.payload_type == 101]
        assert "".join(DIGITS[e.event] for e in events if e and e.end)[::3] == "42"
        sound = np.abs(ulaw_decode(np.frombuffer(b"".join(peer.frames()), np.uint8)).astype(np.int32))
        assert np.count_nonzero(sound > 1000) < 2 * 8 * 40

    def test_a_room_hears_next_to_nothing_of_them(self) -> None:
        """Less than 40 ms of each tone."""
        studio = Studio()
        here, _ = studio.leg(self.SOUND)
        there, peer = studio.leg()
        for slot in (here, there):
            studio.plane.join(slot, "room")
        studio.tick(20)
        self.press(studio, here, "42")
        studio.tick(20)
        assert self.digits(studio, here) == "42"
        sound = np.abs(ulaw_decode(np.frombuffer(b"".join(peer.frames()), np.uint8)).astype(np.int32))
        assert np.count_nonzero(sound > 1000) < 2 * 8 * 40

    def test_they_cross_a_bridge_as_they_are(self) -> None:
        """To a peer without telephone-event the sound goes untouched."""
        studio = Studio()
        here, _ = studio.leg(self.SOUND)
        there, peer = studio.leg(self.SOUND)
        studio.plane.bridge(here, there)
        self.press(studio, here, "8")
        assert self.digits(studio, here) == "8"
        assert ulaw_encode(dtmf("8", 60, 60)).tobytes() in b"".join(peer.frames())

    def test_events_cross_a_bridge_as_tones(self) -> None:
        """From a peer with telephone-event to one without."""
        studio = Studio()
        here, phone = studio.leg()
        there, _ = studio.leg(self.SOUND)
        studio.plane.bridge(here, there)
        for number in range(1, 7):
            studio.arrive((here, phone.presses("6", number * FRAME, 5000, end=number > 5)))
            studio.tick()
        studio.tick(20)
        heard = b"".join(studio.phones[there].frames())
        listener, _ = studio.leg(self.SOUND)
        for at in range(0, len(heard), FRAME):
            studio.arrive((listener, studio.phones[listener].says(heard[at : at + FRAME])))
            studio.tick()
        studio.tick(10)
        assert self.digits(studio, listener) == "6"

    def test_they_are_sent_as_tones(self) -> None:
        """In place of what is played, with its numbers going on."""
        studio = Studio()
        studio.plane.player.bank.load("p", tone(100 * FRAME))
        slot, phone = studio.leg(self.ALAW)
        studio.plane.play(slot, ["p"], loop=True, tag=1)
        studio.tick(3)
        studio.plane.send_digits(slot, "9")
        studio.tick(20)
        assert [p.sequence for p in phone.heard] == list(range(1, 24))
        assert {p.payload_type for p in phone.heard} == {8}
        sent = alaw_decode(np.frombuffer(b"".join(phone.frames()[3:8]), np.uint8))
        np.testing.assert_allclose(sent, dtmf("9", 100, 0), atol=400)
        assert studio.outputs == [DigitsOut(slot, ok=True)]


def test_new_rows_are_nobodys() -> None:
    """Where the arrays grow, no row is taken for the peer of the first leg, nor for one of the first room's."""
    plane = Plane(lambda bits: 0, capacity=2)
    slots = [plane.open() for _ in range(5)]
    empty = [slot for slot in range(plane.capacity) if slot not in slots]
    assert empty
    for slot in empty:
        assert (plane.legs.peer[slot], plane.mixer.room(slot)) == (-1, None)
