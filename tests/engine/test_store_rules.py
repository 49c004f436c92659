"""What each field must hold, rule by rule; and how text from the network is made safe to keep."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.store import AutomateRange, Invalid, Line, Link, Prompt
from engine.store.rules import check_automate_range, check_line, check_link, check_prompt, printable

LINK = Link(name="pbx", host="pbx.example.com", username="trunk", password="a secret")
RANGE = AutomateRange(first_number="100", application="echo")
LINE = Line(number="101", realm="polyphony", ha1={"MD5": "0" * 32})
PROMPT = Prompt(name="closed", path="closed.wav", seconds=2.5, sha256="0" * 64)


@pytest.mark.parametrize(
    "good",
    [
        {"host": "2001:db8::1"},
        {"host": "a" * 255},
        {"name": "a" * 64},
        {"port": 1},
        {"port": 65_535},
        {"transport": "tls"},
        {"rate_limit": 1},
        {"rate_limit": 1_000_000},
        {"dialled_prefixes": "0 00 + *1#"},
        {"password": "p" * 255},
        {"realm": "Zoé's"},
    ],
)
def test_good_links(good: dict[str, Any]) -> None:
    """The edges of what is allowed are allowed."""
    check_link(replace(LINK, **good))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a b"),
        ("name", "a" * 65),
        ("name", "../etc"),
        ("host", ""),
        ("host", "h h"),
        ("host", "a" * 256),
        ("host", "h\r\nVia: x"),
        ("port", 0),
        ("port", 65_536),
        ("transport", "sctp"),
        ("pbx_type", "A PBX"),
        ("realm", "a\nb"),
        ("username", "u" * 256),
        ("password", "p\0"),
        ("rate_limit", 0),
        ("rate_limit", 1_000_001),
        ("dialled_prefixes", "a"),
        ("dialled_prefixes", "1 " * 200),
    ],
)
def test_bad_links(field: str, value: Any) -> None:
    """What could not work, or would break a header, is refused by the field's name."""
    with pytest.raises(Invalid) as error:
        check_link(replace(LINK, **{field: value}))
    assert error.value.field == field


def test_a_link_behind_nat_is_not_symmetric() -> None:
    """Its media does not come from where its SDP says."""
    check_link(replace(LINK, symmetric=True))
    with pytest.raises(Invalid, match="NAT") as error:
        check_link(replace(LINK, symmetric=True, nat=True))
    assert error.value.field == "symmetric"


def test_a_refusal_does_not_repeat_the_value() -> None:
    """A password with a typing mistake in it does not reach the log."""
    with pytest.raises(Invalid) as error:
        check_link(replace(LINK, password="half-secret\n"))
    assert "half-secret" not in str(error.value)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("first_number", {"first_number": ""}),
        ("first_number", {"first_number": "12a"}),
        ("first_number", {"first_number": "١٢"}),
        ("first_number", {"first_number": "1" * 33}),
        ("count", {"count": 0}),
        ("count", {"count": 10_001}),
        ("count", {"first_number": "95", "count": 10}),
        ("application", {"application": "Echo !"}),
        ("password", {"password": "a\rb"}),
        ("parameters", {"parameters": {"a": "x" * 20_000}}),
    ],
)
def test_bad_ranges(field: str, change: dict[str, Any]) -> None:
    """A range that could not be counted or called is refused by the field's name."""
    with pytest.raises(Invalid) as error:
        check_automate_range(replace(RANGE, **change))
    assert error.value.field == field


def test_the_largest_range() -> None:
    """The limit itself is allowed, up to the last number of the same length."""
    check_automate_range(replace(RANGE, first_number="00000", count=10_000))
    check_automate_range(replace(RANGE, first_number="90", count=10))


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("number", {"number": "a@b"}),
        ("number", {"number": "1-2"}),
        ("display_name", {"display_name": 'a\r\nb"'}),
        ("realm", {"realm": "r" * 256}),
        ("ha1", {"ha1": {}}),
    ],
)
def test_bad_lines(field: str, change: dict[str, Any]) -> None:
    """A line nobody could register is refused by the field's name."""
    with pytest.raises(Invalid) as error:
        check_line(replace(LINE, **change))
    assert error.value.field == field


@pytest.mark.parametrize(("field", "value"), [("name", "../x"), ("seconds", 0.0)])
def test_bad_prompts(field: str, value: Any) -> None:
    """A name that would leave its folder, or a prompt without sound, is refused."""
    with pytest.raises(Invalid) as error:
        check_prompt(replace(PROMPT, **{field: value}))
    assert error.value.field == field


@given(st.text(), st.integers(0, 50))
def test_printable_text(text: str, length: int) -> None:
    """Whatever comes in, one printable line of bounded length comes out, and good text is unchanged."""
    safe = printable(text, length)
    assert len(safe) <= length
    assert safe.isprintable()
    assert printable(safe, length) == safe


@given(st.integers(0, 300), st.integers(1, 200), st.integers(0, 300), st.integers(1, 200))
def test_overlap_is_a_shared_number(first: int, count: int, other: int, other_count: int) -> None:
    """Two ranges overlap exactly when the lists of their numbers share one."""
    one = AutomateRange(first_number=f"{first:08}", count=count, application="echo")
    two = AutomateRange(first_number=f"{other:08}", count=other_count, application="echo")
    shared = set(one.numbers()) & set(two.numbers())
    assert one.overlaps(two) is two.overlaps(one) is bool(shared)
