"""What coded legs are sent: one encode for all that hear the same, and no click where that changes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from media.codecs import g722_library
from media.codecs.coding import Pcm, Terms
from media.codecs.loading import make_encoder
from media.codecs.opus import OpusEncoder
from media.coded_outbound import MOST_WAITING, PATIENCE_TICKS
from tests.media.coded_wire import (
    G722,
    L16_16,
    OPUS_16,
    OPUS_48,
    Peer,
    frames,
    plane,
    tone,
    voice,
)

SAY = np.ones(512, np.bool_)


def put_all(peers: list[Peer], sounds: list[tuple[list[Peer], Pcm, str | None]]) -> None:
    """One tick in which these peers are put these sounds."""
    outbound = peers[0].plane.coded.outbound
    peers[0].plane.transmission.advance(1)
    outbound.begin_tick()
    for heard_by, pcm, key in sounds:
        outbound.put([peer.slot for peer in heard_by], pcm, key)
    sent = outbound.flush(SAY)
    for peer in peers:
        peer.plane.extra = sent
        peer.take()


def test_listeners_of_equal_terms_share_one_encode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty listeners and one of other terms: two encodes, and every payload is that of its terms."""
    wire = plane()
    peers = [Peer.join(wire, OPUS_16) for _ in range(50)]
    peers.append(Peer.join(wire, OPUS_16._replace(bitrate=8000)))
    count = 0
    encode = OpusEncoder.encode

    def counted(self: OpusEncoder, pcm: Pcm) -> bytes:
        nonlocal count
        count += 1
        return encode(self, pcm)

    monkeypatch.setattr(OpusEncoder, "encode", counted)
    for frame in frames(voice(0.2, 16000), OPUS_16):
        put_all(peers, [(peers, frame, "room")])
    assert count == 2 * 10
    assert len({tuple(packet.payload for packet in peer.packets) for peer in peers[:50]}) == 1
    assert len({packet.ssrc for peer in peers for packet in peer.packets}) == 51
    small, large = (sum(len(p.payload) for p in peer.packets) for peer in (peers[50], peers[0]))
    assert small < 0.7 * large


def test_two_rooms_do_not_mix() -> None:
    """Another key is another encoder, also of the same terms."""
    wire = plane()
    one, other = Peer.join(wire, L16_16), Peer.join(wire, L16_16)
    for frame in frames(tone(500, 0.1, 16000), L16_16):
        put_all([one, other], [([one], frame, "one"), ([other], np.zeros(320, np.int16), "other")])
    assert one.heard().any()
    assert not other.heard().any()


def switched(terms: Terms, talks: range) -> tuple[Pcm, Pcm]:
    """What a leg hears that is put the room's sound on its own in these ticks, and what one hears that never is."""
    wire = plane()
    peers = [Peer.join(wire, terms) for _ in range(2)]
    for number, frame in enumerate(frames(voice(2.4, terms.rate), terms)):
        if number in talks:
            put_all(peers, [([peers[0]], frame, None), ([peers[1]], frame, "room")])
        else:
            put_all(peers, [(peers, frame, "room")])
    return peers[0].heard(), peers[1].heard()


@pytest.mark.parametrize("terms", [OPUS_16, OPUS_48, G722, L16_16], ids=str)
def test_a_listener_that_talks_goes_on_in_its_own_stream(terms: Terms) -> None:
    """Put the same sound, it hears the same: its encoder began where the shared one was."""
    mine, theirs = switched(terms, range(60, 120))
    begin = 59 * terms.samples
    wrong = mine[begin:].astype(float) - theirs[begin:]
    loud = np.mean(theirs[begin:].astype(float) ** 2)
    assert 10 * np.log10(np.mean(wrong**2) / loud + 1e-9) < (-60 if make_encoder(terms).copies else -20)


def test_an_encoder_that_cannot_be_copied_is_led_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """G.722 without libspandsp: what is left is about the noise of the codec itself."""
    monkeypatch.setattr(g722_library, "load", lambda: None)
    assert not make_encoder(G722).copies
    mine, theirs = switched(G722, range(60, 120))
    wrong = mine[59 * 320 :].astype(float) - theirs[59 * 320 :]
    assert 10 * np.log10(np.mean(wrong**2) / np.mean(theirs.astype(float) ** 2)) < -20


@pytest.mark.parametrize("terms", [OPUS_16, OPUS_48, G722], ids=str)
def test_and_comes_back_in_a_pause(terms: Terms) -> None:
    """Between words it goes on with its own encoder. From the pause on it is sent what all are, and hears no click."""
    wire = plane()
    peers = [Peer.join(wire, terms) for _ in range(2)]
    spoken = frames(voice(2.0, terms.rate), terms)
    pause = np.zeros(terms.samples, np.int16)
    for number, frame in enumerate([*spoken[:80], *[pause] * 10, *spoken[80:]]):
        if 30 <= number < 60:
            put_all(peers, [([peers[0]], frame // 2, None), ([peers[1]], frame, "room")])
        else:
            put_all(peers, [(peers, frame, "room")])
    mine, theirs = ([packet.payload for packet in peer.packets] for peer in peers)
    assert mine[:30] == theirs[:30]
    assert mine[60] != theirs[60]
    assert mine[-30:] == theirs[-30:]
    wrong = (peers[0].heard().astype(float) - peers[1].heard()).reshape(-1, terms.samples)
    loud = np.mean(peers[1].heard().astype(float) ** 2)
    assert 10 * np.log10((wrong[80:] ** 2).mean(1).max() / loud + 1e-9) < -30


def test_who_waits_for_a_pause_in_vain_comes_back_all_the_same() -> None:
    """An encoder a listener is not kept for ever."""
    wire = plane()
    peers = [Peer.join(wire, G722) for _ in range(2)]
    spoken = frames(voice(1.0, 16000), G722)
    put_all(peers, [(peers, spoken[0], "room")])
    put_all(peers, [([peers[0]], spoken[2], None), ([peers[1]], spoken[1], "room")])
    for number in range(PATIENCE_TICKS + 1):
        put_all(peers, [(peers, spoken[number % len(spoken)], "room")])
    mine, theirs = ([packet.payload for packet in peer.packets] for peer in peers)
    assert mine[-3] != theirs[-3]
    assert mine[-1] == theirs[-1]


def test_of_many_who_fall_silent_at_once_few_wait_for_a_pause() -> None:
    """All who have just joined a loud room, for instance: an encoder each would be more than a core."""
    wire = plane()
    peers = [Peer.join(wire, G722) for _ in range(3 * MOST_WAITING)]
    spoken = frames(voice(1.0, 16000), G722)
    put_all(peers, [([peer], np.roll(spoken[0], place), None) for place, peer in enumerate(peers)])
    for frame in spoken[1:4]:
        put_all(peers, [(peers[::2], frame, "room"), (peers[1::2], frame, "another")])
    last = Counter(peer.packets[-1].payload for peer in peers)
    alone = [payload for payload, count in last.items() if count == 1]
    assert len(alone) <= MOST_WAITING
    assert len(last) <= MOST_WAITING + 2


def test_silence_is_not_sent_to_who_asks_for_dtx() -> None:
    """With usedtx a second of silence is a few packets, and the speech after it begins a talkspurt."""
    wire = plane()
    peer = Peer.join(wire, OPUS_16._replace(dtx=True))
    speech = frames(voice(0.4, 16000), OPUS_16)
    for frame in speech + [np.zeros(320, np.int16)] * 100 + speech:
        put_all([peer], [([peer], frame, "room")])
    gaps = np.diff([packet.timestamp for packet in peer.packets])
    assert len(peer.packets) < 90
    assert (gaps % 960 == 0).all()
    after = [now.marker for now, gap in zip(peer.packets[1:], gaps, strict=True) if gap > 960]
    assert after
    assert all(after)


def test_loss_that_is_reported_makes_fec() -> None:
    """A peer that loses a fifth of what it is sent gets its frames twice, if it can use that."""
    sizes = []
    for percent in (0, 20):
        wire = plane()
        peer = Peer.join(wire, OPUS_16._replace(fec=True))
        wire.coded.outbound.report_loss(peer.slot, percent)
        decoder_gains = frames(voice(2.0, 16000), OPUS_16)
        for frame in decoder_gains:
            put_all([peer], [([peer], frame, "room")])
        sizes.append([packet.payload for packet in peer.packets])
    assert sizes[0] != sizes[1]


def test_who_may_not_send_is_not_encoded_for() -> None:
    """While digits take the place of the sound, or on hold."""
    wire = plane()
    peer = Peer.join(wire, G722)
    outbound = wire.coded.outbound
    outbound.begin_tick()
    outbound.put([peer.slot], np.zeros(320, np.int16))
    assert outbound.flush(np.zeros(512, np.bool_)) == []


def test_a_leg_with_nothing_to_say_shows_life() -> None:
    """RFC 6263: 20 ms of silence every five seconds."""
    wire = plane()
    peer = Peer.join(wire, OPUS_16._replace(dtx=True))
    for _ in range(500):
        wire.tick(0.0)
        peer.take()
    assert len(peer.packets) == 2
    assert all(packet.payload and packet.marker for packet in peer.packets)


def test_a_prompt_is_encoded_once_for_all_that_hear_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second leg, half a second behind, is sent copies; a prompt loaded anew is encoded anew."""
    wire = plane()
    count = 0
    encode = OpusEncoder.encode

    def counted(self: OpusEncoder, pcm: Pcm) -> bytes:
        nonlocal count
        count += 1
        return encode(self, pcm)

    monkeypatch.setattr(OpusEncoder, "encode", counted)
    wire.player.bank.load("voice", voice(1.0, 8000))
    one, other = Peer.join(wire, OPUS_16), Peer.join(wire, OPUS_16)
    for tick in range(75):
        if tick in (0, 25):
            wire.play((one, other)[tick // 25].slot, ["voice"], loop=False, tag=tick)
        wire.tick(0.0)
        one.take()
        other.take()
    assert count == 50
    assert [packet.payload for packet in one.packets] == [packet.payload for packet in other.packets]
    wire.player.bank.load("voice", tone(500, 1.0, 8000))
    wire.play(one.slot, ["voice"], loop=False, tag=9)
    for _ in range(50):
        wire.tick(0.0)
    assert count == 100
