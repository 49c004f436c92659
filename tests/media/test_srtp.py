"""SRTP of the legs: right by an independent oracle, and unmoved by whatever is not authentic (security F4)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.control import LegSpec, OpenLeg, SrtpTerms, SuiteName
from media.rtcp import ReceiverReport, serialise_compound
from media.rtp import RtpPacket
from media.srtp import GRACE_SECONDS, MOST_SOURCES, SEARCH_SECONDS, SrtpLegs
from tests.media.srtp_oracle import KEY_SIZES, Oracle, derive

SUITES: list[SuiteName] = [
    "AEAD_AES_128_GCM",
    "AEAD_AES_256_GCM",
    "AES_CM_128_HMAC_SHA1_80",
    "AES_CM_128_HMAC_SHA1_32",
]
GCM = SUITES[0]
SSRC = 0x5501A0B2
RR = serialise_compound([ReceiverReport(SSRC)])


def key(suite: str, fill: int) -> bytes:
    return bytes((fill + at) & 0xFF for at in range(sum(KEY_SIZES[suite])))


def terms(suite: SuiteName = GCM, receive: int = 1, send: int = 100) -> SrtpTerms:
    return SrtpTerms(suite, key(suite, send), key(suite, receive))


def rtp(sequence: int, ssrc: int = SSRC, fill: int = 7) -> bytes:
    return RtpPacket(0, sequence & 0xFFFF, sequence * 160, ssrc, bytes([fill]) * 160).serialise()


class Receiver:
    """The legs and the buffer a worker receives into; packets of any legs in, payloads or None out."""

    def __init__(self, *slots: int, suite: SuiteName = GCM) -> None:
        self.legs = SrtpLegs()
        self.suite: SuiteName = suite
        self.buffer = np.zeros((16, 1088), np.uint8)
        self.now = 0.0
        for slot in slots or (3,):
            self.legs.secure(slot, terms(suite, receive=slot), 0.0)

    def takes(self, *packets: tuple[int, bytes]) -> list[bytes | None]:
        sizes = np.array([len(data) for _, data in packets])
        for row, (_, data) in enumerate(packets):
            self.buffer[row, : len(data)] = np.frombuffer(data, np.uint8)
        slots = np.array([slot for slot, _ in packets])
        self.legs.unprotect(slots, self.buffer, sizes, self.now)
        return [
            self.buffer[row, :size].tobytes() if size >= 0 else None
            for row, size in enumerate(sizes.tolist())
        ]

    def peer(self, slot: int = 3) -> Oracle:
        return Oracle(self.suite, key(self.suite, slot))


def test_the_oracle_knows_the_key_derivation_of_the_rfc() -> None:
    """RFC 3711 appendix B.3."""
    master, salt = (
        bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139"),
        bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6"),
    )
    assert derive(master, salt, 0, 16).hex().upper() == "C61E7A93744F39EE10734AFE3FF7A087"
    assert derive(master, salt, 2, 14).hex().upper() == "30CBBC08863D8C85D49DB34A9AE1"
    assert derive(master, salt, 1, 20).hex().upper() == "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"


@pytest.mark.parametrize("suite", SUITES)
class TestAgainstTheOracle:
    def test_what_is_received(self, suite: SuiteName) -> None:
        """Packets of secure and of plain legs come out side by side, each as it was."""
        receiver = Receiver(3, 90, suite=suite)
        taken = receiver.takes(
            (3, receiver.peer(3).protect(rtp(5))), (8, rtp(6)), (90, receiver.peer(90).protect(rtp(7)))
        )
        assert taken == [rtp(5), rtp(6), rtp(7)]

    def test_what_is_sent(self, suite: SuiteName) -> None:
        """The array's packets are sealed beside themselves, a longer one each; single packets likewise."""
        legs = SrtpLegs()
        for slot in (1, 2):
            legs.secure(slot, terms(suite, send=50 + slot), 0.0)
        views = legs.arrange([2, 1], 172)
        for sequence in range(3):
            packets = np.stack([np.frombuffer(rtp(sequence, fill=slot), np.uint8) for slot in range(3)])
            before = packets.copy()
            legs.seal(packets)
            assert (packets == before).all()
            for slot, view in ((2, views[0]), (1, views[1])):
                assert bytes(view) == Oracle(suite, key(suite, 50 + slot)).protect(rtp(sequence, fill=slot))
        event = RtpPacket(101, 9, 480, SSRC, b"\x05\x0a\x00\xa0").serialise()
        assert legs.protect_single(1, event) == Oracle(suite, key(suite, 51)).protect(event)

    def test_reports(self, suite: SuiteName) -> None:
        """SRTCP both ways, the index counted from one."""
        receiver = Receiver(suite=suite)
        assert receiver.legs.open_rtcp(3, receiver.peer().protect_rtcp(RR, 1)) == RR
        own = Oracle(suite, key(suite, 100))
        assert receiver.legs.protect_rtcp(3, RR) == own.protect_rtcp(RR, 1)
        assert receiver.legs.protect_rtcp(3, RR) == own.protect_rtcp(RR, 2)

    def test_the_sequence_wraps(self, suite: SuiteName) -> None:
        """The roll-over counter follows, and survives the same terms a second time."""
        receiver = Receiver(suite=suite)
        for extended in range(0x100, 0x20000, 0x3000):
            receiver.legs.secure(3, terms(suite, receive=3), 0.0)
            sealed = receiver.peer().protect(rtp(extended), roc=extended >> 16)
            assert receiver.takes((3, sealed)) == [rtp(extended)]


class TestWhatIsNotAuthentic:
    def test_a_wrong_tag_drops_the_packet_and_nothing_else(self) -> None:
        """The packets before, beside and after it are heard; one is counted."""
        receiver = Receiver(3, 4)
        good = [receiver.peer().protect(rtp(sequence)) for sequence in (1, 2, 3)]
        forged = good[1][:-1] + bytes([good[1][-1] ^ 1])
        other = receiver.peer(4).protect(rtp(1))
        taken = receiver.takes((3, good[0]), (3, forged), (4, other), (3, good[1]), (3, good[2]))
        assert taken == [rtp(1), None, rtp(1), rtp(2), rtp(3)]
        assert receiver.legs.counters == {"srtp_unauthentic": 1}
        assert (receiver.legs.failed(3), receiver.legs.failed(4)) == (1, 0)

    @given(st.binary(max_size=200), st.integers(0, 3))
    def test_no_octets_harm(self, junk: bytes, kind: int) -> None:
        """Whatever a stranger sends, as RTP or RTCP, long or short, the peer is heard as before."""
        receiver = Receiver()
        first = receiver.peer().protect(rtp(1))
        junk = junk if kind == 0 else first[: 4 * kind] + junk
        taken = receiver.takes((3, first), (3, junk or b"x"), (3, receiver.peer().protect(rtp(2))))
        assert taken[0] == rtp(1)
        assert taken[1] is None
        assert taken[2] == rtp(2)
        assert receiver.legs.open_rtcp(3, junk) is None

    def test_plain_packets_are_not_authentic(self) -> None:
        """Nobody can talk to a secure leg without its key, in RTP or RTCP."""
        receiver = Receiver()
        assert receiver.takes((3, rtp(1)), (3, RR)) == [None, None]
        assert receiver.legs.open_single(3, rtp(1)) is None
        assert receiver.legs.open_rtcp(3, RR) is None

    def test_a_repeated_packet_is_dropped(self) -> None:
        """A replay, at once or within and beyond the window."""
        receiver = Receiver()
        sealed = [receiver.peer().protect(rtp(sequence)) for sequence in range(400)]
        for packet in sealed:
            receiver.takes((3, packet))
        assert receiver.takes((3, sealed[399]), (3, sealed[340]), (3, sealed[0])) == [None] * 3
        assert receiver.legs.counters == {"srtp_replayed": 3}

    def test_reordering_within_the_window_is_heard(self) -> None:
        """At least 64 packets late (RFC 3711 section 3.3.2)."""
        receiver = Receiver()
        sealed = [receiver.peer().protect(rtp(sequence)) for sequence in range(100)]
        receiver.takes((3, sealed[99]))
        assert receiver.takes(*((3, sealed[at]) for at in (36, 98, 40))) == [rtp(36), rtp(98), rtp(40)]

    def test_only_authentic_packets_move_the_roll_over_counter(self) -> None:
        """Forged numbers on both sides of the wrap leave it where it was."""
        receiver = Receiver()
        receiver.takes((3, receiver.peer().protect(rtp(0xFFF0))))
        for forged in (0x0010, 0x7000, 0xB000, 0x0010, 0x9000):
            assert receiver.takes((3, Oracle(GCM, key(GCM, 77)).protect(rtp(forged)))) == [None]
        assert receiver.takes((3, receiver.peer().protect(rtp(0xFFF1)))) == [rtp(0xFFF1)]
        assert receiver.takes((3, receiver.peer().protect(rtp(0x10002), roc=1))) == [rtp(0x10002)]

    def test_the_index_and_the_e_bit_of_srtcp_are_covered(self) -> None:
        """A changed index, a cleared E bit, a replay: none is taken."""
        for suite in SUITES:
            receiver = Receiver(suite=suite)
            sealed = receiver.peer().protect_rtcp(RR, 5)
            word = len(sealed) - (4 if "GCM" in suite else 14)
            for at, bits in ((word, 0x80), (word + 3, 0x01), (word + 1, 0x40), (9, 0x01), (1, 0x01)):
                changed = bytearray(sealed)
                changed[at] ^= bits
                assert receiver.legs.open_rtcp(3, bytes(changed)) is None, (suite, at)
            assert receiver.legs.open_rtcp(3, sealed) == RR
            assert receiver.legs.open_rtcp(3, sealed) is None

    def test_forged_sources_cost_nothing(self) -> None:
        """Only an authentic packet begins a source, and one key has a bounded number of them."""
        receiver = Receiver()
        for ssrc in range(200):
            assert receiver.takes((3, Oracle(GCM, key(GCM, 77)).protect(rtp(1, ssrc)))) == [None]
        for ssrc in range(MOST_SOURCES):
            assert receiver.takes((3, receiver.peer().protect(rtp(1, ssrc)))) == [rtp(1, ssrc)]
        assert receiver.takes((3, receiver.peer().protect(rtp(1, MOST_SOURCES)))) == [None]
        assert receiver.takes((3, receiver.peer().protect(rtp(2, 0)))) == [rtp(2, 0)]
        assert (
            receiver.legs.open_rtcp(
                3, receiver.peer().protect_rtcp(serialise_compound([ReceiverReport(99)]), 1)
            )
            is None
        )
        assert receiver.legs.counters["srtp_sources"] == 2


class TestMuxed:
    def test_reports_on_the_rtp_port_are_srtcp(self) -> None:
        """RFC 5761: told apart by their type, and authentic or dropped."""
        receiver = Receiver()
        sealed = receiver.peer().protect_rtcp(RR, 1)
        assert receiver.takes((3, sealed), (3, receiver.peer().protect(rtp(1))), (3, sealed)) == [
            RR,
            rtp(1),
            None,
        ]


class TestNewKeys:
    def test_the_former_key_is_heard_for_a_while(self) -> None:
        """After a re-offer both keys are good, in one batch too, and later only the new one."""
        receiver = Receiver()
        former, new = receiver.peer(), Oracle(GCM, key(GCM, 44))
        receiver.takes((3, former.protect(rtp(1))))
        receiver.legs.secure(3, terms(receive=44), 0.0)
        taken = receiver.takes(
            (3, former.protect(rtp(2))), (3, new.protect(rtp(3))), (3, former.protect(rtp(4))), (3, rtp(9))
        )
        assert taken == [rtp(2), rtp(3), rtp(4), None]
        assert receiver.legs.open_rtcp(3, former.protect_rtcp(RR, 1)) == RR
        receiver.now = GRACE_SECONDS
        assert receiver.takes((3, former.protect(rtp(5))), (3, new.protect(rtp(6)))) == [None, rtp(6)]

    def test_another_suite(self) -> None:
        """A re-offer may change it."""
        receiver = Receiver()
        receiver.legs.secure(3, terms("AES_CM_128_HMAC_SHA1_80", receive=3), 0.0)
        new = Oracle("AES_CM_128_HMAC_SHA1_80", key("AES_CM_128_HMAC_SHA1_80", 3))
        assert receiver.takes((3, receiver.peer().protect(rtp(1))), (3, new.protect(rtp(2)))) == [
            rtp(1),
            rtp(2),
        ]
        assert len(receiver.legs.arrange([3], 172)[0]) == 182

    def test_only_our_key_changes(self) -> None:
        """The peer's stream goes on as it was: nothing it sent before can be replayed."""
        receiver = Receiver()
        sealed = receiver.peer().protect(rtp(1))
        receiver.takes((3, sealed))
        receiver.legs.secure(3, terms(receive=3, send=60), 0.0)
        assert receiver.takes((3, sealed)) == [None]
        assert receiver.legs.protect_single(3, rtp(1)) == Oracle(GCM, key(GCM, 60)).protect(rtp(1))

    def test_without_keys_the_leg_is_plain(self) -> None:
        """And a slot that is used again knows nothing of the leg before."""
        receiver = Receiver()
        receiver.legs.secure(3, None, 0.0)
        receiver.legs.secure(5, None, 0.0)
        assert receiver.takes((3, rtp(1))) == [rtp(1)]
        assert receiver.legs.protect_single(3, rtp(1)) == rtp(1)
        assert not receiver.legs
        assert receiver.legs.failed(3) == 0


@pytest.mark.parametrize("suite", SUITES)
class TestAStreamOlderThanItsContext:
    """A worker was lost: its successor does not know how often the peer's numbers wrapped."""

    @pytest.mark.parametrize("start", [0x10000, 0x13FFF, 0x14000, 0x28001, 0x7FFFE, 0x3F1234])
    def test_its_wraps_are_found(self, suite: SuiteName, start: int) -> None:
        """With the first packet; the stream goes on over the next wraps, and cannot be replayed."""
        receiver = Receiver(suite=suite)
        first = receiver.peer().protect(rtp(start), roc=start >> 16)
        second = receiver.peer().protect(rtp(start + 1), roc=start + 1 >> 16)
        assert receiver.takes((3, first), (3, second)) == [rtp(start), rtp(start + 1)]
        assert receiver.takes((3, first)) == [None]
        for extended in range(start + 2, start + 0x20000, 0x5000):
            sealed = receiver.peer().protect(rtp(extended), roc=extended >> 16)
            assert receiver.takes((3, sealed)) == [rtp(extended)]
        assert receiver.legs.counters == {"srtp_resumed": 1, "srtp_replayed": 1}

    def test_a_stranger_delays_it_at_most(self, suite: SuiteName) -> None:
        """What never opens is not tried again for a second; then the peer is heard."""
        receiver = Receiver(suite=suite)
        forged = Oracle(suite, key(suite, 77)).protect(rtp(1))
        honest = [receiver.peer().protect(rtp(0x30000 + at), roc=3) for at in range(2)]
        assert receiver.takes((3, forged), (3, honest[0])) == [None, None]
        receiver.now = SEARCH_SECONDS
        assert receiver.takes((3, honest[1])) == [rtp(0x30001)]

    def test_only_while_nothing_was_authentic(self, suite: SuiteName) -> None:
        """A stream that is known goes its own way: a jump over a whole wrap is not followed."""
        receiver = Receiver(suite=suite)
        assert receiver.takes((3, receiver.peer().protect(rtp(5)))) == [rtp(5)]
        assert receiver.takes((3, receiver.peer().protect(rtp(0x20005), roc=2))) == [None]


def test_keys_are_not_shown() -> None:
    """Neither the terms nor the commands that carry them show a key in any form (security F4)."""
    shown = terms()
    for thing in (
        shown,
        LegSpec(local_host="127.0.0.1", srtp=shown),
        OpenLeg(1, LegSpec(local_host="::1", srtp=shown)),
    ):
        text = f"{thing!r} {thing}"
        assert "AEAD_AES_128_GCM" in text
        for secret in (shown.send_key, shown.receive_key):
            assert repr(secret)[2:-1] not in text
            assert secret.hex() not in text
