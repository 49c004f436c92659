"""Participants of any codec on one plane: each says a tone, and what it hears is measured tone by tone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from media.codecs.coding import Pcm, Terms
from media.codecs.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode
from media.codecs.loading import make_decoder, make_encoder
from media.legs import Negotiated
from media.plane import Plane
from media.rtp import RtpPacket
from tests.media.coded_wire import PAYLOAD_TYPE

RAW = 1088
Samples = npt.NDArray[np.float64]
NARROW_CODECS = {"PCMU": 0, "PCMA": 8}


@dataclass
class Participant:
    """One leg's far end. ``codec``: PCMU, PCMA, or the terms of a coded leg."""

    plane: Plane
    codec: str | Terms
    frequency_hz: float | None = None
    amplitude: float = 3000.0
    slot: int = -1
    _number: int = 0
    _said: int = 0
    payloads: list[bytes] = field(default_factory=list)

    now: float = 0.0

    def __post_init__(self) -> None:
        self.slot = self.plane.open()
        self.change(self.codec)

    def change(self, codec: str | Terms) -> None:
        """An offer/answer."""
        self.codec = codec
        self.payloads.clear()
        self._said = 0
        if isinstance(self.codec, Terms):
            self._encoder = make_encoder(self.codec)
            terms = Negotiated(0, PAYLOAD_TYPE, None, send=True, receive=True, terms=self.codec)
        else:
            law = int(self.codec == "PCMA")
            terms = Negotiated(law, NARROW_CODECS[self.codec], None, send=True, receive=True)
        self.plane.negotiate(self.slot, terms)

    @property
    def rate(self) -> int:
        return self.codec.rate if isinstance(self.codec, Terms) else 8000

    def wave(self) -> Pcm:
        """20 ms of its tone."""
        n = self._said + np.arange(self.rate // 50)
        self._said += len(n)
        frequency = self.frequency_hz or 0.0
        return np.rint(self.amplitude * np.sin(2 * np.pi * frequency * n / self.rate)).astype(np.int16)

    def says(self) -> bytes:
        """20 ms of its tone, as a datagram."""
        wave = self.wave()
        number, self._number = self._number, self._number + 1
        if isinstance(self.codec, Terms):
            payload, clock, payload_type = self._encoder.encode(wave), self.codec.clock, PAYLOAD_TYPE
        else:
            encode = alaw_encode if self.codec == "PCMA" else ulaw_encode
            payload, clock, payload_type = encode(wave).tobytes(), 8000, NARROW_CODECS[self.codec]
        stamp = number * (clock // 50)
        return RtpPacket(payload_type, number & 0xFFFF, stamp & 0xFFFFFFFF, 7, payload).serialise()

    def heard(self) -> Samples:
        """All it was sent, decoded."""
        if not isinstance(self.codec, Terms):
            decode = alaw_decode if self.codec == "PCMA" else ulaw_decode
            return decode(np.frombuffer(b"".join(self.payloads), np.uint8)).astype(np.float64)
        decoder, out, sound = make_decoder(self.codec), np.zeros(5760, np.int16), []
        for payload in self.payloads:
            data = np.frombuffer(payload, np.uint8)
            count = decoder.decode(data.ctypes.data, len(data), out.ctypes.data, len(out))
            sound.append(out[:count].copy())
        whole: Pcm = np.concatenate(sound) if sound else np.zeros(0, np.int16)
        return whole.astype(np.float64)


def converse(plane: Plane, participants: Sequence[Participant], ticks: int, now: float = 0.0) -> None:
    """Everybody with a tone says it; what is sent is kept by those it goes to."""
    by_slot: Mapping[int, Participant] = {each.slot: each for each in participants}
    for tick in range(ticks):
        said = [(each.slot, each.says()) for each in participants if each.frequency_hz is not None]
        if said:
            raw = np.zeros((len(said), RAW), np.uint8)
            sizes = []
            for row, (_, data) in enumerate(said):
                data = data[:RAW]
                raw[row, : len(data)] = np.frombuffer(data, np.uint8)
                sizes.append(len(data))
            plane.receive(np.array([slot for slot, _ in said]), raw, np.array(sizes), now + tick * 0.02)
        plane.tick(now + (tick + 1) * 0.02)
        for slot in plane.senders.tolist():
            by_slot[slot].payloads.append(plane.transmission.packets["frame"][slot].tobytes())
        for slot, packet in plane.extra:
            by_slot[slot].payloads.append(RtpPacket.parse(bytes(packet)).payload)
    for each in participants:
        each.now = now + ticks * 0.02


def lines(sound: Samples, rate: int, seconds: float = 1.0) -> Samples:
    """The spectrum of the last second: amplitudes, a line each 1 Hz."""
    last = sound[-int(rate * seconds) :]
    return np.abs(np.fft.rfft(last)) * 2 / len(last)
