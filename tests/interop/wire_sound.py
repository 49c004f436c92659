"""What a wire phone says and hears: a tone in PCMU every 20 ms, judged by blocks of 100 ms."""

from __future__ import annotations

import secrets
import struct
import threading
import time
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from media.codecs.g711 import ulaw_decode, ulaw_encode

if TYPE_CHECKING:
    from tests.interop.wire_phone import Place, WirePhone

FRAME = 160
"""Samples of 20 ms at 8 kHz."""
TICK = 0.02
BLOCK = 800
"""Samples of 100 ms: ten cycles of any multiple of 100 Hz, so a tone is one line of the spectrum."""
TONE = 500
AMPLITUDE = 8000
_HEADER = struct.Struct("!BBHII")

Samples = npt.NDArray[np.float64]


def tone_frames(frequency_hz: int) -> list[bytes]:
    """100 ms of a tone, to be said again and again."""
    wave = AMPLITUDE * np.sin(2 * np.pi * frequency_hz * np.arange(BLOCK) / 8000)
    coded = ulaw_encode(wave.astype(np.int16)).tobytes()
    return [coded[at : at + FRAME] for at in range(0, BLOCK, FRAME)]


def rtp(sequence: int, ssrc: int, payload: bytes, payload_type: int = 0) -> bytes:
    """One packet of a stream that began with packet 0."""
    timestamp = sequence * FRAME & 0xFFFFFFFF
    return _HEADER.pack(0x80, payload_type, sequence & 0xFFFF, timestamp, ssrc) + payload


class Voice(threading.Thread):
    """Says a tone to the leg of a call, from the phone's RTP socket, and keeps what comes to it."""

    def __init__(self, phone: WirePhone, frequency_hz: int = TONE, frames: list[bytes] | None = None) -> None:
        """Say a tone, or ``frames`` of PCMU over and over."""
        super().__init__(daemon=True)
        assert phone.dialog.media is not None, "the phone is in no call"
        self.media: Place = phone.dialog.media
        self.rate = 8000
        self.sent = 0
        self.last_arrival = 0.0
        self.arrivals = 0
        self.from_others = 0
        self._rtp = phone.rtp
        self._frames = tone_frames(frequency_hz) if frames is None else frames
        self._heard: dict[int, bytes] = {}
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def finish(self) -> None:
        """Fall silent."""
        self._over.set()
        self.join(2)

    def run(self) -> None:
        self._rtp.setblocking(False)
        ssrc = secrets.randbits(32)
        due = time.monotonic()
        while not self._over.is_set():
            self._rtp.sendto(rtp(self.sent, ssrc, self._frames[self.sent % len(self._frames)]), self.media)
            self.sent += 1
            due += TICK
            time.sleep(max(0.0, due - time.monotonic()))
            self._take()

    def _take(self) -> None:
        while True:
            try:
                data, source = self._rtp.recvfrom(2048)
            except BlockingIOError:
                return
            except ConnectionError:
                continue
            if source[:2] != self.media:
                self.from_others += 1
            elif len(data) == _HEADER.size + FRAME:
                self.last_arrival = time.monotonic()
                self.arrivals += 1
                self._heard[_HEADER.unpack_from(data)[3]] = data[_HEADER.size :]

    def octets(self) -> bytes:
        """What was heard, in the order of its timestamps, as it came."""
        heard = dict(self._heard)
        first = next(iter(heard), 0)
        return b"".join(heard[stamp] for stamp in sorted(heard, key=lambda stamp: stamp - first & 0xFFFFFFFF))

    def sound(self) -> Samples:
        """What was heard, in the order of its timestamps; silence where a frame is missing."""
        heard = dict(self._heard)
        if not heard:
            return np.zeros(0)
        first = next(iter(heard))  # timestamps may wrap around, arrival order does not
        places = {(stamp - first & 0xFFFFFFFF) // FRAME: coded for stamp, coded in heard.items()}
        frames = max(at for at in places if at < 1 << 24) + 1
        samples = np.zeros(frames * FRAME)
        for at, coded in places.items():
            if at < frames:
                samples[at * FRAME : (at + 1) * FRAME] = ulaw_decode(np.frombuffer(coded, np.uint8))
        return samples

    def lately(self, seconds: float = 0.5) -> Samples:
        """What was heard last, in the order it came."""
        heard = list(dict(self._heard).values())[-round(seconds / TICK) :]
        return ulaw_decode(np.frombuffer(b"".join(heard), np.uint8)).astype(np.float64)

    def kept(self, frequency_hz: int = TONE) -> float:
        """The share of what was said that came back as the tone it was, by blocks of 100 ms."""
        said = self.sent * FRAME // BLOCK
        return float(np.sum(_tones(self.sound(), frequency_hz))) / said if said else 0.0

    def loudest(self, frequency_hz: int) -> float:
        """The largest amplitude of another tone in any block, 1.0 being that of a tone of ours."""
        spectrum = _spectrum(self.sound())
        return float(spectrum[:, frequency_hz // 10].max(initial=0.0)) / AMPLITUDE


def _spectrum(samples: Samples) -> Samples:
    """Amplitudes [blocks, lines of 10 Hz]."""
    blocks = samples[: samples.size // BLOCK * BLOCK].reshape(-1, BLOCK)
    return np.abs(np.fft.rfft(blocks, axis=1)) * (2 / BLOCK)


def _tones(samples: Samples, frequency_hz: int) -> npt.NDArray[np.bool_]:
    """By block: this tone within 1 dB of its level, and hardly anything else."""
    spectrum = _spectrum(samples)
    line = spectrum[:, frequency_hz // 10]
    power = np.sum(spectrum**2, axis=1)
    good: npt.NDArray[np.bool_] = (np.abs(line / AMPLITUDE - 1) < 0.12) & (line**2 > 0.95 * power)
    return good
