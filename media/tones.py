"""Call progress tones, the beep, DTMF pairs, silence and comfort noise as arrays.

All are int16 [samples] at 8 kHz, computed when asked for, meant to be held by the prompt bank. Whatever is
made to be looped is a whole number of 20 ms frames and ends where it began, so the loop is not heard.

Levels are as in ``media.loudness``. Tones are as loud as prompts; the two parts of a DTMF pair are at the
usual -10 dBm0 (low group) and -8 dBm0 (high group), the twist lines are given to make up for their loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from media.loudness import FRAME, from_db

Pcm = npt.NDArray[np.int16]
Country = Literal["fr", "gb", "us", "eu"]

RATE = 8000
TONE_DBFS = -20.0
COMFORT_DBFS = -60.0
CHIME_DBFS = -18.0
"""At its beginning; it fades from there."""
DTMF_LOW_DBM0, DTMF_HIGH_DBM0 = -10.0, -8.0
DTMF_ON_MS, DTMF_OFF_MS = 100, 80  # ITU-T Q.24: every receiver takes 40 ms; phones send about this

_FULL_SCALE_DBM0 = 3.14  # ITU-T G.711 section 4: a sine that just overloads A-law
_EDGE = 40  # samples, 5 ms: a tone that starts at once clicks

_LOW, _HIGH = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
DTMF_PAIRS: dict[str, tuple[int, int]] = {
    key: (low, high)
    for low, row in zip(_LOW, ("123A", "456B", "789C", "*0#D"), strict=True)
    for key, high in zip(row, _HIGH, strict=True)
}
"""The keys and their two frequencies in Hz, ITU-T Q.23."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """A call progress tone: its frequencies in Hz, and seconds of sound and silence in turn; () for ever."""

    hertz: tuple[int, ...]
    seconds: tuple[float, ...] = ()


CADENCES: dict[Country, dict[str, Cadence]] = {
    "fr": {
        "ringback": Cadence((440,), (1.5, 3.5)),
        "busy": Cadence((440,), (0.5, 0.5)),
        "congestion": Cadence((440,), (0.25, 0.25)),
        "dial": Cadence((440,)),
    },
    "gb": {
        "ringback": Cadence((400, 450), (0.4, 0.2, 0.4, 2.0)),
        "busy": Cadence((400,), (0.375, 0.375)),
        "congestion": Cadence((400,), (0.4, 0.35, 0.225, 0.525)),
        "dial": Cadence((350, 440)),
    },
    "us": {
        "ringback": Cadence((440, 480), (2.0, 4.0)),
        "busy": Cadence((480, 620), (0.5, 0.5)),
        "congestion": Cadence((480, 620), (0.25, 0.25)),
        "dial": Cadence((350, 440)),
    },
    "eu": {
        "ringback": Cadence((425,), (1.0, 4.0)),
        "busy": Cadence((425,), (0.5, 0.5)),
        "congestion": Cadence((425,), (0.2, 0.2)),
        "dial": Cadence((425,)),
    },
}
"""By country, after supplement 2 to ITU-T E.180; "eu" is what E.180 itself recommends."""


def silence(ms: int) -> Pcm:
    """That many milliseconds of zeros."""
    return np.zeros(RATE * ms // 1000, dtype=np.int16)


def beep(ms: int = 400, hertz: int = 1000) -> Pcm:
    """The tone after which one speaks."""
    return _pcm(_edged(_chord((hertz,), RATE * ms // 1000, TONE_DBFS)))


def chime(*hertz: int) -> Pcm:
    """Notes one after the other, each ringing into the next: somebody comes (rising) or goes (falling)."""
    step, ring = RATE * 140 // 1000, RATE * 420 // 1000
    wave: _Wave = np.zeros(step * (len(hertz) - 1) + ring)
    time = np.arange(ring) / RATE
    for number, each in enumerate(hertz):
        note = _chord((each,), ring, CHIME_DBFS) * np.exp(-7 * time)
        wave[number * step : number * step + ring] += _edged(note)
    return _pcm(_whole_frames(wave))


def progress(name: str, country: Country = "fr") -> Pcm:
    """One period, to be looped, of ``ringback``, ``busy``, ``congestion`` or ``dial``; else KeyError."""
    cadence = CADENCES[country][name]
    if not cadence.seconds:
        return _pcm(_chord(cadence.hertz, RATE, TONE_DBFS))
    parts = []
    for number, seconds in enumerate(cadence.seconds):
        samples = round(RATE * seconds)
        sounding = number % 2 == 0
        parts.append(_edged(_chord(cadence.hertz, samples, TONE_DBFS)) if sounding else np.zeros(samples))
    return _pcm(_whole_frames(np.concatenate(parts)))


def dtmf(keys: str, on_ms: int = DTMF_ON_MS, off_ms: int = DTMF_OFF_MS) -> Pcm:
    """The keys in turn, each followed by a pause; KeyError for what is no key."""
    on, pause = RATE * on_ms // 1000, silence(off_ms)
    time = np.arange(on) / RATE
    parts = []
    for key in keys.upper():
        low, high = DTMF_PAIRS[key]
        pair = _dbm0(DTMF_LOW_DBM0) * np.sin(2 * np.pi * low * time)
        pair += _dbm0(DTMF_HIGH_DBM0) * np.sin(2 * np.pi * high * time)
        parts += [_pcm(pair), pause]
    return np.concatenate(parts) if parts else silence(0)


def comfort(ms: int = 2000, level_dbfs: float = COMFORT_DBFS) -> Pcm:
    """Quiet noise, the same each time, to be looped where silence would sound like a dead line."""
    samples = RATE * ms // 1000
    return _pcm(np.random.default_rng(3389).normal(0, from_db(level_dbfs), samples))


def tone_bank(country: Country = "fr") -> dict[str, Pcm]:
    """Everything by the name under which it is played: ``tone/ringback``, ``tone/dtmf-star``, ..."""
    keys = {"*": "star", "#": "hash"}
    return {
        **{f"tone/{name}": progress(name, country) for name in CADENCES[country]},
        "tone/beep": beep(),
        "tone/entry": chime(523, 784),
        "tone/exit": chime(784, 523),
        "tone/silence": silence(1000),
        "tone/comfort": comfort(),
        **{f"tone/dtmf-{keys.get(key, key.lower())}": dtmf(key) for key in DTMF_PAIRS},
    }


_Wave = npt.NDArray[np.float64]


def _chord(hertz: tuple[int, ...], samples: int, level_dbfs: float) -> _Wave:
    """Sines of equal strength that together have that level, full scale 1.0."""
    time = np.arange(samples) / RATE
    each = from_db(level_dbfs) * np.sqrt(2 / len(hertz))
    wave: _Wave = sum((each * np.sin(2 * np.pi * one * time) for one in hertz), np.zeros(samples))
    return wave


def _edged(wave: _Wave) -> _Wave:
    """The same with raised-cosine edges."""
    edge = min(_EDGE, len(wave) // 2)
    rise = (1 - np.cos(np.pi * (np.arange(edge) + 0.5) / edge)) / 2 if edge else np.zeros(0)
    gain = np.concatenate((rise, np.ones(len(wave) - 2 * edge), rise[::-1]))
    return wave * gain


def _whole_frames(wave: _Wave) -> _Wave:
    """Silence to the end of the last frame."""
    return np.pad(wave, (0, -len(wave) % FRAME))


def _dbm0(level: float) -> float:
    """Peak amplitude, full scale 1.0, of a sine of that level."""
    return from_db(level - _FULL_SCALE_DBM0)


def _pcm(wave: _Wave) -> Pcm:
    pcm: Pcm = np.rint(wave * 32768).clip(-32768, 32767).astype(np.int16)
    return pcm
