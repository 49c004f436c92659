"""RSeq and RAck (RFC 3262)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import ParseError
from sip.message import CSeq, Response
from sip.reliable import FIRST_RSEQ, RAck, RSeqOrder, first_rseq, rseq_of


def test_rack_round_trip() -> None:
    assert RAck.parse("776656 1 INVITE") == RAck(776656, CSeq(1, "INVITE"))
    assert str(RAck.parse("776656  1\tINVITE")) == "776656 1 INVITE"


@pytest.mark.parametrize(
    "text",
    ["", "1 1", "1 1 INVITE x", "+1 1 INVITE", "1 1_0 INVITE", "4294967296 1 X", "1 2147483648 X", "1 1 ("],
)
def test_unreadable_rack(text: str) -> None:
    with pytest.raises(ParseError):
        RAck.parse(text)


@given(st.text(max_size=40))
def test_any_text_is_a_rack_or_typed(text: str) -> None:
    with contextlib.suppress(ParseError):
        assert RAck.parse(str(RAck.parse(text))) == RAck.parse(text)


@given(st.floats(0, 1, exclude_max=True))
def test_the_first_number_leaves_room(random: float) -> None:
    """Section 3: from 1 to 2**31 - 1."""
    assert 1 <= first_rseq(random) <= FIRST_RSEQ


def response(status: int, *headers: tuple[str, str]) -> Response:
    return Response(status, "", headers)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (response(183, ("Require", "100rel"), ("RSeq", "5")), 5),
        (response(183, ("Require", "foo, 100rel"), ("RSeq", "0")), 0),
        (response(100, ("Require", "100rel"), ("RSeq", "5")), None),
        (response(200, ("Require", "100rel"), ("RSeq", "5")), None),
        (response(183, ("RSeq", "5")), None),
        (response(183, ("Require", "100rel")), None),
        (response(183, ("Require", "100rel"), ("RSeq", "x")), None),
    ],
)
def test_which_responses_are_reliable(given_: Response, expected: int | None) -> None:
    assert rseq_of(given_) == expected


@pytest.mark.parametrize("start", [1, 2**16 - 1, 2**31 - 2, 2**32 - 4])
def test_only_the_next_one_is_taken(start: int) -> None:
    order = RSeqOrder()
    assert [order.take(start + step) for step in (0, 0, 2, 1, 1, 2, 0)] == [
        True,
        False,
        False,
        True,
        False,
        True,
        False,
    ]
