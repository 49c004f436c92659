"""G.729 annex A and B (RFC 3551 section 4.5.6) by libbcg729, when this machine has it.

The library is under the GPL and so is neither required nor shipped: it is opened at run time where the user has
installed it. Frames are of 10 ms and 10 octets; a last one of 2 octets is a silence descriptor (annex B).
"""

from __future__ import annotations

import ctypes
import weakref

from media.codecs.coding import LONGEST_MS, Encoder, Pcm, Terms
from media.codecs.g729_library import load

RATE = CLOCK = 8000
FRAME_OCTETS, FRAME_SAMPLES = 10, 80  # 10 ms
SILENCE_OCTETS = 2
_MOST_FRAMES = LONGEST_MS // 10


class G729Decoder:
    """One received stream."""

    def __init__(self) -> None:
        library = load()
        self._state = library.initBcg729DecoderChannel()
        weakref.finalize(self, library.closeBcg729DecoderChannel, self._state)
        self._decode = library.bcg729Decoder

    def decode(self, source: int, size: int, target: int, room: int) -> int:
        """Any number of frames, and a silence descriptor after them; a rest of other length is left out."""
        whole, rest = divmod(size, FRAME_OCTETS)
        frames = min(whole, _MOST_FRAMES, room // FRAME_SAMPLES)
        for index in range(frames):
            at, to = source + index * FRAME_OCTETS, target + 2 * index * FRAME_SAMPLES
            self._decode(self._state, at, FRAME_OCTETS, 0, 0, 0, to)
        if rest == SILENCE_OCTETS and (frames + 1) * FRAME_SAMPLES <= room and frames == whole:
            to = target + 2 * frames * FRAME_SAMPLES
            self._decode(self._state, source + frames * FRAME_OCTETS, SILENCE_OCTETS, 0, 1, 0, to)
            frames += 1
        return frames * FRAME_SAMPLES

    def recover(self, source: int, size: int, target: int, samples: int) -> bool:
        """G.729 repeats nothing."""
        return False

    def conceal(self, target: int, samples: int) -> bool:
        """G.729 section 4.4; after a silence descriptor it goes on with comfort noise."""
        for at in range(target, target + 2 * samples, 2 * FRAME_SAMPLES):
            self._decode(self._state, None, 0, 1, 0, 0, at)
        return samples % FRAME_SAMPLES == 0


class G729Encoder:
    """One stream sent. ``dtx``: annex B may be used."""

    copies = False

    def __init__(self, terms: Terms) -> None:
        library = load()
        self._state = library.initBcg729EncoderChannel(int(terms.dtx))
        weakref.finalize(self, library.closeBcg729EncoderChannel, self._state)
        self._encode = library.bcg729Encoder
        self._octets = ctypes.create_string_buffer(FRAME_OCTETS)
        self._size = ctypes.c_uint8()

    def encode(self, pcm: Pcm) -> bytes:
        """Two frames; in a pause a silence descriptor or nothing."""
        payload = b""
        for at in (0, FRAME_SAMPLES):
            frame = pcm[at : at + FRAME_SAMPLES]
            self._encode(
                self._state, frame.ctypes.data, ctypes.addressof(self._octets), ctypes.addressof(self._size)
            )
            size = self._size.value
            if len(payload) % FRAME_OCTETS:  # nothing may follow a silence descriptor in a packet
                return payload
            payload += self._octets.raw[:size]
        return payload

    def expect_loss(self, percent: int) -> None:
        """G.729 cannot prepare for it."""

    def clone(self) -> Encoder | None:
        """bcg729 does not say how large its state is."""
        return None
