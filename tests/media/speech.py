"""Something like a voice, and how far two sounds are apart, for tests that must judge what is heard."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Pcm = npt.NDArray[np.int16]

_VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480))  # formants in Hz


def voice(seconds: float, rate: int = 8000, level: float = 4000.0, seed: int = 5) -> Pcm:
    """Vowels of a pitch that glides, a syllable each 250 ms, with hisses between; int16."""
    samples = int(seconds * rate)
    time = np.arange(samples) / rate
    rng = np.random.default_rng(seed)
    pitch = 120 + 15 * np.sin(2 * math.pi * 0.7 * time) + 5 * np.sin(2 * math.pi * 2.3 * time)
    phase = 2 * math.pi * np.cumsum(pitch) / rate
    syllable = (time / 0.25).astype(int)
    formants = np.array([_VOWELS[i % len(_VOWELS)] for i in range(syllable.max() + 1)], float)[syllable]
    sound = np.zeros(samples)
    for harmonic in range(1, 28):
        frequency = harmonic * pitch[:, None]
        gain = (1 / (1 + ((frequency - formants) / 120) ** 2) * (1, 0.5, 0.25)).sum(axis=1) + 0.01
        sound += np.where(frequency[:, 0] < 3600, gain, 0) * np.sin(harmonic * phase)
    within = time / 0.25 - syllable
    sound *= np.clip(np.minimum(within * 12, (0.85 - within) * 12), 0, 1)
    sound += (within > 0.85) * rng.normal(0, 0.15, samples)
    scaled: Pcm = (sound / np.sqrt((sound**2).mean()) * level).clip(-32000, 32000).astype(np.int16)
    return scaled


def log_spectral_distance(said: Pcm, heard: Pcm, rate: int = 8000) -> float:
    """Root mean square difference of the spectra in dB, over what of them is audible.

    Windows of 16 ms, so that a gap of 20 ms is not hidden by what is said around it.
    """
    size = 16 * rate // 1000
    window = np.hanning(size)

    def spectra(sound: Pcm) -> npt.NDArray[np.float64]:
        blocks = np.lib.stride_tricks.sliding_window_view(sound.astype(float), size)[:: size // 4]
        power = np.abs(np.fft.rfft(blocks * window)) ** 2
        bands = power[:, : 3600 * size // rate]
        return 10 * np.log10(bands + 1e6 * size / 256)  # what is lower, nobody hears beside the rest

    length = min(len(said), len(heard))
    difference = spectra(said[:length]) - spectra(heard[:length])
    return float(np.sqrt((difference**2).mean(axis=1)).mean())
