"""Other requests within a session, and what is refused there (RFC 3261 section 12.2.2, RFC 6086)."""

from __future__ import annotations

import pytest

from sip.message import Request, Response
from sip.session.outputs import EndCause, Ended, InfoReceived, MessageReceived
from tests.sip.session.conversation import ANSWER, OFFER, Conversation, established, ringing, settings

MIXED = (
    b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/sdp\r\n\r\n"
    + OFFER
    + b"\r\n--b--\r\n"
)


def send(
    call: Conversation, method: str, body: bytes = b"", content_type: str = "text/plain", **headers: str
) -> Request:
    """Have the callee receive a request of the caller's dialog; returns the request."""
    dialog = call.caller.s.dialog
    assert dialog is not None
    fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
    request = dialog.new_request(method, fields, body, content_type)
    request.headers.prepend("Via", "SIP/2.0/UDP x.example;branch=z9hG4bKhand")
    deliver(call, request)
    return request


def deliver(call: Conversation, request: Request) -> None:
    call.callee.s.receive_request(request, ("caller", 777), call.now)
    call._drain()


def test_info_and_message_between_sessions() -> None:
    call = established()
    call.caller.do("info", "application/dtmf-relay", b"Signal=5\r\n")
    call.callee.do("message", "text/plain", "grüß".encode())
    assert call.callee.events == [InfoReceived("application/dtmf-relay", b"Signal=5\r\n")]
    assert call.caller.events == [MessageReceived("text/plain", "grüß".encode())]
    assert call.caller.names == ["INFO", "200 MESSAGE"]


def test_an_empty_info_is_a_keep_alive() -> None:
    call = established()
    send(call, "INFO")
    assert (call.callee.names, call.callee.events) == (["200 INFO"], [])


@pytest.mark.parametrize("method", ["INFO", "MESSAGE"])
def test_an_unknown_body_is_refused_with_what_is_taken(method: str) -> None:
    call = established()
    send(call, method, b"x", "application/weird")
    assert call.callee.names == [f"415 {method}"]
    assert call.callee.sent[0].headers.get("accept")


@pytest.mark.parametrize("method", ["INFO", "MESSAGE", "INVITE", "UPDATE"])
def test_an_encoded_body_is_refused(method: str) -> None:
    """Security A9."""
    call = established()
    send(call, method, b"x", "application/sdp", Content_Encoding="gzip")
    assert call.callee.names == [f"415 {method}"]
    assert call.callee.sent[0].headers.get("accept-encoding") == "identity"


def test_info_packages() -> None:
    """RFC 6086 section 4.2.2: one we did not announce is answered 469."""
    call = established()
    send(call, "INFO", b"x", "text/odd", Info_Package="foo")
    assert call.callee.names == ["469 INFO"]
    call = established(callee=settings(info_packages=("foo",)))
    send(call, "INFO", b"x", "text/odd", Info_Package="foo;v=1")
    assert call.callee.events == [InfoReceived("text/odd", b"x")]


def test_a_whole_type_can_be_taken() -> None:
    call = established(callee=settings(message_types=("text/*",)))
    send(call, "MESSAGE", b"<b>", "text/html")
    assert call.callee.events == [MessageReceived("text/html", b"<b>")]


def test_options_tells_what_we_can() -> None:
    call = established()
    send(call, "OPTIONS")
    response = call.callee.sent[0]
    assert isinstance(response, Response)
    assert response.status == 200
    assert "application/sdp" in (response.headers.get("accept") or "")
    assert "BYE" in response.allow


@pytest.mark.parametrize("method", ["PUBLISH", "REGISTER", "FOO", "PRACK"])
def test_other_methods(method: str) -> None:
    call = established()
    send(call, method)
    assert call.callee.names == [("400 " if method == "PRACK" else "405 ") + method]


def test_a_caller_gets_no_prack() -> None:
    call = established()
    dialog = call.callee.s.dialog
    assert dialog is not None
    request = dialog.new_request("PRACK")
    request.headers.prepend("Via", "SIP/2.0/UDP x;branch=z9hG4bKx")
    call.caller.s.receive_request(request, ("callee", 9), call.now)
    call._drain()
    assert call.caller.names == ["405 PRACK"]


@pytest.mark.parametrize("method", ["INFO", "INVITE", "BYE", "REFER"])
def test_an_unknown_extension_is_refused(method: str) -> None:
    """Security A9, RFC 3261 section 8.2.2.3."""
    call = established()
    send(call, method, Require="timer, foo, bar")
    assert call.callee.names == [f"420 {method}"]
    assert call.callee.sent[0].headers.get("unsupported") == "foo, bar"
    assert call.callee.events == []


@pytest.mark.parametrize("step", [0, -1])
def test_an_old_cseq_has_no_effect(step: int) -> None:
    """RFC 3261 section 12.2.2 and security C9: 500, and a replayed BYE ends nothing."""
    call = established()
    first = send(call, "INFO")
    replay = Request("BYE", first.uri, first.headers.copy())
    replay.headers.set("CSeq", f"{first.cseq.number + step} BYE")
    deliver(call, replay)
    assert call.callee.names == ["200 INFO", "500 BYE"]
    assert not call.callee.s.ended


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("To", "<sip:bob@example.com>;tag=guess"),
        ("To", "<sip:bob@example.com>"),
        ("From", "<sip:alice@example.com>;tag=guess"),
        ("Call-ID", "other"),
    ],
)
@pytest.mark.parametrize("method", ["BYE", "INVITE", "UPDATE", "NOTIFY"])
def test_guessed_tags_get_481(method: str, header: str, value: str) -> None:
    """Security C9."""
    call = established()
    dialog = call.caller.s.dialog
    assert dialog is not None
    request = dialog.new_request(method, (), OFFER, "application/sdp")
    request.headers.prepend("Via", "SIP/2.0/UDP x.example;branch=z9hG4bKhand")
    request.headers.set(header, value)
    deliver(call, request)
    assert call.callee.names == [f"481 {method}"]
    assert call.callee.events == []


def test_after_the_end_only_a_bye_is_right() -> None:
    call = established()
    call.callee.s.hangup(call.now)
    call._drain()
    send(call, "INFO")
    send(call, "BYE")
    assert call.callee.names == ["BYE", "481 INFO", "200 BYE"]
    assert call.callee.events == [Ended(EndCause.LOCAL_BYE)]


class TestInviteAdmission:
    """What the session itself refuses of a first INVITE."""

    @staticmethod
    def refused(status: int, *headers: tuple[str, str], drop: str = "") -> Conversation:
        call = Conversation(headers=headers)
        invite = call.first_invite
        if drop:
            invite.headers.remove(drop)
        call.flow()
        assert call.callee.s.ended
        assert call.caller.last.status == status
        assert call.callee.s.terminated
        return call

    def test_unknown_extension(self) -> None:
        call = self.refused(420, ("Require", "foo"))
        assert call.callee.sent[0].headers.get("unsupported") == "foo"

    def test_no_contact(self) -> None:
        self.refused(400, drop="Contact")

    def test_unreadable_replaces(self) -> None:
        self.refused(400, ("Replaces", "x;to-tag=1"))

    def test_a_good_replaces_passes(self) -> None:
        call = ringing(headers=(("Replaces", "x;to-tag=1;from-tag=2"), ("Require", "replaces")))
        assert not call.callee.s.ended

    def test_unknown_body(self) -> None:
        call = typed("text/plain")
        assert call.caller.last.status == 415
        assert "application/sdp" in (call.callee.sent[0].headers.get("accept") or "")

    def test_an_optional_unknown_body_is_passed_over(self) -> None:
        call = typed("text/plain", ("Content-Disposition", "render; handling = optional"))
        assert call.callee.s.remote_offer is None
        assert not call.callee.s.ended

    def test_a_description_among_other_parts(self) -> None:
        """RFC 5621."""
        call = typed("multipart/mixed;boundary=b", body=MIXED)
        assert call.callee.s.remote_offer == OFFER
        call.callee.do("answer", ANSWER)
        assert call.caller.kinds == ["Answered"]

    def test_parts_without_a_description(self) -> None:
        call = typed(
            "multipart/mixed;boundary=b", body=b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n"
        )
        assert call.caller.last.status == 415

    def test_an_unclosed_part(self) -> None:
        """Security A12."""
        call = typed("multipart/mixed;boundary=b", body=b"--b\r\nContent-Type: application/sdp\r\n\r\nv=0")
        assert call.caller.last.status == 400


def typed(content_type: str, *headers: tuple[str, str], body: bytes = OFFER) -> Conversation:
    """A call whose INVITE has another body."""
    call = Conversation(headers=headers)
    invite = call.first_invite
    invite.set_body(body, content_type)
    call.flow()
    return call


def test_a_broken_multipart_in_an_ack_is_no_answer() -> None:
    call = ringing(offer=None)
    call.callee.do("answer", OFFER)
    dialog = call.caller.s.dialog
    assert dialog is not None
    ack = dialog.new_request("ACK", (), b"--b\r\n", "multipart/mixed;boundary=b", cseq=1)
    call.callee.s.receive_ack(ack, call.now)
    call._drain()
    assert call.callee.last == Ended(EndCause.BAD_ANSWER)


def test_a_broken_multipart_in_a_response_is_no_answer() -> None:
    call = ringing()
    uas = call.callee.s._uas
    assert uas is not None
    context = call.callee.s._context
    response = context.build_response(uas._request, 200, context.contact)
    response.set_body(b"--b\r\n", "multipart/mixed;boundary=b")
    call.caller.s.receive_response(1, response, call.now)
    call.flow()
    assert call.caller.last == Ended(EndCause.BAD_ANSWER)


@pytest.mark.parametrize("nth", range(1, 16))
def test_a_whole_conversation_survives_the_loss_of_any_one_message(nth: int) -> None:
    """Fault mode: ring, answer, hold, digits, hang up; the nth message of all is lost."""
    count = 0

    def loses(name: str, _: int) -> bool:
        nonlocal count
        count += 1
        return count == nth

    call = ringing(loses=loses)
    call.advance(1)
    call.callee.do("progress", 183, ANSWER)
    call.advance(2)
    call.callee.do("answer", ANSWER)
    call.advance(2)
    call.caller.do("offer", OFFER)
    call.advance(1)
    call.callee.do("answer_offer", ANSWER)
    call.advance(2)
    call.caller.do("info", "application/dtmf", b"5")
    call.advance(1)
    call.caller.do("hangup")
    call.advance(70)
    assert [kind for kind in call.callee.kinds if kind != "Progress"] == [
        "Confirmed",
        "OfferReceived",
        "InfoReceived",
        "Ended",
    ]
    assert [kind for kind in call.caller.kinds if kind != "Progress"] == [
        "Answered",
        "AnswerReceived",
        "Ended",
    ]
    assert call.caller.s.terminated
    assert call.callee.s.terminated
