"""What the calls of the load generator say: one second of each sound, encoded once, looped.

Sound 0 of a set is silence. The others are tones of different pitch for G.711, whose cost does not depend on what is
said, and voices of different pitch for Opus, whose cost does.
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
_OPUS_BITRATE = 32_000
_UNSENT = 2
"""A packet that short stands for nothing: it need not be sent (libopus, opus_encode)."""


@dataclass(frozen=True, slots=True)
class SoundSet:
    """The sounds of one codec, as payloads.

    payloads: uint8 [sounds, TICKS, room]; sizes: int64 [sounds, TICKS], octets of each, 0: nothing is sent.
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


def voice(sound: int, rate_hz: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """One second like a vowel, int16 [rate_hz]: the harmonics of a pitch, four syllables."""
    if sound == SILENCE:
        return np.zeros(rate_hz, np.int16)
    seconds = np.arange(rate_hz) / rate_hz
    pitch = 90 + 5 * sound
    wave = sum(np.sin(2 * np.pi * pitch * k * seconds + k * k) / k for k in range(1, 7000 // pitch))
    syllables = 0.55 - 0.45 * np.cos(2 * np.pi * 4 * seconds)
    return (3 * _AMPLITUDE * syllables * wave).astype(np.int16)


def opus(*, dtx: bool) -> SoundSet:
    """Opus at 48 kHz, 20 ms, one channel (RFC 7587). dtx: of silence only the comfort noise is sent."""
    import opuslib  # loads libopus: only for those who speak it
    from opuslib.api import ctl
    from opuslib.api import encoder as coder

    rate, frame = 48000, 960
    coded = []
    for sound in range(TONES + 1):
        encoder = opuslib.Encoder(rate, 1, opuslib.APPLICATION_VOIP)
        encoder.bitrate = _OPUS_BITRATE
        coder.encoder_ctl(encoder.encoder_state, ctl.set_dtx, int(dtx))  # opuslib's own setter only reads it
        frames = voice(sound, rate).reshape(TICKS, frame)
        for warm in frames:
            encoder.encode(warm.tobytes(), frame)
        coded.append([encoder.encode(each.tobytes(), frame) for each in frames])
    longest = max(len(packet) for packets in coded for packet in packets)
    payloads = np.zeros((TONES + 1, TICKS, longest), np.uint8)
    sizes = np.zeros((TONES + 1, TICKS), np.int64)
    for sound, packets in enumerate(coded):
        for tick, packet in enumerate(packets):
            if len(packet) > _UNSENT:
                payloads[sound, tick, : len(packet)] = np.frombuffer(packet, np.uint8)
                sizes[sound, tick] = len(packet)
    return SoundSet("opus", 111, "opus/48000/2", "minptime=10;useinbandfec=1", frame, payloads, sizes)


def g722() -> SoundSet:
    """G.722: 16 kHz sound under an RTP clock of 8 kHz (RFC 3551 section 4.5.2)."""
    from media.codecs.g722 import (  # loads FFmpeg: only for those who speak it
        FRAME_SAMPLES,
        RATE,
        G722Encoder,
    )

    coded = []
    for sound in range(TONES + 1):
        encoder = G722Encoder()
        octets = b"".join(map(encoder.encode, tone(sound, RATE).reshape(TICKS, FRAME_SAMPLES)))
        coded.append(np.frombuffer(octets, np.uint8).reshape(TICKS, FRAME))
    payloads = np.stack(coded)
    return SoundSet("G722", 9, "G722/8000", "", FRAME, payloads, np.full(payloads.shape[:2], FRAME, np.int64))


def sound_set(codec: str, *, dtx: bool = True) -> SoundSet:
    """The sounds of a codec. Raises ValueError: it is not one the generator speaks."""
    if codec in ("PCMU", "PCMA"):
        return g711(codec)
    if codec == "G722":
        return g722()
    if codec == "opus":
        return opus(dtx=dtx)
    raise ValueError(codec)
