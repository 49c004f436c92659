"""What was heard, in numbers: level, pitch, likeness to a prompt, delay. Pure functions over arrays.

Sound is float64 ``[samples]`` in -1..1 at ``RATE``. Levels are dBFS where a full-scale sine is 0 (AES17).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

Sound = npt.NDArray[np.float64]

RATE = 8000  # Hz, G.711's: what a call can carry
FRAME = RATE // 50  # samples of 20 ms
FLOOR_DBFS = -100.0  # what digital silence counts as
QUIET_DBFS = -50.0  # below this a listener says "I hear nothing"


@dataclass(frozen=True, slots=True)
class Tone:
    """The strongest pitch of a sound, its level, and its share of the sound's whole power (0..1)."""

    frequency_hz: float
    level_dbfs: float
    purity: float


@dataclass(frozen=True, slots=True)
class Match:
    """How alike two sounds are at their best alignment: ``score`` -1..1, ``offset`` seconds, ``gain_db``."""

    score: float
    offset: float
    gain_db: float


def load(path: Path) -> Sound:
    """A sound file as mono at ``RATE``; what a recorder has not written yet is simply not there."""
    samples, rate = soundfile.read(str(path), dtype="float64", always_2d=True)
    mono: Sound = samples.mean(axis=1)
    return mono if rate == RATE or not mono.size else np.asarray(soxr.resample(mono, rate, RATE), np.float64)


def recorded_so_far(path: Path) -> Sound:
    """What a recorder has written of a file at ``RATE`` it has not closed: the header is not true yet."""
    samples = np.frombuffer(path.read_bytes()[44:], np.uint8)
    return samples[: samples.size // 2 * 2].view("<i2") / 32768.0


def save(path: Path, sound: Sound) -> None:
    """Write 16-bit mono at ``RATE``."""
    soundfile.write(str(path), np.clip(sound, -1.0, 1.0), RATE, subtype="PCM_16")


def sine(frequency_hz: float, seconds: float, level_dbfs: float = -12.0) -> Sound:
    phase = np.arange(round(seconds * RATE)) * (2 * np.pi * frequency_hz / RATE)
    return np.asarray(np.sin(phase) * 10 ** (level_dbfs / 20), np.float64)


def sweep(seconds: float, level_dbfs: float = -12.0, low_hz: float = 400.0, high_hz: float = 3000.0) -> Sound:
    """A rising tone: unlike a steady one it is found again at one place only, to the sample."""
    t = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * (low_hz * t + (high_hz - low_hz) * t * t / (2 * seconds))
    return np.asarray(np.sin(phase) * 10 ** (level_dbfs / 20), np.float64)


def silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE))


def level_dbfs(sound: Sound) -> float:
    power = float(np.mean(np.square(sound))) if sound.size else 0.0
    return max(FLOOR_DBFS, 10 * float(np.log10(2 * power))) if power > 0 else FLOOR_DBFS


def frame_levels(sound: Sound) -> npt.NDArray[np.float64]:
    """dBFS of each whole 20 ms frame: float64 ``[frames]``."""
    frames = sound[: sound.size // FRAME * FRAME].reshape(-1, FRAME)
    power = np.mean(np.square(frames), axis=1)
    return np.asarray(np.maximum(FLOOR_DBFS, 10 * np.log10(2 * power + 1e-12)), np.float64)


def sounding(sound: Sound, above_dbfs: float = QUIET_DBFS) -> Sound:
    """The part from the first loud frame to the last one; empty when there is none."""
    loud = np.flatnonzero(frame_levels(sound) > above_dbfs)
    return sound[loud[0] * FRAME : (loud[-1] + 1) * FRAME] if loud.size else sound[:0]


def bursts(sound: Sound, *, gap: float = 0.2, above_dbfs: float = QUIET_DBFS) -> list[Sound]:
    """The sounding parts that are at least ``gap`` seconds of quiet apart."""
    loud = np.flatnonzero(frame_levels(sound) > above_dbfs)
    if not loud.size:
        return []
    parts = np.split(loud, np.flatnonzero(np.diff(loud) > gap * RATE / FRAME) + 1)
    return [sound[part[0] * FRAME : (part[-1] + 1) * FRAME] for part in parts]


def strongest(sound: Sound) -> Tone:
    """The strongest tone, by the peak of the spectrum (Hann window, parabolic interpolation)."""
    if sound.size < FRAME or not np.any(sound):
        return Tone(0.0, FLOOR_DBFS, 0.0)
    window = np.hanning(sound.size)
    power = np.square(np.abs(np.fft.rfft(sound * window)))
    peak = int(np.argmax(power[1:-1])) + 1
    before, at, after = np.log(power[peak - 1 : peak + 2] + 1e-30)
    shift = 0.5 * (before - after) / (before - 2 * at + after) if before - 2 * at + after else 0.0
    near = float(np.sum(power[max(0, peak - 3) : peak + 4]))  # a Hann window smears a tone over these bins
    amplitude = 2 * np.sqrt(near / (sound.size * float(np.sum(np.square(window)))))
    level = max(FLOOR_DBFS, 20 * float(np.log10(max(amplitude, 1e-10))))
    return Tone(float((peak + shift) * RATE / sound.size), level, near / float(np.sum(power)))


def correlate(received: Sound, prompt: Sound, *, overlap: float = 0.6) -> Match:
    """Slide ``prompt`` along ``received`` and say how alike they are where they fit best.

    Each alignment is normalised by the energy of the parts that overlap, which must be at least
    ``overlap`` of the shorter one: so a recording may begin before the prompt, in its middle, or end early.
    """
    shorter = min(received.size, prompt.size)
    if not shorter or not np.any(received) or not np.any(prompt):
        return Match(0.0, 0.0, 0.0)
    size = received.size + prompt.size - 1
    width = 1 << (size - 1).bit_length()
    products = np.fft.irfft(np.fft.rfft(received, width) * np.conj(np.fft.rfft(prompt, width)), width)
    lags = np.arange(-(prompt.size - 1), received.size)
    products = products[lags % width]
    heard = _energy(received, np.maximum(lags, 0), np.minimum(lags + prompt.size, received.size))
    wanted = _energy(prompt, np.maximum(-lags, 0), np.minimum(received.size - lags, prompt.size))
    common = np.minimum(lags + prompt.size, received.size) - np.maximum(lags, 0)
    scale = np.sqrt(np.maximum(heard * wanted, 1e-18))
    scores = np.where(common >= overlap * shorter, products / scale, -1.0)
    best = int(np.argmax(scores))
    gain = float(products[best] / max(wanted[best], 1e-18))
    return Match(float(scores[best]), float(lags[best] / RATE), 20 * float(np.log10(max(abs(gain), 1e-10))))


def _energy(sound: Sound, first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]) -> Sound:
    total = np.concatenate(([0.0], np.cumsum(np.square(sound))))
    return np.asarray(total[last] - total[first], np.float64)


def echo_delay(both: Sound, burst: Sound) -> float | None:
    """Seconds from a burst to its echo in a recording that holds both; None when it is not there twice."""
    if both.size < burst.size:
        return None
    width = 1 << (both.size + burst.size - 1).bit_length()
    found = np.fft.irfft(np.fft.rfft(both, width) * np.conj(np.fft.rfft(burst, width)), width)[: both.size]
    strength = np.abs(found) / max(float(np.sum(np.square(burst))), 1e-18)
    first = int(np.argmax(strength))
    apart = RATE // 200  # 5 ms: closer is the same peak
    strength[max(0, first - apart) : first + apart] = 0.0
    second = int(np.argmax(strength))
    return abs(second - first) / RATE if strength[second] > 0.25 else None


def most_like(received: Sound, candidates: Mapping[str, Sound]) -> tuple[str, float]:
    """The name of the candidate the sound resembles most, and how much."""
    scores = {name: correlate(received, sound).score for name, sound in candidates.items()}
    best = max(scores, key=lambda name: scores[name])
    return best, scores[best]


def joined(sounds: Iterable[Sound]) -> Sound:
    """One after the other."""
    return np.concatenate([np.zeros(0), *sounds])
