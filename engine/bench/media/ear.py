"""How loud it is what a call of the load generator hears: the proof that it is sound, and not only packets."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from media.codecs.g711 import alaw_decode, ulaw_decode
from media.rtp import Octets


class Decode(Protocol):
    """A codec's way from a payload to samples."""

    def __call__(self, payload: bytes) -> np.ndarray[tuple[int], np.dtype[np.int16]]: ...


class Ear:
    """Decodes the payloads of one stream and remembers their energy."""

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._energy = 0.0
        self._samples = 0

    def hear(self, payload: bytes) -> None:
        """Take one payload."""
        samples = self._decode(payload).astype(np.float64)
        self._energy += float((samples**2).sum())
        self._samples += len(samples)

    @property
    def level(self) -> float | None:
        """Root mean square of all samples heard; None before the first."""
        return (self._energy / self._samples) ** 0.5 if self._samples else None


def ear(codec: str) -> Ear | None:
    """An ear for a codec; None for one the generator cannot decode."""
    if codec in ("PCMU", "PCMA"):
        table = ulaw_decode if codec == "PCMU" else alaw_decode
        return Ear(lambda payload: table(_octets(payload)))
    if codec == "opus":
        import opuslib  # loads libopus: only for those who speak it

        decoder = opuslib.Decoder(48000, 1)
        return Ear(lambda payload: np.frombuffer(decoder.decode(payload, 5760), np.int16))
    return None


def _octets(payload: bytes) -> Octets:
    return np.frombuffer(payload, np.uint8)
