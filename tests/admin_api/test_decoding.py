"""Bodies into structs: every wrong field is named, none of its value is repeated."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from admin_api.decoding import MOST_TOLD, WrongBody, WrongField, decoded


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


class Part(msgspec.Struct, forbid_unknown_fields=True):
    number: Annotated[str, Meta(pattern="^[0-9]+$")]


class Draft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=8, description="What it is called.")]
    pin: Annotated[str, Meta(pattern="^[0-9]{4}$")] | None = None
    count: Annotated[int, Meta(ge=1, le=9)] = 1
    least: Annotated[int, Meta(ge=0)] = 0
    share: float = 0.5
    enabled: bool = True
    colour: Colour = Colour.RED
    mode: Literal["on", "off"] = "on"
    until: datetime | None = None
    parts: Annotated[list[Part], Meta(max_length=2)] = []
    tags: dict[str, str] = {}


def wrong(**values: object) -> list[WrongField]:
    with pytest.raises(WrongBody) as caught:
        decoded(Draft, values)
    return caught.value.fields


def test_right() -> None:
    """What is not named has its default."""
    found = decoded(
        Draft, {"name": "x", "parts": [{"number": "1"}], "colour": "blue", "until": "2027-01-31T09:30:00Z"}
    )
    assert (found.name, found.parts, found.colour, found.count) == ("x", [Part("1")], Colour.BLUE, 1)
    assert found.until is not None
    assert found.until.utcoffset() is not None


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("name", "", "a text of 1 to 8 characters"),
        ("pin", "12345", "a text like ^[0-9]{4}$ or null"),
        ("count", 10, "a whole number: 1 to 9"),
        ("count", True, "a whole number: 1 to 9"),
        ("least", -1, "a whole number at least 0"),
        ("share", "a", "a number"),
        ("enabled", "yes", "true or false"),
        ("colour", "secret", "red or blue"),
        ("mode", "secret", "off or on"),
        ("until", "secret", "a date and time such as 2027-01-31T09:30:00Z or null"),
        ("tags", [], "an object"),
    ],
)
def test_each_kind(field: str, value: object, expected: str) -> None:
    """The field and what it takes."""
    assert wrong(**{"name": "x", field: value}) == [WrongField(field, expected)]


def test_all_at_once() -> None:
    """In the order of the body; then what is missing."""
    found = wrong(count="secret", other=1, parts=[{"number": "1"}, {"number": "x"}])
    assert [each.field for each in found] == ["count", "other", "parts[1].number", "name"]
    assert "secret" not in str(found)
    assert found[1].expected.startswith("nothing: the fields are name, pin,")


def test_not_without_end() -> None:
    """A body of nothing but unknown fields does not get an answer longer than it."""
    assert len(wrong(**{f"f{number}": 1 for number in range(1000)})) == MOST_TOLD


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(Draft.__struct_fields__) | st.text(max_size=5), json, max_size=5))
def test_agrees_with_the_library(values: dict[str, object]) -> None:
    """Whatever is taken is what msgspec takes, and nothing else is."""
    try:
        ours: Draft | None = decoded(Draft, values)
    except WrongBody:
        ours = None
    try:
        theirs: Draft | None = msgspec.convert(values, Draft)
    except msgspec.ValidationError:
        theirs = None
    assert ours == theirs
