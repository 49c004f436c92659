"""Entity tags and the conditions on them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_api.entity_tags import (
    BadTag,
    demanded_versions,
    is_known,
    parse,
    tag_of,
    tag_of_octets,
)


def request(**headers: str) -> Any:
    return SimpleNamespace(getHeader=lambda name: headers.get(name.decode().replace("-", "_")))


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        (None, None),
        ("*", None),
        (" * ", None),
        ('"3"', {3}),
        ('"3" , "4"', {3, 4}),
        ('W/"3"', {0}),
        ('W/"3", "7"', {7}),
        ('"x"', {0}),
        ('"03"', {0}),
        ('"' + "9" * 400 + '"', {0}),
    ],
)
def test_if_match(text: str | None, versions: set[int] | None) -> None:
    """Weak and foreign tags match no version."""
    assert demanded_versions(request(if_match=text)) == versions  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["3", '"3', '"3" "4"', 'w/"3"', '"3",,', "*,*", '"\n"'])
def test_no_tags(text: str) -> None:
    with pytest.raises(BadTag):
        parse(text)


@pytest.mark.parametrize(
    ("text", "known"), [(None, False), ("*", True), ('"3"', True), ('W/"3"', True), ('"1", "2"', False)]
)
def test_if_none_match(text: str | None, known: bool) -> None:
    """A weak comparison."""
    assert is_known(request(if_none_match=text), tag_of(3)) is known  # type: ignore[arg-type]


@given(st.integers(1, 10**15))
def test_round_trip(version: int) -> None:
    assert demanded_versions(request(if_match=tag_of(version).decode())) == {version}


def test_of_octets() -> None:
    assert tag_of_octets(b"a") != tag_of_octets(b"b")
    assert is_known(request(if_none_match=tag_of_octets(b"a").decode()), tag_of_octets(b"a"))
