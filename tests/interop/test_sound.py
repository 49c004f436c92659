"""The arithmetic of listening: levels, pitch, likeness and delay of known sounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.softphone.listening import FLOOR_DBFS, most_like, recorded_so_far
from tests.interop import sound
from tests.interop.sound import RATE, Sound


def noise(seconds: float, seed: int = 1, level_dbfs: float = -20.0) -> Sound:
    random = np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    return np.asarray(random / np.sqrt(2) * 10 ** (level_dbfs / 20), np.float64)


@pytest.mark.parametrize("frequency", [300.0, 440.5, 1000.0, 3333.0])
@pytest.mark.parametrize("level", [-3.0, -12.0, -40.0])
def test_a_sine_has_its_own_frequency_and_level(frequency: float, level: float) -> None:
    """Level and pitch of a pure tone are read back within 0.1 dB and 0.1 Hz."""
    tone = sound.strongest(sound.sine(frequency, 0.7, level))
    assert tone.frequency_hz == pytest.approx(frequency, abs=0.1)
    assert tone.level_dbfs == pytest.approx(level, abs=0.1)
    assert tone.purity > 0.99
    assert sound.level_dbfs(sound.sine(frequency, 0.7, level)) == pytest.approx(level, abs=0.1)


def test_noise_is_no_tone() -> None:
    """The strongest line of noise holds little of its power."""
    assert sound.strongest(noise(1.0)).purity < 0.1


def test_silence_is_silent(tmp_path: Path) -> None:
    """Nothing is heard in silence: the floor, no tone, no sounding part, no burst."""
    nothing = sound.silence(0.5)
    assert sound.level_dbfs(nothing) == sound.level_dbfs(nothing[:0]) == FLOOR_DBFS
    assert sound.strongest(nothing).purity == 0.0
    assert sound.sounding(nothing).size == 0
    assert sound.bursts(nothing) == []
    sound.save(tmp_path / "nothing.wav", nothing)
    sound.assert_silent(tmp_path / "nothing.wav")


def test_the_assertions_can_fail(tmp_path: Path) -> None:
    """A wrong tone, a faint tone, a sound where silence is wanted and another prompt are all told."""
    path = sound.tone_file(tmp_path, 1000, 1.0)
    sound.assert_hears_tone(path, 1000, -12)
    with pytest.raises(AssertionError):
        sound.assert_hears_tone(path, 900, -12)
    with pytest.raises(AssertionError):
        sound.assert_hears_tone(path, 1000, -15)
    with pytest.raises(AssertionError):
        sound.assert_silent(path)
    sound.save(tmp_path / "prompt.wav", noise(1.0))
    with pytest.raises(AssertionError):
        sound.assert_hears_prompt(path, tmp_path / "prompt.wav")


def test_a_prompt_is_found_inside_a_recording() -> None:
    """Correlation says where the prompt begins and how much fainter it was, whatever stands around it."""
    prompt = noise(1.0)
    received = np.concatenate([noise(0.3, 2, -60), 0.5 * prompt, sound.silence(0.4)])
    match = sound.correlate(received, prompt)
    assert match.score > 0.99
    assert match.offset == pytest.approx(0.3, abs=1e-3)
    assert match.gain_db == pytest.approx(-6.02, abs=0.1)


def test_a_recording_may_begin_in_the_middle_of_the_prompt() -> None:
    """A loop that was joined late still matches over what was heard of it."""
    prompt = noise(2.0)
    match = sound.correlate(prompt[RATE // 2 :], prompt)
    assert match.score > 0.99
    assert match.offset == pytest.approx(-0.5, abs=1e-3)


def test_other_sounds_do_not_correlate() -> None:
    """Another prompt, silence and an empty recording are no match."""
    assert sound.correlate(noise(1.0, 3), noise(1.0, 4)).score < 0.1
    assert sound.correlate(sound.silence(1.0), noise(1.0)).score == 0.0
    assert sound.correlate(noise(1.0), noise(1.0)[:0]).score == 0.0


def test_g711_keeps_the_likeness() -> None:
    """A sound through 8-bit mu-law still correlates far above the 0.9 that a real call must reach."""
    prompt = noise(1.0)
    companded = np.sign(prompt) * np.log1p(255 * np.abs(prompt)) / np.log(256)
    coarse = np.round(companded * 127) / 127
    heard = np.sign(coarse) * (256 ** np.abs(coarse) - 1) / 255
    assert sound.correlate(heard, prompt).score > 0.99


@pytest.mark.parametrize("delay", [0.02, 0.06, 0.5])
def test_the_delay_of_an_echo(delay: float) -> None:
    """The echo of a sweep is found to the sample, even when it overlaps the sweep itself."""
    burst = sound.sweep(0.25)
    both = np.concatenate([sound.silence(0.1), burst, sound.silence(1.0)])
    both += 0.7 * np.roll(both, round(delay * RATE))
    assert sound.echo_delay(both, burst) == pytest.approx(delay, abs=2 / RATE)


def test_no_echo_no_delay() -> None:
    """Without an echo, or with a recording shorter than the burst, there is no delay to tell."""
    burst = sound.sweep(0.25)
    alone = np.concatenate([sound.silence(0.1), burst, sound.silence(1.0)])
    assert sound.echo_delay(alone, burst) is None
    assert sound.echo_delay(burst[:100], burst) is None


def test_bursts_are_told_apart_by_the_quiet_between() -> None:
    """Two words 300 ms apart are two; 100 ms apart they are one."""
    word = sound.sine(500, 0.4)
    far = np.concatenate([word, sound.silence(0.3), word])
    near = np.concatenate([word, sound.silence(0.1), word])
    assert [round(part.size / RATE, 2) for part in sound.bursts(far)] == [0.4, 0.4]
    assert len(sound.bursts(near)) == 1


def test_the_most_alike_of_several() -> None:
    """Of several words the one that was said wins."""
    words = {str(digit): noise(0.5, digit + 10) for digit in range(10)}
    heard = np.concatenate([sound.silence(0.2), 0.3 * words["7"], sound.silence(0.1)])
    name, score = most_like(heard, words)
    assert name == "7"
    assert score > 0.95


def test_another_rate_is_resampled(tmp_path: Path) -> None:
    """A 48 kHz stereo file is read as 8 kHz mono with the same tone."""
    import soundfile

    t = np.arange(48000) / 48000
    left = 0.25 * np.sin(2 * np.pi * 700 * t)
    soundfile.write(str(tmp_path / "stereo.wav"), np.stack([left, left], axis=1), 48000)
    tone = sound.strongest(sound.load(tmp_path / "stereo.wav"))
    assert tone.frequency_hz == pytest.approx(700, abs=0.5)
    assert tone.level_dbfs == pytest.approx(-12.04, abs=0.1)


def test_a_recording_that_goes_on_can_be_read(tmp_path: Path) -> None:
    """The samples written so far are there, whatever the header says and wherever the last one is cut."""
    path = tmp_path / "growing.wav"
    tone = sound.sine(500, 0.5)
    sound.save(path, tone)
    whole = path.read_bytes()
    path.write_bytes(bytes(44) + whole[44:-1001])
    so_far = recorded_so_far(path)
    assert so_far.size == tone.size - 501
    assert sound.strongest(so_far).frequency_hz == pytest.approx(500, abs=0.5)
