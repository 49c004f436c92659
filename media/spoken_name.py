"""A name somebody has just said, as a prompt: at 8 kHz, without its silent ends, as loud as prompts are."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from media.codecs.g711 import Pcm
from media.loudness import FRAME, Samples, active_level, frame_powers, from_db, limited
from media.prompt_file import RATE, PromptError
from media.resampling import resampler

TARGET_DBFS, MAX_GAIN_DB, CEILING_DBFS = -20.0, 20.0, -3.0
MOST_SECONDS = 6
_HEARD_BELOW_DB = 25.0
"""A frame so much softer than the name is none of it."""
_AROUND = 3
"""Frames kept at each end, so that no consonant is cut."""
_SILENT_DBFS = -50.0
_SHORTEST = 8
"""Frames: 160 ms. No name is shorter; a click is."""
_REACH = 40
_SAMPLE_BYTES = 2


def load_spoken(path: str | Path) -> Pcm:
    """int16 [samples] at 8 kHz of a recording of ours, at 8, 16 or 48 kHz.

    Raises PromptError: it cannot be read, or there is no name in it.
    """
    try:
        with wave.open(str(path), "rb") as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            if rate not in (8000, 16000, 48000) or (channels, width) != (1, _SAMPLE_BYTES):
                raise PromptError("not_imported", f"{rate} Hz, {channels} channels")
            data = file.readframes(MOST_SECONDS * rate)
    except (wave.Error, EOFError, OSError, ValueError) as error:
        raise PromptError("unreadable", str(error)) from error
    pcm = np.frombuffer(data[: len(data) // _SAMPLE_BYTES * _SAMPLE_BYTES], "<i2")
    return _levelled(_narrow(pcm.astype(np.float32) / np.float32(32768), rate))


def _narrow(samples: Samples, rate: int) -> Samples:
    """float32 [samples] at 8 kHz, whole frames."""
    frame = rate // 50
    line = np.zeros((1, -(-len(samples) // frame) * frame), np.float32)
    line[0, : len(samples)] = samples
    if rate != RATE:
        down = resampler(rate, RATE)
        line = down.process(line, np.zeros((1, down.history), np.float32))
    narrow: Samples = line[0]
    return narrow


def _levelled(sound: Samples) -> Pcm:
    powers = frame_powers(sound)
    level = active_level(powers)
    heard = np.flatnonzero(powers > from_db(level - _HEARD_BELOW_DB) ** 2)
    if level < _SILENT_DBFS or len(heard) < _SHORTEST:
        raise PromptError("empty", "no sound in it")
    first, last = max(0, heard[0] - _AROUND), heard[-1] + 1 + _AROUND
    name = sound[first * FRAME : last * FRAME] * np.float32(from_db(min(TARGET_DBFS - level, MAX_GAIN_DB)))
    edge = np.linspace(0, 1, _REACH, dtype=np.float32)
    name[:_REACH] *= edge
    name[-_REACH:] *= edge[::-1]
    pcm: Pcm = np.rint(limited(name, from_db(CEILING_DBFS), _REACH) * 32768).astype(np.int16)
    return pcm
