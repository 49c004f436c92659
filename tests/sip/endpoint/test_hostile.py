"""Generated and mutilated messages against a whole endpoint (security rule A2)."""

from __future__ import annotations

import random

import pytest
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from zope.interface import implementer

from sip.flood import FloodLimits, Rate
from sip.message import response_to
from tests.sip.endpoint.paper import Paper
from tests.sip.wire import SDP, as_request, name, written

SEEDS = [
    written("INVITE", body=SDP),
    written(
        "INVITE", body=SDP, headers=("Replaces: a;to-tag=b;from-tag=c", "Require: 100rel", "Supported: timer")
    ),
    written("ACK", to_tag="x"),
    written("BYE", to_tag="x", headers=("Reason: Q.850;cause=16",)),
    written("CANCEL"),
    written("REGISTER", headers=("Contact: *", "Expires: 0")),
    written(
        "OPTIONS", via="SIP/2.0/UDP [2001:db8::9]:5060;branch=z9hG4bKa;rport, SIP/2.0/TCP b;branch=z9hG4bKb"
    ),
    written("REFER", to_tag="x", headers=("Refer-To: <sip:a@b?Replaces=c%3Bto-tag%3Dd%3Bfrom-tag%3De>",)),
    written(
        "SUBSCRIBE", headers=("Event: presence;id=1", "Route: <sip:a;lr>, <sip:b>", "Record-Route: <sip:c>")
    ),
    response_to(
        as_request(written("INVITE")), 200, to_tag="x", body=SDP, content_type="application/sdp"
    ).serialise(),
    response_to(
        as_request(written("OPTIONS")), 401, headers=[("WWW-Authenticate", "Digest realm=x")]
    ).serialise(),
]
PIECES = [
    b"\r\n",
    b"\0",
    b";",
    b",",
    b'"',
    b"<",
    b">",
    b"%00",
    b":",
    b"=",
    b"\xff",
    b" ",
    b"\t",
    b"9" * 40,
    b"SIP/2.0",
]


def mutilated(random_source: random.Random, tag: str) -> bytes:
    """Take a good message, of the call with our ``tag`` if of any, and spoil it in up to six places."""
    data = bytearray(random_source.choice(SEEDS).replace(b";tag=x\r\n", f";tag={tag}\r\n".encode()))
    data[:] = data.replace(b"CSeq: 1 ", b"CSeq: %d " % random_source.randrange(1, 2000))
    data[:] = data.replace(b"z9hG4bKone", b"z9hG4bK%d" % random_source.randrange(2000))
    for _ in range(random_source.randrange(7)):
        at = random_source.randrange(len(data) + 1)
        kind = random_source.randrange(5)
        if kind == 0:
            data[at : at + random_source.randrange(1, 30)] = b""
        elif kind == 1:
            data[at:at] = random_source.choice(PIECES)
        elif kind == 2:
            data[at : at + 1] = bytes([random_source.randrange(256)])
        elif kind == 3:
            other = random_source.choice(SEEDS)
            data[at:] = other[random_source.randrange(len(other)) :]
        else:
            data[at:at] = data[at : at + random_source.randrange(1, 60)]
        if not data:
            break
    return bytes(data)


@implementer(ILogObserver)
class Alarms:
    """Keeps what an operator would be woken for."""

    def __init__(self) -> None:
        self.events: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        if event["log_level"] in (LogLevel.error, LogLevel.critical):
            self.events.append(event)


def batter(seed: int, times: int) -> None:
    alarms = Alarms()
    limits = FloodLimits(peers=Rate(1e9, 1e9))
    paper = Paper(flood=limits, max_unanswered=500)
    paper.application.on_invite = lambda call: call.answer(SDP)
    random_source = random.Random(seed)
    tag = ""
    globalLogPublisher.addObserver(alarms)
    try:
        for index in range(times):
            if index % 50 == 0:
                paper.clock.advance(5)
                del paper.sent[:], paper.application.calls[:], paper.application.events[:]
                via = f"SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKfresh{index}"
                paper.receive(written("INVITE", via=via, body=SDP, cseq=index + 1))
                tag = paper.answer.to_tag or ""
            paper.receive(mutilated(random_source, tag))
        for _ in range(700):
            paper.clock.advance(0.1)
    finally:
        globalLogPublisher.removeObserver(alarms)
    assert alarms.events == []
    assert (paper.counted("internal_error"), paper.counted("application_error")) == (0, 0)
    assert len(paper.endpoint.layer) == 0
    paper.receive(written("OPTIONS", call_id="alive", via="SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKalive"))
    assert name(paper.last) == "200 OPTIONS"


@pytest.mark.parametrize("seed", range(4))
def test_mutilated_messages_do_not_hurt(seed: int) -> None:
    """Nothing is raised or logged as an error, nothing is left, and an honest OPTIONS is answered after."""
    batter(seed, 1_500)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
def test_many_mutilated_messages_do_not_hurt(seed: int) -> None:
    """100,000 in all."""
    batter(seed, 10_000)
