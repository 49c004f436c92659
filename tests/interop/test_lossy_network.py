"""A phone behind a network that loses, delays and reorders, and a running engine: what is heard of it."""

from __future__ import annotations

import heapq
import itertools
import selectors
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import pytest

from media.codecs.g711 import ulaw_encode
from tests.interop.engine_process import Engine
from tests.interop.quiet_log import assert_no_exception
from tests.interop.wire_phone import Answer, Place, WirePhone
from tests.interop.wire_sound import FRAME, TONE, Voice
from tests.media.lossy import Comparison, LossyNetwork
from tests.media.speech import voice

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

SECONDS = 14.0
SETTLING = 100
"""Frames until the jitter buffer has seen what the network is like."""


class Relay(threading.Thread):
    """Between a phone and the engine: what the phone says goes through the network, what it hears does not."""

    def __init__(self, phone: Place, network: LossyNetwork) -> None:
        super().__init__(daemon=True)
        self.network = network
        self.engine: Place | None = None
        self._phone = phone
        self._near, self._far = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for each in (self._near, self._far):
            each.bind(("127.0.0.1", 0))
            each.setblocking(False)
        self.near, self.far = self._near.getsockname(), self._far.getsockname()
        self._over = threading.Event()

    def run(self) -> None:
        under_way: list[tuple[float, int, bytes]] = []
        order = itertools.count()
        with selectors.DefaultSelector() as selector:
            selector.register(self._near, selectors.EVENT_READ, self._near)
            selector.register(self._far, selectors.EVENT_READ, self._far)
            while not self._over.is_set():
                for key, _ in selector.select(0.001):
                    arrived: socket.socket = key.data
                    data = arrived.recv(2048)
                    if arrived is self._far:
                        self._near.sendto(data, self._phone)
                        continue
                    delay = self.network.delay()
                    if delay is not None:
                        heapq.heappush(under_way, (time.monotonic() + delay, next(order), data))
                while under_way and under_way[0][0] <= time.monotonic():
                    data = heapq.heappop(under_way)[2]
                    if self.engine is not None:
                        self._far.sendto(data, self.engine)

    def finish(self) -> None:
        self._over.set()
        self.join(2)
        self._near.close()
        self._far.close()


class FarPhone(WirePhone):
    """A wire phone whose sound comes through a relay."""

    def __init__(self, engine: str) -> None:
        super().__init__(engine)
        self.relay = Relay(self.rtp.getsockname(), LossyNetwork())
        self.relay.start()

    def __enter__(self) -> Self:
        return self

    def close(self) -> None:
        self.relay.finish()
        super().close()

    def call(self, number: str, timeout: float = 6.0) -> Answer:
        answer = super().call(number, timeout)
        self.relay.engine, self.dialog.media = self.dialog.media, self.relay.near
        return answer

    def _sdp(self) -> bytes:
        port = self.rtp.getsockname()[1]
        return super()._sdp().replace(f"audio {port} ".encode(), f"audio {self.relay.far[1]} ".encode())


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path) as running:
        yield running
        assert_no_exception(running)


def test_speech_through_the_echo(engine: Engine) -> None:
    """5 % lost, 60 ms of jitter, reordering: what came is heard octet for octet, and where it did not, what is
    heard is much nearer to what was said than silence would be."""
    octets = ulaw_encode(voice(SECONDS + 4)).tobytes()
    said = [octets[at : at + FRAME] for at in range(0, len(octets), FRAME)]
    with FarPhone(engine.ready.address()) as phone:
        assert phone.call("5000").status == 200
        with Voice(phone, frames=said) as speaker:
            time.sleep(SECONDS)
        heard = speaker.octets()
        comparison = Comparison(
            said, [heard[at : at + FRAME] for at in range(0, len(heard), FRAME)][SETTLING:]
        )
        assert phone.relay.network.lost >= 10
        assert phone.hang_up().status == 200
    assert comparison.whole >= 0.75 * (SECONDS * 50 - SETTLING)
    assert comparison.distance < 0.6 * comparison.distance_of_silence


def test_a_tone_into_a_room(engine: Engine) -> None:
    """The others hear it without holes: hardly a block of 10 ms in a hundred is silent, of five that were lost."""
    with FarPhone(engine.ready.address()) as far, WirePhone(engine.ready.address()) as near:
        assert far.call("8000").status == 200
        assert near.call("8000").status == 200
        silence = [b"\xff" * FRAME]
        with Voice(far, TONE), Voice(near, frames=silence) as listener:
            time.sleep(SECONDS / 2)
        blocks = listener.sound()[SETTLING * FRAME :].reshape(-1, FRAME // 2)
        loudness = np.sqrt((blocks**2).mean(axis=1))
        assert far.hang_up().status == 200
        assert near.hang_up().status == 200
    assert far.relay.network.lost >= 5
    assert np.median(loudness) > 2000
    assert (loudness < 0.25 * np.median(loudness)).mean() < 0.02
