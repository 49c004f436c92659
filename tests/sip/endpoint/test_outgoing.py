"""Calls and requests that an endpoint sends (RFC 3261 8.1, 9, 13, 15; RFC 3263; security rules B5, C5, G3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from sip.call import Call
from sip.client_requests import RequestFailed
from sip.errors import Misuse, SipError
from sip.flow import Address, Flow
from sip.message import Request, Response, response_to
from sip.session.outputs import Answered, Confirmed, EndCause, Ended, Event, Progress
from sip.uri import NameAddr, Uri
from tests.sip.endpoint.paper import Pair, Paper
from tests.sip.wire import SDP, US, as_request, written

BOB = Uri.parse("sip:bob@192.0.2.2")
ALICE = NameAddr(None, Uri.parse("sip:alice@192.0.2.1"))


@pytest.fixture
def pair() -> Pair:
    return Pair()


def call_bob(pair: Pair, target: Uri = BOB, **parts: Any) -> tuple[Call, list[Event]]:
    events: list[Event] = []
    call = pair.a.endpoint.call(
        target=target, from_=ALICE, to=NameAddr(None, target), offer=SDP, on_event=events.append, **parts
    )
    return call, events


def options(paper: Paper, target: str = "sip:192.0.2.2") -> Request:
    uri = Uri.parse(target)
    return paper.endpoint.new_request("OPTIONS", uri, from_=ALICE, to=NameAddr(None, uri))


def result_of(deferred: Deferred[Response]) -> list[Any]:
    """Collect what a Deferred fires with."""
    found: list[Any] = []
    deferred.addBoth(found.append)
    return found


class Challenged:
    """Credentials that answer anything."""

    def __init__(self) -> None:
        self.asked = 0

    def answer(self, response: Response, request: Request, now: float) -> tuple[str, str] | None:
        self.asked += 1
        return "Authorization", f"Digest try={self.asked}"


class Book:
    """A resolver with a fixed answer."""

    def __init__(self, *addresses: Address) -> None:
        self.addresses = list(addresses)
        self.asked: list[str] = []
        self.learnt: list[tuple[str, Address]] = []

    def failed(self, address: Address, now: float) -> None:
        self.learnt.append(("failed", address))

    def answered(self, address: Address) -> None:
        self.learnt.append(("answered", address))

    def resolve(self, uri: Uri, now: float) -> Deferred[list[Address]]:
        self.asked.append(str(uri))
        if not self.addresses:
            raise SipError("no such host")
        return succeed(list(self.addresses))


def with_book(pair: Pair, *addresses: Address) -> Book:
    book = Book(*addresses)
    pair.a.endpoint.requests._resolver = book
    return book


# -- calls


def test_a_call_is_placed_answered_and_ended_by_the_caller(pair: Pair) -> None:
    """The whole of it, between two endpoints."""

    def ring_and_answer(call: Call) -> None:
        call.ring()
        call.answer(SDP)

    pair.b.application.on_invite = ring_and_answer
    call, events = call_bob(pair)
    assert events == []
    pair.pass_time(0.1)
    assert events == [Progress(180, None), Answered(SDP)]
    assert pair.b.application.events == [Confirmed(None)]
    assert call.flow.remote.host == "192.0.2.2"
    call.hangup()
    pair.pass_time(0.1)
    assert pair.wire == ["INVITE", "180 INVITE", "200 INVITE", "ACK", "BYE", "200 BYE"]
    assert (events[-1], pair.b.application.events[-1]) == (
        Ended(EndCause.LOCAL_BYE),
        Ended(EndCause.REMOTE_BYE),
    )
    pair.pass_time(40)
    assert (len(pair.a.endpoint.calls), len(pair.b.endpoint.calls), pair.clock.getDelayedCalls()) == (
        0,
        0,
        [],
    )


def test_the_callee_hangs_up(pair: Pair) -> None:
    """Its BYE finds the caller's call."""
    pair.b.application.on_invite = lambda call: call.answer(SDP)
    _, events = call_bob(pair)
    pair.pass_time(0.1)
    pair.b.application.calls[0].hangup()
    pair.pass_time(0.1)
    assert events[-1] == Ended(EndCause.REMOTE_BYE)


@pytest.mark.parametrize("lost", ["INVITE", "200 INVITE", "ACK", "BYE", "200 BYE"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_call_survives_losses(pair: Pair, lost: str, times: int) -> None:
    """Any message lost once or twice is repaired by whoever must repeat it."""
    left = [times]

    def loses(message: str) -> bool:
        if message == lost and left[0]:
            left[0] -= 1
            return True
        return False

    pair.loses = loses
    pair.b.application.on_invite = lambda call: call.answer(SDP)
    call, events = call_bob(pair)
    pair.pass_time(4)
    call.hangup()
    pair.pass_time(4)
    assert events == [Answered(SDP), Ended(EndCause.LOCAL_BYE)]
    assert pair.b.application.events == [Confirmed(None), Ended(EndCause.REMOTE_BYE)]


def test_a_cancelled_call(pair: Pair) -> None:
    """CANCEL, 487 and its ACK."""
    pair.b.application.on_invite = lambda call: call.ring()
    call, events = call_bob(pair)
    pair.pass_time(0.1)
    call.hangup()
    pair.pass_time(0.1)
    assert pair.wire[2:] == ["CANCEL", "200 CANCEL", "487 INVITE", "ACK"]
    assert isinstance(events[-1], Ended)
    assert pair.b.application.events == [Ended(EndCause.CANCELLED, 487, "Request Terminated")]


def test_a_call_nobody_answers_ends(pair: Pair) -> None:
    """Timer B; the application hears so once."""
    pair.loses = lambda message: True
    _, events = call_bob(pair)
    pair.pass_time(40)
    assert [type(event) for event in events] == [Ended]
    assert (len(pair.a.endpoint.calls), pair.clock.getDelayedCalls()) == (0, [])


def test_a_call_that_cannot_be_sent_ends(pair: Pair) -> None:
    """The system refuses the datagram: no waiting, and never before ``call`` returns."""
    pair.a.socket.error = OSError(101, "Network is unreachable")
    _, events = call_bob(pair)
    assert events == []
    pair.pass_time(0.05)
    assert [type(event) for event in events] == [Ended]
    assert pair.a.counted("send_failed") == 1


def test_a_call_hung_up_before_its_address_is_known(pair: Pair) -> None:
    """No INVITE goes out."""
    waiting: Deferred[list[Address]] = Deferred()
    book = with_book(pair, Address("udp", "192.0.2.2", 5060))
    book.resolve = lambda uri, now: waiting  # type: ignore[method-assign]
    call, events = call_bob(pair, Uri.parse("sip:bob@example.com"))
    pair.pass_time(0.05)
    call.hangup()
    waiting.callback([Address("udp", "192.0.2.2", 5060)])
    pair.pass_time(1)
    assert (pair.wire, [type(event) for event in events]) == ([], [Ended])


def test_a_call_has_no_flow_before_it_is_answered(pair: Pair) -> None:
    """Asking for it is a bug of ours, and loud; so is the INVITE of a call we placed."""
    call, _ = call_bob(pair)
    with pytest.raises(Misuse):
        _ = call.flow
    with pytest.raises(Misuse):
        _ = call.request


def test_a_call_over_the_flow_of_a_registration(pair: Pair) -> None:
    """The Contact is behind a NAT: the flow is used for the INVITE and everything after."""
    flow = pair.a.port.flow_to("192.0.2.2", 5060)
    pair.b.application.on_invite = lambda call: call.answer(SDP)
    call, events = call_bob(pair, Uri.parse("sip:bob@10.0.0.7:1234"), flow=flow)
    pair.pass_time(0.1)
    call.hangup()
    pair.pass_time(0.1)
    assert events[-1] == Ended(EndCause.LOCAL_BYE)
    assert {to.host for _, to in pair.a.sent} == {"192.0.2.2"}


def test_a_call_through_a_link(pair: Pair) -> None:
    """``next_hop`` says where, the target what."""
    call_bob(pair, Uri.parse("sip:bob@example.com"), next_hop=Uri.parse("sip:192.0.2.2"))
    pair.pass_time(0.05)
    assert as_request(pair.a.sent[0][0]).uri == "sip:bob@example.com"
    assert pair.a.sent[0][1].host == "192.0.2.2"


def test_a_forked_2xx_after_the_transaction_still_reaches_the_session(pair: Pair) -> None:
    """A second fork answers after 64*T1: it gets ACK and BYE (13.2.2.4)."""
    pair.b.application.on_invite = lambda call: call.answer(SDP)
    call_bob(pair)
    pair.pass_time(33)
    invite = as_request(pair.a.sent[0][0])
    headers = [("Contact", "<sip:other@192.0.2.2>")]
    fork = response_to(invite, 200, to_tag="fork", headers=headers, body=SDP, content_type="application/sdp")
    pair.a.receive(fork.serialise(), Address("udp", "192.0.2.2", 5060))
    assert pair.a.names[-2:] == ["ACK", "BYE"]
    pair.a.receive(fork.serialise(), Address("udp", "203.0.113.66", 5060))
    assert pair.a.counted("response_stray") == 1


# -- requests outside of dialogs


def test_a_request_is_answered(pair: Pair) -> None:
    """With the headers of 8.1.1, and our User-Agent."""
    pair = Pair(user_agent="Polyphony")
    heard = result_of(pair.a.endpoint.request(options(pair.a)))
    pair.pass_time(0.1)
    assert heard[0].status == 200
    sent = as_request(pair.a.sent[0][0])
    assert (sent.max_forwards, sent.headers.get("User-Agent")) == (70, "Polyphony")


def test_silence_fails_it_after_timer_f(pair: Pair) -> None:
    """Or earlier, when so asked; nothing is left behind."""
    pair.loses = lambda message: True
    slow = result_of(pair.a.endpoint.request(options(pair.a)))
    quick = result_of(pair.a.endpoint.request(options(pair.a), timeout=2.0))
    pair.pass_time(2.1)
    assert (failure_reason(quick), slow) == ("timeout", [])
    pair.pass_time(38)
    assert failure_reason(slow) == "timeout"
    assert (len(pair.a.endpoint.layer), pair.clock.getDelayedCalls()) == (0, [])


def failure_reason(found: list[Any]) -> str:
    assert len(found) == 1
    assert isinstance(found[0], Failure)
    assert isinstance(found[0].value, RequestFailed)
    return found[0].value.reason


def test_a_request_may_be_given_up(pair: Pair) -> None:
    """Cancelling the Deferred stops its timer; a late answer is ignored."""
    asked = pair.a.endpoint.request(options(pair.a), timeout=9.0)
    heard = result_of(asked)
    asked.cancel()
    pair.pass_time(45)
    assert (len(heard), pair.clock.getDelayedCalls()) == (1, [])


def test_a_challenge_is_answered_at_most_twice(pair: Pair) -> None:
    """C5: then the 401 is what the caller gets; the CSeq rises, the Call-ID stays."""
    pair.b.application.denial = lambda request: response_to(request, 401)
    credentials = Challenged()
    heard = result_of(pair.a.endpoint.request(options(pair.a), credentials=credentials))
    pair.pass_time(0.2)
    sent = [as_request(data) for data, _ in pair.a.sent]
    assert ([request.cseq.number for request in sent], heard[0].status) == ([1, 2, 3], 401)
    assert len({request.call_id for request in sent}) == 1
    assert [request.headers.get("Authorization") for request in sent] == [
        None,
        "Digest try=1",
        "Digest try=2",
    ]


def test_without_credentials_a_challenge_is_the_answer(pair: Pair) -> None:
    """Nothing is repeated."""
    pair.b.application.denial = lambda request: response_to(request, 401)
    heard = result_of(pair.a.endpoint.request(options(pair.a)))
    pair.pass_time(0.2)
    assert (heard[0].status, len(pair.a.sent)) == (401, 1)


def test_the_next_address_is_tried(pair: Pair) -> None:
    """RFC 3263 section 4.3: after silence, after 503, after a send error; each attempt has a new branch."""
    dead, alive = Address("udp", "192.0.2.99", 5060), Address("udp", "192.0.2.2", 5060)
    book = with_book(pair, dead, alive)
    heard = result_of(pair.a.endpoint.request(options(pair.a, "sip:example.com")))
    pair.pass_time(33)
    assert heard[0].status == 200
    assert book.learnt == [("failed", dead), ("answered", alive)]
    assert len({as_request(data).via.branch for data, _ in pair.a.sent}) == 2


def test_503_means_the_next_address_while_there_is_one(pair: Pair) -> None:
    """The last one's 503 is the answer."""
    busy = Address("udp", "192.0.2.2", 5060)
    book = with_book(pair, busy, busy)
    pair.b.application.denial = lambda request: response_to(request, 503)
    heard = result_of(pair.a.endpoint.request(options(pair.a, "sip:example.com")))
    pair.pass_time(1)
    assert (heard[0].status, len(pair.a.sent)) == (503, 2)
    assert book.learnt == [("failed", busy)] * 2


def test_a_name_nobody_knows(pair: Pair) -> None:
    """Unresolved, with a resolver and without."""
    heard = result_of(pair.a.endpoint.request(options(pair.a, "sip:example.com")))
    with_book(pair)
    heard_too = result_of(pair.a.endpoint.request(options(pair.a, "sip:example.com")))
    assert (failure_reason(heard), failure_reason(heard_too)) == ("unresolved", "unresolved")
    assert pair.a.counted("unresolved") == 2


def test_sips_takes_no_other_way_than_tls(pair: Pair) -> None:
    """G3: whatever a resolver says, and although UDP would work."""
    with_book(pair, Address("udp", "192.0.2.2", 5060))
    heard = result_of(pair.a.endpoint.request(options(pair.a, "sips:example.com")))
    pair.pass_time(1)
    assert (failure_reason(heard), pair.wire) == ("transport", [])
    heard = result_of(pair.a.endpoint.request(options(pair.a, "sips:192.0.2.2")))
    assert (failure_reason(heard), pair.wire) == ("transport", [])


def test_an_address_family_we_do_not_have(pair: Pair) -> None:
    """No socket, no way."""
    heard = result_of(pair.a.endpoint.request(options(pair.a, "sip:[2001:db8::1]")))
    assert failure_reason(heard) == "transport"


def test_a_response_that_is_too_late_is_counted(pair: Pair) -> None:
    """The server's answer cannot be sent: counted, and over."""
    waiting: list[Callable[[], None]] = []
    application = pair.b.application
    application.request_received = (  # type: ignore[method-assign]
        lambda request, transaction, flow, identity: waiting.append(
            lambda: pair.b.endpoint.respond(transaction, response_to(request, 200, to_tag="b"))
        )
    )
    result_of(pair.a.endpoint.request(options(pair.a), timeout=1.0))
    pair.pass_time(0.1)
    pair.b.socket.error = OSError(1, "Operation not permitted")
    waiting[0]()
    assert (pair.b.counted("answer_transport"), len(pair.b.endpoint.layer)) == (1, 0)


# -- ways within a dialog


def incoming_through_proxy(paper: Paper, contact: str, *, recorded: bool, peer_class: str | None) -> Call:
    """A call that came through a proxy at 192.0.2.9, from a phone at ``contact``."""
    paper.application.default_class = peer_class
    paper.application.on_invite = lambda call: call.answer(SDP)
    lines = [
        "INVITE sip:7000@192.0.2.1 SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKproxy",
        "Via: SIP/2.0/UDP 10.0.0.7;branch=z9hG4bKphone",
        *(["Record-Route: <sip:192.0.2.9;lr>"] if recorded else []),
        "From: <sip:phone@example.com>;tag=phone",
        "To: <sip:7000@192.0.2.1>",
        "Call-ID: proxied",
        "CSeq: 1 INVITE",
        f"Contact: <{contact}>",
        "Content-Type: application/sdp",
        f"Content-Length: {len(SDP)}",
    ]
    proxy = Address("udp", "192.0.2.9", 5060)
    paper.receive("\r\n".join(lines).encode() + b"\r\n\r\n" + SDP, proxy)
    tag = paper.answer.to_tag
    ack = [line for line in lines if not line.startswith(("Content", "Record", "Contact"))]
    text = "\r\n".join(ack).replace("INVITE", "ACK").replace("proxy", "ackproxy")
    text = text.replace("To: <sip:7000@192.0.2.1>", f"To: <sip:7000@192.0.2.1>;tag={tag}")
    paper.receive(text.encode() + b"\r\nContent-Length: 0\r\n\r\n", proxy)
    return paper.application.calls[0]


@pytest.mark.parametrize(
    ("recorded", "peer_class", "where"),
    [
        (True, "link:pbx", "192.0.2.9"),  # the proxy stays in the path
        (False, "link:pbx", "198.51.100.7"),  # it has left it: straight to the Contact
        (False, None, "192.0.2.9"),  # rule B5: not where a stranger points
    ],
)
def test_a_bye_takes_the_route_of_the_dialog(recorded: bool, peer_class: str | None, where: str) -> None:
    """12.2.1.1, but for strangers."""
    paper = Paper()
    call = incoming_through_proxy(paper, "sip:phone@198.51.100.7", recorded=recorded, peer_class=peer_class)
    call.hangup()
    assert (paper.names[-1], paper.sent[-1][1].host) == ("BYE", where)


def test_a_strangers_dialog_without_its_flow_goes_nowhere() -> None:
    """B5: its connection is gone, and no other is opened."""
    paper = Paper()
    call = incoming_through_proxy(paper, "sip:phone@198.51.100.7", recorded=False, peer_class=None)
    call.known_flow = Flow(US, Address("tcp", "192.0.2.9", 4000), 99)
    call.hangup()
    assert paper.names[-1] == "200 INVITE"
    assert isinstance(paper.application.events[-1], Ended)


def test_the_ack_to_a_2xx_follows_the_route_too(pair: Pair) -> None:
    """The 2xx came through a proxy that left the path: the ACK goes to the Contact, by name if it has one."""
    book = with_book(pair, Address("udp", "192.0.2.2", 5099))
    call_bob(pair)
    pair.pass_time(0.05)
    invite = as_request(pair.a.sent[0][0])
    headers = [("Contact", "<sip:bob@phone.example>")]
    ok = response_to(invite, 200, to_tag="bob", headers=headers, body=SDP, content_type="application/sdp")
    pair.a.receive(ok.serialise(), Address("udp", "192.0.2.2", 5060))
    assert (pair.a.names[-1], pair.a.sent[-1][1].port) == ("ACK", 5099)
    assert book.asked == ["sip:bob@phone.example"]
    book.addresses.clear()
    pair.a.receive(ok.serialise(), Address("udp", "192.0.2.2", 5060))
    assert pair.a.counted("ack_unsent") == 1


def test_find_replaced_needs_all_three_names(pair: Pair) -> None:
    """RFC 3891: Call-ID and both tags."""
    pair.b.application.on_invite = lambda call: call.answer(SDP)
    call, _ = call_bob(pair)
    pair.pass_time(0.1)
    replaces = pair.b.application.calls[0].session.replaces()
    assert replaces is not None
    assert pair.a.endpoint.find_replaced(replaces) is call
    assert pair.a.endpoint.find_replaced(replace(replaces, from_tag="x")) is None
    assert pair.a.endpoint.find_replaced(replace(replaces, to_tag="x")) is None


def test_other_dialogs_can_be_looked_after(pair: Pair) -> None:
    """A subscription of the application gets the requests of its dialog."""

    class Subscription:
        known_flow: Flow | None = None
        peer_class: str | None = None

        def __init__(self) -> None:
            self.heard: list[str] = []

        def receive_request(self, request: Request, transaction: Any) -> None:
            self.heard.append(request.method)
            pair.a.endpoint.respond(transaction, response_to(request, 200))

        def route(self) -> list[Uri]:
            return []

    subscription = Subscription()
    pair.a.endpoint.dialogs.add("call1", "ours", subscription)
    notify = written("NOTIFY", to_tag="ours")
    pair.a.receive(notify)
    pair.a.endpoint.dialogs.remove("call1", "ours")
    pair.a.receive(notify.replace(b"z9hG4bKone", b"z9hG4bKtwo"))
    assert (subscription.heard, pair.a.names) == (["NOTIFY"], ["200 NOTIFY", "481 NOTIFY"])
