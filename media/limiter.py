"""The soft limiter at the end of a mix: a gain that steps back before a peak, not a clipped peak.

A frame is known whole before it is sent, so the gain can come down within it, ahead of the peak: it moves in
straight lines between nodes 2.5 ms apart and is low enough over every stretch on both of its ends. Only in the
first stretch of a frame may a sudden peak outrun it; what then still lies above the ceiling is bent (tanh)
and never cut. After the peak the gain comes back within a third of a second.
"""

from __future__ import annotations

import numpy as np

from media.levels import Floats

CEILING = np.float32(29204.0)
"""1 dB below the largest sample."""
_MOST = np.float32(32767.0)
_STRETCHES = 8
_RELEASE = np.float32(1 / 128)
"""Gain regained in a stretch: from nothing to one in 320 ms."""


def limit(mixes: Floats, gains: Floats) -> bool:
    """Bring mixes into int16 range, in place.

    mixes: float32 [n, samples], samples a multiple of 8. gains: float32 [n], each mix's gain at the end of
    its last frame, 1 at rest; replaced by that of this frame. Returns whether there was anything to do.
    """
    if not len(mixes):
        return False
    if not (gains < 1).any() and mixes.max() <= CEILING and mixes.min() >= -CEILING:
        return False
    peaks = np.maximum(mixes.max(axis=1), -mixes.min(axis=1))
    rows = ((peaks > CEILING) | (gains < 1)).nonzero()[0]
    loud = mixes[rows]
    nodes = _nodes(loud, gains[rows])
    gains[rows] = nodes[:, -1]
    loud *= _lines(nodes, loud.shape[1])
    _bend(loud)
    mixes[rows] = loud
    return True


def _nodes(loud: Floats, carried: Floats) -> Floats:
    """The gain at the ends of the stretches, float32 [n, 9]."""
    count, samples = loud.shape
    peaks = np.abs(loud).reshape(count, _STRETCHES, samples // _STRETCHES).max(axis=2)
    wanted = np.minimum(CEILING / np.maximum(peaks, CEILING), 1)
    nodes = np.empty((count, _STRETCHES + 1), np.float32)
    nodes[:, 0] = carried
    nodes[:, 1:-1] = np.minimum(wanted[:, :-1], wanted[:, 1:])
    nodes[:, -1] = wanted[:, -1]
    for at in range(_STRETCHES):
        np.minimum(nodes[:, at + 1], nodes[:, at] + _RELEASE, out=nodes[:, at + 1])
    return nodes


def _lines(nodes: Floats, samples: int) -> Floats:
    """Straight lines between the nodes, float32 [n, samples]."""
    width = samples // _STRETCHES
    along = (np.arange(width, dtype=np.float32) + 1) / np.float32(width)
    begin, step = nodes[:, :-1, None], np.diff(nodes, axis=1)[:, :, None]
    return (begin + step * along).reshape(len(nodes), samples)


def _bend(loud: Floats) -> None:
    """Bend what lies above the ceiling, in place; the rest stays as it is."""
    over = np.abs(loud) > CEILING
    if over.any():
        excess = loud[over]
        room = _MOST - CEILING
        bent = CEILING + room * np.tanh((np.abs(excess) - CEILING) / room)
        loud[over] = np.copysign(bent, excess)
