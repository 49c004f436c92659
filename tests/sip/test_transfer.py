"""Replaces, Refer-To and sipfrag on the wire (RFC 3891, RFC 3515, RFC 3420)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import ParseError
from sip.transfer import Replaces, read_refer_to, read_sipfrag, write_refer_to, write_sipfrag
from sip.uri import Uri

TOKENS = st.text("abcXYZ019-.!%*_+`'~", min_size=1, max_size=12)


def test_the_examples_of_the_rfc() -> None:
    """RFC 3891 section 6.1."""
    assert Replaces.parse("98732@sip.example.com;from-tag=r33th4x0r;to-tag=ff87ff") == Replaces(
        "98732@sip.example.com", "ff87ff", "r33th4x0r"
    )
    early = Replaces.parse("12adf2f34456gs5;to-tag=12345;from-tag=54321;early-only")
    assert early.early_only
    assert str(early) == "12adf2f34456gs5;to-tag=12345;from-tag=54321;early-only"


@pytest.mark.parametrize(
    "text", ["", "x", "x;to-tag=1", "x;from-tag=1", ";to-tag=1;from-tag=2", "x;to-tag=;from-tag=1"]
)
def test_unreadable_replaces(text: str) -> None:
    with pytest.raises(ParseError):
        Replaces.parse(text)


@given(TOKENS, TOKENS, TOKENS, st.booleans())
def test_replaces_survives_a_refer_to(call_id: str, to_tag: str, from_tag: str, early: bool) -> None:
    replaces = Replaces(f"{call_id}@h", to_tag, from_tag, early)
    target, read = read_refer_to(write_refer_to(Uri.parse("sip:carol@example.com;transport=tcp"), replaces))
    assert read == replaces
    assert str(target.uri) == "sip:carol@example.com;transport=tcp"


def test_the_referrer_writes_no_other_header_of_ours() -> None:
    target, replaces = read_refer_to('"C" <sip:c@h?Subject=x&Route=%3Csip:evil%3E>;p=1')
    assert str(target) == '"C" <sip:c@h>;p=1'
    assert replaces is None
    assert write_refer_to(Uri.parse("sip:c@h")) == "<sip:c@h>"


@pytest.mark.parametrize("text", ["", "<sip:", "<sip:a@b?Replaces=x>"])
def test_unreadable_refer_to(text: str) -> None:
    with pytest.raises(ParseError):
        read_refer_to(text)


def test_sipfrag() -> None:
    assert write_sipfrag(180) == b"SIP/2.0 180 Ringing\r\n"
    assert write_sipfrag(299) == b"SIP/2.0 299 \r\n"
    assert write_sipfrag(200, "a\r\nVia: evil") == b"SIP/2.0 200 a  Via: evil\r\n"
    assert read_sipfrag(b"SIP/2.0 603 Declined\r\nTo: x") == 603
    assert read_sipfrag(b"sip/2.0 200") == 200


@pytest.mark.parametrize(
    "body", [b"", b"SIP/2.0", b"HTTP/1.1 200 OK", b"SIP/2.0 99", b"SIP/2.0 700", b"SIP/2.0 +20", b"SIP/2.0 x"]
)
def test_no_sipfrag(body: bytes) -> None:
    assert read_sipfrag(body) is None


@given(st.text(max_size=80))
def test_any_text_is_read_or_typed(text: str) -> None:
    with contextlib.suppress(ParseError):
        Replaces.parse(text)
    with contextlib.suppress(ParseError):
        read_refer_to(text)


@given(st.integers(100, 699), st.text(max_size=30))
def test_a_status_survives_its_sipfrag(status: int, reason: str) -> None:
    assert read_sipfrag(write_sipfrag(status, reason)) == status


@given(st.binary(max_size=60))
def test_any_bytes_are_a_sipfrag_or_none(body: bytes) -> None:
    found = read_sipfrag(body)
    assert found is None or 100 <= found <= 699
