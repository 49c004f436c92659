"""L16 (RFC 3551 section 4.5.11): samples as they are, in network byte order."""

from __future__ import annotations

import ctypes

import numpy as np

from media.codecs.coding import Encoder, Pcm


class L16Decoder:
    """One received stream."""

    def decode(self, source: int, size: int, target: int, room: int) -> int:
        """An odd octet at the end is left out."""
        count = min(size // 2, room)
        samples = np.frombuffer(ctypes.string_at(source, 2 * count), ">i2").astype(np.int16)
        ctypes.memmove(target, samples.ctypes.data, 2 * count)
        return count

    def recover(self, source: int, size: int, target: int, samples: int) -> bool:
        """L16 repeats nothing."""
        return False

    def conceal(self, target: int, samples: int) -> bool:
        """L16 has no concealment of its own."""
        return False


class L16Encoder:
    """One stream sent; it has no state."""

    copies = True

    def encode(self, pcm: Pcm) -> bytes:
        """Two octets a sample."""
        return pcm.astype(">i2").tobytes()

    def expect_loss(self, percent: int) -> None:
        """L16 cannot prepare for it."""

    def clone(self) -> Encoder:
        """There is nothing to copy."""
        return self
