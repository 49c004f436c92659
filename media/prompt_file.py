"""Prompts as they lie on the disk: WAV, 16 bits, 8 kHz, one channel. Reading one needs no library.

A worker loads them in this form; ``media.prompt``, which makes them from any sound, brings FFmpeg with it.
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from media.codecs.g711 import Pcm

RATE = 8000
MAX_SECONDS = 30 * 60
_SAMPLE_BYTES = 2


class PromptError(Exception):
    """A file cannot become a prompt. ``reason`` is a stable label, ``detail`` is for the log.

    Reasons: unreadable, no_audio, empty, too_long, unwritable, disk_full; from ``load`` also not_imported.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


def load(path: str | Path) -> Pcm:
    """int16 [samples] of a prompt that was imported (or ships with the engine); raises ``PromptError``."""
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (RATE, 1, _SAMPLE_BYTES):
                raise PromptError("not_imported", f"{file.getframerate()} Hz, {file.getnchannels()} channels")
            if file.getnframes() > MAX_SECONDS * RATE:
                raise PromptError("too_long", f"{file.getnframes() / RATE:.0f} s")
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError, OSError, ValueError) as error:
        raise PromptError("unreadable", str(error)) from error
    return np.frombuffer(data[: len(data) - len(data) % _SAMPLE_BYTES], "<i2").astype(np.int16)
