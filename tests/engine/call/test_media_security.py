"""Which calls are protected: the line's word before the link's before the configuration's, and keys over TLS only."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from engine.call.destinations import Destination
from engine.call.media_security import MediaSecurity, new_keys
from sip.flow import Address, Flow
from sip.sdes import PLAIN, Security
from sip.uri import Uri

if TYPE_CHECKING:
    from sip.call import Call

KEYS = new_keys()
POLICY = MediaSecurity(
    links={"open": "off", "closed": "required"}, lines={"301": "required", "302": "off", "303": "optional"}
)


def flow(transport: str) -> Flow:
    return Flow(Address(transport, "192.0.2.1", 5060), Address(transport, "192.0.2.9", 5062), 1)


def call(
    transport: str = "tls", peer_class: str | None = "registered", uri: str = "sip:5000@192.0.2.1"
) -> Call:
    incoming = SimpleNamespace(request_uri=Uri.parse(uri))
    return cast("Call", SimpleNamespace(peer_class=peer_class, incoming=incoming, flow=flow(transport)))


def destination(
    uri: str = "sip:301@192.0.2.9",
    *,
    line: str | None = None,
    link: str | None = None,
    over: str | None = None,
    hop: str | None = None,
) -> Destination:
    return Destination(
        "301",
        Uri.parse(uri),
        "192.0.2.9",
        flow=None if over is None else flow(over),
        next_hop=None if hop is None else Uri.parse(hop),
        line=line,
        link=link,
    )


def test_a_phone_on_tls_gets_what_it_offers() -> None:
    """The default: neither insisted on nor refused."""
    assert MediaSecurity().of_call(call(), None, KEYS) == Security(KEYS, required=False)


@pytest.mark.parametrize(
    ("line", "link", "wanted"),
    [
        ("301", None, "required"),
        ("302", None, "off"),
        ("303", None, "optional"),
        (None, "closed", "required"),
        (None, "open", "off"),
        ("302", "closed", "off"),
        (None, "unknown", "optional"),
    ],
)
def test_whose_word_counts(line: str | None, link: str | None, wanted: str) -> None:
    """The same for a call that comes and for one that goes out."""
    expected = PLAIN if wanted == "off" else Security(KEYS, required=wanted == "required")
    peer_class = f"link:{link}" if link else "registered"
    assert POLICY.of_call(call(peer_class=peer_class), line, KEYS) == expected
    over = "tls" if link is None else None
    hop = None if link is None else "sip:pbx.example.com;transport=tls"
    assert POLICY.of_destination(destination(line=line, link=link, over=over, hop=hop), KEYS) == expected


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_keys_do_not_travel_in_the_open(transport: str) -> None:
    """Without TLS there are none; where they are required that is a refusal, unless it was said otherwise."""
    assert POLICY.of_call(call(transport), "303", KEYS) == Security(None)
    assert POLICY.of_call(call(transport), "301", KEYS) == Security(None, required=True)
    assert POLICY.of_destination(destination(line="301", over=transport), KEYS) == Security(
        None, required=True
    )
    hop = f"sip:192.0.2.9;transport={transport}"
    assert POLICY.of_destination(destination(link="closed", hop=hop), KEYS) == Security(None, required=True)
    trusting = MediaSecurity(any_signalling=True, best_effort=True)
    assert trusting.of_call(call(transport), None, KEYS) == Security(KEYS, best_effort=True)


def test_sips_is_never_plain() -> None:
    """Security reference G3, whatever the configuration says."""
    lax = MediaSecurity(default="off")
    assert lax.of_call(call(uri="sips:5000@192.0.2.1"), None, KEYS) == Security(KEYS, required=True)
    assert lax.of_destination(destination("sips:301@192.0.2.9", line="301"), KEYS) == Security(
        KEYS, required=True
    )


def test_calls_to_ourselves_are_plain() -> None:
    """They never leave the machine."""
    strict = MediaSecurity(default="required")
    assert strict.of_call(call("udp", "engine"), None, KEYS) == PLAIN
    assert strict.of_destination(destination(), KEYS) == PLAIN


def test_every_call_has_keys_of_its_own() -> None:
    """Drawn from the system's generator, of the suite's length."""
    one, other = new_keys().offers(), new_keys().offers()
    assert {each.key for each in one}.isdisjoint(each.key for each in other)
    assert [len(each.key) for each in one] == [28, 44, 30, 30]
