"""The mix of a room, one sample at a time: slow, plain, and what the array program is held to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from media.codecs.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode

Frame = bytes

_DECODE = [
    [int(law(np.array([octet], np.uint8))[0]) for octet in range(256)] for law in (ulaw_decode, alaw_decode)
]


def mix_for(
    listener: int,
    said: Mapping[int, Frame],
    laws: Mapping[int, int],
    before: Mapping[int, float],
    now: Mapping[int, float],
) -> list[float]:
    """What one participant hears in a frame, before it is coded.

    said: what each says, coded; laws: 0 mu-law, 1 A-law; before, now: each one's weight in the mix at the end
    of the last frame and of this one. Mixes must stay below the limiter.
    """
    samples = []
    for at in range(160):
        total = 0.0
        for speaker, frame in said.items():
            if speaker == listener:
                continue
            along = (at + 1) / 160
            weight = before[speaker] + (now[speaker] - before[speaker]) * along
            total += weight * _DECODE[laws[speaker]][frame[at]]
        samples.append(total)
    return samples


def is_coded(frame: Frame, samples: Sequence[float], law: int) -> bool:
    """Whether a frame is these samples in G.711; a sum on the edge of a step may lie on either side."""
    encode = alaw_encode if law else ulaw_encode
    below, above = (encode(np.rint(np.array(samples) + slack).astype(np.int16)) for slack in (-0.05, 0.05))
    octets = np.frombuffer(frame, np.uint8)
    return bool(((octets == below) | (octets == above)).all())
