"""The shipped announcements: complete in both languages, in the form and at the level of imported ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from conference.announcements import Words
from conference.entry import EntryWords
from conference.menu import MenuWords
from conference.refusals import Reason
from engine import prompts
from media.loudness import active_level, frame_powers
from media.phrases import ELEMENTS, LANGUAGES, SPOKEN
from media.prompt_file import load
from tools.conference_texts import texts

SENTENCES = {
    "welcome",
    "your-number-is",
    "press-keys",
    "you-pressed",
    "record-after-tone",
    "goodbye",
    "not-in-service",
    "all-lines-busy",
}
CATALOGUE = prompts.catalogue()


def test_every_prompt_exists_in_both_languages() -> None:
    """What phrases are made of, and the sentences the automates speak; nothing else is shipped."""
    words = {language: ELEMENTS[language] | SENTENCES for language in LANGUAGES}
    shipped = {f"{language}/{word}" for language in LANGUAGES for word in words[language]}
    shipped |= {f"en/{word}" for word in texts("en")} | {f"fr/{word}" for word in texts("fr")}
    assert set(CATALOGUE) == shipped


@pytest.mark.parametrize("language", LANGUAGES)
def test_conferences_have_a_prompt_for_all_they_say(language: str) -> None:
    """On the way in, in the room, in menus, and for every refusal; read when they are first played."""
    names = {f"conference-{each.value}" for words in (Words, EntryWords) for each in words}
    names |= {f"conference-menu-{each.value}" for each in MenuWords}
    names |= {f"conference-refused-{each.value}" for each in Reason}
    for name in names:
        prompt = f"{language}/{name.replace('_', '-')}"
        assert prompt in CATALOGUE
        assert prompts.is_rare(prompt)
    assert not prompts.is_rare(f"{language}/welcome")


def test_names_are_paths_in_the_package() -> None:
    """In order, so that lists of them are stable."""
    assert list(CATALOGUE) == sorted(CATALOGUE)
    folder = Path(prompts.__file__).parent
    assert CATALOGUE["fr/digit-5"] == folder / "fr" / "digit-5.wav"


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_a_prompt_is_ready_to_play(name: str) -> None:
    """8 kHz mono 16-bit WAV at -20 dBFS, no peak over -3 dBFS, silent at both ends."""
    assert soundfile.info(CATALOGUE[name]).format == "WAV"
    sound = load(CATALOGUE[name])
    samples = sound.astype(np.float32) / np.float32(32768)
    near = 0.5 if prompts.is_rare(name) else 0.2  # of longer texts the limiter takes more peaks
    assert active_level(frame_powers(samples)) == pytest.approx(-20, abs=near)
    assert np.abs(samples).max() <= 10 ** (-3 / 20) + 1e-4
    assert np.abs(sound[:160]).max() < 100
    assert np.abs(sound[-160:]).max() < 100
    word = name.partition("/")[2]
    low, high = (0.8, 12) if word in SENTENCES else (0.3, 1.1) if word in SPOKEN else (0.12, 1.5)
    if prompts.is_rare(name):
        low, high = 0.5, 30.0
    assert low < len(sound) / 8000 < high


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_announcement_is_long_enough_to_listen_to(language: str) -> None:
    """8 to 12 s."""
    assert 8 <= len(load(CATALOGUE[f"{language}/welcome"])) / 8000 <= 12


def test_digits_differ_from_each_other() -> None:
    """No recording stands in the place of another."""
    for language in LANGUAGES:
        sounds = {load(CATALOGUE[f"{language}/{word}"]).tobytes() for word in SPOKEN}
        assert len(sounds) == len(SPOKEN)


def test_the_set_is_small() -> None:
    """Under 12 MB, two thirds of it what conferences say: it travels with every installation."""
    assert sum(path.stat().st_size for path in CATALOGUE.values()) < 12_000_000
