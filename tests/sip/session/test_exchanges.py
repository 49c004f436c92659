"""Offers within a session: re-INVITE, UPDATE, late offers, glare (RFC 3261 section 14, RFC 3311)."""

from __future__ import annotations

import pytest

from sip.errors import Misuse
from sip.message import Request
from sip.session.outputs import (
    Answered,
    AnswerReceived,
    Confirmed,
    EndCause,
    Ended,
    OfferFailed,
    OfferReceived,
    OfferRequested,
)
from tests.sip.session.conversation import (
    ANSWER,
    HELD,
    HOLD,
    OFFER,
    Conversation,
    Peer,
    established,
    ringing,
    settings,
)


def in_dialog(peer: Peer, method: str, body: bytes = b"", **headers: str) -> Request:
    """A request as ``peer`` would send it, with its Via."""
    dialog = peer.s.dialog
    assert dialog is not None
    fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
    request = dialog.new_request(method, fields, body, "application/sdp")
    request.headers.prepend("Via", "SIP/2.0/UDP x.example;branch=z9hG4bKhand")
    return request


def by_hand(call: Conversation, sender: Peer, receiver: Peer, request: Request) -> None:
    """Deliver a request that no session sent; the answer goes nowhere."""
    receiver.s.receive_request(request, (sender.name, 777), call.now)
    call._drain()


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
@pytest.mark.parametrize("from_caller", [True, False])
def test_hold_and_resume(method: str, from_caller: bool) -> None:
    call = established()
    one, other = (call.caller, call.callee) if from_caller else (call.callee, call.caller)
    for offered, answered in ((HOLD, HELD), (OFFER, ANSWER)):
        one.do("offer", offered, method=method)
        assert other.last == OfferReceived(offered)
        other.do("answer_offer", answered)
        assert one.last == AnswerReceived(answered)
        assert (one.s.local_sdp, other.s.local_sdp) == (offered, answered)
    assert one.count(method) == 2
    assert one.count("ACK") == (2 if method == "INVITE" else 0)
    call.advance(70)
    assert not call.caller.s.ended


def test_update_needs_the_peers_consent() -> None:
    """Without UPDATE in the peer's Allow the offer goes in a re-INVITE (RFC 3311 section 5.1)."""
    call = established()
    call.caller.s._context.peer_allow = frozenset({"INVITE", "ACK", "BYE"})
    call.caller.do("offer", HOLD, method="UPDATE")
    assert call.caller.names == ["INVITE"]


def test_an_offer_goes_in_invite_or_update_only() -> None:
    with pytest.raises(Misuse):
        established().caller.do("offer", HOLD, method="INFO")


def test_an_offer_is_refused_and_the_session_goes_on() -> None:
    call = established()
    call.caller.do("offer", HOLD)
    call.callee.do("reject_offer", 488)
    assert call.caller.events == [OfferFailed(488)]
    assert call.caller.s.local_sdp == OFFER
    call.caller.do("offer", HOLD)
    call.callee.do("answer_offer", HELD)
    assert call.caller.last == AnswerReceived(HELD)


def test_offers_wait_for_each_other_and_the_latest_wins() -> None:
    call = established()
    call.caller.do("offer", HOLD)
    call.caller.do("offer", OFFER)
    call.caller.do("offer", HOLD)
    assert call.caller.count("INVITE") == 1
    call.callee.do("answer_offer", HELD)
    call.advance(1)
    call.callee.do("answer_offer", HELD)
    assert call.caller.count("INVITE") == 2
    assert call.caller.events == [AnswerReceived(HELD)] * 2


def test_an_offer_of_a_caller_waits_for_the_call_to_be_answered() -> None:
    call = ringing()
    call.caller.do("offer", HOLD)
    assert call.caller.names == ["INVITE"]
    call.callee.do("answer", ANSWER)
    assert call.caller.names == ["INVITE", "ACK", "INVITE"]
    assert call.callee.events == [Confirmed(None), OfferReceived(HOLD)]


def test_an_offer_of_a_callee_waits_for_the_ack() -> None:
    call = ringing(loses=lambda name, nth: name == "ACK" and nth == 1)
    call.callee.do("answer", ANSWER)
    call.callee.do("offer", HOLD)
    assert "INVITE" not in call.callee.names
    call.advance(2)
    assert call.callee.names.count("INVITE") == 1


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_glare(method: str) -> None:
    """RFC 3261 section 14.1: both get 491; the callee tries again first, the caller after 2.1 to 4 s."""
    call = established()
    call.caller.s.offer(HOLD, call.now, method)
    call.callee.s.offer(HELD, call.now, method)
    call.flow()
    assert call.caller.names[:2] == [method, f"491 {method}"]
    assert call.callee.names[:2] == [method, f"491 {method}"]
    call.advance(1.5)
    assert call.caller.last == OfferReceived(HELD)
    call.caller.do("answer_offer", ANSWER)
    assert call.callee.events == [AnswerReceived(ANSWER)]
    call.advance(4)
    assert call.callee.last == OfferReceived(HOLD)
    call.callee.do("answer_offer", ANSWER)
    assert call.caller.last == AnswerReceived(ANSWER)
    assert call.caller.of(OfferFailed) == []


@pytest.mark.parametrize(("draw", "caller_waits", "callee_waits"), [(0.0, 2.1, 0.0), (0.999, 4.0, 2.0)])
def test_the_bounds_of_the_back_off(draw: float, caller_waits: float, callee_waits: float) -> None:
    for is_caller, expected in ((True, caller_waits), (False, callee_waits)):
        call = established(caller=settings(random=lambda: draw), callee=settings(random=lambda: draw))
        one, other = (call.caller, call.callee) if is_caller else (call.callee, call.caller)
        one.do("offer", HOLD)
        other.do("reject_offer", 491)
        waited = (one.s.deadline or call.now) - call.now
        assert waited == pytest.approx(expected, abs=0.05) or one.count("INVITE") == 2


def test_endless_491_ends_the_attempt() -> None:
    call = established()
    call.caller.do("offer", HOLD)
    for _ in range(6):
        call.callee.do("reject_offer", 491)
        call.advance(5)
    assert call.caller.count("INVITE") == 6
    assert call.caller.events == [OfferFailed(491)]


def test_a_second_invite_while_one_is_undecided_gets_500() -> None:
    """RFC 3261 section 14.2: with a Retry-After of up to ten seconds."""
    call = established()
    call.caller.do("offer", HOLD)
    by_hand(call, call.caller, call.callee, in_dialog(call.caller, "INVITE", OFFER))
    refusal = call.callee.sent[-1]
    assert call.callee.names[-1] == "500 INVITE"
    assert 0 <= int(refusal.headers.get("retry-after") or "99") <= 10


def test_an_invite_before_the_first_is_acknowledged_gets_500() -> None:
    call = ringing(loses=lambda name, nth: name == "ACK")
    call.callee.do("answer", ANSWER)
    by_hand(call, call.caller, call.callee, in_dialog(call.caller, "INVITE", OFFER))
    assert call.callee.names[-1] == "500 INVITE"


def test_an_update_that_crosses_the_undecided_first_offer() -> None:
    """RFC 3311 section 5.2: 500 while the callee owes an answer."""
    call = ringing()
    call.callee.do("ring")
    by_hand(call, call.caller, call.callee, in_dialog(call.caller, "UPDATE", OFFER))
    assert call.callee.names[-1] == "500 UPDATE"


def test_500_with_retry_after_is_tried_again() -> None:
    call = established()
    call.caller.do("offer", HOLD)
    theirs = call.callee.s._exchange._theirs
    assert theirs is not None
    call.callee.s._context.respond(theirs.key, theirs.request, 500, [("Retry-After", "3 (busy)")])
    call.callee.s._exchange._theirs = None
    call.advance(2.9)
    assert call.caller.count("INVITE") == 1
    call.advance(0.3)
    assert call.caller.count("INVITE") == 2


@pytest.mark.parametrize("status", [408, 481])
def test_a_peer_that_lost_the_dialog_ends_it(status: int) -> None:
    """RFC 3261 section 12.2.1.2."""
    call = established()
    call.caller.do("offer", HOLD)
    call.callee.do("reject_offer", status)
    assert call.caller.last.cause is EndCause.TIMEOUT
    assert call.caller.last.status == status
    assert call.caller.count("BYE") == 1


@pytest.mark.parametrize(
    ("reason", "cause"), [("timeout", EndCause.TIMEOUT), ("transport", EndCause.TRANSPORT)]
)
def test_no_answer_to_a_re_invite_ends_the_session(reason: str, cause: EndCause) -> None:
    call = established()
    call.caller.s.offer(HOLD, call.now)
    key = call.caller.s._context.key_of("INVITE")
    assert key is not None
    call.caller.s.request_failed(key, reason, call.now)
    call.flow()
    assert call.caller.last.cause is cause


def test_a_lost_ack_of_a_re_invite_is_repeated() -> None:
    call = established(loses=lambda name, nth: name == "ACK" and nth in (2, 3))
    call.caller.do("offer", HOLD)
    call.callee.do("answer_offer", HELD)
    call.advance(5)
    assert call.caller.count("ACK") == 3
    assert call.caller.events == [AnswerReceived(HELD)]
    call.callee.do("offer", OFFER)
    assert call.caller.last == OfferReceived(OFFER)


def test_a_re_invite_that_is_never_acknowledged_ends_the_session() -> None:
    call = established(loses=lambda name, nth: name == "ACK" and nth > 1)
    call.caller.do("offer", HOLD)
    call.callee.do("answer_offer", HELD)
    call.advance(33)
    assert call.callee.last == Ended(EndCause.ACK_TIMEOUT)


def test_a_re_invite_is_cancelled() -> None:
    call = established()
    call.caller.do("offer", HOLD)
    call.callee.s.cancelled(call.now)
    call.flow()
    assert call.callee.events == [OfferReceived(HOLD), OfferFailed(487)]
    assert call.caller.events == [OfferFailed(487)]
    call.callee.do("answer_offer", HELD)
    assert call.callee.names == ["487 INVITE"]


def test_a_cancel_with_nothing_to_cancel_is_nothing() -> None:
    call = established()
    call.callee.s.cancelled(call.now)
    call.flow()
    assert call.callee.names == []


def test_a_hang_up_answers_the_undecided_offer() -> None:
    """RFC 3261 section 15.1.2: pending requests get 487."""
    call = established()
    call.caller.do("offer", HOLD)
    call.caller.do("hangup")
    assert call.callee.names == ["200 BYE", "487 INVITE"]
    call.advance(40)
    assert call.caller.s.terminated
    assert call.callee.s.terminated


def test_a_re_invite_answered_after_the_hang_up_is_acknowledged() -> None:
    call = established(loses=lambda name, nth: name == "BYE" and nth == 1)
    call.caller.do("offer", HOLD)
    call.caller.s.hangup(call.now)
    call.callee.do("answer_offer", HELD)
    assert call.caller.count("ACK") == 1
    call.advance(40)
    assert call.caller.s.terminated
    assert call.callee.s.terminated


def test_an_answer_without_description_fails_the_offer() -> None:
    call = established()
    call.caller.do("offer", HOLD)
    theirs = call.callee.s._exchange._theirs
    assert theirs is not None
    call.callee.s._context.respond(theirs.key, theirs.request, 200, call.callee.s._context.contact)
    call.flow()
    assert call.caller.events == [OfferFailed(488)]
    assert call.caller.count("ACK") == 1


class TestLateOffer:
    """The INVITE has no description: the offer comes in the 2xx, the answer in the ACK."""

    def test_of_a_call(self) -> None:
        call = ringing(offer=None)
        assert call.callee.s.remote_offer is None
        call.callee.do("answer", OFFER)
        assert call.caller.events == [Answered(None), OfferReceived(OFFER)]
        assert "ACK" not in call.caller.names
        call.caller.do("answer_offer", ANSWER)
        assert call.callee.events == [Confirmed(ANSWER)]
        assert (call.caller.s.local_sdp, call.callee.s.local_sdp) == (ANSWER, OFFER)
        call.caller.do("hangup")
        call.advance(40)
        assert call.callee.s.terminated

    def test_the_2xx_is_repeated_while_the_caller_thinks(self) -> None:
        call = ringing(offer=None, loses=lambda name, nth: name == "ACK" and nth == 1)
        call.callee.do("answer", OFFER)
        call.advance(3)
        assert call.caller.kinds == ["Answered", "OfferReceived"]
        call.caller.do("answer_offer", ANSWER)
        call.advance(5)
        assert call.callee.events == [Confirmed(ANSWER)]
        assert [ack.body for ack in call.caller.sent_named("ACK")] == [ANSWER, ANSWER]

    @pytest.mark.parametrize("command", ["hangup", "reject"])
    def test_is_refused(self, command: str) -> None:
        """A 2xx cannot be refused: ACK, then BYE."""
        call = ringing(offer=None)
        call.callee.do("answer", OFFER)
        if command == "hangup":
            call.caller.do("hangup")
            assert call.caller.last == Ended(EndCause.LOCAL_BYE)
        else:
            call.caller.do("reject_offer", 488)
            assert call.caller.last == Ended(EndCause.BAD_ANSWER)
        assert call.caller.names[:3] == ["INVITE", "ACK", "BYE"]
        assert call.callee.last == Ended(EndCause.BAD_ANSWER)
        call.advance(40)
        assert call.caller.s.terminated
        assert call.callee.s.terminated

    def test_of_a_re_invite(self) -> None:
        """A re-INVITE without description asks for an offer (RFC 3261 section 14.2)."""
        call = established()
        by_hand(call, call.caller, call.callee, in_dialog(call.caller, "INVITE"))
        assert call.callee.last == OfferRequested()
        call.callee.s.answer_offer(OFFER, call.now)
        call._drain()
        number = call.callee.sent_named("200 INVITE")[0].cseq.number
        dialog = call.caller.s.dialog
        assert dialog is not None
        ack = dialog.new_request("ACK", (), ANSWER, "application/sdp", cseq=number)
        call.callee.s.receive_ack(ack, call.now)
        call._drain()
        assert call.callee.last == AnswerReceived(ANSWER)

    def test_of_a_re_invite_whose_ack_is_empty(self) -> None:
        call = established()
        by_hand(call, call.caller, call.callee, in_dialog(call.caller, "INVITE"))
        call.callee.s.answer_offer(OFFER, call.now)
        call._drain()
        dialog = call.caller.s.dialog
        assert dialog is not None
        by_hand(call, call.caller, call.callee, in_dialog(call.caller, "UPDATE", OFFER))
        assert call.callee.names[-1] == "491 UPDATE"
        ack = dialog.new_request("ACK", cseq=call.callee.sent_named("200 INVITE")[0].cseq.number)
        call.callee.s.receive_ack(ack, call.now)
        call._drain()
        assert call.callee.last == Ended(EndCause.BAD_ANSWER)


def test_an_answered_call_without_any_description_is_ended() -> None:
    call = ringing()
    uas = call.callee.s._uas
    assert uas is not None
    call.callee.s._context.respond(uas._key, uas._request, 200, call.callee.s._context.contact)
    call.flow()
    assert call.caller.names == ["INVITE", "ACK", "BYE"]
    assert call.caller.last == Ended(EndCause.BAD_ANSWER)


def test_an_update_without_description_is_answered_at_once() -> None:
    call = established()
    by_hand(call, call.caller, call.callee, in_dialog(call.caller, "UPDATE"))
    assert call.callee.names == ["200 UPDATE"]
    assert call.callee.events == []


def test_the_remote_target_moves_with_a_re_invite() -> None:
    call = established()
    request = in_dialog(call.caller, "INVITE", HOLD)
    request.headers.set("Contact", "<sip:alice@198.51.100.9:5090>")
    by_hand(call, call.caller, call.callee, request)
    call.callee.do("hangup")
    assert call.callee.sent_named("BYE")[0].uri == "sip:alice@198.51.100.9:5090"


def test_a_stray_ack_is_dropped() -> None:
    call = established()
    dialog = call.caller.s.dialog
    assert dialog is not None
    call.callee.s.receive_ack(dialog.new_request("ACK", cseq=99), call.now)
    call.flow()
    assert call.callee.events == []
