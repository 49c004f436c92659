"""Cursors, filters and limits."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from engine.administration.query import LARGEST_ID, Cursor, Filter, Query, filter_value, shape_of
from engine.store import Invalid

ids = st.integers(0, LARGEST_ID)


@given(st.text().filter(str.isprintable), ids)
def test_a_cursor_comes_back_as_it_was(value: str, key: int) -> None:
    cursor = Cursor(1, value, key)
    assert Cursor.parse(cursor.text(), 1, str) == cursor


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Cursor.parse(text, -1, str)  # no list has that shape


@pytest.mark.parametrize(
    ("cursor", "shape", "kind"),
    [
        (Cursor(1, "a", 1), 2, str),
        (Cursor(1, "a", 1), 1, int),
        (Cursor(1, True, 1), 1, int),
        (Cursor(1, "\0", 1), 1, str),
        (Cursor(1, LARGEST_ID + 1, 1), 1, int),
        (Cursor(1, "a", LARGEST_ID + 1), 1, str),
    ],
)
def test_a_cursor_of_another_list_is_refused(cursor: Cursor, shape: int, kind: type) -> None:
    with pytest.raises(Invalid, match="cursor"):
        Cursor.parse(cursor.text(), shape, kind)


def test_the_shape_is_that_of_filters_search_and_order() -> None:
    asked = Query(filters={"a": "1", "b": "2"}, q="x", order="name")
    assert shape_of("users", asked) == shape_of(
        "users", Query(filters={"b": "2", "a": "1"}, q="x", order="name")
    )
    others = [Query(filters={"a": "1"}, q="x", order="name"), Query(q="x"), Query(order="-name")]
    assert len({shape_of("users", each) for each in [asked, *others]} | {shape_of("groups", asked)}) == 5


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_limits(limit: int) -> None:
    with pytest.raises(Invalid, match="limit"):
        Query(limit=limit)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (str, "x", "x"),
        (bool, "true", True),
        (bool, "0", False),
        (int, "7", 7),
        (Literal["en", "fr"], "fr", "fr"),
    ],
)
def test_filters(kind: object, text: str, value: object) -> None:
    assert filter_value("f", Filter("", kind), text) == value


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (bool, "perhaps", "true or false"),
        (int, "x", "a whole number"),
        (int, str(2**31), "a value such things can have"),
        (Annotated[int, Meta(ge=1)], "0", "a whole number"),
        (Literal["en", "fr"], "de", "en or fr"),
        (str, "a\0b", "a value such things can have"),
    ],
)
def test_filters_that_are_refused(kind: object, text: str, expected: str) -> None:
    with pytest.raises(Invalid) as refusal:
        filter_value("f", Filter("", kind), text)
    assert (refusal.value.field, refusal.value.expected) == ("f", expected)
