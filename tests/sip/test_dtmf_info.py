"""Digits in INFO bodies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.dtmf_info import BARE, DIGITS, RELAY, Digit, read_digit, write_digit


@pytest.mark.parametrize("digit", DIGITS)
def test_round_trip(digit: str) -> None:
    assert read_digit(RELAY, write_digit(Digit(digit, 250))) == Digit(digit, 250)


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        (RELAY, b"Signal=5\r\nDuration=160\r\n", Digit("5", 160)),
        (RELAY, b"signal = d \nDURATION= 100", Digit("D", 100)),
        (RELAY, b"Signal=10", Digit("*")),
        (RELAY, b"Signal=11", Digit("#")),
        (RELAY, b"Signal=1\r\nSignal=2", Digit("1")),
        (RELAY, b"Signal=1\r\nDuration=x", Digit("1")),
        (RELAY, b"Signal=1\r\nDuration=0", Digit("1", 1)),
        (RELAY, b"Signal=1\r\nDuration=999999", Digit("1", 10000)),
        (RELAY, b"Signal=1\r\nDuration=9999999", Digit("1")),
        (BARE, b"7", Digit("7")),
        (BARE, b"#\r\n", Digit("#")),
        (BARE, b"Signal=3", Digit("3")),
        (BARE, b"13", Digit("B")),
        (RELAY, b"5", None),
        (RELAY, b"Signal=16", None),
        (RELAY, b"Signal=", None),
        (RELAY, b"Signal=x", None),
        (RELAY, b"Other=1", None),
        (RELAY, "Signal=٥".encode(), None),
        (RELAY, b"Signal=5" + b" " * 300, None),
        (BARE, b"123", None),
        (BARE, b"", None),
        ("text/plain", b"5", None),
    ],
)
def test_bodies(content_type: str, body: bytes, expected: Digit | None) -> None:
    assert read_digit(content_type, body) == expected


@given(st.sampled_from([RELAY, BARE]), st.binary(max_size=300))
def test_any_bytes_are_a_digit_or_none(content_type: str, body: bytes) -> None:
    found = read_digit(content_type, body)
    assert found is None or (found.digit in DIGITS and 1 <= found.duration_ms <= 10000)
