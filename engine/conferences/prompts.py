"""What rooms say, as the prompts that say it, in the language of who hears it."""

from __future__ import annotations

from conference.announcements import Phrase, Tone
from media.phrases import cardinal

MUSIC = "music/conference"
TONES = {Tone.ENTRY: "tones/conference-entry", Tone.EXIT: "tones/conference-exit"}


def prompts_of(phrase: Phrase, language: str) -> list[str]:
    """The prompts of a phrase. Raises ValueError: nobody speaks that language."""
    number = [] if phrase.number is None else cardinal(phrase.number, language)
    return [*number, f"{language}/conference-{phrase.words.value.replace('_', '-')}"]
