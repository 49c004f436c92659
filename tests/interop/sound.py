"""Sounds for tests: made, heard and compared (the arithmetic is engine.softphone.listening's)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.softphone.listening import (
    QUIET_DBFS,
    RATE,
    Match,
    Sound,
    Tone,
    bursts,
    correlate,
    echo_delay,
    frame_levels,
    level_dbfs,
    load,
    save,
    silence,
    sine,
    sounding,
    strongest,
    sweep,
)

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "QUIET_DBFS",
    "RATE",
    "Match",
    "Sound",
    "Tone",
    "assert_hears_prompt",
    "assert_hears_tone",
    "assert_silent",
    "bursts",
    "correlate",
    "echo_delay",
    "frame_levels",
    "level_dbfs",
    "load",
    "save",
    "silence",
    "sine",
    "sounding",
    "strongest",
    "sweep",
    "tone_file",
]


def tone_file(folder: Path, frequency_hz: float, seconds: float = 10.0, level_dbfs: float = -12.0) -> Path:
    path = folder / f"tone-{frequency_hz:g}.wav"
    save(path, sine(frequency_hz, seconds, level_dbfs))
    return path


def assert_hears_tone(path: Path, frequency_hz: float, level_dbfs: float, *, within_db: float = 1.0) -> None:
    """The recording is that tone at that level, and hardly anything else."""
    tone = strongest(sounding(load(path)))
    assert abs(tone.frequency_hz - frequency_hz) < 2, tone
    assert abs(tone.level_dbfs - level_dbfs) < within_db, tone
    assert tone.purity > 0.9, tone


def assert_silent(path: Path) -> None:
    sound = load(path)
    assert sound.size
    assert level_dbfs(sound) < QUIET_DBFS, level_dbfs(sound)


def assert_hears_prompt(path: Path, prompt: Path, *, score: float = 0.9) -> None:
    match = correlate(sounding(load(path)), load(prompt))
    assert match.score > score, match
