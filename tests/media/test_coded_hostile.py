"""Coded legs on what nobody should send (security F9), and on what a network does."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.codecs.availability import available
from media.codecs.coding import Terms
from media.codecs.loading import make_decoder
from media.rtp import RtpPacket
from tests.media.coded_wire import (
    G722,
    G729,
    L16_8,
    L16_16,
    L16_48,
    OPUS_8,
    OPUS_16,
    OPUS_48,
    PAYLOAD_TYPE,
    Peer,
    frames,
    plane,
    tone,
    voice,
)

ALL = [OPUS_8, OPUS_16, OPUS_48, G722, L16_8, L16_16, L16_48, *([G729] if available("G729") else [])]
NAMES = [f"{terms.codec}/{terms.rate}" for terms in ALL]
payloads = st.one_of(
    st.binary(max_size=40),
    st.integers(0, 1460).flatmap(lambda size: st.randoms().map(lambda draw: draw.randbytes(size))),
)


@pytest.mark.parametrize("terms", ALL, ids=NAMES)
@given(st.lists(st.tuples(payloads, st.integers(0, 3)), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_payload_is_sound_or_silence(terms: Terms, hostile: list[tuple[bytes, int]]) -> None:
    """Whatever comes, 20 ms of samples go out each tick, and an honest tone is heard after it."""
    wire = plane()
    peer = Peer.join(wire, terms)
    wire.echo(peer.slot, on=True)
    for payload, skipped in hostile:
        for _ in range(skipped):
            peer.pass_by()
        peer.send(payload)
        wire.tick(0.0)
        assert len(wire.coded.sound(peer.slot)) == terms.rate // 50
    assert len(wire.coded.queue.pool.length) <= 2048


@pytest.mark.parametrize("terms", ALL, ids=NAMES)
def test_decoders_keep_to_their_room(terms: Terms) -> None:
    """Every length from 0 to 1500, into a frame of 20 ms: nothing is written beyond it."""
    decoder = make_decoder(terms)
    draw = random.Random(7)
    room = terms.rate // 50
    guarded = np.zeros(room + 5760, np.int16)
    for size in range(1501):
        data = np.frombuffer(draw.randbytes(size) + b"\0", np.uint8)
        guarded[room:] = 321
        count = decoder.decode(data.ctypes.data, size, guarded.ctypes.data, room)
        assert 0 <= count <= room
        assert (guarded[room:] == 321).all()


def received(terms: Terms, lost: set[int], count: int = 150) -> tuple[np.ndarray, list[int]]:
    """A tone sent with these packets lost: all that was heard, and the level of each tick."""
    wire = plane()
    peer = Peer.join(wire, terms)
    if terms.codec == "OPUS":
        assert peer.encoder is not None
        peer.encoder.expect_loss(20)
    wire.echo(peer.slot, on=True)
    sound, levels = [], []
    for number, frame in enumerate(frames(voice(count / 50, terms.rate), terms)):
        payload = peer.payload(frame)
        if number in lost:
            peer.pass_by()
        else:
            peer.send(payload)
        wire.tick(0.0)
        sound.append(wire.coded.sound(peer.slot).copy())
        levels.append(int(wire.coded.level[wire.coded.index[peer.slot]]))
    return np.concatenate(sound), levels


@pytest.mark.parametrize("terms", [OPUS_16, OPUS_48, G722, L16_16, *ALL[7:]], ids=str)
def test_a_lost_packet_is_made_up_for(terms: Terms) -> None:
    """One packet in ten is lost: no tick is much quieter than it would have been."""
    lost = set(range(20, 150, 10))
    _, levels = received(terms, lost)
    _, whole = received(terms, set())
    quieter = np.array(levels[15:]) - np.array(whole[15:])
    assert quieter.max() <= (20 if terms.codec == "G729" else 14)  # G.729 predicts from what it has made up


def test_fec_is_better_than_concealment() -> None:
    """With in-band FEC a lost packet is nearly what it was, for the next one holds it again."""
    lost = set(range(30, 90, 6))  # before the delay is cut for the first time
    at = np.array(sorted(lost))[:, None] * 320 + 320 + np.arange(320)  # a frame of delay

    def error(terms: Terms) -> float:
        whole, broken = received(terms, set(), 95)[0], received(terms, lost, 95)[0]
        wrong = (whole.astype(float) - broken)[at]
        return float(np.mean(wrong**2) / np.mean(whole[at].astype(float) ** 2))

    assert error(OPUS_16._replace(fec=True)) < 0.8 * error(OPUS_16)


@pytest.mark.parametrize("terms", [OPUS_16, G722, L16_16], ids=str)
def test_a_pause_becomes_silence_and_ends(terms: Terms) -> None:
    """A peer that stops sending is not concealed for ever, and is heard at once when it is back."""
    _, levels = received(terms, set(range(50, 100)))
    assert levels[65:99] == [127] * 34
    assert levels[104] < 30


@pytest.mark.parametrize("terms", [OPUS_16, G722], ids=str)
def test_5_percent_loss_60_ms_jitter_and_reordering(terms: Terms) -> None:
    """The tone stays: after the delay has grown, hardly any tick is without it."""
    wire = plane()
    peer = Peer.join(wire, terms)
    wire.echo(peer.slot, on=True)
    draw = random.Random(3)
    queued: list[tuple[float, int]] = []
    coded = [peer.payload(frame) for frame in frames(voice(10.0, terms.rate), terms)]
    for number in range(len(coded)):
        if draw.random() >= 0.05:
            queued.append((number + draw.uniform(0, 3), number))
    queued.sort()
    levels, at = [], 0
    for tick in range(len(coded)):
        while at < len(queued) and queued[at][0] <= tick:
            number = queued[at][1]
            stamp = number * terms.clock // 50
            peer.plane_receive(RtpPacket(PAYLOAD_TYPE, number, stamp, 7, coded[number]))
            at += 1
        wire.tick(0.0)
        levels.append(int(wire.coded.level[wire.coded.index[peer.slot]]))
    settled = np.array(levels[100:])
    assert (settled > 40).mean() < 0.01
    assert wire.coded.late(peer.slot) < 20


def test_a_backlog_is_dropped_not_carried() -> None:
    """A second of packets at once: a second later the delay is a frame again."""
    wire = plane()
    peer = Peer.join(wire, L16_16)
    wire.echo(peer.slot, on=True)
    silence = bytes(640)
    for _ in range(20):
        peer.send(silence)
        wire.tick(0.0)
    for _ in range(50):
        peer.send(silence)
    for _ in range(50):
        peer.send(silence)
        wire.tick(0.0)
    row = wire.coded.index[peer.slot]
    ahead = peer.timestamp - int(wire.coded.queue.read_timestamp[row])
    assert ahead <= 2 * 320


@pytest.mark.parametrize("drift", [1.003, 0.997])
def test_a_clock_that_drifts_is_followed(drift: float) -> None:
    """3 per mille faster or slower for 40 s: the delay stays below 60 ms, and few ticks are made up."""
    wire = plane()
    peer = Peer.join(wire, L16_8)
    wire.echo(peer.slot, on=True)
    loud = tone(400, 0.02, 8000).astype(">i2").tobytes()
    row = wire.coded.index[peer.slot]
    sent, holes = 0.0, 0
    for tick in range(2000):
        while sent < (tick + 1) * drift:
            peer.send(loud)
            sent += 1
        wire.tick(0.0)
        holes += bool(wire.coded.level[row] > 20 and tick > 5)
        ahead = (peer.timestamp - int(wire.coded.queue.read_timestamp[row])) / 160
        assert ahead <= 3
    assert holes <= 12
