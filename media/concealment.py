"""Concealment of what did not arrive, by waveform substitution in the manner of ITU-T G.711 appendix I.

The last pitch period is repeated, from 10 ms on the last two and from 20 ms on the last three, so that it
does not buzz; each repetition runs into the next by a cross-fade of a quarter period. From 10 ms on it fades,
and after 60 ms it is silence. When sound comes back, the substitute goes on under it for some milliseconds
(``merge``). Unlike appendix I nothing is delayed by 3.75 ms: what has been played cannot be changed any more,
so the first sample is made to follow on the last one by an offset that dies away.

All functions work on rows, one a leg, at any sample rate from 8 kHz. They keep no state: a row of the
substitute follows from the history, its pitch period and how much is missing already. ``Concealer`` keeps
the history for those who have it nowhere else.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from media.codecs.g711 import Pcm
from media.columns import Columns
from media.rtp import Integers

Samples = npt.NDArray[np.float32]
"""PCM in the range of int16."""

_Small = npt.NDArray[np.int32]

HISTORY_MS = 60
"""How much of what was played is looked at; three of the longest periods and a quarter are 48.75 ms."""
_HISTORY_FRAMES = HISTORY_MS // 20
FADE_FROM_MS = 10
SILENT_FROM_MS = 60
_SHORTEST_MS = 5  # pitch from 66 to 200 Hz, appendix I section I.2.2.2
_LONGEST_MS = 15
_WINDOW_MS = 20
_SEARCH_RATE = 8000
_MERGE_MS = 10  # at most
_QUIET = 1.0  # mean square below which there is no pitch to be found


def pitch(history: Samples, rate: int) -> Integers:
    """The period that repeats best at the end of each row.

    history: float32 [n, 60 ms or more]. Returns int64 [n], samples.
    """
    step = max(1, rate // _SEARCH_RATE)
    if step == 1:
        return _search(history, rate)
    whole = history[:, history.shape[1] % step :]
    coarse = _search(whole.reshape(len(whole), -1, step).mean(axis=2), rate // step) * step
    return _refine(history, coarse, step, rate)


def _search(x: Samples, rate: int) -> Integers:
    """Every lag of the range by normalised cross-correlation with the last 20 ms."""
    shortest, longest, window = (ms * rate // 1000 for ms in (_SHORTEST_MS, _LONGEST_MS, _WINDOW_MS))
    x = np.ascontiguousarray(x[:, -(window + longest) :])
    # row of windows i lies longest - i samples back
    windows = np.lib.stride_tricks.sliding_window_view(x, window, axis=1)[:, : longest - shortest + 1]
    alike = np.einsum("nlw,nw->nl", windows, x[:, longest:])
    power = np.cumsum(np.pad(x.astype(np.float64) ** 2, ((0, 0), (1, 0))), axis=1)
    energy = power[:, window : window + windows.shape[1]] - power[:, : windows.shape[1]]
    score = alike / np.sqrt(np.maximum(energy, window * _QUIET))
    lags: Integers = longest - score.argmax(axis=1)
    return lags


def _refine(history: Samples, coarse: Integers, step: int, rate: int) -> Integers:
    """Of the lags within ``step`` of the coarse one, the best at the full rate."""
    window = _WINDOW_MS * rate // 1000
    shortest, longest = _SHORTEST_MS * rate // 1000, _LONGEST_MS * rate // 1000
    lags = np.clip(coarse[:, None] + np.arange(-step, step + 1), shortest, longest)
    at = history.shape[1] - window - lags[:, :, None] + np.arange(window)
    earlier = history[np.arange(len(history))[:, None, None], at]
    alike = np.einsum("nlw,nw->nl", earlier, history[:, -window:])
    score = alike / np.sqrt(np.maximum((earlier**2).sum(axis=2), window * _QUIET))
    best: Integers = lags[np.arange(len(lags)), score.argmax(axis=1)]
    return best


def substitute(history: Samples, lag: Integers, missing: Integers, count: int, rate: int) -> Samples:
    """What to play for samples that are missing.

    history: float32 [n, 60 ms or more], the last true samples before the gap; lag: int64 [n], its ``pitch``;
    missing: int64 [n], samples of the gap that were substituted already. Returns float32 [n, count].
    """
    ten_ms = rate // 100
    at = (missing[:, None] + np.arange(count)).astype(np.int32)
    lag = lag[:, None].astype(np.int32)
    quarter: _Small = lag // np.int32(4)
    periods = np.minimum(at // ten_ms, 2) + 1
    made = _repeat(history, lag * periods, quarter, at)
    since_change = at - (periods - 1) * ten_ms
    blending = (periods > 1) & (since_change < quarter)
    columns = np.flatnonzero(blending.any(axis=0))
    if len(columns):  # one run into another number of periods
        span = lag * np.maximum(periods[:, columns] - 1, 1)
        before = _repeat(history, span, quarter, at[:, columns])
        weight = np.where(blending[:, columns], since_change[:, columns] / quarter, 1).astype(np.float32)
        made[:, columns] = before + (made[:, columns] - before) * weight
    step = history[:, -1:] - np.take_along_axis(history, history.shape[1] - 1 - lag, axis=1)
    longest = int(quarter.max(initial=0))
    if (missing < longest).any():
        dying = np.maximum(1 - (at[:, :longest] + 1) / quarter, 0).astype(np.float32)
        made[:, :longest] += step * dying
    fade_from, silent_from = FADE_FROM_MS * rate // 1000, SILENT_FROM_MS * rate // 1000
    made *= np.clip((silent_from - at) * np.float32(1 / (silent_from - fade_from)), 0, 1)
    return made


def _repeat(history: Samples, span: _Small, quarter: _Small, at: _Small) -> Samples:
    """Sample ``at`` of the last ``span`` samples played over and over, each run faded into the next."""
    position = at % span
    index = position - span
    index += (np.arange(1, len(history) + 1, dtype=np.int32) * history.shape[1])[:, None]
    flat = history.reshape(-1)
    made: Samples = flat.take(index)
    row, column = np.nonzero(position > span - quarter - 1)
    if len(row):
        index, span = index[row, column], np.broadcast_to(span, at.shape)[row, column]
        fourth = quarter[row, 0]
        weight = ((position[row, column] - (span - fourth) + 1) / fourth).astype(np.float32)
        now = made[row, column]
        made[row, column] = now + (flat.take(index - span) - now) * weight
    return made


def merge(frames: Samples, going_on: Samples, missing: Integers, rate: int) -> Samples:
    """Let true sound follow a gap without a click; ``frames`` is changed in place and returned.

    frames: float32 [n, samples], the first after the gap; going_on: float32 [n, 10 ms], the ``substitute``
    continued; missing: int64 [n], samples of the gap. The overlap is 4 ms for each 10 ms of gap, at most 10
    ms.
    """
    most = going_on.shape[1]
    overlap = np.clip(missing * 2 // 5, rate // 1000, most)[:, None]
    weight = np.minimum((np.arange(most) + 1) / (overlap + 1), 1).astype(np.float32)
    frames[:, :most] = going_on + (frames[:, :most] - going_on) * weight
    return frames


def merge_samples(rate: int) -> int:
    """How much of the substitute ``merge`` wants."""
    return _MERGE_MS * rate // 1000


def to_pcm(samples: Samples) -> Pcm:
    """Rounded and limited to int16."""
    pcm: Pcm = np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
    return pcm


class Concealer(Columns):
    """Concealment of legs whose sound is nowhere else: a row each of what was played, at one sample rate.

    Each tick give every running row either to ``heard`` or to ``lost``; ``clear`` a row for the next leg.
    """

    def __init__(self, capacity: int, rate: int) -> None:
        self.rate = rate
        self._frame = rate // 50
        self.played = np.zeros((capacity, HISTORY_MS * rate // 1000), np.int16)
        """The history; in a gap it stays as it was before."""
        self.missing = np.zeros(capacity, np.int64)
        """Samples substituted in a row until now."""
        self.lag = np.zeros(capacity, np.int64)
        self._made: dict[int, deque[Pcm]] = {}
        """By row that is in a gap, what was last put into it: part of the history when the gap is over."""

    def clear(self, slot: int) -> None:
        """Forget a row."""
        super().clear(slot)
        self._made.pop(slot, None)

    def heard(self, rows: Integers, pcm: Pcm) -> None:
        """20 ms that arrived. rows: int64 [n], all different; pcm: int16 [n, rate / 50].

        Where they follow a gap they are merged into it, in place.
        """
        missing = self.missing[rows]
        if missing.any():
            after = np.flatnonzero(missing)
            going_on = self._substitute(rows[after], merge_samples(self.rate))
            merged = merge(pcm[after].astype(np.float32), going_on, missing[after], self.rate)
            pcm[after] = to_pcm(merged)
            self.missing[rows[after]] = 0
            for row in rows[after].tolist():
                for made in self._made.pop(row):
                    self._remember(row, made)
        self._remember(rows, pcm)

    def lost(self, rows: Integers) -> Pcm:
        """20 ms in place of what did not arrive. rows: int64 [n], all different. Returns [n, rate / 50]."""
        first = rows[self.missing[rows] == 0]
        if len(first):
            self.lag[first] = pitch(self.played[first].astype(np.float32), self.rate)
        made = to_pcm(self._substitute(rows, self._frame))
        self.missing[rows] += self._frame
        for row, frame in zip(rows.tolist(), made, strict=True):
            self._made.setdefault(row, deque(maxlen=_HISTORY_FRAMES)).append(frame.copy())
        return made

    def _substitute(self, rows: Integers, count: int) -> Samples:
        made = np.zeros((len(rows), count), np.float32)
        missing = self.missing[rows]
        for gap in range(0, SILENT_FROM_MS * self.rate // 1000, self._frame):
            of = np.flatnonzero(missing == gap)
            if len(of):
                at = rows[of]
                history = self.played[at].astype(np.float32)
                made[of] = substitute(history, self.lag[at], missing[of], count, self.rate)
        return made

    def _remember(self, rows: Integers | int, pcm: Pcm) -> None:
        self.played[rows, : -self._frame] = self.played[rows, self._frame :]
        self.played[rows, -self._frame :] = pcm
