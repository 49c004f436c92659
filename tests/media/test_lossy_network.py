"""The plane on virtual time behind a network: what is heard of speech, and how long it takes from mouth to ear."""

from __future__ import annotations

import heapq
import itertools

import numpy as np
import pytest

from media.codecs.g711 import ulaw_encode
from media.legs import Negotiated
from media.plane import Plane
from media.rtp import FRAME, RtpPacket
from tests.media.coded_wire import L16_16, Peer
from tests.media.coded_wire import plane as coded_plane
from tests.media.lossy import Comparison, LossyNetwork
from tests.media.speech import voice

TICK = 0.02
PCMU = Negotiated(law=0, payload_type=0, event_type=None, send=True, receive=True)


class Wire:
    """Packets under way to a plane, and its ticks; a leg's network is given with each packet."""

    def __init__(self) -> None:
        self.plane = Plane(lambda bits: 0)
        self.now = 0.0
        self._order = itertools.count()
        self._under_way: list[tuple[float, int, int, bytes]] = []

    def echo(self) -> int:
        slot = self.plane.open()
        self.plane.negotiate(slot, PCMU)
        self.plane.echo(slot, on=True)
        return slot

    def send(self, slot: int, number: int, payload: bytes, arrives: float) -> None:
        packet = RtpPacket(0, number & 0xFFFF, number * FRAME & 0xFFFFFFFF, 5, payload).serialise()
        heapq.heappush(self._under_way, (arrives, next(self._order), slot, packet))

    def tick(self) -> None:
        """Bring what arrives within the next 20 ms, and make the tick at their end."""
        self.now += TICK
        while self._under_way and self._under_way[0][0] <= self.now:
            arrives, _, slot, packet = heapq.heappop(self._under_way)
            raw = np.zeros((1, 1088), np.uint8)
            raw[0, : len(packet)] = np.frombuffer(packet, np.uint8)
            self.plane.receive(np.array([slot]), raw, np.array([len(packet)]), arrives)
        self.plane.tick(self.now)

    def heard(self, slot: int) -> bytes:
        return bytes(self.plane.transmission.packets["frame"][slot].tobytes())


def frames(seconds: float) -> list[bytes]:
    octets = ulaw_encode(voice(seconds)).tobytes()
    return [octets[at : at + FRAME] for at in range(0, len(octets) - FRAME + 1, FRAME)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_loss_jitter_and_reordering_are_hardly_heard(seed: int) -> None:
    """Nearly all that came is heard, and what did not is much nearer to speech than a gap is."""
    wire, network, said = Wire(), LossyNetwork(seed), frames(20.0)
    slot = wire.echo()
    heard = []
    for number, payload in enumerate(said):
        delay = network.delay()
        if delay is not None:
            wire.send(slot, number, payload, number * TICK + delay)
        wire.tick()
        heard.append(wire.heard(slot))
    comparison = Comparison(said, heard[100:])
    assert network.lost > 30
    # whole: what came, less those a gap is led over to
    assert comparison.whole >= 0.85 * (len(said) - 100)
    assert comparison.compared >= 0.9 * (len(said) - 100)
    assert comparison.made_up <= 0.08 * comparison.compared
    assert comparison.distance < 0.5 * comparison.distance_of_silence


@pytest.mark.parametrize("pause", [0, 25, 100])
def test_from_mouth_to_ear(pause: int) -> None:
    """On a clean network, legs of every phase: p50 <= 25 ms, p95 <= 40 ms; after a pause of the worker, too."""
    wire, rng = Wire(), np.random.default_rng(4)
    legs = [wire.echo() for _ in range(16)]
    phases = rng.random(len(legs)) * TICK
    delays = []
    for number in range(300):
        payload = bytes([number % 120 + 1, number // 120 + 1]) * (FRAME // 2)
        for slot, phase in zip(legs, phases, strict=True):
            wire.send(slot, number, payload, number * TICK + phase + rng.exponential(0.0005))
        if 100 <= number < 100 + pause:
            wire.now += TICK  # stopped: nothing is read and nothing made
            continue
        wire.plane.set_punctual(number != 100 + pause or not pause)
        if pause and number == 100 + pause:
            wire.plane.skip(pause)
        wire.tick()
        if 110 + pause < number:
            for slot, phase in zip(legs, phases, strict=True):
                heard = wire.heard(slot)
                said = heard[0] - 1 + 120 * (heard[1] - 1)
                delays.append(wire.now - said * TICK - phase)
    assert np.percentile(delays, 50) <= 0.025
    assert np.percentile(delays, 95) <= 0.040


def test_a_pause_delays_no_coded_leg() -> None:
    """What came while the worker stood still is dropped, and nobody hears anything later than before."""
    plane = coded_plane()
    peer = Peer.join(plane, L16_16)
    plane.echo(peer.slot, on=True)

    def heard_after(number: int) -> int:
        """How many frames ago what is heard now was said."""
        plane.tick(0.0)
        return number - int(plane.coded.sound(peer.slot)[100]) // 100

    def say(number: int) -> None:
        peer.send(np.full(320, 100 * number, ">i2").tobytes())

    for number in range(1, 40):
        say(number)
        before = heard_after(number)
    plane.skip(25)
    plane.set_punctual(False)
    for number in range(40, 65):
        say(number)
    heard_after(64)
    plane.set_punctual(True)
    for number in range(65, 75):
        say(number)
        after = heard_after(number)
    assert after <= before
