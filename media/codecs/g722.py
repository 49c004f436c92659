"""G.722 (RFC 3551 section 4.5.2): 16 kHz sound at 64 kbit/s, an RTP clock of 8 kHz by an old mistake.

Decoded by PyAV, and encoded by libspandsp where that is installed, else by PyAV too: the octets are the same, but only
spandsp's encoder can be copied. One FFmpeg context a stream and direction. FFmpeg comes with this module, some 20 MB:
it is imported when the first such leg is there.
"""

from __future__ import annotations

import ctypes
from typing import Any

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame

from media.codecs import g722_library
from media.codecs.coding import LONGEST_MS, Encoder, Pcm

RATE = 16000
CLOCK = 8000
FRAME_OCTETS = 160  # 20 ms
FRAME_SAMPLES = 320
MOST_OCTETS = 8 * LONGEST_MS


def _context(mode: Any) -> AudioCodecContext:
    context = av.CodecContext.create("g722", mode)
    assert isinstance(context, AudioCodecContext)
    context.sample_rate = RATE
    context.layout = "mono"
    context.format = "s16"
    context.open()
    return context


class G722Decoder:
    """One received stream."""

    def __init__(self) -> None:
        self._context = _context("r")

    def decode(self, source: int, size: int, target: int, room: int) -> int:
        """Each octet is two samples; every octet string is a valid stream."""
        if not 0 < size <= MOST_OCTETS:
            return 0
        count = 0
        for frame in self._context.decode(av.Packet(ctypes.string_at(source, size))):
            samples = min(frame.samples, room - count)
            ctypes.memmove(target + 2 * count, frame.planes[0].buffer_ptr, 2 * samples)
            count += samples
        return count

    def recover(self, source: int, size: int, target: int, samples: int) -> bool:
        """G.722 repeats nothing."""
        return False

    def conceal(self, target: int, samples: int) -> bool:
        """G.722 has no concealment of its own in FFmpeg."""
        return False


class CopiedG722Encoder:
    """One stream sent, by libspandsp. Raises LookupError: it is not there."""

    copies = True

    def __init__(self) -> None:
        library = g722_library.load()
        if library is None:
            raise LookupError(g722_library.SYSTEM_NAME)
        self._encode = library.g722_encode
        self._state = ctypes.create_string_buffer(g722_library.STATE_OCTETS)
        self._address = ctypes.addressof(self._state)
        self._octets = ctypes.create_string_buffer(FRAME_OCTETS)
        library.g722_encode_init(self._address, g722_library.BIT_RATE, 0)

    def encode(self, pcm: Pcm) -> bytes:
        """160 octets, always: G.722 knows no pauses."""
        self._encode(self._address, ctypes.addressof(self._octets), pcm.ctypes.data, FRAME_SAMPLES)
        return self._octets.raw

    def expect_loss(self, percent: int) -> None:
        """G.722 cannot prepare for it."""

    def clone(self) -> Encoder:
        """A state is one block without pointers into itself."""
        other = CopiedG722Encoder()
        ctypes.memmove(other._state, self._state, g722_library.STATE_OCTETS)
        return other


class G722Encoder:
    """One stream sent, by FFmpeg."""

    copies = False

    def __init__(self) -> None:
        self._context = _context("w")
        self._frame = AudioFrame(format="s16", layout="mono", samples=FRAME_SAMPLES)
        self._frame.sample_rate = RATE
        self._samples = np.frombuffer(memoryview(self._frame.planes[0]), np.int16)[:FRAME_SAMPLES]

    def encode(self, pcm: Pcm) -> bytes:
        """160 octets, always: G.722 knows no pauses."""
        self._samples[:] = pcm
        return b"".join(map(bytes, self._context.encode(self._frame)))

    def expect_loss(self, percent: int) -> None:
        """G.722 cannot prepare for it."""

    def clone(self) -> Encoder | None:
        """FFmpeg does not give its state away."""
        return None


def make_encoder() -> Encoder:
    """The encoder that can be copied, where there is one."""
    return G722Encoder() if g722_library.load() is None else CopiedG722Encoder()
