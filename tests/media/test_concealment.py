"""Concealment by waveform substitution: what is heard in a gap, at its seams and after it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from media.concealment import HISTORY_MS, Concealer, Samples, merge, pitch, substitute
from tests.media.speech import log_spectral_distance, voice

RATES = [8000, 16000, 48000]


def sine(frequency: float, samples: int, rate: int, level: float = 8000.0) -> Samples:
    return (level * np.sin(2 * math.pi * frequency / rate * np.arange(samples))).astype(np.float32)


def ms(milliseconds: int, rate: int) -> int:
    return milliseconds * rate // 1000


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("frequency", [70, 100, 125, 180])
def test_the_pitch_is_found(rate: int, frequency: int) -> None:
    """To within a sample or so of the period of a buzz rich in harmonics, or of twice that."""
    length = ms(HISTORY_MS, rate)
    buzz = sum((sine(frequency * k, length, rate, 3000 / k) for k in range(1, 9)), np.zeros(length))
    periods = int(pitch(buzz.astype(np.float32)[None], rate)[0]) * frequency / rate
    assert round(periods) in (1, 2)
    assert abs(periods - round(periods)) * rate / frequency <= max(1.0, rate / 8000)


def test_pitch_of_nothing() -> None:
    """Silence and noise have some lag of the range, and no warning."""
    rng = np.random.default_rng(1)
    rows = np.stack([np.zeros(480), rng.normal(0, 1000, 480)]).astype(np.float32)
    assert ((pitch(rows, 8000) >= 40) & (pitch(rows, 8000) <= 120)).all()


def oracle(history: list[float], lag: int, count: int, rate: int) -> list[float]:
    """The substitute from its description, sample by sample."""
    ten, quarter = rate // 100, lag // 4

    def repeated(periods: int, at: int) -> float:
        span = periods * lag
        position = at % span
        value = history[len(history) - span + position]
        into_fade = position - (span - quarter) + 1
        if into_fade <= 0:
            return value
        weight = into_fade / quarter
        return (1 - weight) * value + weight * history[len(history) - 2 * span + position]

    out = []
    for at in range(count):
        periods = 1 + min(at // ten, 2)
        value = repeated(periods, at)
        since = at - (periods - 1) * ten
        if periods > 1 and since < quarter:
            value = repeated(periods - 1, at) * (1 - since / quarter) + value * since / quarter
        if at + 1 < quarter:
            value += (history[-1] - history[-1 - lag]) * (1 - (at + 1) / quarter)
        gain = 1.0 if at < ten else max(0.0, (6 * ten - at) / (5 * ten))
        out.append(value * gain)
    return out


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("lag_ms", [5, 8, 15])
def test_against_the_oracle(rate: int, lag_ms: int) -> None:
    """The whole gap, whether it is asked for at once or frame by frame."""
    rng = np.random.default_rng(lag_ms)
    history = rng.normal(0, 3000, (2, ms(HISTORY_MS, rate))).astype(np.float32)
    lag = np.full(2, ms(lag_ms, rate) + 1 if lag_ms < 15 else ms(lag_ms, rate))
    frame = rate // 50
    made = np.concatenate(
        [substitute(history, lag, np.full(2, i * frame), frame, rate) for i in range(4)], axis=1
    )
    for row in range(2):
        expected = oracle(history[row].tolist(), int(lag[row]), 4 * frame, rate)
        assert np.abs(made[row] - expected).max() < 0.02


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_goes_on(rate: int) -> None:
    """For 10 ms at its level, at no point with a step larger than its own; silent from 60 ms on."""
    tone = sine(200, ms(HISTORY_MS, rate) + ms(100, rate), rate)
    history = tone[: ms(HISTORY_MS, rate)][None]
    made = substitute(history, pitch(history, rate), np.zeros(1, np.int64), ms(100, rate), rate)[0]
    ten = ms(10, rate)
    assert np.abs(made[:ten] - tone[ms(HISTORY_MS, rate) :][:ten]).max() < 400
    whole = np.concatenate([history[0], made])
    assert np.abs(np.diff(whole)).max() < 1.2 * np.abs(np.diff(tone)).max()
    assert not made[ms(60, rate) :].any()


def test_merging_is_without_a_step() -> None:
    """From the substitute into what follows, however long the gap was; the end of the frame untouched."""
    frames = np.full((3, 160), 8000, np.float32)
    merged = merge(frames.copy(), np.zeros((3, 80), np.float32), np.array([160, 320, 5000]), 8000)
    assert (np.diff(merged) >= 0).all()
    assert merged[:, 0].max() < 160
    assert (merged[:, 80:] == 8000).all()
    assert merged[0, 64] == 8000


class TestConcealer:
    @pytest.mark.parametrize("rate", RATES)
    def test_no_loss_changes_nothing(self, rate: int) -> None:
        """Octet for octet."""
        concealer = Concealer(3, rate)
        sound = np.random.default_rng(1).integers(-9000, 9000, (10, 2, rate // 50)).astype(np.int16)
        for block in sound:
            given = block.copy()
            concealer.heard(np.array([2, 0]), given)
            assert (given == block).all()

    @pytest.mark.parametrize("rate", RATES)
    def test_speech_is_nearer_than_silence(self, rate: int) -> None:
        """With 5 % of the frames lost, the spectrum is much nearer to what was said than with gaps."""
        said = voice(6.0, rate)
        frame = rate // 50
        frames = said[: len(said) // frame * frame].reshape(-1, frame)
        rng = np.random.default_rng(3)
        lost = rng.random(len(frames)) < 0.05
        lost[:5] = False
        concealer, heard, gaps = Concealer(1, rate), [], []
        row = np.zeros(1, np.int64)
        for samples, gone in zip(frames, lost, strict=True):
            if gone:
                heard.append(concealer.lost(row)[0])
                gaps.append(np.zeros(frame, np.int16))
            else:
                block = samples[None].copy()
                concealer.heard(row, block)
                heard.append(block[0])
                gaps.append(samples)
        with_it = log_spectral_distance(said, np.concatenate(heard), rate)
        without = log_spectral_distance(said, np.concatenate(gaps), rate)
        assert with_it < 0.5 * without

    def test_a_long_gap_is_silent_and_ends_softly(self) -> None:
        """Nothing is heard after 60 ms; sound that comes back fades in."""
        concealer = Concealer(1, 8000)
        row = np.zeros(1, np.int64)
        tone = sine(150, 160 * 5, 8000).astype(np.int16).reshape(5, 1, 160)
        for block in tone:
            concealer.heard(row, block.copy())
        made: npt.NDArray[np.int16] = np.concatenate([concealer.lost(row) for _ in range(6)], axis=1)
        assert np.abs(made[:, :80]).max() > 5000
        assert not made[:, 480:].any()
        back = np.full((1, 160), 8000, np.int16)
        concealer.heard(row, back)
        assert back[0, 0] < 200
        assert (back[0, 80:] == 8000).all()

    def test_rows_are_apart(self) -> None:
        """Each row has its own gap; a cleared row has forgotten everything."""
        concealer = Concealer(2, 8000)
        both = np.arange(2)
        tones = np.stack([sine(100, 800, 8000), sine(160, 800, 8000)]).astype(np.int16)
        for at in range(0, 800, 160):
            concealer.heard(both, tones[:, at : at + 160].copy())
        alone = Concealer(1, 8000)
        for at in range(0, 800, 160):
            alone.heard(np.zeros(1, np.int64), tones[1:, at : at + 160].copy())
        concealer.lost(np.array([0]))
        assert (concealer.lost(both)[1] == alone.lost(np.zeros(1, np.int64))[0]).all()
        concealer.clear(0)
        assert not concealer.lost(np.array([0])).any()
