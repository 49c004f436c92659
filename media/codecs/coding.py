"""What every codec of a coded leg offers: a decoder and an encoder of one stream each.

Frames go by address: ``source`` and ``target`` are the memory of rows of arrays (``ndarray.ctypes.data``), so that a
frame costs no Python object on its way. The caller vouches that the memory is there; a codec never touches more
than the sizes it is told. Nothing a peer sends makes a codec raise (security F9).
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from media.codecs.facts import CodecName

Pcm = npt.NDArray[np.int16]

FRAMES_PER_SECOND = 50
"""We send 20 ms a packet, and the plane works in as much."""
LONGEST_MS = 120
"""Of one packet, in (RFC 6716 section 2.1.4; other codecs are kept to the same)."""


class Terms(NamedTuple):
    """How a coded leg speaks. Legs of equal terms that hear the same share one encoder."""

    codec: CodecName
    rate: int
    """Samples a second of its sound: 8000, 16000 or 48000."""
    clock: int
    """RTP timestamps a second; G.722 says 8000 and has 16000 samples (RFC 3551 section 4.5.2)."""
    bitrate: int = 0
    """Most the peer wants to be sent, bit/s; 0: the codec's own choice."""
    dtx: bool = False
    """In silence nothing, or next to nothing, need be sent."""
    fec: bool = False
    """The peer can use what Opus sends again of the frame before."""

    @property
    def samples(self) -> int:
        """Of 20 ms."""
        return self.rate // FRAMES_PER_SECOND


class Decoder(Protocol):
    """One received stream."""

    def decode(self, source: int, size: int, target: int, room: int) -> int:
        """Decode a packet of ``size`` octets into at most ``room`` int16 samples.

        Returns how many there are; 0: the packet cannot be used.
        """
        ...

    def recover(self, source: int, size: int, target: int, samples: int) -> bool:
        """Make the lost packet before this one from what this one repeats of it; False: it does not."""
        ...

    def conceal(self, target: int, samples: int) -> bool:
        """Make up for a lost packet; False: the codec has no means of its own."""
        ...


class Encoder(Protocol):
    """One stream that is sent."""

    copies: bool
    """Whether ``clone`` gives an encoder."""

    def encode(self, pcm: Pcm) -> bytes:
        """The payload of 20 ms, int16 [samples of ``Terms``]; empty: nothing need be sent (DTX)."""
        ...

    def clone(self) -> Encoder | None:
        """Another encoder in the same state; None: it cannot be copied."""
        ...

    def expect_loss(self, percent: int) -> None:
        """Be prepared for so much loss on the way."""
        ...
