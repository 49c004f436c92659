"""DTMF in the sound itself (ITU-T Q.23, Q.24): heard on all legs that ask for it at once, and made.

Sound is looked at in windows of 20 ms, one every 10 ms. One matrix product over all of them gives their power
at the eight frequencies; where two of them hold most of a window's power, and only there, a pair of sines is
fitted to the window by least squares, the frequencies searched around the nominal ones. The window is a hit
when the pair is near enough to its frequencies, strong enough, of a lawful twist, leaves next to nothing of the
window unexplained and nothing at its second harmonics: that is what tells tones from vowels. Two hits in a row
of one digit, equal in level and frequency, make it a digit; a pause makes an end.

A digit of 40 ms covers two windows wherever it begins, a pause of 40 ms touches five and a lost packet of 20 ms
four at most. So five misses end a digit and no fewer do.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from media.columns import Columns
from media.dtmf import PAUSE_TICKS, TONE_TICKS, DigitBegan, DigitEnded
from media.rtp import FRAME, Flags, Integers
from media.tones import DTMF_HIGH_DBM0, DTMF_LOW_DBM0, DTMF_PAIRS, RATE

Sound = npt.NDArray[np.float32]
"""Samples at 8 kHz in int16 range."""
Pcm = npt.NDArray[np.int16]

KEYS = "123A456B789C*0#D"
"""By four times the row of the low frequency plus the column of the high one."""

LEAST_DBM0 = -33.0
"""Of each frequency: 3 dB below what has to be heard."""
MOST_LOW_ABOVE_HIGH_DB = 9.0
"""Twist: lines lose high frequencies first, so up to 8 dB of it must be taken (Q.24, AT&T)."""
MOST_HIGH_ABOVE_LOW_DB = 6.0
"""Q.24 asks for 4 dB the other way."""
MOST_DEVIATION = 0.020
"""Of a frequency; 1.5 % must be taken and 3.5 % refused (Q.24)."""
MOST_UNEXPLAINED = 0.12
"""Of a window's power, by anything but the pair: noise 9 dB below it."""
MOST_HARMONIC = 0.03
"""Power at twice a frequency, as part of the power at it: -15 dB."""
MOST_WANDER = 3
"""Steps of 0.4 % between two hits; noise shifts what is measured."""
MOST_CHANGE_DB = 3.0
"""Of level between two hits; a window may see the tone's beginning."""
MISSES_TO_END = 5

_HOP = FRAME // 2
_HOP_MS = 10
_LOW, _HIGH = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
_FREQUENCIES = np.array(_LOW + _HIGH, np.float64)
_STEP = 0.004
_REACH = 8  # steps each way: wide enough to see that a frequency is not one of ours
_FULL_SCALE_DBM0 = 3.14  # ITU-T G.711 section 4
MOST_TONE_TICKS = 400
"""A digit whose release never comes is over after 8 s."""
_LEAST_POWER = FRAME / 2 * (32768 * 10 ** ((LEAST_DBM0 - _FULL_SCALE_DBM0) / 20)) ** 2
_LEAST_COARSE = 0.35
"""Part of a window's power seen at the nominal frequencies when both are off by the most."""
_COARSE_LOSS = 0.35  # power of one frequency seen at its nominal one when it is off by the most
_NONE = -1


def _waves(hertz: npt.NDArray[np.float64]) -> Sound:
    """float32 [160, 2 n]: the cosines, then the sines, of the frequencies; each of power one."""
    phase = 2 * np.pi / RATE * (np.arange(FRAME) - (FRAME - 1) / 2)[:, None] * hertz
    waves: Sound = (np.concatenate([np.cos(phase), np.sin(phase)], 1) * np.sqrt(2 / FRAME)).astype(np.float32)
    return waves


_COARSE = _waves(_FREQUENCIES)
_DEVIATIONS = np.arange(-_REACH, _REACH + 1) * _STEP
_FINE = np.stack([_waves(each * (1 + _DEVIATIONS)) for each in _FREQUENCIES])
"""float32 [8, 160, 2 * 17]: around each frequency."""


def _by_deviation(waves: Sound) -> Sound:
    """[8, 160, 2 * 17] as [8, 17, 2, 160]: cosine and sine of one frequency beside each other."""
    parted = waves.reshape(len(_FREQUENCIES), FRAME, 2, len(_DEVIATIONS))
    return np.ascontiguousarray(parted.transpose(0, 3, 2, 1))


_SINES = _by_deviation(_FINE)
_HARMONICS = _by_deviation(np.stack([_waves(2 * each * (1 + _DEVIATIONS)) for each in _FREQUENCIES]))
_ROWS = np.arange(FRAME)
_TAPER = np.hanning(FRAME + 1)[:-1].astype(np.float32)
"""Keeps the stronger frequency from pulling at the weaker one while that is searched."""


def _powers(products: Sound) -> Sound:
    """[..., 2 n] of cosines and sines to [..., n]."""
    half = products.shape[-1] // 2
    powers: Sound = products[..., :half] ** 2 + products[..., half:] ** 2
    return powers


@dataclass(frozen=True, slots=True)
class Hits:
    """What windows held: ``digit`` int64 [n] as index into ``KEYS``, -1 for none; the rest where there is one."""

    digit: Integers
    power: npt.NDArray[np.float64]
    deviation: Integers
    """Of the low and the high frequency, [n, 2] in steps of 0.4 %."""


def find_digits(windows: Sound) -> Hits:
    """Look at windows, float32 [n, 160], for a pair of DTMF frequencies and nothing else."""
    count = len(windows)
    digit = np.full(count, _NONE, np.int64)
    power = np.zeros(count, np.float64)
    deviation = np.zeros((count, 2), np.int64)
    total = np.einsum("ij,ij->i", windows, windows)
    seen = _powers(windows @ _COARSE)
    low, high = seen[:, :4].argmax(1), seen[:, 4:].argmax(1) + 4
    rows = np.arange(count)
    pair = np.stack([seen[rows, low], seen[rows, high]], 1)
    maybe = (pair.sum(1) > _LEAST_COARSE * total) & (pair.min(1) > _COARSE_LOSS * _LEAST_POWER)
    found = np.flatnonzero(maybe)
    if len(found):
        tones = np.stack([low[found], high[found]], 1)
        good, power[found], deviation[found] = _fit(windows[found], tones)
        digit[found[good]] = (4 * tones[:, 0] + tones[:, 1] - 4)[good]
    return Hits(digit, power, deviation)


def _fit(windows: Sound, tones: Integers) -> tuple[Flags, npt.NDArray[np.float64], Integers]:
    """Fit the pair ``tones`` [n, 2] to each window; whether it passes, its power, and both deviations."""
    count = len(windows)
    nearest = _nearest(windows, tones)
    base = _SINES[tones, nearest].reshape(count, 4, FRAME)
    gram = base @ base.transpose(0, 2, 1)
    weights = np.linalg.solve(gram, base @ windows[:, :, None])
    rest = windows - (weights.transpose(0, 2, 1) @ base)[:, 0]
    each = (weights.reshape(count, 2, 2) ** 2).sum(2)
    left, total = np.einsum("ij,ij->i", rest, rest), np.einsum("ij,ij->i", windows, windows)
    second = _HARMONICS[tones, nearest].reshape(count, 4, FRAME) @ rest[:, :, None]
    harmonics = (second.reshape(count, 2, 2) ** 2).sum(2)
    deviation = nearest - _REACH
    twist = 10 * np.log10(np.maximum(each[:, 0], 1.0) / np.maximum(each[:, 1], 1.0))
    good = (np.abs(deviation) <= round(MOST_DEVIATION / _STEP)).all(1)
    good &= each.min(1) >= _LEAST_POWER
    good &= (twist <= MOST_LOW_ABOVE_HIGH_DB) & (twist >= -MOST_HIGH_ABOVE_LOW_DB)
    good &= left <= MOST_UNEXPLAINED * total
    good &= (harmonics <= MOST_HARMONIC * each).all(1)
    return good, each.sum(1, dtype=np.float64), deviation


def _nearest(windows: Sound, tones: Integers) -> Integers:
    """Where around each of the two nominal frequencies a window has most power, [n, 2]."""
    tapered = windows * _TAPER
    nearest = np.zeros(tones.shape, np.int64)
    for tone in np.unique(tones).tolist():
        rows, side = np.nonzero(tones == tone)
        nearest[rows, side] = _powers(tapered[rows] @ _FINE[tone]).argmax(1)
    return nearest


class InbandReceiver(Columns):
    """Hears the digits of every leg it is given. A column per field, a row per leg slot."""

    def __init__(self, capacity: int) -> None:
        self.digit = np.full(capacity, _NONE, np.int64)
        """The digit that sounds now, as index into ``KEYS``; -1: none."""
        self._half = np.zeros((capacity, _HOP), np.float32)  # the end of the tick before
        self._last = np.full(capacity, _NONE, np.int64)  # the window before this one
        self._power = np.zeros(capacity, np.float64)
        self._deviation = np.zeros((capacity, 2), np.int64)
        self._misses = np.zeros(capacity, np.int64)
        self._windows = np.zeros(capacity, np.int64)  # from the first hit of the digit to the last

    def clear(self, slot: int) -> None:
        """Begin a new leg in a slot."""
        super().clear(slot)
        self.digit[slot] = self._last[slot] = _NONE

    def receive(self, slots: Integers, sound: Sound) -> list[tuple[int, DigitBegan | DigitEnded]]:
        """Hear 20 ms of each leg. slots: int64 [n], all different; sound: float32 [n, 160].

        Returns what began and ended, by slot. The frame in which a digit was recognised has the tone in it,
        and at most 27 ms of it came before: less than the 40 ms that another receiver would need.
        """
        count = len(slots)
        windows = np.empty((2, count, FRAME), np.float32)
        windows[0, :, :_HOP] = self._half[slots]
        windows[0, :, _HOP:] = sound[:, :_HOP]
        windows[1] = sound
        self._half[slots] = sound[:, _HOP:]
        hits = find_digits(windows.reshape(-1, FRAME))
        waiting = (self.digit[slots] != _NONE) | (self._last[slots] != _NONE)
        heard = waiting | (hits.digit.reshape(2, count) != _NONE).any(0)
        events: list[tuple[int, DigitBegan | DigitEnded]] = []
        if heard.any():
            at = np.flatnonzero(heard)
            for first in (0, count):
                rows = first + at
                events += self._step(
                    slots[at], Hits(hits.digit[rows], hits.power[rows], hits.deviation[rows])
                )
        return events

    def _step(self, slots: Integers, hits: Hits) -> list[tuple[int, DigitBegan | DigitEnded]]:
        """Take one window of each leg."""
        digit = hits.digit
        steady = (digit != _NONE) & (digit == self._last[slots])
        change = hits.power / np.maximum(self._power[slots], 1.0)
        most = 10 ** (MOST_CHANGE_DB / 10)
        steady &= (change <= most) & (change >= 1 / most)
        steady &= (np.abs(hits.deviation - self._deviation[slots]) <= MOST_WANDER).all(1)
        self._last[slots], self._power[slots], self._deviation[slots] = digit, hits.power, hits.deviation
        sounding = self.digit[slots] != _NONE
        same = sounding & (digit == self.digit[slots])
        began = steady & ~same
        self._windows[slots[sounding]] += 1
        self._misses[slots] = np.where(same, 0, self._misses[slots] + 1)
        ended = sounding & (began | (self._misses[slots] >= MISSES_TO_END))
        events: list[tuple[int, DigitBegan | DigitEnded]] = []
        for slot in slots[ended].tolist():
            windows = int(self._windows[slot] - self._misses[slot])
            events.append((slot, DigitEnded(KEYS[int(self.digit[slot])], (windows + 1) * _HOP_MS)))
            self.digit[slot] = _NONE
        for slot, key in zip(slots[began].tolist(), digit[began].tolist(), strict=True):
            self.digit[slot], self._misses[slot], self._windows[slot] = key, 0, 2
            events.append((slot, DigitBegan(KEYS[key])))
        return events


@dataclass(slots=True)
class _Tone:
    key: str
    ticks: int | None  # None: held until released


class ToneSender:
    """Plays digits as sound, 20 ms a tick: for a peer that has no telephone-event. As ``EventSender``."""

    def __init__(self) -> None:
        self._queue: deque[_Tone] = deque()
        self._played = 0
        self._pause = 0

    @property
    def busy(self) -> bool:
        """Whether the leg's audio is to give way."""
        return bool(self._queue) or self._pause > 0

    def send(self, digits: str) -> None:
        """Queue digits of 100 ms; characters that are none are left out."""
        self._queue += [_Tone(digit, TONE_TICKS) for digit in digits.upper() if digit in DTMF_PAIRS]

    def press(self, digit: str) -> None:
        """Queue a digit that lasts until ``release``."""
        self._queue.append(_Tone(digit, None))

    def release(self, duration_ms: int) -> None:
        """The digit pressed last lasts ``duration_ms`` in all, and no less than it already has."""
        if self._queue and self._queue[-1].ticks is None:
            self._queue[-1].ticks = max(TONE_TICKS // 2 + 1, -(-duration_ms // 20))

    def tick(self, rate: int = RATE) -> Pcm:
        """The sound of these 20 ms, int16 [rate / 50]; silence in a pause."""
        if self._pause or not self._queue:
            self._pause = max(0, self._pause - 1)
            return np.zeros(rate // 50, np.int16)
        tone = self._queue[0]
        sound = _tone(tone.key, self._played, rate)
        self._played += 1
        if self._played >= (MOST_TONE_TICKS if tone.ticks is None else tone.ticks):
            self._queue.popleft()
            self._played, self._pause = 0, PAUSE_TICKS
        return sound


def _tone(key: str, frame: int, rate: int) -> Pcm:
    """Frame number ``frame`` of a key's tone."""
    samples = rate // 50
    phase = 2 * np.pi / rate * (frame * samples + np.arange(samples))
    low, high = DTMF_PAIRS[key]
    wave = _amplitude(DTMF_LOW_DBM0) * np.sin(phase * low) + _amplitude(DTMF_HIGH_DBM0) * np.sin(phase * high)
    pcm: Pcm = np.rint(wave).astype(np.int16)
    return pcm


def _amplitude(dbm0: float) -> float:
    return float(32768 * 10 ** ((dbm0 - _FULL_SCALE_DBM0) / 20))
