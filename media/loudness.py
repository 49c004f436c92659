"""Level of speech and a limiter, as functions of arrays.

Levels are in dBFS of the amplitude: 0 dBFS is the root mean square of a full-scale square wave, so a
full-scale sine is at -3.01. Samples are floating point, full scale 1.0.

The level of speech is that of its active part, after the idea of ITU-T P.56: pauses do not count. The gate
is that of ITU-R BS.1770 with the margin of P.56: of all 20 ms frames above -70 dBFS the mean power is
taken, and then again that of the frames less than 15.9 dB below it.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Powers = npt.NDArray[np.float64]

FRAME = 160  # samples: 20 ms at 8 kHz
SILENCE_DBFS = -100.0  # what is said of digital silence
_GATE_DBFS = -70.0
_MARGIN_DB = 15.9


def to_dbfs(amplitude: float) -> float:
    """Amplitude (1.0 is full scale) as dBFS, not below ``SILENCE_DBFS``."""
    return max(SILENCE_DBFS, 20 * math.log10(amplitude)) if amplitude > 0 else SILENCE_DBFS


def from_db(level: float) -> float:
    """The factor of that many decibels."""
    return float(10 ** (level / 20))


def frame_powers(samples: Samples) -> Powers:
    """Mean power of each whole frame, float64 [samples // FRAME], without its DC part."""
    whole = len(samples) // FRAME * FRAME
    powers: Powers = samples[:whole].reshape(-1, FRAME).astype(np.float64).var(axis=1)
    return powers


def active_level(powers: Powers) -> float:
    """dBFS of the active frames; ``SILENCE_DBFS`` when none is above the gate."""
    heard = powers[powers > from_db(_GATE_DBFS) ** 2]
    if not len(heard):
        return SILENCE_DBFS
    active = heard[heard >= heard.mean() * from_db(-_MARGIN_DB) ** 2]
    return to_dbfs(math.sqrt(active.mean()))


def limited(samples: Samples, ceiling: float, reach: int) -> Samples:
    """``samples`` with no peak above ``ceiling``, the gain moving smoothly over ``reach`` samples each side.

    The gain that each peak needs is held over its surroundings and then averaged over as many samples; each
    term of the average is low enough for the peak, so the average is. Samples nearer than ``2 * reach`` to an
    end see less of their surroundings: who works in blocks passes that much more on both sides and drops it.
    """
    peaks = np.abs(samples)
    if not len(samples) or peaks.max() <= ceiling:
        return samples
    need = np.minimum(1.0, ceiling / np.maximum(peaks, ceiling))
    span = 2 * reach + 1
    held = np.lib.stride_tricks.sliding_window_view(np.pad(need, 2 * reach, mode="edge"), span).min(axis=1)
    gain = np.convolve(held, np.full(span, 1 / span), mode="valid")
    limited: Samples = (samples * gain).astype(np.float32)
    return limited
