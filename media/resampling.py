"""Live resampling between 8, 16 and 48 kHz: one polyphase FIR for all lines of a ratio at once.

A line carries on from frame to frame through the last samples it was given; the delay is 1.5 ms where the lower rate
is 8 kHz and 0.75 ms where it is 16 kHz, and never changes. The filter is a Kaiser-windowed sinc of 24 samples of the
lower rate: flat up to 0.42 of it (3.4 kHz, 6.7 kHz) and 56 dB down from 0.58 on, so what would mirror into the voice
band is gone. Lines are cut into blocks of 20 samples of the lower rate, which turns filter and change of rate into one
matrix product: 4 us a line.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from media.levels import Floats
from media.rtp import Integers

SPAN = 24
"""Length of the filter in samples of the lower rate."""
_BLOCK = 20
_STOP_BAND_DB = 56.0


class Resampler:
    """From one rate to another, the higher a multiple of the lower."""

    def __init__(self, rate_in: int, rate_out: int) -> None:
        self.rate_in, self.rate_out = rate_in, rate_out
        up, down = max(1, rate_out // rate_in), max(1, rate_in // rate_out)
        taps = _low_pass(max(up, down))
        self.history = SPAN - 1 if up > 1 else len(taps) - down
        """How many samples of each line must be kept from one frame to the next."""
        self._block = _BLOCK * down
        self._matrix = _matrix(taps * up, up, down, self.history, self._block)

    def process(self, lines: Floats, history: Floats) -> Floats:
        """Resample a frame of each line.

        lines: float32 [n, samples], whole blocks; history: float32 [n, self.history], zeros at first; replaced
        by what the next frame needs. Returns float32 [n, samples * rate_out / rate_in].
        """
        count, samples = lines.shape
        if not count:
            return np.zeros((0, samples * self.rate_out // self.rate_in), np.float32)
        joined = np.concatenate((history, lines), axis=1)
        history[:] = joined[:, samples:]
        width = self.history + self._block
        windows = sliding_window_view(joined, width, axis=1)[:, :: self._block]
        product: Floats = np.dot(windows.reshape(-1, width), self._matrix)
        return product.reshape(count, -1)


@cache
def resampler(rate_in: int, rate_out: int) -> Resampler:
    """The resampler between two rates; it has no state of its own."""
    return Resampler(rate_in, rate_out)


def _low_pass(ratio: int) -> Floats:
    """Taps at the higher rate, their sum 1; half a line of the lower rate passes."""
    length = SPAN * ratio
    at = np.arange(length) - (length - 1) / 2
    taps = np.sinc(at / ratio) * np.kaiser(length, 0.1102 * (_STOP_BAND_DB - 8.7))
    normed: Floats = (taps / taps.sum()).astype(np.float32)
    return normed


def _matrix(taps: Floats, up: int, down: int, history: int, block: int) -> Floats:
    """float32 [history + block, block * up / down]: what each input adds to each output."""
    inputs = np.arange(-history, block)[:, None]
    outputs = np.arange(block * up // down)[None, :] * down + (down - 1)
    tap = outputs - inputs * up
    inside = (tap >= 0) & (tap < len(taps))
    matrix: Floats = np.where(inside, taps[np.where(inside, tap, 0)], 0).astype(np.float32)
    return matrix


class Histories:
    """What lines keep between frames, a row per line and one array per ratio, made when first needed."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._arrays: dict[tuple[int, int], Floats] = {}

    def grow(self, capacity: int) -> None:
        """Room for more lines."""
        self.capacity = capacity
        for ratio, old in self._arrays.items():
            new = np.zeros((capacity, old.shape[1]), np.float32)
            new[: len(old)] = old
            self._arrays[ratio] = new

    def forget(self, rows: Integers) -> None:
        """Let these lines begin afresh."""
        for array in self._arrays.values():
            array[rows] = 0

    def of(self, rate_in: int, rate_out: int) -> Floats:
        """float32 [capacity, history] of a ratio."""
        array = self._arrays.get((rate_in, rate_out))
        if array is None:
            shape = (self.capacity, resampler(rate_in, rate_out).history)
            array = self._arrays[rate_in, rate_out] = np.zeros(shape, np.float32)
        return array

    def process(self, lines: Floats, rows: Integers, rate_in: int, rate_out: int) -> Floats:
        """Resample a frame of the lines in these rows (all different)."""
        if rate_in == rate_out:
            return lines
        array = self.of(rate_in, rate_out)
        history = array[rows]
        resampled = resampler(rate_in, rate_out).process(lines, history)
        array[rows] = history
        return resampled
