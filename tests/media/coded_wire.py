"""A plane with coded legs, fed and read in packets, as a peer would."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from media.codecs.coding import Encoder, Pcm, Terms
from media.codecs.loading import Codecs, make_decoder, make_encoder
from media.legs import Negotiated
from media.plane import Plane
from media.rtp import RtpPacket

OPUS_8 = Terms("OPUS", 8000, 48000)
OPUS_16 = Terms("OPUS", 16000, 48000)
OPUS_48 = Terms("OPUS", 48000, 48000)
G722 = Terms("G722", 16000, 8000)
L16_8 = Terms("L16", 8000, 8000)
L16_16 = Terms("L16", 16000, 16000)
L16_48 = Terms("L16", 48000, 48000)
G729 = Terms("G729", 8000, 8000)

PAYLOAD_TYPE, EVENT_TYPE = 96, 101
ROOM = 1088


def codecs() -> Codecs:
    """All that this machine has, loaded."""
    loaded = Codecs()
    for name in ("OPUS", "G722", "L16"):
        assert loaded.load(name)
    return loaded


def plane() -> Plane:
    """A plane whose random numbers are always the same."""
    return Plane(random.Random(1).getrandbits, codecs=codecs())


def tone(hertz: float, seconds: float, rate: int, amplitude: float = 8000.0) -> Pcm:
    """int16 [samples]"""
    time = np.arange(round(seconds * rate)) / rate
    sound: Pcm = np.rint(amplitude * np.sin(2 * np.pi * hertz * time)).astype(np.int16)
    return sound


def voice(seconds: float, rate: int, pitch: float = 130.0) -> Pcm:
    """Something a speech codec takes for speech: harmonics of a pitch that moves, and syllables. int16 [samples]"""
    time = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.1 * np.sin(2 * np.pi * 0.8 * time))) / rate
    wave = sum(np.sin(number * phase + number) / number for number in range(1, 24))
    wave = wave * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time)) + np.random.default_rng(5).normal(
        0, 0.02, len(time)
    )
    sound: Pcm = np.rint(8000 * wave / np.abs(wave).max()).astype(np.int16)
    return sound


def level_at(sound: npt.ArrayLike, hertz: float, rate: int) -> float:
    """Amplitude of one frequency."""
    wave = np.asarray(sound, np.float64)
    window = np.hanning(len(wave))
    turn = np.exp(-2j * np.pi * hertz * np.arange(len(wave)) / rate)
    return float(2 * abs((wave * window) @ turn) / window.sum())


def noise_below(sound: npt.ArrayLike, hertz: float, rate: int) -> float:
    """How far all that is not the tone lies below it, in dB."""
    wave = np.asarray(sound, np.float64)
    time = 2 * np.pi * hertz * np.arange(len(wave)) / rate
    basis = np.stack([np.sin(time), np.cos(time), np.ones(len(wave))], axis=1)
    fitted = basis @ np.linalg.lstsq(basis, wave, rcond=None)[0]
    return float(10 * np.log10(np.mean(fitted**2) / np.mean((wave - fitted) ** 2)))


@dataclass
class Peer:
    """The far end of one leg: it speaks what it is given and keeps what it hears."""

    plane: Plane
    slot: int
    terms: Terms
    sequence: int = 1000
    timestamp: int = 5000
    encoder: Encoder | None = None
    packets: list[RtpPacket] = field(default_factory=list)

    @classmethod
    def join(cls, plane: Plane, terms: Terms, **changes: object) -> Peer:
        """A leg of these terms."""
        slot = plane.open()
        peer = cls(plane, slot, terms)
        peer.negotiate(**changes)
        return peer

    def negotiate(self, terms: Terms | None = None, **changes: object) -> None:
        """An offer/answer."""
        self.terms = terms or self.terms
        settled = {
            "event_type": EVENT_TYPE,
            "send": True,
            "receive": True,
            "terms": self.terms,
            "event_clock": self.terms.clock,
        }
        self.plane.negotiate(self.slot, Negotiated(0, PAYLOAD_TYPE, **(settled | changes)))  # type: ignore[arg-type]
        self.encoder = make_encoder(self.terms)

    def payload(self, pcm: Pcm) -> bytes:
        """20 ms as this codec has it."""
        assert self.encoder is not None
        return self.encoder.encode(pcm)

    def send(self, payload: bytes, *, ticks: int | None = None, late: int = 0, marker: bool = False) -> None:
        """One packet, ``late`` packets after its turn in sequence; ``ticks``: RTP timestamps it lasts."""
        self.plane_receive(
            RtpPacket(PAYLOAD_TYPE, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, 7, payload, marker)
        )
        self.pass_by(ticks)

    def pass_by(self, ticks: int | None = None) -> None:
        """A packet that does not arrive."""
        self.sequence += 1
        self.timestamp += self.terms.clock // 50 if ticks is None else ticks

    def plane_receive(self, packet: RtpPacket, now: float = 0.0) -> None:
        """A datagram of this peer's."""
        data = packet.serialise()
        raw = np.zeros((1, ROOM), np.uint8)
        kept = data[:ROOM]
        raw[0, : len(kept)] = np.frombuffer(kept, np.uint8)
        self.plane.receive(np.array([self.slot]), raw, np.array([len(kept)]), now)

    def take(self) -> None:
        """Keep what the last tick sent here."""
        for slot, data in self.plane.extra:
            if slot == self.slot:
                self.packets.append(RtpPacket.parse(bytes(data)))

    def heard(self) -> Pcm:
        """All that came here, decoded."""
        decoder = make_decoder(self.terms)
        out = np.zeros(5760, np.int16)
        sound = []
        for packet in self.packets:
            data = np.frombuffer(packet.payload, np.uint8)
            count = decoder.decode(data.ctypes.data, len(data), out.ctypes.data, len(out))
            sound.append(out[:count].copy())
        return np.concatenate(sound) if sound else np.zeros(0, np.int16)


def frames(sound: Pcm, terms: Terms) -> list[Pcm]:
    """Cut into 20 ms."""
    return [sound[at : at + terms.samples] for at in range(0, len(sound) - terms.samples + 1, terms.samples)]
