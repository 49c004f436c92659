"""What an endpoint does with requests that come in (RFC 3261 section 8.2; security rules A9, A10, C9, D1 to D5, G3)."""

from __future__ import annotations

from typing import Any

import pytest

from sip.call import Call
from sip.flow import Address, Flow
from sip.message import Request, Response, parse_message, response_to
from sip.session.outputs import Confirmed, EndCause, Ended
from tests.sip.endpoint.paper import Paper
from tests.sip.wire import PEER, SDP, TCP, as_request, name, written

STRANGER = Address("udp", "203.0.113.66", 5060)


@pytest.fixture
def paper() -> Paper:
    return Paper()


def answered_call(paper: Paper, **parts: Any) -> str:
    """Have a call come in and be confirmed; gives our tag."""
    paper.application.on_invite = lambda call: call.answer(SDP)
    paper.receive(written("INVITE", body=SDP, **parts))
    tag = paper.answer.to_tag or ""
    via = "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKack"
    paper.receive(written("ACK", to_tag=tag, via=via))
    assert isinstance(paper.application.events[-1], Confirmed)
    return tag


def bye(tag: str, **parts: Any) -> bytes:
    return written("BYE", to_tag=tag, cseq=2, via="SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKbye", **parts)


# -- a whole call


def test_a_call_comes_and_goes(paper: Paper) -> None:
    """INVITE, 200, ACK, BYE, 200; afterwards nothing is left but what lingers, and then nothing."""
    tag = answered_call(paper)
    assert len(paper.endpoint.calls) == 1
    paper.receive(bye(tag))
    assert paper.names == ["200 INVITE", "200 BYE"]
    assert paper.application.events[-1] == Ended(EndCause.REMOTE_BYE)
    assert len(paper.endpoint.calls) == 0
    paper.clock.advance(40)
    assert (len(paper.endpoint.layer), paper.clock.getDelayedCalls()) == (0, [])


def test_every_answer_has_a_tag(paper: Paper) -> None:
    """8.2.6.2: also the one that the application makes without, and the same one each time."""
    paper.application.tag = None
    paper.receive(written("OPTIONS"))
    paper.receive(written("OPTIONS"))
    first, second = (parse_message(data).to_tag for data, _ in paper.sent)
    assert first == second
    assert first


def test_the_application_sees_who_calls(paper: Paper) -> None:
    """Request, flow, class, identity, and the offer."""
    paper.application.identity = "alice"
    paper.receive(written("INVITE", body=SDP))
    call = paper.application.calls[0]
    assert (call.flow.remote, call.peer_class, call.identity, call.offer) == (PEER, "loopback", "alice", SDP)
    assert call.request.method == "INVITE"


def test_cancel_ends_a_ringing_call(paper: Paper) -> None:
    """200 to the CANCEL, 487 to the INVITE, both with our tag."""
    paper.application.on_invite = lambda call: call.ring()
    paper.receive(written("INVITE", body=SDP))
    paper.receive(written("CANCEL"))
    assert paper.names == ["180 INVITE", "200 CANCEL", "487 INVITE"]
    assert len({parse_message(data).to_tag for data, _ in paper.sent}) == 1
    assert paper.application.events == [Ended(EndCause.CANCELLED, 487, "Request Terminated")]


def test_a_2xx_is_repeated_until_the_ack_and_then_the_call_ended(paper: Paper) -> None:
    """13.3.1.4: 64*T1 without ACK, then BYE."""
    paper.application.on_invite = lambda call: call.answer(SDP)
    paper.receive(written("INVITE", body=SDP))
    for _ in range(3400):
        paper.clock.advance(0.01)
    assert paper.names[:10] == ["200 INVITE"] * 10
    assert "BYE" in paper.names
    assert isinstance(paper.application.events[-1], Ended)


# -- refusals


@pytest.mark.parametrize(
    ("message", "status", "header"),
    [
        (written("FOO"), 405, "Allow"),
        (written("OPTIONS", uri="tel:+4930123"), 416, None),
        (written("OPTIONS", uri="sips:7000@192.0.2.1"), 480, None),
        (written("OPTIONS", headers=("Require: warp",)), 420, "Unsupported"),
        (written("INVITE", headers=("Content-Encoding: gzip",), body=SDP), 415, "Accept-Encoding"),
        (written("INVITE", headers=("Content-Type: text/plain",), body=b"hello"), 415, "Accept"),
        (written("INVITE", headers=("Accept:",), body=SDP), 406, None),
        (written("BYE"), 481, None),
        (written("BYE", to_tag="guess"), 481, None),
        (written("OPTIONS", to_tag="guess"), 481, None),
        (written("INVITE", headers=("Replaces: nothing;to-tag=a;from-tag=b",), body=SDP), 481, None),
        (written("INVITE", headers=("Replaces: nothing",), body=SDP), 400, None),
        (written("OPTIONS").replace(b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia"), 505, None),
        (written("OPTIONS").replace(b"1 OPTIONS", b"1 INVITE"), 400, None),
        (written("OPTIONS").replace(b"Call-ID: call1\r\n", b""), 400, None),
        (written("OPTIONS").replace(b"Content-Length: 0", b"Content-Length: 9"), 400, None),
    ],
)
def test_a_refused_request_is_answered_once_and_forgotten(
    paper: Paper, message: bytes, status: int, header: str | None
) -> None:
    """By the rule of the RFC, with a tag, counted; nothing of it is remembered."""
    paper.receive(message)
    paper.clock.advance(60)
    assert [as_status(data) for data, _ in paper.sent] == [status]
    assert b";tag=" in paper.last.split(b"\r\nTo: ")[1].split(b"\r\n")[0]
    assert header is None or header in paper.answer.headers
    assert (len(paper.endpoint.layer), paper.application.requests, paper.application.calls) == (0, [], [])
    assert sum(paper.endpoint.counters.snapshot().values()) == 1


def test_a_peer_of_rfc_2543_needs_no_contact(paper: Paper) -> None:
    """Its Via has no magic cookie; our BYE names the URI of From. Others must say where they are."""
    paper.application.on_invite = lambda call: call.answer(SDP)
    old = written("INVITE", body=SDP, via="SIP/2.0/UDP 192.0.2.9:5060")
    paper.receive(old.replace(b"Contact: <sip:peer@192.0.2.9:5060>\r\n", b""))
    tag = paper.answer.to_tag or ""
    paper.receive(written("ACK", to_tag=tag, via="SIP/2.0/UDP 192.0.2.9:5060"))
    paper.application.calls[0].hangup()
    assert paper.names == ["200 INVITE", "BYE"]
    assert paper.asked.uri == "sip:peer@192.0.2.9"
    paper.receive(
        written("INVITE", body=SDP, call_id="2").replace(b"Contact: <sip:peer@192.0.2.9:5060>\r\n", b"")
    )
    assert (paper.answer.status, paper.answer.reason) == (400, "Missing Contact")


def as_status(data: bytes) -> int:
    assert data.startswith(b"SIP/2.0 ")
    return int(data[8:11])


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\r\n\r\n",
        b"\0",
        b"hello",
        b"\xff" * 900,
        written("ACK"),
        written("ACK", to_tag="guess"),
        written("ACK").replace(b"1 ACK", b"1 BYE"),
        response_to(as_request(written("OPTIONS")), 200, to_tag="x").serialise(),
        response_to(as_request(written("INVITE")), 200, to_tag="x").serialise(),
        b"SIP/2.0 999 What\r\n\r\n",
    ],
)
def test_what_must_not_be_answered_is_not(paper: Paper, message: bytes) -> None:
    """Responses, ACKs and noise draw nothing, and are counted (rule A10)."""
    paper.receive(message)
    paper.clock.advance(60)
    assert paper.sent == []
    assert sum(paper.endpoint.counters.snapshot().values()) == 1


def test_options_to_the_application(paper: Paper) -> None:
    """Another request outside of dialogs is the application's."""
    paper.receive(written("OPTIONS"))
    assert (paper.names, len(paper.application.requests)) == (["200 OPTIONS"], 1)


def test_a_failing_application_is_answered_for(paper: Paper) -> None:
    """500, counted; the endpoint goes on."""

    def fail(call: object) -> None:
        raise ZeroDivisionError

    paper.application.on_invite = fail
    paper.receive(written("INVITE", body=SDP))
    assert paper.names == ["500 INVITE"]
    assert (len(paper.endpoint.calls), len(paper.endpoint.layer), paper.counted("application_error")) == (
        0,
        0,
        1,
    )
    paper.receive(written("OPTIONS", call_id="other", via="SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx"))
    assert paper.names[-1] == "200 OPTIONS"


def test_a_failing_event_handler_does_not_stop_the_session(paper: Paper) -> None:
    """The BYE is answered although the application raised at Confirmed."""

    def fail(event: object) -> None:
        raise ZeroDivisionError

    def answer(call: Call) -> None:
        call.on_event = fail
        call.answer(SDP)

    paper.application.on_invite = answer
    paper.receive(written("INVITE", body=SDP))
    tag = paper.answer.to_tag or ""
    paper.receive(written("ACK", to_tag=tag, via="SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKack"))
    paper.receive(bye(tag))
    assert paper.names[-1] == "200 BYE"
    assert paper.counted("application_error") == 2


# -- C9: in-dialog requests


@pytest.mark.parametrize("method", ["BYE", "UPDATE", "INFO", "INVITE", "NOTIFY", "REFER"])
@pytest.mark.parametrize("source", [STRANGER, PEER._replace(port=5099)])
def test_a_request_of_the_dialog_from_elsewhere_gets_481(paper: Paper, method: str, source: Address) -> None:
    """Even with the right tags; the call goes on."""
    tag = answered_call(paper)
    paper.receive(
        written(method, to_tag=tag, cseq=2, via="SIP/2.0/UDP 203.0.113.66;branch=z9hG4bKevil", body=SDP),
        source,
    )
    assert paper.names[-1] == f"481 {method}"
    assert (paper.sent[-1][1], paper.counted("dialog_from_stranger")) == (source, 1)
    assert len(paper.endpoint.calls) == 1
    assert isinstance(paper.application.events[-1], Confirmed)


def test_a_cancel_from_elsewhere_gets_481(paper: Paper) -> None:
    """The ringing call goes on."""
    paper.application.on_invite = lambda call: call.ring()
    paper.receive(written("INVITE", body=SDP))
    paper.receive(written("CANCEL"), STRANGER)
    assert paper.names == ["180 INVITE", "481 CANCEL"]
    assert paper.application.events == []


def test_an_ack_from_elsewhere_confirms_nothing(paper: Paper) -> None:
    """Dropped, counted, never answered."""
    paper.application.on_invite = lambda call: call.answer(SDP)
    paper.receive(written("INVITE", body=SDP))
    tag = paper.answer.to_tag
    paper.receive(written("ACK", to_tag=tag, via="SIP/2.0/UDP 203.0.113.66;branch=z9hG4bKa"), STRANGER)
    assert (paper.application.events, paper.names) == ([], ["200 INVITE"])
    assert paper.counted("ack_from_stranger") == 1


def test_the_contact_and_the_route_set_may_speak(paper: Paper) -> None:
    """A peer that sends from another port than it listens on, and a proxy that recorded itself."""
    tag = answered_call(paper, headers=("Record-Route: <sip:198.51.100.3:5070;lr>",))
    proxy = Address("udp", "198.51.100.3", 5070)
    paper.receive(bye(tag), proxy)
    assert paper.names[-1] == "200 BYE"


def test_any_address_of_a_link_may_speak_for_it(paper: Paper) -> None:
    """A PBX with several sockets is one peer; another link is not."""
    other = Address("udp", "192.0.2.10", 5060)
    paper.application.classes = {PEER.host: "link:pbx", other.host: "link:pbx", STRANGER.host: "link:foe"}
    tag = answered_call(paper)
    paper.receive(bye(tag), STRANGER)
    assert paper.names[-1] == "481 BYE"
    paper.receive(bye(tag).replace(b"z9hG4bKbye", b"z9hG4bKbye2"), other)
    assert paper.names[-1] == "200 BYE"


def test_a_wrong_from_tag_gets_481(paper: Paper) -> None:
    """All three parts of the dialog's name count."""
    tag = answered_call(paper)
    paper.receive(bye(tag, from_tag="guess"))
    assert (paper.names[-1], len(paper.endpoint.calls)) == ("481 BYE", 1)


# -- Replaces


def test_replaces_names_a_call(paper: Paper) -> None:
    """RFC 3891: the application gets the call to replace."""
    tag = answered_call(paper)
    replaced = paper.application.calls[0]
    paper.application.on_invite = lambda call: None
    paper.receive(
        written(
            "INVITE",
            call_id="second",
            from_tag="third",
            via="SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKsecond",
            headers=(f"Replaces: call1;to-tag={tag};from-tag=them",),
            body=SDP,
        )
    )
    assert paper.application.calls[1].replaces is replaced


# -- D: floods and reflection


def test_a_challenge_is_sent_once_and_costs_nothing() -> None:
    """D1: one INVITE without ACK draws exactly one answer in 32 s, and no state."""
    paper = Paper()
    paper.application.default_class = None
    paper.application.denial = lambda request: response_to(
        request, 401, headers=[("WWW-Authenticate", 'Digest realm="r", nonce="n"')]
    )
    paper.receive(written("INVITE", body=SDP), STRANGER)
    paper.clock.advance(32)
    assert paper.names == ["401 INVITE"]
    assert (len(paper.endpoint.layer), paper.application.calls, paper.clock.getDelayedCalls()) == (0, [], [])
    paper.receive(written("ACK", to_tag=paper.answer.to_tag, via="SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKone"))
    assert (len(paper.sent), paper.counted("ack_unmatched")) == (1, 1)


def test_a_denial_may_be_silence(paper: Paper) -> None:
    """C4: those who guess passwords hear nothing."""
    paper.application.denial = lambda request: None
    paper.receive(written("REGISTER"))
    assert (paper.sent, paper.counted("denied")) == ([], 1)


def test_a_stranger_draws_no_more_than_half_again_as_much() -> None:
    """D1: optional headers, then all challenges but the first go; what still is too large is not sent."""
    paper = Paper()
    paper.application.default_class = None
    challenge = 'Digest realm="polyphony", nonce="0123456789abcdef0123456789abcdef", qop="auth"'

    def deny(request: Request) -> Response:
        algorithms = ("SHA-256", "MD5")
        headers = [("WWW-Authenticate", f"{challenge}, algorithm={one}") for one in algorithms]
        return response_to(request, 401, headers=[*headers, ("Allow", "INVITE, ACK"), ("Server", "x" * 50)])

    paper.application.denial = deny
    for padding in (0, 150, 300, 600):
        data = written("REGISTER", headers=(f"X: {'x' * padding}",))
        paper.receive(data, STRANGER)
        assert len(paper.last) <= 1.5 * len(data)
    assert len(paper.answer.headers.get_all("WWW-Authenticate")) == 2
    assert "Server" in paper.answer.headers
    paper.application.denial = lambda request: response_to(request, 401, headers=[("X", "x" * 2000)])
    paper.receive(written("REGISTER"), STRANGER)
    assert (len(paper.sent), paper.counted("reply_too_large")) == (4, 1)


def test_a_large_answer_never_goes_to_a_stranger_over_udp() -> None:
    """D5: 1,300 bytes at most, however large the request; a known peer gets more."""
    paper = Paper()
    paper.application.denial = lambda request: response_to(request, 403, headers=[("X", "x" * 1500)])
    padded = written("OPTIONS", headers=(f"Y: {'y' * 3000}",))
    paper.receive(padded, PEER)
    assert len(paper.last) > 1500
    paper.application.classes[STRANGER.host] = None
    paper.receive(padded, STRANGER)
    assert (len(paper.sent), paper.counted("reply_too_large")) == (1, 1)


def test_a_flooding_stranger_is_dropped_unread_and_a_phone_is_served() -> None:
    """D2: 20,000 invalid REGISTERs; the registered phone's INVITE gets 100 within 200 ms."""
    paper = Paper()
    paper.application.classes = {STRANGER.host: None, PEER.host: "registered"}
    paper.application.denial = lambda request: response_to(request, 401)
    for _ in range(20_000):
        paper.receive(b"REGISTER sip:x SIP/2.0\r\nnonsense\r\n\r\n", STRANGER)
    assert paper.counted("flood_source") == 19_800
    paper.application.denial = None
    paper.receive(written("INVITE", body=SDP), PEER)
    for _ in range(19):
        paper.clock.advance(0.01)
    assert paper.names[-1] == "100 INVITE"


def test_half_set_up_calls_are_bounded() -> None:
    """D3: at the limit 503 with Retry-After, and no state for it; a call that ends makes room."""
    paper = Paper(max_unanswered=2)
    paper.application.on_invite = lambda call: call.ring()
    for index in range(3):
        via = f"SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{index}"
        paper.receive(written("INVITE", call_id=f"call{index}", via=via, body=SDP))
    assert paper.names == ["180 INVITE", "180 INVITE", "503 INVITE"]
    assert "Retry-After" in paper.answer.headers
    assert (len(paper.endpoint.calls), paper.counted("overload_calls")) == (2, 1)
    paper.application.calls[0].reject(486)
    paper.receive(written("INVITE", call_id="call9", via="SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK9", body=SDP))
    assert paper.names[-1] == "180 INVITE"


def test_dialogs_are_bounded() -> None:
    """D3: confirmed calls count too."""
    paper = Paper(max_calls=1)
    answered_call(paper)
    paper.receive(written("INVITE", call_id="call2", via="SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK2", body=SDP))
    assert paper.names[-1] == "503 INVITE"


def test_a_reply_goes_to_the_source_of_the_packet(paper: Paper) -> None:
    """D4: whatever maddr, received, rport, or sent-by say."""
    via = "SIP/2.0/UDP 203.0.113.1:99;branch=z9hG4bKa;maddr=203.0.113.2;received=203.0.113.3;rport=7;ttl=9"
    paper.receive(written("OPTIONS", via=via), STRANGER)
    assert paper.sent[0][1] == STRANGER
    assert (paper.answer.via.received, paper.answer.via.rport) == (STRANGER.host, STRANGER.port)


def test_after_a_flood_nothing_is_left() -> None:
    """D3: 2,000 calls that vanish; 40 s later no transaction, call or timer remains."""
    paper = Paper(max_unanswered=5000)
    for index in range(2000):
        paper.clock.advance(0.001)
        via = f"SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{index}"
        paper.receive(written("INVITE", call_id=f"call{index}", from_tag=str(index), via=via, body=SDP))
        paper.application.calls[-1].reject(486)
    assert len(paper.endpoint.layer) == 2000
    for _ in range(400):
        paper.clock.advance(0.1)
    endpoint = paper.endpoint
    assert (len(endpoint.layer), len(endpoint.calls), paper.clock.getDelayedCalls()) == (0, 0, [])
    assert (len(endpoint.layer._deadlines), len(endpoint.layer._merged), endpoint.dialogs._unanswered) == (
        0,
        0,
        set(),
    )


def test_names_of_messages_are_of_the_wire() -> None:
    """The helper the other tests rely on."""
    assert name(written("ACK")) == "ACK"


def test_the_application_hears_of_a_lost_connection() -> None:
    """Whatever waits for it is ended; a fault of the application is counted, not raised."""
    paper = Paper()
    paper.endpoint.connection_lost(TCP, "closed")
    assert paper.application.lost == [TCP]

    def broken(flow: Flow) -> None:
        raise RuntimeError

    paper.application.connection_lost = broken  # type: ignore[method-assign]
    paper.endpoint.connection_lost(TCP, "closed")
    assert paper.counted("application_error") == 1
