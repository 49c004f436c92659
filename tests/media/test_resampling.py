"""The live resampler: level, aliases and continuity, by sweeps of tones."""

from __future__ import annotations

import numpy as np
import pytest

from media.resampling import Histories, resampler

RATIOS = [(8000, 16000), (8000, 48000), (16000, 48000), (16000, 8000), (48000, 8000), (48000, 16000)]


def through(wave: np.ndarray, rate_in: int, rate_out: int) -> np.ndarray:
    """A wave in frames of 20 ms."""
    device = resampler(rate_in, rate_out)
    history = np.zeros((1, device.history), np.float32)
    frame = rate_in // 50
    frames = wave.astype(np.float32).reshape(-1, 1, frame)
    return np.concatenate([device.process(each, history)[0] for each in frames])


def tone(frequency_hz: float, rate: int, seconds: float = 0.4) -> np.ndarray:
    return np.sin(2 * np.pi * frequency_hz * np.arange(int(rate * seconds)) / rate)


def spectrum(wave: np.ndarray, rate: int) -> np.ndarray:
    """Amplitudes of the last 200 ms, lines of 5 Hz."""
    last = wave[-rate // 5 :]
    return np.abs(np.fft.rfft(last)) * 2 / len(last)


@pytest.mark.parametrize(("rate_in", "rate_out"), RATIOS)
class TestSweep:
    def test_the_voice_band_passes(self, rate_in: int, rate_out: int) -> None:
        """Up to 0.42 of the lower rate a tone keeps its level within 0.1 dB, and nothing else is above -52 dB."""
        low = min(rate_in, rate_out)
        for frequency in np.arange(100, 0.42 * low, 250).tolist():
            lines = spectrum(through(tone(frequency, rate_in), rate_in, rate_out), rate_out)
            at = round(frequency / 5)
            assert abs(20 * np.log10(lines[at])) < 0.1
            lines[at] = 0
            assert 20 * np.log10(lines.max()) < -52

    def test_aliases_are_rejected(self, rate_in: int, rate_out: int) -> None:
        """Going down, what lies above 0.58 of the lower rate is 52 dB down; going up, so is every image."""
        low = min(rate_in, rate_out)
        if rate_in < rate_out:
            wave = through(tone(0.4 * low, rate_in), rate_in, rate_out)
            images = spectrum(wave, rate_out)[round(0.58 * low / 5) :]
            assert 20 * np.log10(images.max()) < -52
            return
        for frequency in np.arange(0.58 * low, 0.49 * rate_in, 330).tolist():
            lines = spectrum(through(tone(frequency // 5 * 5, rate_in), rate_in, rate_out), rate_out)
            assert 20 * np.log10(lines.max()) < -52

    def test_frames_join(self, rate_in: int, rate_out: int) -> None:
        """Cut into frames or whole, the result is the same; and lines do not touch each other."""
        device = resampler(rate_in, rate_out)
        wave = np.random.default_rng(1).normal(size=(3, rate_in // 50 * 4)).astype(np.float32)
        whole = device.process(wave, np.zeros((3, device.history), np.float32))
        single = np.stack([through(line, rate_in, rate_out) for line in wave])
        np.testing.assert_allclose(whole, single, atol=1e-5)

    def test_the_delay_is_short_and_known(self, rate_in: int, rate_out: int) -> None:
        """An impulse comes out 12 samples of the lower rate later, at most."""
        wave = np.zeros(rate_in // 50 * 2)
        wave[rate_in // 50] = 1.0
        delay = np.argmax(np.abs(through(wave, rate_in, rate_out))) / rate_out - 0.02
        assert 0 < delay <= 12 / min(rate_in, rate_out)


def test_histories_are_kept_by_row() -> None:
    """Rows resampled in any order, some of them absent for a frame, go on where they were."""
    histories = Histories(4)
    wave = tone(500, 8000, 0.08).astype(np.float32).reshape(4, 1, 160)
    expected = through(wave.reshape(-1), 8000, 16000)
    got = []
    for number, frame in enumerate(wave):
        rows = np.array([2, 0] if number % 2 else [0, 2])
        lines = np.concatenate([frame, frame])
        got.append(histories.process(lines, rows, 8000, 16000)[0])
        if number == 1:
            histories.grow(9)
    np.testing.assert_allclose(np.concatenate(got), expected, atol=1e-6)
    assert histories.process(lines, rows, 8000, 8000) is lines
