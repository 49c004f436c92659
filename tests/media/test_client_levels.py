"""RFC 6464: levels in packet headers are read, used to spare decoders, and not believed blindly."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.client_levels import ClientLevels
from media.codecs.coding import Terms
from media.codecs.loading import make_encoder
from media.legs import Negotiated
from media.plane import Plane
from media.rtp import read_headers
from tests.media.coded_wire import L16_16, OPUS_16, plane
from tests.media.room_wire import lines

ELEMENT = 3


def packet(extension: bytes, payload: bytes = b"x", *, profile: int = 0xBEDE, number: int = 0) -> bytes:
    """RTP of payload type 96 with a header extension."""
    extension += bytes(-len(extension) % 4)
    header = struct.pack("!BBHIIHH", 0x90, 96, number & 0xFFFF, number * 320, 7, profile, len(extension) // 4)
    return header + extension + payload


def read(data: bytes, element: int = ELEMENT) -> float | None:
    """The level in one packet."""
    said = ClientLevels(1)
    said.negotiate(0, element)
    raw = np.zeros((1, 256), np.uint8)
    raw[0, : len(data)] = np.frombuffer(data, np.uint8)
    headers = read_headers(raw, np.array([len(data)]))
    assert headers.valid[0]
    said.read(np.array([0]), raw, np.array([0]), headers)
    return float(said.level[0]) if said.believed(np.array([0]))[0] else None


@pytest.mark.parametrize(
    ("extension", "level"),
    [
        (b"\x30\x95", 21),  # with the voice bit
        (b"\x30\x7f", 127),
        (b"\x12abc\x00\x00\x30\x14", 20),  # after another element and padding
        (b"\x10\x14", None),  # another id
        (b"\xf0\x00\x30\x14", None),  # 15 ends the list
        (b"\x00\x00\x00\x30", None),  # cut off
        (b"", None),
    ],
)
def test_reading(extension: bytes, level: float | None) -> None:
    """The element is found wherever it stands in the one-byte form."""
    assert read(packet(extension)) == level
    assert read(packet(extension, profile=0x1000)) is None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_extension_is_read_over(extension: bytes) -> None:
    """Whatever a peer sends, there is a level from 0 to 127 or none."""
    level = read(packet(extension))
    assert level is None or 0 <= level <= 127


class Speaker:
    """A coded leg that says how loud it is, truly or not."""

    def __init__(self, stage: Plane, terms: Terms) -> None:
        self.stage = stage
        self.terms = terms
        self.slot = stage.open()
        negotiated = Negotiated(0, 96, None, send=True, receive=True, terms=terms, level_id=ELEMENT)
        stage.negotiate(self.slot, negotiated)
        self.encoder = make_encoder(terms)
        self.number = 0

    def says(self, amplitude: float, level: int) -> None:
        at = self.number * self.terms.samples + np.arange(self.terms.samples)
        wave = np.rint(amplitude * np.sin(2 * np.pi * 500 * at / self.terms.rate)).astype(np.int16)
        data = packet(bytes((ELEMENT << 4, level)), self.encoder.encode(wave), number=self.number)
        data = data[:4] + struct.pack("!I", self.number * self.terms.clock // 50) + data[8:]
        self.number += 1
        raw = np.zeros((1, 1088), np.uint8)
        raw[0, : len(data)] = np.frombuffer(data, np.uint8)
        self.stage.receive(np.array([self.slot]), raw, np.array([len(data)]), self.number * 0.02)


class Scene:
    """A speaker in a room with a listener, and how often the speaker was decoded."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, terms: Terms = OPUS_16) -> None:
        self.stage = plane()
        self.speaker = Speaker(self.stage, terms)
        self.listener = self.stage.open()
        self.stage.negotiate(self.listener, Negotiated(0, 0, None, send=True, receive=True))
        for slot in (self.speaker.slot, self.listener):
            self.stage.join(slot, "8000")
        self.decoded = 0
        self.heard: list[bytes] = []
        decode = self.stage.coded.read

        def counted(slots: np.ndarray) -> None:
            self.decoded += len(slots)
            decode(slots)

        monkeypatch.setattr(self.stage.coded, "read", counted)

    def run(self, ticks: int, amplitude: float, level: int) -> int:
        """So many frames; how many were decoded."""
        before = self.decoded
        for _ in range(ticks):
            self.speaker.says(amplitude, level)
            self.stage.tick(self.speaker.number * 0.02)
            self.heard.append(self.stage.transmission.packets["frame"][self.listener].tobytes())
        return self.decoded - before

    def loudness(self) -> float:
        """Amplitude of the speaker's tone in the last 200 ms."""
        from media.codecs.g711 import ulaw_decode

        sound = ulaw_decode(np.frombuffer(b"".join(self.heard[-10:]), np.uint8)).astype(np.float64)
        return float(lines(sound, 8000, 0.2)[100])


@pytest.mark.parametrize("terms", [OPUS_16, L16_16], ids=lambda terms: terms.codec)
def test_who_says_it_is_silent_is_hardly_decoded(monkeypatch: pytest.MonkeyPatch, terms: Terms) -> None:
    """One packet in ten is; as soon as it says it is loud, all are, and it is heard."""
    scene = Scene(monkeypatch, terms)
    scene.run(5, 0, 127)
    assert scene.run(100, 0, 127) <= 12
    assert scene.run(30, 8000, 15) >= 29
    assert scene.loudness() == pytest.approx(8000, rel=0.1)
    scene.run(80, 0, 127)
    assert scene.run(100, 0, 127) <= 12


def test_who_lies_is_believed_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that always says silence is heard all the same, after a fifth of a second."""
    scene = Scene(monkeypatch)
    scene.run(20, 8000, 127)
    assert scene.run(30, 8000, 127) == 30
    assert scene.loudness() == pytest.approx(8000, rel=0.1)


def test_a_leg_that_is_recorded_is_always_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only who is heard by nothing but a room may be passed over."""
    scene = Scene(monkeypatch)
    scene.stage.record(scene.speaker.slot, on=True)
    assert scene.run(50, 0, 127) == 50


def test_a_new_offer_begins_anew() -> None:
    """What was said before a re-INVITE counts no longer."""
    said = ClientLevels(2)
    said.negotiate(1, ELEMENT)
    said.said_at[1] = said.tick
    said.negotiate(1, None)
    assert not said.believed(np.array([0, 1])).any()
