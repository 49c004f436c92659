"""Names as callers say them: cut, levelled and brought to the rate of prompts, or refused."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from media.codecs.g711 import Pcm
from media.loudness import active_level, frame_powers
from media.prompt_file import PromptError
from media.prompt_loader import PromptLoader
from media.spoken_name import MOST_SECONDS, load_spoken


def write(path: Path, pcm: Pcm, rate: int, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(pcm.astype("<i2").tobytes())
    return path


def name(rate: int, amplitude: float = 900.0, seconds: float = 0.6) -> Pcm:
    """A second of a quiet line, a tone, another second. int16"""
    time = np.arange(int(seconds * rate)) / rate
    tone = amplitude * np.sin(2 * np.pi * 440 * time)
    quiet = np.random.default_rng(4).normal(0, 3, rate)
    pcm: Pcm = np.rint(np.concatenate((quiet, tone, quiet))).astype(np.int16)
    return pcm


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_cut_and_levelled(tmp_path: Path, rate: int) -> None:
    """Of its silence 60 ms at each end are left; it is as loud as a prompt, and at 8 kHz."""
    sound = load_spoken(write(tmp_path / "n.wav", name(rate), rate))
    assert 0.6 < len(sound) / 8000 < 0.8
    assert active_level(frame_powers(sound.astype(np.float32) / np.float32(32768))) == pytest.approx(
        -20, abs=0.7
    )
    spectrum = np.abs(np.fft.rfft(sound, 8000))
    assert abs(int(spectrum.argmax()) - 440) <= 3
    assert np.abs(sound).max() <= 32768 * 10 ** (-3 / 20) + 1


def test_loud_ones_are_limited(tmp_path: Path) -> None:
    """And long ones cut."""
    sound = load_spoken(write(tmp_path / "n.wav", name(8000, 30000.0, 20.0), 8000))
    assert len(sound) / 8000 <= MOST_SECONDS
    assert np.abs(sound).max() < 24000


@pytest.mark.parametrize(
    "pcm", [np.zeros(8000, np.int16), np.zeros(0, np.int16), np.full(100, 9000, np.int16)]
)
def test_nothing_said(tmp_path: Path, pcm: Pcm) -> None:
    """Silence, an empty file, a click."""
    with pytest.raises(PromptError, match="empty"):
        load_spoken(write(tmp_path / "n.wav", pcm, 8000))


def test_what_is_no_recording_of_ours(tmp_path: Path) -> None:
    """Another form, no WAV at all, or no file."""
    with pytest.raises(PromptError, match="not_imported"):
        load_spoken(write(tmp_path / "n.wav", name(8000), 44100))
    (tmp_path / "n.wav").write_bytes(b"RIFF")
    for path in ("n.wav", "none.wav"):
        with pytest.raises(PromptError, match="unreadable"):
            load_spoken(tmp_path / path)


def test_the_loader_knows_them_by_their_prompt(tmp_path: Path) -> None:
    """``name/...``; anything else has to be a prompt already."""
    path = str(write(tmp_path / "n.wav", name(16000), 16000))
    loader = PromptLoader()
    loader.request("name/1", path)
    loader.request("en/1", path)
    spoken, other = loader.take(wait=5.0)
    assert spoken.coded is not None
    assert (other.coded, other.reason) == (None, "not_imported")
    loader.stop()
