"""What rooms say, as the prompts that say it, in the language of who hears it."""

from __future__ import annotations

from conference.announcements import Phrase, Tone, Words
from conference.entry import EntryWords
from conference.menu import MenuWords
from conference.refusals import Reason
from media.phrases import LANGUAGES, cardinal, digits

MUSIC = "tone/music"
TONES = {Tone.ENTRY: "tone/entry", Tone.EXIT: "tone/exit"}
BEEP = "tone/beep"


def prompts_of(phrase: Phrase, language: str) -> list[str]:
    """The prompts of a phrase. Raises ValueError: nobody speaks that language."""
    if phrase.words is Words.COUNT and phrase.number is not None:
        if phrase.number <= 1:
            return [f"{language}/conference-count-one"]
        return [*cardinal(phrase.number, language), _named(language, "", phrase.words)]
    return [_named(language, "", phrase.words)]


def entry_prompt(words: EntryWords | Reason, language: str) -> str:
    """What is said on the way in."""
    return _named(language, "refused-" if isinstance(words, Reason) else "", words)


def menu_prompt(words: MenuWords | Reason, language: str) -> str:
    """What menus say."""
    return _named(language, "refused-" if isinstance(words, Reason) else "menu-", words)


def unnamed(number: str, participant: int, language: str) -> list[str]:
    """Somebody who has recorded no name: by number, or else by its place on the list."""
    keys = digits(number, language) or cardinal(participant, language)
    return [f"{language}/conference-menu-participant", *keys]


def spoken_language(wanted: str | None, otherwise: str) -> str:
    """A language there are prompts for: ``fr`` of ``fr-CA``."""
    for each in (wanted, otherwise):
        language = (each or "").lower().partition("-")[0]
        if language in LANGUAGES:
            return language
    return LANGUAGES[0]


def _named(language: str, group: str, words: Words | EntryWords | MenuWords | Reason) -> str:
    return f"{language}/conference-{group}{words.value.replace('_', '-')}"
