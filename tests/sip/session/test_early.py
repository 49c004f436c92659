"""Before the answer: reliable provisional responses, forks, challenges, redirection."""

from __future__ import annotations

from typing import Any

import pytest

from sip.message import Request, Response
from sip.session.outputs import (
    Answered,
    AnswerReceived,
    CancelRequest,
    Confirmed,
    EndCause,
    Ended,
    OfferReceived,
    Progress,
    Redirected,
    SendAck,
    SendRequest,
)
from tests.sip.session.conversation import (
    ANSWER,
    HELD,
    HOLD,
    OFFER,
    Conversation,
    ringing,
    settings,
)


class Caller:
    """A caller alone; responses are written by hand."""

    def __init__(self, **options: Any) -> None:
        self.call = Conversation(**options)
        self.session = self.call.caller.s
        self.now = self.call.now
        self.requests: list[tuple[int, Request]] = []
        self.acks: list[Request] = []
        self.cancels: list[int] = []
        self.events: list[Any] = []
        self.take()

    def take(self) -> None:
        for output in self.session.take_outputs():
            if isinstance(output, SendRequest):
                self.requests.append((output.key, output.request))
            elif isinstance(output, SendAck):
                self.acks.append(output.request)
            elif isinstance(output, CancelRequest):
                self.cancels.append(output.key)
            else:
                self.events.append(output)

    @property
    def methods(self) -> list[str]:
        return [request.method for _, request in self.requests]

    @property
    def last(self) -> Request:
        return self.requests[-1][1]

    def gets(
        self,
        status: int,
        tag: str = "",
        body: bytes = b"",
        *,
        nth: int = -1,
        stray: bool = False,
        **headers: str,
    ) -> None:
        """Answer the nth request."""
        key, request = self.requests[nth]
        fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
        response = Response(status, "", [("From", request.headers.get("from") or "")])
        to = request.headers.get("to") or ""
        response.headers.add("To", f"{to};tag={tag}" if tag else to)
        response.headers.add("Call-ID", request.call_id)
        response.headers.add("CSeq", request.headers.get("cseq") or "")
        if status < 300 and "Contact" not in headers:
            response.headers.add("Contact", f"<sip:{tag or 'x'}@192.0.2.9>")
        for name, value in fields:
            response.headers.add(name, value)
        if body:
            response.set_body(body, "application/sdp")
        self.session.receive_response(None if stray else key, response, self.now)
        self.take()

    def gives(self, command: str, *arguments: Any) -> None:
        getattr(self.session, command)(*arguments, now=self.now)
        self.take()

    def waits(self, seconds: float) -> None:
        self.now += seconds
        self.session.handle_timer(self.now)
        self.take()


class TestReliable:
    """RFC 3262 between two sessions."""

    @pytest.mark.parametrize("lost", [0, 1, 3])
    def test_a_description_goes_reliably_and_is_acknowledged(self, lost: int) -> None:
        call = ringing(loses=lambda name, nth: name == "183 INVITE" and nth <= lost)
        call.callee.do("progress", 183, ANSWER)
        call.advance(10)
        assert call.caller.events == [Progress(183, ANSWER)]
        assert call.caller.count("PRACK") == 1
        assert call.callee.count("183 INVITE") == lost + 1
        call.callee.do("answer", ANSWER)
        assert call.callee.sent_named("200 INVITE")[0].body == b""
        assert call.caller.last == Answered(ANSWER)
        assert call.callee.events == [Confirmed(None)]

    def test_the_answer_waits_for_the_prack(self) -> None:
        """RFC 3262 section 3: no 2xx while a description is unacknowledged."""
        call = ringing(loses=lambda name, nth: name == "183 INVITE" and nth == 1)
        call.callee.do("progress", 183, ANSWER)
        call.callee.do("answer", ANSWER)
        assert "200 INVITE" not in call.callee.names
        call.advance(2)
        assert call.callee.names[-2:] == ["200 PRACK", "200 INVITE"]
        assert call.caller.kinds == ["Progress", "Answered"]

    def test_they_keep_their_order(self) -> None:
        required = settings(reliable_provisionals="required")
        call = ringing(
            caller=required, callee=required, loses=lambda name, nth: name == "180 INVITE" and nth == 1
        )
        call.callee.do("ring")
        call.callee.do("progress", 183, ANSWER)
        assert "183 INVITE" not in call.callee.names
        call.advance(3)
        assert [event.status for event in call.caller.of(Progress)] == [180, 183]
        first, second = [int(p.headers.get("rack").split()[0]) for p in call.caller.sent_named("PRACK")]
        assert second == first + 1
        assert call.caller.sent_named("INVITE")[0].require == ["100rel"]

    def test_ringing_needs_no_prack_unless_asked(self) -> None:
        call = ringing()
        call.callee.do("ring")
        assert call.callee.sent[-1].require == []
        strict = ringing(caller=settings(reliable_provisionals="required"))
        strict.callee.do("ring")
        assert strict.callee.sent_named("180 INVITE")[0].require == ["100rel"]

    def test_a_caller_without_it_gets_none(self) -> None:
        call = ringing(caller=settings(reliable_provisionals="never"))
        call.callee.do("progress", 183, ANSWER)
        assert "rseq" not in call.callee.sent[-1].headers
        call.callee.do("answer", ANSWER)
        assert call.callee.sent_named("200 INVITE")[0].body == ANSWER
        assert call.caller.events == [Progress(183, ANSWER), Answered(ANSWER)]

    def test_a_callee_may_require_it(self) -> None:
        call = ringing(
            caller=settings(reliable_provisionals="never"), callee=settings(reliable_provisionals="required")
        )
        assert call.caller.last == Ended(EndCause.REJECTED, 421, "Extension Required")

    def test_a_callee_without_it_refuses_a_caller_who_requires_it(self) -> None:
        call = ringing(
            caller=settings(reliable_provisionals="required"), callee=settings(reliable_provisionals="never")
        )
        assert call.caller.last == Ended(EndCause.REJECTED, 420, "Bad Extension")
        assert call.callee.sent[0].headers.get("unsupported") == "100rel"

    def test_no_prack_at_all_refuses_the_call(self) -> None:
        """Section 3: after 64*T1 the INVITE is rejected with a 5xx."""
        call = ringing(loses=lambda name, nth: name == "183 INVITE")
        call.callee.do("progress", 183, ANSWER)
        call.advance(33)
        assert call.callee.last.cause is EndCause.PRACK_TIMEOUT
        assert call.caller.last == Ended(EndCause.REJECTED, 504, "Server Time-out")
        assert call.callee.count("183 INVITE") == 7

    def test_the_offer_may_come_in_the_provisional_response(self) -> None:
        """Section 5: INVITE without description, offer in the 183, answer in the PRACK."""
        call = ringing(offer=None)
        call.callee.do("progress", 183, OFFER)
        assert call.caller.events == [Progress(183, None), OfferReceived(OFFER)]
        call.callee.do("answer", OFFER)
        assert "200 INVITE" not in call.callee.names
        call.caller.do("answer_offer", ANSWER)
        assert call.callee.events == [AnswerReceived(ANSWER), Confirmed(None)]
        assert call.caller.last == Answered(None)
        assert call.callee.sent_named("200 INVITE")[0].body == b""
        assert (call.caller.s.local_sdp, call.callee.s.local_sdp) == (ANSWER, OFFER)

    def test_update_in_the_early_dialog(self) -> None:
        """RFC 3311: once the first exchange is complete."""
        call = ringing()
        call.callee.do("progress", 183, ANSWER)
        call.caller.do("offer", HOLD, method="UPDATE")
        assert call.callee.last == OfferReceived(HOLD)
        call.callee.do("answer_offer", HELD)
        assert call.caller.last == AnswerReceived(HELD)
        call.callee.do("offer", OFFER, method="UPDATE")
        assert call.caller.last == OfferReceived(OFFER)
        call.caller.do("answer_offer", ANSWER)
        call.callee.do("answer", ANSWER)
        assert call.callee.last == Confirmed(None)

    def test_an_update_waits_for_the_prack(self) -> None:
        """Until then the callee cannot know that the caller has his answer."""
        call = ringing(loses=lambda name, nth: name == "183 INVITE" and nth < 3)
        call.callee.do("progress", 183, ANSWER)
        call.callee.do("offer", HELD, method="UPDATE")
        assert "UPDATE" not in call.callee.names
        call.advance(3)
        assert call.caller.last == OfferReceived(HELD)

    def test_a_prack_may_carry_an_offer(self) -> None:
        """Section 5: it is answered in the 200 to the PRACK."""
        call = ringing(loses=lambda name, nth: name == "183 INVITE")
        call.callee.do("progress", 183, ANSWER)
        sent = call.callee.sent_named("183 INVITE")[0]
        call.callee.s.receive_request(prack(call, sent, HOLD), ("caller", 50), call.now)
        call._drain()
        assert call.callee.last == OfferReceived(HOLD)
        call.callee.s.answer_offer(HELD, call.now)
        call._drain()
        assert call.callee.sent_named("200 PRACK")[0].body == HELD

    @pytest.mark.parametrize(
        ("rack", "status"),
        [("1 1 INVITE", 481), ("{rseq} 2 INVITE", 481), ("x", 400), (None, 400), ("1 1 (", 400)],
    )
    def test_a_prack_for_nothing(self, rack: str | None, status: int) -> None:
        call = ringing(loses=lambda name, nth: name == "183 INVITE")
        call.callee.do("progress", 183, ANSWER)
        sent = call.callee.sent_named("183 INVITE")[0]
        request = prack(call, sent, b"")
        request.headers.remove("RAck")
        if rack is not None:
            request.headers.add("RAck", rack.format(rseq=sent.headers.get("rseq")))
        call.callee.s.receive_request(request, ("caller", 50), call.now)
        call._drain()
        assert call.callee.names[-1] == f"{status} PRACK"


def prack(call: Conversation, response: Response, body: bytes) -> Request:
    invite = call.caller.sent_named("INVITE")[0]
    request = Request(
        "PRACK",
        "sip:bob@192.0.2.2",
        [
            ("Via", "SIP/2.0/UDP x;branch=z9hG4bKp"),
            ("From", invite.headers.get("from") or ""),
            ("To", response.headers.get("to") or ""),
            ("Call-ID", invite.call_id),
            ("CSeq", "7 PRACK"),
            ("RAck", f"{response.headers.get('rseq')} 1 INVITE"),
        ],
    )
    if body:
        request.set_body(body, "application/sdp")
    return request


class TestReliableReceiver:
    def test_repeated_and_early_ones(self) -> None:
        """A repeated one draws no second PRACK; one after a gap none at all; each fork counts alone."""
        caller = Caller()
        for tag, rseq in (("a", 5), ("a", 5), ("a", 7), ("a", 6), ("b", 100)):
            caller.gets(183, tag, ANSWER, nth=0, Require="100rel", RSeq=str(rseq))
        racks = [request.headers.get("rack") for _, request in caller.requests[1:]]
        assert racks == ["5 1 INVITE", "6 1 INVITE", "100 1 INVITE"]
        assert len(caller.events) == 3

    @pytest.mark.parametrize("rseq", ["x", "-1", "4294967296"])
    def test_an_unreadable_number_is_no_reliable_response(self, rseq: str) -> None:
        caller = Caller()
        caller.gets(183, "a", ANSWER, Require="100rel", RSeq=rseq)
        assert caller.methods == ["INVITE"]
        assert caller.events == [Progress(183, ANSWER)]

    def test_a_number_may_be_missing(self) -> None:
        caller = Caller()
        caller.gets(183, "a", ANSWER, Require="100rel")
        assert caller.methods == ["INVITE"]

    def test_prack_follows_the_route_of_its_dialog(self) -> None:
        caller = Caller()
        caller.gets(180, "a", Require="100rel", RSeq="1", Record_Route="<sip:p2;lr>, <sip:p1;lr>")
        assert caller.last.headers.get_all("route") == ["<sip:p1;lr>", "<sip:p2;lr>"]
        assert caller.last.uri == "sip:a@192.0.2.9"


class TestForks:
    def test_the_second_answer_is_acknowledged_and_ended(self) -> None:
        """RFC 3261 section 13.2.2.4."""
        caller = Caller()
        caller.gets(180, "a")
        caller.gets(180, "b")
        caller.gets(200, "b", ANSWER, nth=0)
        caller.gets(200, "a", ANSWER, nth=0, stray=True)
        assert [ack.to_tag for ack in caller.acks] == ["b", "a"]
        assert caller.methods == ["INVITE", "BYE"]
        assert caller.last.to_tag == "a"
        assert caller.events[-1] == Answered(ANSWER)
        assert caller.session.dialog_id is not None
        assert caller.session.dialog_id.remote_tag == "b"

    def test_repeated_answers_of_both_are_acknowledged_again(self) -> None:
        caller = Caller()
        caller.gets(200, "a", ANSWER)
        for tag in ("b", "a", "b"):
            caller.gets(200, tag, ANSWER, nth=0, stray=True)
        assert [ack.to_tag for ack in caller.acks] == ["a", "b", "a", "b"]
        assert caller.methods == ["INVITE", "BYE"]

    def test_a_fork_that_hangs_up_leaves_the_others(self) -> None:
        caller = Caller()
        caller.gets(180, "a")
        caller.gets(180, "b")
        bye = Request(
            "BYE",
            "sip:alice@192.0.2.1",
            [
                ("Via", "SIP/2.0/UDP x;branch=z9hG4bKb"),
                ("From", "<sip:bob@example.com>;tag=a"),
                ("To", caller.last.headers.get("from") or ""),
                ("Call-ID", "call-1"),
                ("CSeq", "1 BYE"),
            ],
        )
        caller.session.receive_request(bye, "key", caller.now)
        caller.take()
        assert not caller.session.ended
        caller.gets(200, "b", ANSWER)
        assert caller.events[-1] == Answered(ANSWER)

    def test_answers_after_a_cancel(self) -> None:
        caller = Caller()
        caller.gets(180, "a")
        caller.gives("hangup")
        assert caller.cancels == [1]
        caller.gets(200, "a", ANSWER)
        caller.gets(200, "b", ANSWER, nth=0, stray=True)
        assert caller.methods == ["INVITE", "BYE", "BYE"]
        assert [ack.to_tag for ack in caller.acks] == ["a", "b"]

    def test_there_are_bounds(self) -> None:
        """A callee cannot make us keep any number of dialogs."""
        caller = Caller()
        for number in range(40):
            caller.gets(180, f"early-{number}")
        assert len(caller.events) == 16
        for number in range(40):
            caller.gets(200, f"late-{number}", ANSWER, nth=0, stray=number > 0)
        assert len(caller.acks) == 16
        assert caller.methods.count("BYE") == 15
        assert caller.events[-1] == Answered(ANSWER)

    def test_responses_of_nothing_are_dropped(self) -> None:
        caller = Caller()
        caller.gets(200, "a", ANSWER)
        count = len(caller.acks)
        response = Response(200, "", [("From", "x"), ("CSeq", "1 OPTIONS")])
        caller.session.receive_response(77, response, caller.now)
        caller.session.receive_response(None, Response(200, "", []), caller.now)
        caller.take()
        assert len(caller.acks) == count

    def test_an_answer_without_a_tag(self) -> None:
        """RFC 2543 peers send none; Contact may be missing too."""
        caller = Caller()
        caller.gets(200, "", ANSWER)
        assert caller.events == [Answered(ANSWER)]

    def test_the_route_set_of_the_2xx_counts(self) -> None:
        """Section 13.2.2.4: it replaces the one of the early dialog."""
        caller = Caller()
        caller.gets(180, "a", Record_Route="<sip:old;lr>")
        caller.gets(200, "a", ANSWER, Record_Route="<sip:new;lr>")
        assert caller.acks[0].headers.get_all("route") == ["<sip:new;lr>"]


class Keyring:
    """Credentials that answer any challenge with a name of their own."""

    def __init__(self, header: str | None = "Authorization") -> None:
        self.header = header
        self.asked = 0

    def answer(self, response: Response, request: Request, now: float) -> tuple[str, str] | None:
        self.asked += 1
        return None if self.header is None else (self.header, f"Digest n={self.asked}")


class TestChallenges:
    @pytest.mark.parametrize("status", [401, 407])
    def test_a_challenge_is_answered_with_the_next_cseq(self, status: int) -> None:
        caller = Caller(credentials=Keyring())
        caller.gets(status, "t")
        assert caller.last.headers.get("authorization") == "Digest n=1"
        assert caller.last.cseq.number == 2
        assert caller.last.to_tag is None
        assert caller.last.body == OFFER
        caller.gets(200, "a", ANSWER)
        assert caller.acks[0].headers.get("authorization") == "Digest n=1"
        assert caller.acks[0].cseq.number == 2

    def test_at_most_twice(self) -> None:
        """Security C5: an endless nonce loop ends."""
        caller = Caller(credentials=Keyring())
        for _ in range(3):
            caller.gets(401, "t")
        assert caller.methods == ["INVITE"] * 3
        assert caller.events == [Ended(EndCause.REJECTED, 401, "")]

    @pytest.mark.parametrize("credentials", [None, Keyring(None)])
    def test_without_credentials_for_it_the_call_ends(self, credentials: Keyring | None) -> None:
        caller = Caller(credentials=credentials)
        caller.gets(407, "t")
        assert caller.events == [Ended(EndCause.REJECTED, 407, "")]

    def test_a_cancelled_call_answers_no_challenge(self) -> None:
        caller = Caller(credentials=Keyring())
        caller.gives("hangup")
        caller.gets(401, "t")
        assert caller.methods == ["INVITE"]
        assert caller.session.terminated

    def test_a_cancel_names_the_repeated_invite(self) -> None:
        """And waits for a provisional response to that one (RFC 3261 section 9.1)."""
        caller = Caller(credentials=Keyring())
        caller.gets(100)
        caller.gets(401, "t")
        caller.gives("hangup")
        assert caller.cancels == []
        caller.gets(100)
        assert caller.cancels == [caller.requests[-1][0]]

    def test_a_caller_answers_for_his_bye(self) -> None:
        caller = Caller(credentials=Keyring())
        caller.gets(200, "a", ANSWER)
        caller.gives("hangup")
        caller.gets(401, "a")
        assert caller.methods == ["INVITE", "BYE", "BYE"]
        assert caller.last.cseq.number == 3

    @pytest.mark.parametrize("command", [("hangup",), ("offer", HOLD), ("info", "application/dtmf", b"5")])
    def test_a_callee_never_does(self, command: tuple[Any, ...]) -> None:
        """Security C5: whoever calls us cannot have a digest by challenging our BYE or re-INVITE."""
        call = ringing()
        call.callee.do("answer", ANSWER)
        keyring = Keyring()
        call.callee.s._context._credentials = keyring
        call.callee.sent.clear()
        getattr(call.callee.s, command[0])(*command[1:], now=call.now)
        output = call.callee.s.take_outputs()[0]
        assert isinstance(output, SendRequest)
        challenge = Response(401, "", [("CSeq", output.request.headers.get("cseq") or "")])
        call.callee.s.receive_response(output.key, challenge, call.now)
        assert keyring.asked == 0
        assert not any(isinstance(output, SendRequest) for output in call.callee.s.take_outputs())


class TestRedirection:
    CONTACTS = "<sip:low@192.0.2.5>;q=0.1, <sip:high@192.0.2.6?Subject=x>;q=0.9, <tel:+49>, <sip:odd@h>;q=zz"

    def test_contacts_are_tried_by_preference(self) -> None:
        caller = Caller(caller=settings(follow_redirects=3))
        caller.gets(302, "t", Contact=self.CONTACTS)
        assert caller.last.uri == "sip:odd@h"
        caller.gets(486, "t")
        assert caller.last.uri == "sip:high@192.0.2.6"
        caller.gets(404, "t")
        assert caller.last.uri == "sip:low@192.0.2.5"
        assert caller.last.cseq.number == 4
        caller.gets(404, "t")
        assert isinstance(caller.events[0], Redirected)
        assert caller.events[0].followed
        assert caller.events[-1] == Ended(EndCause.REJECTED, 404, "")

    def test_a_loop_of_redirections_ends(self) -> None:
        caller = Caller(caller=settings(follow_redirects=3))
        for _ in range(4):
            caller.gets(302, "t", Contact="<sip:again@192.0.2.5>")
        assert caller.methods == ["INVITE"] * 4
        assert caller.events[-1] == Ended(EndCause.REJECTED, 302, "")

    def test_following_is_for_who_asks_for_it(self) -> None:
        caller = Caller()
        caller.gets(302, "t", Contact="<sip:other@192.0.2.5>")
        assert caller.methods == ["INVITE"]
        assert caller.events[0].contacts[0].uri.user == "other"
        assert not caller.events[0].followed
        assert caller.events[1] == Ended(EndCause.REJECTED, 302, "")

    def test_a_global_refusal_ends_the_search(self) -> None:
        caller = Caller(caller=settings(follow_redirects=3))
        caller.gets(302, "t", Contact="<sip:a@h>, <sip:b@h>")
        caller.gets(603, "t")
        assert caller.events[-1] == Ended(EndCause.REJECTED, 603, "")

    def test_a_target_that_does_not_answer_is_passed_over(self) -> None:
        caller = Caller(caller=settings(follow_redirects=3))
        caller.gets(302, "t", Contact="<sip:a@h>, <sip:b@h>")
        caller.session.request_failed(caller.requests[-1][0], "timeout", caller.now)
        caller.take()
        assert caller.last.uri == "sip:b@h"

    def test_credentials_stay_behind(self) -> None:
        caller = Caller(caller=settings(follow_redirects=3), credentials=Keyring())
        caller.gets(401, "t")
        caller.gets(302, "t", Contact="<sip:a@h>")
        assert "authorization" not in caller.last.headers


def test_a_cancel_is_waited_for_no_longer_than_64_t1() -> None:
    caller = Caller()
    caller.gets(180, "a")
    caller.gives("hangup")
    caller.waits(31.9)
    assert not caller.session.terminated
    caller.waits(0.2)
    assert caller.session.terminated
