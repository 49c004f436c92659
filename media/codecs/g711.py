"""G.711 mu-law (PCMU) and A-law (PCMA) as table look-ups over whole arrays.

Decoding is exact: ITU-T G.711 tables 1 and 2 give one value per octet. Encoding leaves one freedom, on
which side of a decision value a sample lies that falls on it. We follow the reference code of ITU-T G.191
in both laws: a negative sample is turned by one's complement before it is compared, so every interval is
half open towards plus infinity and the quantiser has no step at zero (-1 is silence, as 0 is). This is bit-
exact with the ``audioop`` A-law; the mu-law of ``audioop`` rounds negative samples away from zero and
FFmpeg rounds to the nearest value, so those two differ from ours on samples next to a decision value.

Samples are linear PCM at full 16-bit scale (mu-law is 14-bit and A-law 13-bit, shifted up).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pcm = npt.NDArray[np.int16]
Octets = npt.NDArray[np.uint8]


_ULAW_BIAS = 33  # makes the segment ends of G.711 table 2 powers of two, in 14-bit units
_ULAW_LAST = 8191  # 8158 + bias: all above the virtual decision value 8159 falls in the last interval
_ALAW_TOGGLE = 0x55  # G.711 section 3.2: the even bits of A-law are inverted


def _expand_ulaw() -> Pcm:
    """int16 [256], by octet: G.711 tables 2a and 2b."""
    code = ~np.arange(256) & 0xFF
    exponent, mantissa = (code >> 4) & 7, code & 0xF
    magnitude = ((((mantissa << 1) + _ULAW_BIAS) << exponent) - _ULAW_BIAS) << 2
    value: Pcm = np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)
    return value


def _expand_alaw() -> Pcm:
    """int16 [256], by octet: G.711 tables 1a and 1b."""
    code = np.arange(256) ^ _ALAW_TOGGLE
    exponent, mantissa = (code >> 4) & 7, code & 0xF
    in_segment = (mantissa << 1) + np.where(exponent > 0, 33, 1)
    magnitude = (in_segment << np.maximum(exponent - 1, 0)) << 3
    value: Pcm = np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)
    return value


def _samples_by_index() -> npt.NDArray[np.int32]:
    """int32 [65536]: the sample that has each index as its two's complement bits."""
    return np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)


def _compress_ulaw() -> Octets:
    """uint8 [65536], by the sample's bits."""
    sample = _samples_by_index()
    magnitude = np.minimum((np.where(sample < 0, ~sample, sample) >> 2) + _ULAW_BIAS, _ULAW_LAST)
    segment = np.searchsorted(1 << np.arange(6, 13), magnitude, side="right")
    code = segment << 4 | (magnitude >> (segment + 1)) & 0xF
    octet: Octets = (~(code | np.where(sample < 0, 0x80, 0)) & 0xFF).astype(np.uint8)
    return octet


def _compress_alaw() -> Octets:
    """uint8 [65536], by the sample's bits."""
    sample = _samples_by_index()
    magnitude = np.where(sample < 0, ~sample, sample) >> 3
    segment = np.searchsorted(1 << np.arange(5, 12), magnitude, side="right")
    code = segment << 4 | (magnitude >> np.maximum(segment, 1)) & 0xF
    octet: Octets = ((code | np.where(sample < 0, 0, 0x80)) ^ _ALAW_TOGGLE).astype(np.uint8)
    return octet


_ULAW_DECODED = _expand_ulaw()
_ALAW_DECODED = _expand_alaw()
_ULAW_ENCODED = _compress_ulaw()
_ALAW_ENCODED = _compress_alaw()


def ulaw_decode(octets: Octets, out: Pcm | None = None) -> Pcm:
    """Mu-law octets, uint8 of any shape, to int16 of that shape (into ``out`` when given)."""
    return np.take(_ULAW_DECODED, octets, out=out, mode="clip")


def alaw_decode(octets: Octets, out: Pcm | None = None) -> Pcm:
    """A-law octets, uint8 of any shape, to int16 of that shape (into ``out`` when given)."""
    return np.take(_ALAW_DECODED, octets, out=out, mode="clip")


def ulaw_encode(samples: Pcm, out: Octets | None = None) -> Octets:
    """int16 of any shape to mu-law octets, uint8 of that shape (into ``out`` when given)."""
    return np.take(_ULAW_ENCODED, samples.view(np.uint16), out=out, mode="clip")


def alaw_encode(samples: Pcm, out: Octets | None = None) -> Octets:
    """int16 of any shape to A-law octets, uint8 of that shape (into ``out`` when given)."""
    return np.take(_ALAW_ENCODED, samples.view(np.uint16), out=out, mode="clip")


ULAW_TO_ALAW: bytes = alaw_encode(_ULAW_DECODED).tobytes()
"""256 octets for ``bytes.translate``: the A-law octet whose interval holds the value of each mu-law octet."""
ALAW_TO_ULAW: bytes = ulaw_encode(_ALAW_DECODED).tobytes()
"""256 octets for ``bytes.translate``: the mu-law octet whose interval holds the value of each A-law octet."""
