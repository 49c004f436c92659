"""The SIP trace of a running endpoint's messages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from engine.sip_trace import SipTrace, trace_of
from sip.flow import Address, Flow

FLOW = Flow(Address("udp", "192.0.2.1", 5060), Address("udp", "192.0.2.9", 5062))
OPTIONS = b"OPTIONS sip:1001@192.0.2.1 SIP/2.0\r\nVia: x\r\n\r\n"


@pytest.fixture
def logged() -> Iterator[list[str]]:
    lines: list[str] = []

    def observe(event: LogEvent) -> None:
        if event.get("log_namespace") == "engine.sip_trace":
            lines.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    yield lines
    globalLogPublisher.removeObserver(observe)


def test_messages_with_their_way(logged: list[str]) -> None:
    """Whose it is, which way it went, and what it says, braces and all; a keep-alive is none."""
    trace = SipTrace("all")
    trace("from", OPTIONS, FLOW)
    trace("to", b"SIP/2.0 200 {OK}\r\n\r\n", FLOW)
    trace("to", b"\r\n\r\n", FLOW)
    assert logged == [
        "sip from udp 192.0.2.9:5062: OPTIONS sip:1001@192.0.2.1 SIP/2.0 | Via: x",
        "sip to udp 192.0.2.9:5062: SIP/2.0 200 {OK}",
    ]


def test_only_a_number(logged: list[str]) -> None:
    """The others' calls are nobody's business."""
    trace = SipTrace("1001")
    trace("from", OPTIONS, FLOW)
    trace("from", OPTIONS.replace(b"1001", b"1002"), FLOW)
    assert len(logged) == 1


def test_nothing_wanted() -> None:
    """No trace costs nothing."""
    assert trace_of("") is None
    assert trace_of("all") is not None
