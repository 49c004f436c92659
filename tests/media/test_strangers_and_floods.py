"""Section F of the security reference on a worker's own parts: real sockets on loopback, time in ticks of the test's.

What a stranger, a broken or a flooding peer sends must change nothing for anybody else. The table in docs/protocols.md
says which line of section F is held where.
"""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest

from media import control
from media.codecs.g711 import ulaw_decode
from media.rtcp import (
    Goodbye,
    ReceiverReport,
    ReportBlock,
    RtcpError,
    SourceDescription,
    parse_compound,
    serialise_compound,
)
from media.rtp import FRAME, RtpPacket
from media.source import CONSECUTIVE
from tests.media.desk import KEYS, Desk, Plain, Secured
from tests.media.srtp_oracle import Oracle
from tests.media.worker_process import Phone


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.dispatch.stop(made.now)


@pytest.fixture
def phone() -> Iterator[Phone]:
    made = Phone()
    made.sequence, made.timestamp = 100, 0
    yield made
    made.close()


def sound(number: int) -> bytes:
    """160 octets that no other number has."""
    return bytes([0x80 | number % 0x70, number // 0x70 % 256] * (FRAME // 2))


def stranger(host: str = "127.0.0.1") -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind((host, 0))
    opened.setblocking(False)
    return opened


def hostile_packets(own: int, peer: int, number: int) -> list[bytes]:
    """RTP in the peer's and in our name, with a jump and without; SDES, BYE and reports for both."""
    return [
        RtpPacket(0, 100 + number, 160 * number, peer, b"\x20" * FRAME).serialise(),
        RtpPacket(0, 40_000 + number, 1 << 31, peer, b"\x20" * FRAME).serialise(),
        RtpPacket(0, 101 + number, 160 * number, own, b"\x20" * FRAME).serialise(),
        RtpPacket(101, 102 + number, 160 * number, peer, b"\x05\x8a\x03\x20").serialise(),
        serialise_compound([ReceiverReport(peer), SourceDescription(peer, "me"), Goodbye((peer,))]),
        serialise_compound([ReceiverReport(own), SourceDescription(own, "me"), Goodbye((own,))]),
        serialise_compound([ReceiverReport(peer, (ReportBlock(own, 255, 0x7FFF, 0, 0, 0, 0),))]),
    ]


def own_ssrc(desk: Desk, leg: int = 1) -> int:
    """The SSRC a leg sends with, as anybody who listens on the way would know it."""
    plane = desk.dispatch._plane
    return int(plane.transmission.ssrc[desk.dispatch._legs[leg].slot])


class TestF2:
    @pytest.mark.parametrize("srtp", [None, KEYS], ids=["plain", "secure"])
    def test_a_stranger_changes_nothing(
        self, desk: Desk, phone: Phone, srtp: control.SrtpTerms | None
    ) -> None:
        """Collisions, jumps, BYE, SDES and reports from another port or host, to both of the leg's ports."""
        wire = Secured(phone) if srtp else Plain(phone)
        port = desk.open(1, phone.spec(srtp=srtp))
        desk.do(control.Echo(1, on=True))
        own, strangers = own_ssrc(desk), [stranger(), stranger("127.0.0.9")]

        def attack(number: int) -> None:
            for each in strangers:
                for packet in hostile_packets(own, 77, number):
                    each.sendto(packet, ("127.0.0.1", port))
                    each.sendto(packet, ("127.0.0.1", port + 1))

        for number in range(60):
            wire.say(sound(number), port)
            attack(number)
            desk.tick()
        desk.tick(12)
        returned = [each.payload for each in wire.received()]
        said = [sound(number) for number in range(60)]
        assert [each for each in returned if each in said] == said
        assert b"\x20" * FRAME not in returned
        for each in strangers:
            with pytest.raises((BlockingIOError, ConnectionRefusedError)):
                each.recv(2048)
            each.close()
        final = desk.final(1)
        assert (final.packets_received, final.lost, final.malformed, final.remote_lost) == (60, 0, 0, 0)
        assert not [each for each in desk.events if isinstance(each, control.DigitReceived)]

    def test_the_peers_own_goodbye_changes_nothing(self, desk: Desk, phone: Phone) -> None:
        """BYE and SDES are read without effect even from the peer's RTCP address: only signalling ends a call."""
        port = desk.open(1, phone.spec())
        desk.do(control.Echo(1, on=True))
        own = own_ssrc(desk)
        for number in range(40):
            phone.say(sound(number), port)
            for packet in hostile_packets(own, 77, number)[4:6]:
                phone.rtcp.sendto(packet, ("127.0.0.1", port + 1))
            desk.tick()
        desk.tick(12)
        phone.listen()
        returned = [each.payload for each in phone.heard]
        assert [each for each in returned if each in {sound(at) for at in range(40)}] == [
            sound(at) for at in range(40)
        ]

    def test_reports_of_a_secure_leg_must_be_authentic(self, desk: Desk, phone: Phone) -> None:
        """A plain report from the very address of the peer is dropped; a protected one is read."""
        port = desk.open(1, phone.spec(srtp=KEYS))
        report = serialise_compound([ReceiverReport(77, (ReportBlock(own_ssrc(desk), 0, 42, 0, 0, 0, 0),))])
        phone.rtcp.sendto(report, ("127.0.0.1", port + 1))
        desk.tick()
        assert desk.dispatch.counters["srtp_unauthentic"] == 1
        desk.do(control.WatchLeg(1, on=True))
        phone.rtcp.sendto(
            Oracle(KEYS.suite, KEYS.receive_key).protect_rtcp(report, 1), ("127.0.0.1", port + 1)
        )
        desk.tick()
        assert desk.final(1).remote_lost == 42


class TestF3:
    def test_padding_is_not_heard(self, desk: Desk, phone: Phone) -> None:
        """What a padded packet holds before its padding is; a padding that does not fit drops the packet."""
        port = desk.open(1, phone.spec())
        desk.do(control.Echo(1, on=True))
        for number in range(20):
            plain = RtpPacket(0, 100 + number, FRAME * number, 77, sound(number)).serialise()
            padded = bytes([plain[0] | 0x20]) + plain[1:] + b"\x20\x20\x20\x04"
            broken = bytes([plain[0] | 0x20]) + plain[1:-1] + (b"\xff" if number % 2 else b"\x00")
            phone.rtp.sendto(broken, ("127.0.0.1", port))
            phone.rtp.sendto(padded, ("127.0.0.1", port))
            desk.tick()
        desk.tick(12)
        phone.listen()
        returned = [each.payload for each in phone.heard]
        assert [each for each in returned if each in {sound(at) for at in range(20)}] == [
            sound(at) for at in range(20)
        ]
        assert desk.final(1).malformed == 20

    def test_a_jump_out_of_the_window_waits_for_its_successor(self, desk: Desk, phone: Phone) -> None:
        """RFC 3550 appendix A.1: one packet far off is not heard and moves nothing."""
        port = desk.open(1, phone.spec())
        desk.do(control.Echo(1, on=True))
        for number in range(30):
            phone.say(sound(number), port)
            if number % 5 == 4:
                far = RtpPacket(0, 30_000 + 7 * number, 1 << 30, 77, b"\x20" * FRAME)
                phone.rtp.sendto(far.serialise(), ("127.0.0.1", port))
            desk.tick()
        desk.tick(12)
        phone.listen()
        returned = [each.payload for each in phone.heard]
        assert b"\x20" * FRAME not in returned
        assert [each for each in returned if each in {sound(at) for at in range(30)}] == [
            sound(at) for at in range(30)
        ]


class TestF7:
    @pytest.mark.parametrize("srtp", [None, KEYS], ids=["plain", "secure"])
    def test_media_stops_with_the_leg(self, desk: Desk, phone: Phone, srtp: control.SrtpTerms | None) -> None:
        """The worker learns of a hang-up before its next tick: after it comes one RTCP BYE and not one packet."""
        port = desk.open(1, phone.spec(srtp=srtp, remote_rtcp_port=phone.port + 1))
        desk.do(control.Echo(1, on=True))
        for number in range(20):
            phone.say(sound(number), port)
            desk.tick()
        phone.listen()
        desk.do(control.CloseLeg(1))
        phone.heard.clear()
        desk.tick(5)
        phone.listen()
        assert phone.heard == []
        last = phone.rtcp.recv(2048)
        assert says_goodbye(last) == (srtp is None), "who has no key reads no packet behind the report"
        with stranger() as knocking:
            knocking.connect(("127.0.0.1", port))
            knocking.send(b"anybody there?")
            with pytest.raises(ConnectionRefusedError):
                knocking.send(b"nobody")


def says_goodbye(data: bytes) -> bool:
    """Whether it is a compound packet with a BYE."""
    try:
        return any(isinstance(each, Goodbye) for each in parse_compound(data))
    except RtcpError:
        return False


class TestF8:
    def talk(self, desk: Desk, flood: int) -> tuple[list[list[bytes]], control.LegStatistics]:
        """Ten in a room, each with a level of its own; the first sends ``flood`` packets more each tick."""
        phones = [Phone() for _ in range(10)]
        for number, each in enumerate(phones):
            each.sequence, each.timestamp = 100, 0
            port = desk.open(number + 1, each.spec())
            desk.do(control.JoinRoom(number + 1, "8000"))
            each.rtcp.close()
            each.port = port
        noise = random.Random(8)
        for tick in range(100):
            for number, each in enumerate(phones):
                payload = bytes([0x90 + 4 * number + (tick + at) % 2 * 0x80 & 0xFF for at in range(FRAME)])
                each.say(payload, each.port)
            for _ in range(flood):
                junk = RtpPacket(0, noise.getrandbits(16), noise.getrandbits(32), 77, noise.randbytes(FRAME))
                phones[0].rtp.sendto(junk.serialise(), ("127.0.0.1", phones[0].port))
            desk.tick()
        heard = []
        for each in phones:
            each.listen()
            heard.append([packet.payload for packet in each.heard])
            each.rtp.close()
        return heard, desk.final(1)

    def test_a_flood_costs_the_others_of_its_room_nothing(self) -> None:
        """20,000 packets a second from one of ten: the nine get a packet a tick each, and hear one another."""
        quiet, flooded = Desk(), Desk()
        calm, _ = self.talk(quiet, 0)
        stormy, final = self.talk(flooded, 400)
        for desk in (quiet, flooded):
            desk.dispatch.stop(desk.now)
        assert final.flooded > 100 * 20  # what the socket's queue did not drop itself is dropped unread
        for before, after in zip(calm[1:], stormy[1:], strict=True):
            assert len(before) - len(after) in (-1, 0, 1)
            levels = [_rms(frames[-40:]) for frames in (before, after)]
            assert (
                abs(20 * np.log10(levels[0] / levels[1])) < 6
            )  # the abuser himself is heard otherwise, or not

    def test_a_flood_is_dropped_before_it_is_decrypted_for_long(self, desk: Desk, phone: Phone) -> None:
        """Packets without the key do not use up the peer's two hundred a second."""
        port = desk.open(1, phone.spec(srtp=KEYS))
        desk.do(control.Echo(1, on=True))
        secured = Secured(phone)
        for number in range(60):
            for _ in range(8):
                junk = RtpPacket(0, 100 + number, 0, 77, b"\x20" * (FRAME + 16))
                phone.rtp.sendto(junk.serialise(), ("127.0.0.1", port))
            secured.say(sound(number), port)
            desk.tick()
        desk.tick(12)
        returned = [each.payload for each in secured.received()]
        assert [each for each in returned if each in {sound(at) for at in range(60)}] == [
            sound(at) for at in range(60)
        ]
        final = desk.final(1)
        assert (final.unauthentic, final.flooded, final.packets_received) == (480, 0, 60)


def _rms(frames: list[bytes]) -> float:
    pcm = ulaw_decode(np.frombuffer(b"".join(frames), np.uint8)).astype(float)
    return float(np.sqrt((pcm**2).mean()))


class TestLearningUnderSrtp:
    def test_only_authentic_packets_prove_a_source(self, desk: Desk, phone: Phone) -> None:
        """F1 with F4: a stranger of the same host learns nothing; the peer's five authentic packets do."""
        elsewhere = Phone()
        spec = phone.spec(srtp=KEYS, nat=True, signalling_host="127.0.0.1", remote_port=elsewhere.port)
        port = desk.open(1, spec)
        desk.do(control.Echo(1, on=True))
        secured, forger = Secured(phone), stranger()
        desk.now += 1.5  # the signalled port has had its time
        for number in range(CONSECUTIVE + 20):
            forged = RtpPacket(0, 500 + number, 0, 99, b"\x20" * (FRAME + 16)).serialise()
            forger.sendto(forged, ("127.0.0.1", port))
            secured.say(sound(number), port)
            desk.tick()
        desk.tick(12)
        learned = [each for each in desk.events if isinstance(each, control.SourceLearned)]
        assert [(each.host, each.port) for each in learned] == [(phone.host, phone.port)]
        assert sound(CONSECUTIVE + 15) in [each.payload for each in secured.received()]
        with pytest.raises(BlockingIOError):
            forger.recv(2048)
        forger.close()
        elsewhere.close()


class TestCodedLegs:
    def test_a_wide_leg_is_protected_too(self, desk: Desk, phone: Phone) -> None:
        """Packets that are made one by one, G.722 here, and events: sealed like those of the arrays."""
        spec = phone.spec(srtp=KEYS, codec="G722", rate=16000, payload_type=9)
        port = desk.open(1, spec)
        desk.do(control.Echo(1, on=True))
        outbound = desk.dispatch._plane.coded.outbound
        until = time.monotonic() + 5
        while outbound.terms(0) is None and time.monotonic() < until:  # a thread loads the codec
            desk.tick()
        secured = Secured(phone)
        heard = []
        for number in range(30):
            secured.say(sound(number), port, 9)
            desk.tick()
            heard += secured.received()  # raises where one does not open
        desk.do(control.SendDigits(1, "5"))
        desk.tick(10)
        heard += secured.received()
        assert len([each for each in heard if each.payload_type == 9]) > 20
        assert {each.payload_type for each in heard} == {9, 101}
        assert desk.final(1).packets_received == 30
