"""From what a tick gathered to what lies in the file: decoded, encoded, interleaved, at the file's rate.

Whole batches are decoded at once, two octets a look-up; numpy lets other threads run meanwhile.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from media.codecs.g711 import Pcm, alaw_decode, alaw_encode, ulaw_decode, ulaw_encode
from media.levels import Floats
from media.resampling import resampler
from media.rtp import Octets
from media.wav import Coding, Sound

ULAW, ALAW, PCM = 0, 1, -1
"""What a row of a batch holds."""
LAW = {Coding.ULAW: ULAW, Coding.ALAW: ALAW, Coding.PCM: PCM}

Histories = dict[tuple[int, int], Floats]
"""By channel and rate: what the resampler keeps from one piece to the next."""


@functools.cache
def _pairs(law: int) -> npt.NDArray[np.uint32]:
    """uint32 [65536]: the two samples of each pair of octets, as they lie in memory."""
    pairs = np.arange(65536, dtype=np.uint16).view(np.uint8)
    samples = ulaw_decode(pairs) if law == ULAW else alaw_decode(pairs)
    return samples.view(np.uint32)


def decode(octets: Octets, law: int) -> Pcm:
    """G.711, uint8 [rows, samples] (samples even, rows contiguous), to int16 of that shape."""
    return np.take(_pairs(law), octets.view(np.uint16), mode="clip").view(np.int16)


def in_file(channels: list[Octets], law: int, rate: int, sound: Sound, histories: Histories) -> memoryview:
    """The bytes of one piece as its file holds them.

    channels: uint8 [bytes] for each, whole frames of 20 ms, G.711 (``law`` 0 or 1) or int16 at ``rate``.
    """
    if LAW[sound.coding] == law and rate == sound.rate:
        if len(channels) == 1:
            return channels[0].data
        if law != PCM:
            return np.stack(channels, axis=1).reshape(-1).data
    pcm = [_pcm(row, law) for row in channels]
    if rate != sound.rate:
        pcm = [_resampled(each, rate, sound.rate, histories, at) for at, each in enumerate(pcm)]
    samples = pcm[0] if len(pcm) == 1 else np.stack(pcm, axis=1).reshape(-1)
    if sound.coding is Coding.PCM:
        return samples.astype("<i2", copy=False).view(np.uint8).data
    return (ulaw_encode if sound.coding is Coding.ULAW else alaw_encode)(samples).data


def _pcm(row: Octets, law: int) -> Pcm:
    return row.view(np.int16) if law == PCM else decode(row, law)


def _resampled(pcm: Pcm, rate: int, wanted: int, histories: Histories, channel: int) -> Pcm:
    """A piece at another rate: what is recorded changed its codec, or a room its best one, since the file began."""
    change = resampler(rate, wanted)
    history = histories.setdefault((channel, rate), np.zeros((1, change.history), np.float32))
    lines = change.process(pcm.astype(np.float32)[None, :], history)
    resampled: Pcm = np.clip(np.rint(lines[0]), -32768, 32767).astype(np.int16)
    return resampled
