"""What is to be said, as the names of the prompts that say it, in English and French.

A name is ``language/element``; ``ELEMENTS`` lists, by language, every element that phrases here are made of, and each
has a prompt. The grammar of each language is in a module of its own. All functions are pure; each raises ``ValueError``
for a language there are no prompts for, and for what cannot be said.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time
from typing import Literal

from media import phrases_en as en
from media import phrases_fr as fr

LANGUAGES = ("en", "fr")
MOST = 10**12
"""Numbers are said below this."""
Currency = Literal["EUR", "GBP", "USD"]

_WORDS = {
    **{digit: f"digit-{digit}" for digit in "0123456789"},
    "*": "star",
    "#": "hash",
    "+": "plus",
    **{letter: f"letter-{letter.lower()}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
}
_KEYS = frozenset("0123456789*#+ABCD")

SPOKEN: frozenset[str] = frozenset(_WORDS.values())
"""The words of ``digits`` and ``spelled``; each language has a prompt for each."""
ELEMENTS: dict[str, frozenset[str]] = {"en": SPOKEN | en.ELEMENTS, "fr": SPOKEN | fr.ELEMENTS}


def _named(language: str, elements: Iterable[str]) -> list[str]:
    return [f"{language}/{element}" for element in elements]


def _is_french(language: str) -> bool:
    if language not in LANGUAGES:
        raise ValueError(f"no prompts in {language!r}")
    return language == "fr"


def _check(number: int, least: int = 1 - MOST) -> int:
    if not least <= number < MOST:
        raise ValueError(f"{number} is not said")
    return number


def digits(text: str, language: str) -> list[str]:
    """Prompts that say a number or a row of keys one by one, leading zeros and all.

    ``*``, ``#``, ``+`` and the keys A to D are said too. What cannot be said so (a name in the place of a
    number, dots, spaces) is left out.
    """
    _is_french(language)
    return _named(language, (_WORDS[each] for each in text.upper() if each in _KEYS))


def spelled(text: str, language: str) -> list[str]:
    """Letters without accents, digits and keys, one by one; what is none of them is left out."""
    _is_french(language)
    return _named(language, (_WORDS[each] for each in text.upper() if each in _WORDS))


def cardinal(number: int, language: str, *, feminine: bool = False) -> list[str]:
    """A whole number. feminine: in French, of feminine things (une, vingt et une)."""
    _check(number)
    if _is_french(language):
        return _named("fr", fr.cardinal(number, feminine=feminine))
    return _named("en", en.cardinal(number))


def ordinal(number: int, language: str, *, feminine: bool = False) -> list[str]:
    """First, second, ..., from 1."""
    _check(number, 1)
    if _is_french(language):
        return _named("fr", fr.ordinal(number, feminine=feminine))
    return _named("en", en.ordinal(number))


def calendar(day: date, language: str, *, weekday: bool = False, year: bool = True) -> list[str]:
    """A date."""
    if _is_french(language):
        return _named("fr", fr.calendar(day, weekday=weekday, with_year=year))
    return _named("en", en.calendar(day, weekday=weekday, with_year=year))


def clock(at: time, language: str) -> list[str]:
    """A time of day, to the minute."""
    return _named("fr", fr.clock(at)) if _is_french(language) else _named("en", en.clock(at))


def money(cents: int, currency: Currency, language: str) -> list[str]:
    """An amount, in hundredths of the currency. Nought of them is said of the whole unit only."""
    _check(cents // 100)
    if currency not in en.MONEY:
        raise ValueError(f"no prompts for {currency!r}")
    say = fr.money if _is_french(language) else en.money
    return _named(language, say(cents, currency))


def duration(seconds: int, language: str) -> list[str]:
    """Days, hours, minutes and seconds, those that are not nought."""
    if seconds < 0 or seconds // 86_400 >= MOST:
        raise ValueError(f"{seconds} s are not said")
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    counted = zip((*divmod(hours, 24), minute, second), en.SPANS, strict=True)
    parts = [(count, unit) for count, unit in counted if count] or [(0, "second")]
    say = fr.span if _is_french(language) else en.span
    return _named(language, say(parts))
