"""Identities and folded text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.folding import LONGEST_FOLDED, fold, folded_key
from engine.domain.identity import is_uid, new_uid


def test_identities_differ_and_are_known_by_their_prefix() -> None:
    made = {new_uid("usr") for _ in range(1000)}
    assert len(made) == 1000
    assert all(is_uid(each) and is_uid(each, "usr") and not is_uid(each, "dom") for each in made)


@pytest.mark.parametrize(
    "text", ["", "usr_", "usr_1", "USR_" + "a" * 20, "usr_" + "l" * 20, "usr_" + "a" * 21]
)
def test_what_is_no_identity(text: str) -> None:
    assert not is_uid(text)


@given(st.text())
def test_any_text_is_one_or_is_not(text: str) -> None:
    assert not is_uid(text) or text.isascii()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Hélène", "helene"),
        ("  Le   Goff ", "le goff"),
        ("GROẞ Straße", "gross strasse"),
        ("ﬁnance", "finance"),
        ("İstanbul", "istanbul"),
        ("", ""),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    once = fold(text)
    assert fold(once) == once
    assert len(folded_key(text)) <= LONGEST_FOLDED


@given(st.text(st.characters(codec="utf-8")))
def test_however_accents_are_written_the_folded_text_is_one(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))
