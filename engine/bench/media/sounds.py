"""What the calls of the load generator say: one second of each sound, encoded once, looped.

Sound 0 of a set is silence; the others are tones of different pitch, so that a mix can be told apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from media.codecs.g711 import alaw_encode, ulaw_encode
from media.rtp import FRAME, Integers, Octets

TICKS = 50
"""Packets in the second that is looped."""
SILENCE = 0
TONES = 30
_AMPLITUDE = 600


@dataclass(frozen=True, slots=True)
class SoundSet:
    """The sounds of one codec, as payloads.

    payloads: uint8 [sounds, TICKS, room]; sizes: int64 [sounds, TICKS], octets of each.
    """

    codec: str
    payload_type: int
    rtpmap: str
    fmtp: str
    timestamp_step: int
    payloads: Octets
    sizes: Integers

    @property
    def tones(self) -> int:
        """How many sounds there are besides silence."""
        return len(self.payloads) - 1


def frequency(sound: int) -> float:
    """The pitch of a tone in Hz: a whole number of periods in the second, none a multiple of another's."""
    return 300.0 + 21 * (sound - 1)


def tone(sound: int, rate_hz: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """One second of a sound, int16 [rate_hz]."""
    if sound == SILENCE:
        return np.zeros(rate_hz, np.int16)
    phase = 2 * np.pi * frequency(sound) * np.arange(rate_hz) / rate_hz
    return (_AMPLITUDE * np.sin(phase)).astype(np.int16)


def g711(codec: str) -> SoundSet:
    """PCMU or PCMA (RFC 3551)."""
    encode, payload_type = (ulaw_encode, 0) if codec == "PCMU" else (alaw_encode, 8)
    payloads = np.stack([encode(tone(sound, 8000)).reshape(TICKS, FRAME) for sound in range(TONES + 1)])
    sizes = np.full(payloads.shape[:2], FRAME, np.int64)
    return SoundSet(codec, payload_type, f"{codec}/8000", "", FRAME, payloads, sizes)


def sound_set(codec: str) -> SoundSet:
    """The sounds of a codec. Raises ValueError: it is not one the generator speaks."""
    if codec in ("PCMU", "PCMA"):
        return g711(codec)
    raise ValueError(codec)
