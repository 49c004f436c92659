"""Numbers and keys as prompt names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.phrases import LANGUAGES, SPOKEN, digits


def test_a_number_keeps_its_leading_zeros() -> None:
    """Digit by digit, in order."""
    assert digits("00105", "en") == ["en/digit-0", "en/digit-0", "en/digit-1", "en/digit-0", "en/digit-5"]


def test_keys_that_are_no_digits() -> None:
    """Star, hash, the plus of an international number, the fourth column in either case."""
    assert digits("*+#aD", "fr") == ["fr/star", "fr/plus", "fr/hash", "fr/letter-a", "fr/letter-d"]


def test_what_cannot_be_said_is_left_out() -> None:
    """Separators, names and digits of other scripts."""
    assert digits("+33 (1) 23-4", "en") == [
        f"en/{word}" for word in ("plus", *("digit-" + d for d in "331234"))
    ]
    assert digits("é٣ \0zoe", "en") == []
    assert digits("", "fr") == []


def test_an_unknown_language_is_our_mistake() -> None:
    """Not silence."""
    with pytest.raises(ValueError, match="'de'"):
        digits("1", "de")


@given(st.text(), st.sampled_from(LANGUAGES))
def test_only_words_that_exist_are_named(text: str, language: str) -> None:
    """Whatever the caller's number holds, no name leads elsewhere."""
    assert {name.removeprefix(f"{language}/") for name in digits(text, language)} <= SPOKEN
