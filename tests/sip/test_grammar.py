"""Lexical rules: what is a token, where a quoted string ends, what a parameter and an integer may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import ParseError
from sip.grammar import (
    closing_quote,
    find_escaped_param,
    find_param,
    is_token,
    parse_integer,
    parse_params,
    quote,
    read_param,
    replace_param,
    split_list,
    unquote,
    write_params,
    write_value,
)
from tests.sip.strategies import texts

NOT_NUMBERS = [
    "",
    "+5",
    "-1",
    " 5",
    "5 ",
    "1_000",
    "٣",
    "१",
    "５",
    "²",
    "5.0",
    "0x10",
    "1e3",
    "5\t",
    "\u00a05",
]
"""What ``int`` would take, or what looks like a number to somebody."""


@pytest.mark.parametrize("text", NOT_NUMBERS)
def test_only_ascii_digits_are_integers(text: str) -> None:
    """Signs, blanks, underscores and the digits of other scripts are refused."""
    with pytest.raises(ParseError) as raised:
        parse_integer(text, 1000, "some_range")
    assert raised.value.label == "some_range"


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("255", 255), ("0068", 68), ("0" * 5000 + "7", 7)])
def test_integers_within_their_range(text: str, value: int) -> None:
    """Leading zeros, however many, change nothing."""
    assert parse_integer(text, 255, "some_range") == value


@pytest.mark.parametrize("text", ["256", "1" + "0" * 20, "9" * 5000])
def test_integers_beyond_their_range(text: str) -> None:
    """A number too large is refused, not clamped, even one that int() cannot read."""
    with pytest.raises(ParseError):
        parse_integer(text, 255, "some_range")


@pytest.mark.parametrize(
    ("text", "yes"), [("a-b.c!%*_+`'~", True), ("", False), ("a b", False), ("é", False), ("a\n", False)]
)
def test_tokens(text: str, yes: bool) -> None:
    """A token has the characters of RFC 3261 and no other."""
    assert is_token(text) is yes


@given(texts)
def test_quoting_round_trip(text: str) -> None:
    """Any text without control characters survives quoting."""
    quoted = quote(text)
    assert closing_quote(quoted, 0) == len(quoted) - 1
    assert unquote(quoted[1:-1]) == text


def test_quoting_drops_control_characters() -> None:
    """What we write in quotes cannot end a line."""
    assert quote('a\r\nb\0"') == '"ab\\""'
    assert unquote("a\\\0\\b") == "ab"


def test_an_open_quote_is_an_error() -> None:
    """A backslash before the last quote leaves the string open."""
    for text in ('"abc', '"abc\\"', '"'):
        with pytest.raises(ParseError, match="quote"):
            closing_quote(text, 0)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a", ["a"]),
        ("", [""]),
        ("a, b\t,c", ["a", "b", "c"]),
        ("a,,b,", ["a", "", "b", ""]),
        ('"x, \\", y" <sip:a,b@c>, <sip:d>', ['"x, \\", y" <sip:a,b@c>', "<sip:d>"]),
        ('a;b="1,2", c', ['a;b="1,2"', "c"]),
    ],
)
def test_lists(text: str, parts: list[str]) -> None:
    """Commas split only outside quotes and angle brackets."""
    assert split_list(text) == parts


@pytest.mark.parametrize("text", ["<sip:a, b", '"a, b', 'a, "'])
def test_open_lists(text: str) -> None:
    """A list with an open quote or bracket has no elements."""
    with pytest.raises(ParseError):
        split_list(text)


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("tag=1;lr", (("tag", "1"), ("lr", None))),
        (" tag = 98asjd8 ; x", (("tag", "98asjd8"), ("x", None))),
        ('a="x;y=\\"z";b', (("a", '"x;y=\\"z"'), ("b", None))),
        ("received=2001:db8::1;r=[::1]", (("received", "2001:db8::1"), ("r", "[::1]"))),
        ("tag=YWJj==", (("tag", "YWJj=="),)),
    ],
)
def test_params(text: str, params: object) -> None:
    """Blanks around the marks are no part of names and values."""
    assert parse_params(text) == params


@pytest.mark.parametrize(
    "text",
    [
        "",
        ";",
        "a;",
        ";a",
        "a=",
        "=a",
        "a b",
        "a=b c",
        "a[b]=1",
        "[a]",
        "a:b",
        'a="x"y',
        'a="x',
        'a="\r\n"',
        'a="\\\0"',
        "a=é",
        "a=<b>",
        " ",
    ],
)
def test_bad_params(text: str) -> None:
    """Empty names and values, and characters that need quotes, are refused."""
    with pytest.raises(ParseError):
        parse_params(text)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "tag"]), st.none() | texts.filter(bool)), min_size=1))
def test_params_round_trip(pairs: list[tuple[str, str | None]]) -> None:
    """What is written is read again."""
    params = tuple((name, None if value is None else write_value(value)) for name, value in pairs)
    assert parse_params(write_params(params)[1:]) == params


def test_looking_up() -> None:
    """Names are case-insensitive; a parameter without a value is there, and empty."""
    params = parse_params('Tag=1;lr;q="a\\"b";%6Cx=2')
    assert (find_param(params, "tag"), find_param(params, "lr"), find_param(params, "no")) == ("1", "", None)
    assert (find_param(params, "q"), read_param(params, "q")) == ('"a\\"b"', 'a"b')
    assert (find_param(params, "lx"), find_escaped_param(params, "lx")) == (None, "2")
    assert (find_escaped_param(params, "no"), find_escaped_param(params, "lr")) == (None, "")


def test_replacing() -> None:
    """A parameter is replaced in its place, or appended."""
    params = parse_params("a=1;b")
    assert replace_param(params, "A", "2") == (("a", "2"), ("b", None))
    assert replace_param(params, "c", None) == (("a", "1"), ("b", None), ("c", None))
