"""Coded legs on the plane: what comes in is heard, what is lost is made up for, what goes out is right."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from media.codecs.coding import Terms
from media.legs import Digit
from media.rtp import RtpPacket
from tests.media.coded_wire import (
    EVENT_TYPE,
    G722,
    L16_8,
    L16_16,
    L16_48,
    OPUS_8,
    OPUS_16,
    OPUS_48,
    PAYLOAD_TYPE,
    Peer,
    frames,
    level_at,
    noise_below,
    plane,
    tone,
)

ALL = [OPUS_8, OPUS_16, OPUS_48, G722, L16_8, L16_16, L16_48]
NAMES = [f"{terms.codec}/{terms.rate}" for terms in ALL]


def send_all(peer: Peer, payload: bytes) -> None:
    """A packet of 20 ms, or two of 10 where it does not fit."""
    if len(payload) <= 1060:
        peer.send(payload)
        return
    half = len(payload) // 2
    for part in (payload[:half], payload[half:]):
        peer.send(part, ticks=peer.terms.clock // 100)


@pytest.mark.parametrize("terms", ALL, ids=NAMES)
def test_an_echo_returns_the_tone(terms: Terms) -> None:
    """A tone comes back as loud as it was, and with nothing else to speak of."""
    wire = plane()
    peer = Peer.join(wire, terms)
    wire.echo(peer.slot, on=True)
    for frame in frames(tone(1000, 2.0, terms.rate), terms):
        send_all(peer, peer.payload(frame))
        wire.tick(0.0)
        peer.take()
    sound = peer.heard()[terms.rate // 2 :]
    assert level_at(sound, 1000, terms.rate) == pytest.approx(8000, rel=0.1)
    assert noise_below(sound, 1000, terms.rate) > {"OPUS": 12, "G722": 30, "L16": 60}[terms.codec]


@pytest.mark.parametrize("terms", ALL, ids=NAMES)
def test_packets_that_are_sent_count_up(terms: Terms) -> None:
    """Sequence by one, timestamp by 20 ms of the RTP clock, the marker on the first, the octets counted."""
    wire = plane()
    peer = Peer.join(wire, terms)
    wire.echo(peer.slot, on=True)
    for _ in range(10):
        wire.tick(0.0)
        peer.take()
    packets = peer.packets
    parts = 2 if terms is L16_48 else 1
    assert len(packets) == 10 * parts
    steps = {(b.sequence - a.sequence) & 0xFFFF for a, b in itertools.pairwise(packets)}
    times = {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in itertools.pairwise(packets)}
    assert steps == {1}
    assert times == {terms.clock // 50 // parts}
    assert [packet.marker for packet in packets] == [True] + [False] * (len(packets) - 1)
    assert {packet.payload_type for packet in packets} == {PAYLOAD_TYPE}
    assert wire.transmission.octets[peer.slot] == sum(len(packet.payload) for packet in packets)


def test_level_is_that_of_rfc_6464() -> None:
    """A full-scale sine is at -3 dBov; nothing is 127."""
    wire = plane()
    peer = Peer.join(wire, L16_16)
    wire.echo(peer.slot, on=True)
    row = wire.coded.index[peer.slot]
    wire.tick(0.0)
    assert wire.coded.level[row] == 127
    for frame in frames(tone(1000, 0.2, 16000, 32767), L16_16):
        peer.send(peer.payload(frame))
        wire.tick(0.0)
    assert wire.coded.level[row] == 3


@pytest.mark.parametrize("terms", [OPUS_16, OPUS_48, G722], ids=str)
@pytest.mark.parametrize("start", [0x7FFF, 0xFFF0])
def test_reordered_and_repeated_packets_change_nothing(terms: Terms, start: int) -> None:
    """Each pair of packets the wrong way round and one of them twice, over the wraps: the tone is whole."""
    wire = plane()
    peer = Peer.join(wire, terms)
    peer.sequence, peer.timestamp = start, (start << 16) + 0xFF00
    wire.echo(peer.slot, on=True)
    coded = [peer.payload(frame) for frame in frames(tone(1000, 2.0, terms.rate), terms)]
    step = terms.clock // 50
    for at in range(0, len(coded) - 1, 2):
        for place in (at + 1, at, at):
            sequence, stamp = (start + place) & 0xFFFF, (peer.timestamp + place * step) & 0xFFFFFFFF
            peer.plane_receive(RtpPacket(PAYLOAD_TYPE, sequence, stamp, 7, coded[place]))
        for _ in range(2):
            wire.tick(0.0)
            peer.take()
    sound = peer.heard()[terms.rate // 2 :]
    assert noise_below(sound, 1000, terms.rate) > (12 if terms.codec == "OPUS" else 30)


def test_packets_of_10_ms_become_frames_of_20_ms() -> None:
    """L16, so that every sample can be checked: what comes out is what went in, whole."""
    wire = plane()
    peer = Peer.join(wire, L16_16)
    wire.echo(peer.slot, on=True)
    sound = np.arange(16000, dtype=np.int16)
    heard = []
    for at in range(0, 12800, 320):
        for part in (sound[at : at + 160], sound[at + 160 : at + 320]):
            peer.send(part.astype(">i2").tobytes(), ticks=160)
        wire.tick(0.0)
        heard.append(wire.coded.sound(peer.slot).copy())
    whole = np.concatenate(heard)
    begin = int(np.flatnonzero(whole == 6000)[0]) - 6000
    assert (whole[begin + 80 : begin + 12000] == sound[80:12000]).all()  # it begins over 5 ms


@pytest.mark.parametrize("frames_a_packet", [2, 3])
def test_opus_packets_of_several_frames(frames_a_packet: int) -> None:
    """40 and 60 ms in one packet (RFC 6716 section 3.2): the tone goes on without a hole."""
    wire = plane()
    peer = Peer.join(wire, OPUS_16)
    wire.echo(peer.slot, on=True)
    coded = [peer.payload(frame) for frame in frames(tone(1000, 3.0, 16000), OPUS_16)]
    for at in range(0, len(coded) - frames_a_packet, frames_a_packet):
        group = coded[at : at + frames_a_packet]
        peer.send(packed(group), ticks=960 * frames_a_packet)
        for _ in group:
            wire.tick(0.0)
            peer.take()
    sound = peer.heard()[8000:]
    assert len(sound) > 32000
    assert noise_below(sound, 1000, 16000) > 12


def packed(packets: list[bytes]) -> bytes:
    """Opus packets of one frame each as one packet of code 3, variable (RFC 6716 section 3.2.5)."""
    toc = packets[0][0] & 0xFC | 3
    parts = [packet[1:] for packet in packets]
    lengths = b"".join(
        bytes([len(part)])
        if len(part) < 252
        else bytes([252 + (len(part) & 3), (len(part) - 252 - (len(part) & 3)) // 4])
        for part in parts[:-1]
    )
    return bytes([toc, 0x80 | len(parts)]) + lengths + b"".join(parts)


def test_digits_are_timed_by_the_clock_of_the_audio() -> None:
    """RFC 4733 section 2.1: next to Opus, 100 ms of a digit are 4800 timestamps, both ways."""
    wire = plane()
    peer = Peer.join(wire, OPUS_48)
    wire.send_digits(peer.slot, "5")
    for _ in range(12):
        wire.tick(0.0)
        peer.take()
    events = [packet for packet in peer.packets if packet.payload_type == EVENT_TYPE]
    assert len({packet.timestamp for packet in events}) == 1
    assert int.from_bytes(events[-1].payload[2:], "big") == 4800
    peer.plane_receive(RtpPacket(EVENT_TYPE, 1, 90000, 7, bytes([7, 0x80 | 10, 4800 >> 8, 4800 & 0xFF])))
    wire.tick(0.0)
    assert [out for out in wire.take_outputs() if isinstance(out, Digit)] == [Digit(peer.slot, "7", 100)]


def test_a_prompt_is_heard_in_every_codec() -> None:
    """What the bank has at 8 kHz reaches 16 and 48 kHz legs as loud, and nothing above 4 kHz with it."""
    wire = plane()
    wire.player.bank.load("tone", tone(1000, 2.0, 8000))
    for terms in ALL:
        peer = Peer.join(wire, terms)
        wire.play(peer.slot, ["tone"], loop=False, tag=1)
        for _ in range(100):
            wire.tick(0.0)
            peer.take()
        sound = peer.heard()[terms.rate // 2 :]
        assert level_at(sound, 1000, terms.rate) == pytest.approx(8000, rel=0.1)
        if terms.rate > 8000 and terms.codec == "L16":
            assert level_at(sound, 7000, terms.rate) < 8


def test_a_change_of_codec_keeps_the_stream_and_its_clock() -> None:
    """SSRC and sequence go on; the timestamp goes on from where it was, counted anew (RFC 7160)."""
    wire = plane()
    peer = Peer.join(wire, G722)
    wire.echo(peer.slot, on=True)
    for _ in range(5):
        wire.tick(0.0)
        peer.take()
    peer.negotiate(OPUS_48)
    for _ in range(5):
        wire.tick(0.0)
        peer.take()
    packets = peer.packets
    assert len({packet.ssrc for packet in packets}) == 1
    assert {b.sequence - a.sequence for a, b in itertools.pairwise(packets)} == {1}
    steps = [b.timestamp - a.timestamp for a, b in itertools.pairwise(packets)]
    assert steps == [160] * 4 + [960] * 5


@pytest.mark.parametrize(("before", "after"), [(OPUS_16, G722), (G722, L16_8), (L16_16, OPUS_48)], ids=str)
def test_a_change_of_codec_does_not_click(before: Terms, after: Terms) -> None:
    """What is heard of a leg ends and begins softly: no step between two samples is larger than the tone's own."""
    wire = plane()
    peer = Peer.join(wire, before)
    wire.echo(peer.slot, on=True)
    edge = []
    for terms in (before, after):
        peer.negotiate(terms)
        for number, frame in enumerate(frames(tone(200, 0.5, terms.rate), terms)):
            peer.send(peer.payload(frame))
            wire.tick(0.0)
            last = number >= 20 if terms is before else number < 5
            if last:
                edge.append(wire.coded.sound(peer.slot)[:: terms.rate // 8000].astype(int))
    sound = np.concatenate(edge)
    tones_own = 2 * np.pi * 200 / 8000 * 8000
    assert np.abs(np.diff(sound)).max() < 1.6 * tones_own
