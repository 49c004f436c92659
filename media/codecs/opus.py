"""Opus (RFC 6716), mono, as RFC 7587 has it on RTP: 8, 16 or 48 kHz sound, 20 ms frames out, any in.

libopus writes straight into the rows it is given. A stereo packet comes out as mono, a narrow one at the rate asked.
"""

from __future__ import annotations

import ctypes
import weakref
from typing import Any

import numpy as np
import numpy.typing as npt

from media.codecs import opus_library
from media.codecs.coding import LONGEST_MS, Encoder, Pcm, Terms

CLOCK = 48000
COMPLEXITY = 7
"""Of 10: the least at which a pause is found in what is coded by CELT (docs/decisions/0016-codecs-by-the-frame.md)."""
BITRATES = {8000: 48_000, 16000: 96_000, 48000: 128_000}
"""Bit/s by the rate of the sound, unless the peer wants fewer: where eight voices at once come through as they are.

What we send is a mix, not one voice: docs/decisions/0010-opus-for-mixes.md."""
LEAST_BITRATE, MOST_BITRATE = 6_000, 510_000  # RFC 7587 section 6.1, maxaveragebitrate
MOST_OCTETS = 1275  # RFC 6716 section 3.2.1, of one frame
NOTHING_OCTETS = 2  # RFC 7587 section 3.1.3 with opus_encode(3): so few need not be sent

_UNIT_US = 2500


def _frame_units(config: int) -> int:
    """Length of a frame in 2.5 ms by the TOC's configuration number (RFC 6716 table 2)."""
    if config < 12:
        return (4, 8, 16, 24)[config & 3]
    if config < 16:
        return (4, 8)[config & 1]
    return (1, 2, 4, 8)[config & 3]


FRAME_UNITS: npt.NDArray[np.int64] = np.array([_frame_units(toc >> 3) for toc in range(256)])
"""int64 [256], by the TOC octet: 2.5 ms units of each frame of the packet."""
FRAME_COUNT: npt.NDArray[np.int64] = np.array([(1, 2, 2, 0)[toc & 3] for toc in range(256)])
"""int64 [256], by the TOC octet: frames in the packet; 0: the second octet says."""
LONGEST_UNITS = LONGEST_MS * 1000 // _UNIT_US


def packet_units(
    first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8], length: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Length of packets in 2.5 ms, by their first two octets; 0: not an Opus packet (RFC 6716 section 3.4).

    All arrays [n]; ``second`` means nothing where ``length`` is 1.
    """
    count = FRAME_COUNT[first]
    count = np.where((count == 0) & (length > 1), second & 0x3F, count)
    units = FRAME_UNITS[first] * count
    return np.where((length > 0) & (units <= LONGEST_UNITS), units, 0)


class OpusDecoder:
    """One received stream at the rate asked for."""

    def __init__(self, rate: int) -> None:
        library = opus_library.load()
        state = library.create_decoder(rate, 1)
        weakref.finalize(self, library.destroy_decoder, state)
        self._decode = library.decode
        self._state = _address(state)

    def decode(self, source: int, size: int, target: int, room: int) -> int:
        """See ``Decoder``."""
        return max(0, self._decode(self._state, source, size, target, room, 0))

    def recover(self, source: int, size: int, target: int, samples: int) -> bool:
        """In-band FEC; what has none in it makes libopus conceal instead."""
        return self._decode(self._state, source, size, target, samples, 1) == samples

    def conceal(self, target: int, samples: int) -> bool:
        """libopus's own, which also makes the comfort noise of a DTX pause."""
        return self._decode(self._state, None, 0, target, samples, 0) == samples


class OpusEncoder:
    """One stream sent."""

    copies = True

    def __init__(self, terms: Terms, complexity: int = COMPLEXITY) -> None:
        self._terms = terms
        self._complexity = complexity
        self._library = library = opus_library.load()
        state = library.create_encoder(terms.rate, 1, opus_library.APPLICATION_AUDIO)
        weakref.finalize(self, library.destroy_encoder, state)
        self._state = _address(state)
        self._payload = ctypes.create_string_buffer(MOST_OCTETS)
        self._loss = 0
        bitrate = BITRATES[terms.rate]
        if terms.bitrate:
            bitrate = max(LEAST_BITRATE, min(bitrate, terms.bitrate))
        self._set(opus_library.SET_BITRATE, bitrate)
        self._set(opus_library.SET_COMPLEXITY, complexity)
        self._set(opus_library.SET_INBAND_FEC, int(terms.fec))
        self._set(opus_library.SET_DTX, int(terms.dtx))

    def _set(self, request: int, value: int) -> None:
        self._library.control(self._state, request, ctypes.c_int(value))

    def encode(self, pcm: Pcm) -> bytes:
        """See ``Encoder``; empty in a DTX pause."""
        payload = self._payload
        size = self._library.encode(
            self._state, pcm.ctypes.data, len(pcm), ctypes.addressof(payload), MOST_OCTETS
        )
        return payload.raw[:size] if size > NOTHING_OCTETS else b""

    def expect_loss(self, percent: int) -> None:
        """Set how much is repeated for the peer to recover by (FEC is sent only when loss is expected)."""
        if percent != self._loss:
            self._loss = percent
            self._set(opus_library.SET_PACKET_LOSS, percent)

    def clone(self) -> Encoder:
        """An encoder state is one block without pointers into itself; libopus says it may be copied."""
        other = OpusEncoder(self._terms, self._complexity)
        ctypes.memmove(other._state, self._state, self._library.encoder_size)
        other._loss = self._loss
        return other


def _address(state: Any) -> int:
    return ctypes.cast(state, ctypes.c_void_p).value or 0
