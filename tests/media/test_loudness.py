"""The level of speech and the limiter, against slow versions of both."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.loudness import (
    FRAME,
    SILENCE_DBFS,
    Samples,
    active_level,
    frame_powers,
    from_db,
    limited,
    to_dbfs,
)


def tone(amplitude: float, seconds: float, rate: int = 8000) -> Samples:
    """A 400 Hz tone, which has whole periods in a frame."""
    return (amplitude * np.sin(2 * np.pi * 400 * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def level(samples: Samples) -> float:
    """The active level of samples in one block."""
    return active_level(frame_powers(samples))


@pytest.mark.parametrize(("amplitude", "dbfs"), [(1.0, 0.0), (0.1, -20.0), (0.5, -6.02), (0.0, SILENCE_DBFS)])
def test_decibels(amplitude: float, dbfs: float) -> None:
    """Amplitudes and back; silence has a floor instead of minus infinity."""
    assert to_dbfs(amplitude) == pytest.approx(dbfs, abs=0.01)
    if amplitude:
        assert from_db(dbfs) == pytest.approx(amplitude, rel=0.01)


def test_a_full_scale_tone_is_3_db_under_a_square_wave() -> None:
    """Root mean square of the amplitude."""
    assert level(tone(1.0, 1)) == pytest.approx(-3.01, abs=0.01)


def test_pauses_do_not_count() -> None:
    """A second of tone among nine of silence, or of noise far below it, has the level of the tone."""
    noise = np.random.default_rng(1).normal(0, 0.001, 9 * 8000).astype(np.float32)
    for pause in (np.zeros(9 * 8000, dtype=np.float32), noise):
        assert level(np.concatenate((tone(0.5, 1), pause))) == pytest.approx(-9.03, abs=0.02)


def test_a_constant_offset_is_not_sound() -> None:
    """A microphone's offset alone is silence, and adds nothing to a tone."""
    assert level(np.full(8000, 0.3, dtype=np.float32)) == SILENCE_DBFS
    assert level(tone(0.1, 1) + np.float32(0.3)) == pytest.approx(-23.01, abs=0.02)


def test_less_than_a_frame_has_no_level() -> None:
    """Nothing to measure is silence, not an error."""
    assert level(tone(1.0, 1)[: FRAME - 1]) == SILENCE_DBFS
    assert level(np.zeros(0, dtype=np.float32)) == SILENCE_DBFS


def slow_limited(samples: Samples, ceiling: float, reach: int) -> list[float]:
    """The same rule, a sample at a time."""
    need = [min(1.0, ceiling / abs(value)) if value else 1.0 for value in samples.tolist()]
    last = len(need) - 1

    def held(at: int) -> float:
        return min(need[min(max(i, 0), last)] for i in range(at - reach, at + reach + 1))

    return [
        value * sum(held(i) for i in range(at - reach, at + reach + 1)) / (2 * reach + 1)
        for at, value in enumerate(samples.tolist())
    ]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(-4, 4, width=32), max_size=60),
    st.integers(0, 6),
)
def test_the_limiter_is_its_slow_rule_and_keeps_the_ceiling(values: list[float], reach: int) -> None:
    """Whatever comes in, no peak passes the ceiling."""
    samples = np.array(values, dtype=np.float32)
    out = limited(samples, 0.5, reach)
    assert out.shape == samples.shape
    assert np.abs(out).max(initial=0) <= 0.5 + 1e-6
    assert out.tolist() == pytest.approx(slow_limited(samples, 0.5, reach), abs=1e-5)


def test_what_is_below_the_ceiling_is_not_touched() -> None:
    """Not even rounded."""
    samples = tone(0.5, 0.1)
    assert limited(samples, 0.5, 40) is samples


def test_away_from_a_peak_nothing_changes() -> None:
    """One click is pulled down; farther than twice the reach the sound is the same."""
    samples = tone(0.3, 0.1)
    samples[400] = 2.0
    out = limited(samples, 0.5, 40)
    assert np.allclose(out[:320], samples[:320], atol=1e-6)
    assert np.allclose(out[481:], samples[481:], atol=1e-6)
    assert abs(out[400]) <= 0.5
