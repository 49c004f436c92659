"""The music of a room with one in it, or none yet: made here, so that nobody's rights are in it.

Four chords of four seconds, each broken into eighths of a second and a half, over a soft pad; what still sounds at
the end sounds on at the beginning, so it goes round without a seam.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from media.loudness import from_db
from media.tones import RATE, Pcm

MUSIC_DBFS = -32.0
"""12 dB below words, so that who waits can talk to somebody beside it."""
_BAR_SECONDS, _STEPS = 4.0, 8
_CHORDS = (
    (57, 64, 67, 72),  # A minor seventh, as notes of MIDI: 69 is 440 Hz
    (53, 60, 64, 69),  # F major seventh
    (48, 60, 64, 67),  # C
    (55, 62, 65, 71),  # G seventh
)
_BROKEN = (0, 1, 2, 3, 2, 1, 3, 2)
_Wave = npt.NDArray[np.float64]


def music() -> Pcm:
    """int16 [128000] at 8 kHz, to be looped: a whole number of frames."""
    bar = round(RATE * _BAR_SECONDS)
    wave: _Wave = np.zeros(bar * len(_CHORDS))
    for number, chord in enumerate(_CHORDS):
        for note in chord[1:]:
            _lay(wave, number * bar, 0.35 * _pad(_hertz(note), bar))
        for step, which in enumerate(_BROKEN):
            _lay(wave, number * bar + step * bar // _STEPS, _pluck(_hertz(chord[which])))
    wave *= from_db(MUSIC_DBFS) / np.sqrt(np.mean(wave**2))
    pcm: Pcm = np.rint(wave * 32768).clip(-32768, 32767).astype(np.int16)
    return pcm


def _hertz(note: int) -> float:
    return float(440 * 2 ** ((note - 69) / 12))


def _lay(wave: _Wave, at: int, sound: _Wave) -> None:
    """Add a sound, what goes beyond the end at the beginning."""
    where = (at + np.arange(len(sound))) % len(wave)
    wave[where] += sound


def _pluck(hertz: float, seconds: float = 2.5) -> _Wave:
    """A string: its upper partials go first."""
    time = np.arange(round(RATE * seconds)) / RATE
    partials = sum(
        np.sin(2 * np.pi * hertz * n * time) * np.exp(-(1.2 + 0.9 * n) * time) / n**1.5 for n in range(1, 5)
    )
    rise = np.minimum(1.0, time / 0.008)
    fall = np.minimum(1.0, (time[-1] - time) / 0.05)
    plucked: _Wave = partials * rise * fall
    return plucked


def _pad(hertz: float, samples: int) -> _Wave:
    """A held note that swells and fades beyond its bar, two strings of it a little apart."""
    length = samples + samples // 4
    time = np.arange(length) / RATE
    swell = np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2
    held: _Wave = swell * (np.sin(2 * np.pi * hertz * time) + np.sin(2 * np.pi * (hertz + 0.4) * time)) / 2
    return held
