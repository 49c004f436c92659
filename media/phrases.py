"""What is to be said, as the names of the prompts that say it, in English and French.

A name is ``language/word``; ``SPOKEN`` lists every word that sentences here are made of.
"""

from __future__ import annotations

LANGUAGES = ("en", "fr")

_WORDS = {
    **{digit: f"digit-{digit}" for digit in "0123456789"},
    "*": "star",
    "#": "hash",
    "+": "plus",
    **{letter: f"letter-{letter.lower()}" for letter in "ABCD"},  # the fourth column of DTMF keys
}

SPOKEN: frozenset[str] = frozenset(_WORDS.values())
"""The words that ``digits`` uses; each language has a prompt for each."""


def digits(text: str, language: str) -> list[str]:
    """Prompts that say a number or a row of keys one by one, leading zeros and all.

    ``*``, ``#``, ``+`` and the keys A to D are said too. What cannot be said so (a name in the place of a
    number, dots, spaces) is left out. Raises ``ValueError`` for a language there are no prompts for.
    """
    if language not in LANGUAGES:
        raise ValueError(f"no prompts in {language!r}")
    return [f"{language}/{_WORDS[character]}" for character in text.upper() if character in _WORDS]
