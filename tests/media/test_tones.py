"""Tones: the right frequencies, cadences and levels, and loops that are not heard."""

from __future__ import annotations

import numpy as np
import pytest

from media import tones
from media.loudness import active_level, frame_powers
from media.room_music import music
from media.tones import CADENCES, DTMF_PAIRS, Country, Pcm

COUNTRIES: list[Country] = ["fr", "gb", "us", "eu"]


def spectrum(sound: Pcm) -> list[int]:
    """Whole Hz that stand within 6 dB of the strongest, neighbours not counted twice."""
    bins = np.abs(np.fft.rfft(sound.astype(float) * np.hanning(len(sound)), 8000))
    return [
        hertz
        for hertz in range(2, len(bins) - 2)
        if bins[hertz] == bins[hertz - 2 : hertz + 3].max() and bins[hertz] > bins.max() / 2
    ]


def level(sound: Pcm) -> float:
    """dBFS of what sounds."""
    return active_level(frame_powers(sound.astype(np.float32) / np.float32(32768)))


def strength_dbm0(sound: Pcm, hertz: int) -> float:
    """Level of one sine in a sound that holds whole periods of it, or nearly."""
    turn = np.exp(-2j * np.pi * hertz * np.arange(len(sound)) / 8000)
    amplitude = 2 * abs((sound * turn).mean()) / 32768
    return float(20 * np.log10(amplitude) + 3.14)


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("name", ["ringback", "busy", "congestion", "dial"])
def test_progress_tones_have_their_frequencies_and_cadence(country: Country, name: str) -> None:
    """Sound where the table says sound, silence where it says silence, at the level of prompts."""
    cadence = CADENCES[country][name]
    sound = tones.progress(name, country)
    assert len(sound) % 160 == 0
    assert level(sound) == pytest.approx(-20, abs=0.4)
    at = 0
    for number, seconds in enumerate(cadence.seconds or (1.0,)):
        part = sound[at : at + round(8000 * seconds)]
        if number % 2:
            assert not part.any()
        else:
            assert spectrum(part) == pytest.approx(list(cadence.hertz), abs=1)
        at += len(part)
    assert not sound[at:].any()
    assert len(sound) - at < 160


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_loop_is_not_heard(country: Country) -> None:
    """Over the joint no two neighbours are farther apart than inside the sound."""
    for name in CADENCES[country]:
        sound = tones.progress(name, country).astype(np.int32)
        inside = np.abs(np.diff(sound)).max()
        assert abs(int(sound[0]) - int(sound[-1])) <= inside


def test_tones_begin_and_end_softly() -> None:
    """No step at either end of a burst."""
    for sound in (tones.progress("busy", "us")[:4000], tones.beep()):
        assert np.abs(sound[[0, -1]]).max() < 100
        assert np.abs(sound[:10]).max() < np.abs(sound).max() / 5


def test_the_plan_of_keys() -> None:
    """Q.23, read back from the sound."""
    assert DTMF_PAIRS["1"] == (697, 1209)
    assert DTMF_PAIRS["0"] == (941, 1336)
    assert DTMF_PAIRS["#"] == (941, 1477)
    assert DTMF_PAIRS["D"] == (941, 1633)
    assert len(DTMF_PAIRS) == 16
    for key, pair in DTMF_PAIRS.items():
        assert spectrum(tones.dtmf(key, on_ms=500, off_ms=0)) == pytest.approx(list(pair), abs=1)


def test_the_two_parts_of_a_key_have_their_levels() -> None:
    """-10 dBm0 low, -8 dBm0 high, without clipping."""
    sound = tones.dtmf("5", on_ms=1000, off_ms=0)
    assert strength_dbm0(sound, 770) == pytest.approx(-10, abs=0.05)
    assert strength_dbm0(sound, 1336) == pytest.approx(-8, abs=0.05)
    assert np.abs(sound).max() < 32767


def test_keys_in_turn() -> None:
    """Each has its time and its pause; either case; nothing to send is nothing."""
    sound = tones.dtmf("1b", on_ms=60, off_ms=40)
    assert len(sound) == 2 * 800
    assert np.array_equal(sound[:800], tones.dtmf("1", 60, 40))
    assert np.array_equal(sound[800:], tones.dtmf("B", 60, 40))
    assert not sound[480:800].any()
    assert sound[:480].any()
    assert len(tones.dtmf("")) == 0


@pytest.mark.parametrize("keys", ["x", "1 2", "é"])
def test_what_is_no_key(keys: str) -> None:
    """Refused, not skipped."""
    with pytest.raises(KeyError):
        tones.dtmf(keys)


def test_unknown_tones() -> None:
    """Refused as well."""
    with pytest.raises(KeyError):
        tones.progress("music")


def test_beep_and_silence() -> None:
    """A kilohertz for as long as asked; zeros for as long as asked; a beep too short for its edges."""
    assert spectrum(tones.beep(500)) == [1000]
    assert len(tones.beep(500)) == 4000
    assert tones.silence(20).tolist() == [0] * 160
    assert len(tones.beep(1)) == 8
    assert len(tones.beep(0)) == 0


def test_chimes() -> None:
    """Two notes, the second after the first, that ring out without a step at either end."""
    rising, falling = tones.tone_bank()["tone/entry"], tones.tone_bank()["tone/exit"]
    for sound, notes in ((rising, (523, 784)), (falling, (784, 523))):
        for at, note in ((200, notes[0]), (1500, notes[1])):
            piece = sound[at : at + 800].astype(np.float64) * np.hanning(800)
            loudest = int(np.abs(np.fft.rfft(piece, 8000)).argmax())
            assert loudest == pytest.approx(note, abs=8)
        assert abs(int(sound[0])) + abs(int(sound[-1])) < 20
        assert len(sound) % 160 == 0


def test_music_goes_round_without_a_seam() -> None:
    """Whole frames, quiet, and its end runs into its beginning as any sample does into the next."""
    sound = music().astype(np.int64)
    assert len(sound) % 160 == 0
    assert level(music()) == pytest.approx(-32, abs=0.5)
    assert np.abs(sound).max() < 8000
    assert abs(sound[0] - sound[-1]) <= np.abs(np.diff(sound)).max()


def test_comfort_noise_is_quiet_and_always_the_same() -> None:
    """Nobody should notice the loop, and tests can compare it."""
    sound = tones.comfort()
    assert level(sound) == pytest.approx(-60, abs=0.5)
    assert np.array_equal(sound, tones.comfort())
    assert len(sound) == 16000


def test_the_bank_names_everything() -> None:
    """Progress tones, beep, silence, comfort and sixteen keys, all int16."""
    bank = tones.tone_bank("gb")
    assert len(bank) == 4 + 5 + 16
    assert {
        "tone/ringback",
        "tone/busy",
        "tone/beep",
        "tone/dtmf-star",
        "tone/dtmf-hash",
        "tone/dtmf-a",
    } <= set(bank)
    assert np.array_equal(bank["tone/ringback"], tones.progress("ringback", "gb"))
    assert all(sound.dtype == np.int16 and sound.ndim == 1 for sound in bank.values())
