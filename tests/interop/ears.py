"""What phones of either make hear now: how loud a tone of theirs is, and whether somebody speaks besides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from engine.prompts import catalogue
from engine.softphone.listening import QUIET_DBFS, correlate, level_dbfs
from media.prompt_file import load
from tests.interop.wire_sound import AMPLITUDE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.wire_sound import Voice

Samples = npt.NDArray[np.float64]

HEADER = 44
"""Octets of a WAV file before its samples."""
PIECE = 3200
"""Samples of 400 ms: some two syllables."""


class Ear(Protocol):
    """Something that hears. rate: samples a second."""

    rate: int

    def lately(self, seconds: float = 0.5) -> Samples:
        """What it has heard last, 16 bit values."""


class FileEar:
    """What a program writes to a WAV file (mono, 16 bit) while it hears it."""

    def __init__(self, path: Path, rate: int) -> None:
        self._path = path
        self.rate = rate

    def lately(self, seconds: float = 0.5) -> Samples:
        """The end of the file."""
        octets = self._path.stat().st_size - HEADER
        wanted = min(octets // 2, round(seconds * self.rate))
        with self._path.open("rb") as file:
            file.seek(HEADER + 2 * (octets // 2 - wanted))
            return np.frombuffer(file.read(2 * wanted), "<i2").astype(np.float64)


def blocks_of(samples: Samples, rate: int) -> Samples:
    """Blocks of 100 ms [blocks, samples]: any multiple of 10 Hz is one line of their spectrum."""
    size = rate // 10
    return samples[: len(samples) // size * size].reshape(-1, size)


def loudness(ear: Ear, frequency_hz: int) -> float:
    """How loud a tone is now against how loud phones say theirs, dB: the median of the last half second."""
    blocks = blocks_of(ear.lately(), ear.rate)
    if not len(blocks):
        return -120.0
    line = np.abs(np.fft.rfft(blocks, axis=1))[:, frequency_hz // 10] * 2 / blocks.shape[1]
    return float(20 * np.log10(np.median(line) / AMPLITUDE + 1e-6))


def said(voice: Voice, prompt: str) -> float:
    """How alike the pieces of a shipped prompt are to what was heard somewhere, the median; 1.0: it was said.

    In pieces, for a machine that is busy with much else may pause in the middle of a word.
    """
    heard, words = voice.sound() / 32768, load(catalogue()[prompt]) / 32768
    pieces = [words[at : at + PIECE] for at in range(0, words.size - PIECE + 1, PIECE)]
    loud = [each for each in pieces if level_dbfs(each) > QUIET_DBFS]
    return float(np.median([correlate(heard, each, overlap=1.0).score for each in loud]))
