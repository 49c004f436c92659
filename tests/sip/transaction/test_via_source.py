"""``received`` and ``rport`` in the Via of a request (RFC 3261 18.2.1, RFC 3581 section 4; rule D4)."""

from __future__ import annotations

import pytest

from sip.flow import Address
from sip.transaction.via_source import stamp_source
from tests.sip.wire import request

SOURCE = Address("udp", "198.51.100.7", 40123)


@pytest.mark.parametrize(
    ("via", "stamped"),
    [
        ("192.0.2.9;branch=z9hG4bKa;rport", "192.0.2.9;branch=z9hG4bKa;rport=40123;received=198.51.100.7"),
        ("192.0.2.9;rport;branch=z9hG4bKa", "192.0.2.9;rport=40123;received=198.51.100.7;branch=z9hG4bKa"),
        ("192.0.2.9;branch=z9hG4bKa", "192.0.2.9;branch=z9hG4bKa;received=198.51.100.7"),
        ("198.51.100.7;branch=z9hG4bKa", "198.51.100.7;branch=z9hG4bKa"),
        (
            "192.0.2.9;branch=z9hG4bKa;rport=1;received=203.0.113.1",
            "192.0.2.9;branch=z9hG4bKa;rport=40123;received=198.51.100.7",
        ),
        (
            "198.51.100.7;branch=z9hG4bKa;received=203.0.113.1",
            "198.51.100.7;branch=z9hG4bKa;received=198.51.100.7",
        ),
        (
            "192.0.2.9;branch=z9hG4bKa;rport, SIP/2.0/UDP far;branch=z9hG4bKf;rport",
            "192.0.2.9;branch=z9hG4bKa;rport=40123;received=198.51.100.7, SIP/2.0/UDP far;branch=z9hG4bKf;rport",
        ),
        (
            "192.0.2.9;branch=z9hG4bKa;rportx=1;rport",
            "192.0.2.9;branch=z9hG4bKa;rportx=1;rport=40123;received=198.51.100.7",
        ),
    ],
)
def test_the_source_is_written_into_the_top_via(via: str, stamped: str) -> None:
    """Where asked for, or where sent-by says something else; a value from the network never stays."""
    message = request("OPTIONS", via=f"SIP/2.0/UDP {via}")
    stamp_source(message, SOURCE)
    assert message.headers.get("Via") == f"SIP/2.0/UDP {stamped}"


def test_other_via_lines_stay() -> None:
    """Only the top one is ours to change."""
    message = request("OPTIONS", headers=("Via: SIP/2.0/UDP far;branch=z9hG4bKf;rport",))
    stamp_source(message, SOURCE)
    assert message.headers.get_all("Via")[1] == "SIP/2.0/UDP far;branch=z9hG4bKf;rport"
    assert message.via.received == "198.51.100.7"


def test_an_ipv6_source_is_readable_again() -> None:
    """RFC 5118: received without brackets is taken by everybody."""
    message = request("OPTIONS", via="SIP/2.0/UDP [2001:db8::9]:5060;branch=z9hG4bKa;rport")
    stamp_source(message, Address("udp", "2001:db8::7", 5099))
    assert (message.via.received, message.via.rport) == ("2001:db8::7", 5099)
