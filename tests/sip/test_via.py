"""The Via header and what a server writes into it (RFC 3261 section 18.2.1, RFC 3581)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import ParseError
from sip.headers import Headers
from sip.uri import CACHED_LENGTH
from sip.via import Via
from tests.sip.strategies import vias


@given(vias())
def test_round_trip(via: Via) -> None:
    """What is written is read again."""
    assert Via.parse(str(via)) == via


@given(st.text(max_size=60) | st.text("SIP/2.0 UDP;=:[]\t", max_size=40))
def test_junk(text: str) -> None:
    """Any text is a Via or a ParseError."""
    with contextlib.suppress(ParseError):
        assert Via.parse(str(Via.parse(text))) == Via.parse(text)
        Headers().add("Via", str(Via.parse(text)))  # whatever it was, it cannot break a line of ours


@pytest.mark.parametrize(
    ("text", "transport", "host", "port"),
    [
        ("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", "UDP", "192.0.2.1", None),
        ("sip / 2.0 / tcp\t h : 5060 ; branch = z9hG4bK1", "TCP", "h", 5060),
        ("SIP/2.0/TLS [2001:db8::9:1]:5061;branch=z9hG4bK1", "TLS", "2001:db8::9:1", 5061),
        ("SIP/2.0/TLS [2001:db8::9:1] : 5061 ;branch=z9hG4bK1", "TLS", "2001:db8::9:1", 5061),
    ],
)
def test_forms(text: str, transport: str, host: str, port: int | None) -> None:
    """Blanks around every mark, IPv6 in brackets."""
    via = Via.parse(text)
    assert (via.transport, via.host, via.port, via.branch) == (transport, host, port, "z9hG4bK1")
    assert via.protocol == "SIP/2.0"


@pytest.mark.parametrize(
    "text",
    [
        "", "SIP/2.0", "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/2.0/ h", "/2.0/UDP h", "SIP//UDP h",
        "SIP/2.0/UDP h;", "SIP/2.0/UDP h:0", "SIP/2.0/UDP h:+5", "SIP/2.0/UDP [::1", "SIP/2.0/UDP ::1",
        "SIP/2.0/UDP a b", "SIP/2.0/U(P h", "SIP/2.0/UDP h;received=1:2",
    ],
)  # fmt: skip
def test_refused(text: str) -> None:
    """What the grammar does not allow is no Via."""
    with pytest.raises(ParseError):
        Via.parse(text)


def test_received_and_rport() -> None:
    """The server's additions go where the client asked for them."""
    via = Via.parse("SIP/2.0/UDP h;rport;branch=z9hG4bK1")
    assert (via.wants_rport, via.rport, via.received) == (True, None, None)
    answered = via.with_params(received="192.0.2.9", rport=4711)
    assert str(answered) == "SIP/2.0/UDP h;rport=4711;branch=z9hG4bK1;received=192.0.2.9"
    assert (answered.rport, answered.received, answered.param("rport")) == (4711, "192.0.2.9", "4711")
    assert not Via.parse("SIP/2.0/UDP h").wants_rport
    assert via.with_params(alias=None).param("alias") == ""


@pytest.mark.parametrize("value", ["x", "70000", "-1"])
def test_a_bad_rport_is_no_port(value: str) -> None:
    """A response with a bad rport goes by the rest of its Via."""
    assert Via.parse(f"SIP/2.0/UDP h;rport={value}").rport is None


def test_received_ipv6() -> None:
    """Old servers wrote the address in brackets (RFC 5118 section 4.5)."""
    for text in ("2001:db8::1", "[2001:db8::1]"):
        assert (
            Via.parse(f"SIP/2.0/UDP [2001:db8::9]:5060;received={text};branch=z9hG4bKas3").received
            == "2001:db8::1"
        )


def test_other_protocols_are_kept() -> None:
    """A Via of another protocol version is written as it came."""
    assert str(Via.parse("SIP/7.0/UDP h")) == "SIP/7.0/UDP h"


def test_long_texts_are_not_remembered() -> None:
    """A text beyond the cache's limit is read each time."""
    text = "SIP/2.0/UDP h;branch=" + "a" * CACHED_LENGTH
    assert Via.parse(text) is not Via.parse(text)
