"""Set-up and end of a call: RFC 3261 sections 9, 13 and 15."""

from __future__ import annotations

import pytest

from sip.errors import Misuse
from sip.session.outputs import Answered, Confirmed, EndCause, Ended, Progress, SendRequest
from tests.sip.session.conversation import ANSWER, OFFER, Conversation, Peer, established, ringing, settings


def assert_done(call: Conversation) -> None:
    """After the last message nothing is left: no timer, no request."""
    call.advance(70)
    for peer in (call.caller, call.callee):
        assert peer.s.terminated, peer.name
        assert peer.s.deadline is None
        assert len(peer.of(Ended)) == 1


def test_a_call_is_answered_and_hung_up_by_the_caller() -> None:
    call = ringing()
    call.callee.do("trying")
    call.callee.do("ring")
    call.callee.do("answer", ANSWER)
    assert call.caller.events == [Progress(180, None), Answered(ANSWER)]
    assert call.callee.events == [Confirmed(None)]
    call.caller.do("hangup")
    assert call.caller.last == Ended(EndCause.LOCAL_BYE)
    assert call.callee.last == Ended(EndCause.REMOTE_BYE)
    assert call.caller.names == ["INVITE", "ACK", "BYE"]
    assert call.callee.names == ["100 INVITE", "180 INVITE", "200 INVITE", "200 BYE"]
    assert_done(call)


def test_the_callee_hangs_up_with_a_reason() -> None:
    call = established()
    call.callee.do("hangup", reason="Q.850;cause=16")
    assert call.caller.last == Ended(EndCause.REMOTE_BYE, None, "Q.850;cause=16")
    assert_done(call)


def test_the_callee_sees_the_offer_and_says_who_it_is() -> None:
    call = ringing()
    assert call.callee.s.remote_offer == OFFER
    call.callee.do("answer", ANSWER)
    response = call.callee.sent_named("200 INVITE")[0]
    assert response.body == ANSWER
    assert response.content_type == "application/sdp"
    assert response.to_tag == "bob-1"
    assert str(response.contacts[0].uri) == "sip:bob@192.0.2.2:5060"
    assert "UPDATE" in response.allow
    assert response.supported == ["100rel", "timer", "replaces", "norefersub"]


@pytest.mark.parametrize(("given", "sent"), [((), ["70"]), ((("max-forwards", "3"),), ["3"])])
def test_a_call_that_passes_another_on_keeps_count(
    given: tuple[tuple[str, str], ...], sent: list[str]
) -> None:
    """Max-Forwards is 70 unless whoever calls has one to pass on (section 8.1.1.6)."""
    [invite] = ringing(headers=given).caller.sent_named("INVITE")
    assert invite.headers.get_all("Max-Forwards") == sent


def test_a_2xx_is_repeated_until_its_ack() -> None:
    """Section 13.3.1.4: at T1, then doubling up to T2, although no ACK arrives for 5 s."""
    call = ringing(loses=lambda name, nth: name == "ACK" and nth < 4)
    call.callee.do("answer", ANSWER)
    call.advance(10)
    assert call.callee.count("200 INVITE") == 4
    assert call.caller.count("ACK") == 4
    assert call.callee.events == [Confirmed(None)]
    assert call.caller.kinds == ["Answered"]


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_lost_2xxs_only_delay_the_call(lost: int) -> None:
    call = ringing(loses=lambda name, nth: name == "200 INVITE" and nth <= lost)
    call.callee.do("answer", ANSWER)
    call.advance(20)
    assert call.caller.events == [Answered(ANSWER)]
    assert call.callee.events == [Confirmed(None)]


def test_without_an_ack_the_callee_hangs_up() -> None:
    """Section 13.3.1.4: after 64*T1 a BYE ends the session."""
    call = ringing(loses=lambda name, nth: name == "ACK")
    call.callee.do("answer", ANSWER)
    call.advance(40)
    assert call.callee.last == Ended(EndCause.ACK_TIMEOUT)
    assert call.callee.count("200 INVITE") == 11
    assert call.caller.last == Ended(EndCause.REMOTE_BYE)
    assert_done(call)


def test_the_callee_hangs_up_before_the_ack() -> None:
    """Section 15: the BYE of a callee has to wait for the ACK, or for the end of waiting."""
    call = ringing(loses=lambda name, nth: name == "ACK" and nth < 3)
    call.callee.do("answer", ANSWER)
    call.callee.do("hangup")
    assert call.callee.events == [Ended(EndCause.LOCAL_BYE)]
    assert "BYE" not in call.callee.names
    call.advance(5)
    assert call.callee.count("BYE") == 1
    assert_done(call)


def test_the_callee_hangs_up_and_no_ack_ever_comes() -> None:
    call = ringing(loses=lambda name, nth: name == "ACK")
    call.callee.do("answer", ANSWER)
    call.callee.do("hangup")
    call.advance(40)
    assert call.callee.count("BYE") == 1
    assert_done(call)


@pytest.mark.parametrize("status", [404, 486, 603, 302])
def test_a_call_is_refused(status: int) -> None:
    call = ringing()
    call.callee.do("reject", status, reason="Words", headers=[("X-Why", "because")])
    assert call.callee.last == Ended(EndCause.REJECTED, status, "Words")
    assert call.caller.last == Ended(EndCause.REJECTED, status, "Words")
    assert call.callee.sent[-1].headers.get("x-why") == "because"
    assert_done(call)


def test_hanging_up_a_ringing_call_refuses_it() -> None:
    call = ringing()
    call.callee.do("hangup")
    assert call.caller.last == Ended(EndCause.REJECTED, 480, "Temporarily Unavailable")
    assert call.callee.last.cause is EndCause.LOCAL_BYE
    assert_done(call)


def test_the_caller_gives_up() -> None:
    """Section 9: CANCEL, answered 487."""
    call = ringing()
    call.callee.do("ring")
    call.caller.do("hangup")
    assert call.caller.names == ["INVITE", "CANCEL"]
    assert call.caller.last == Ended(EndCause.CANCELLED)
    assert call.callee.last == Ended(EndCause.CANCELLED, 487, "Request Terminated")
    assert_done(call)


def test_no_cancel_before_a_provisional_response() -> None:
    """Section 9.1: it waits for one."""
    call = ringing()
    call.caller.do("hangup")
    assert call.caller.events == [Ended(EndCause.CANCELLED)]
    assert "CANCEL" not in call.caller.names
    call.callee.do("ring")
    assert call.caller.names == ["INVITE", "CANCEL"]
    assert_done(call)


def test_an_answer_crosses_the_cancel() -> None:
    """Section 15: the 2xx is acknowledged and the session ended by BYE."""
    call = ringing()
    call.callee.do("ring")
    call.callee.s.answer(ANSWER, call.now)
    call.caller.do("hangup")
    call.flow()
    assert call.caller.names == ["INVITE", "CANCEL", "ACK", "BYE"]
    assert call.caller.kinds == ["Progress", "Ended"]
    assert call.callee.last == Ended(EndCause.REMOTE_BYE)
    assert_done(call)


def test_a_cancelled_invite_without_an_end_is_forgotten() -> None:
    """Section 9.1: 64*T1 after the CANCEL the call counts as cancelled."""
    call = ringing(loses=lambda name, nth: False)
    call.callee.do("ring")
    call.callee.session = None
    call.caller.do("hangup")
    call.advance(31)
    assert not call.caller.s.terminated
    call.advance(2)
    assert call.caller.s.terminated


def test_both_hang_up_at_once() -> None:
    call = established()
    call.callee.s.hangup(call.now)
    call.caller.do("hangup")
    assert call.caller.events == call.callee.events == [Ended(EndCause.LOCAL_BYE)]
    assert call.caller.names == ["BYE", "200 BYE"]
    assert_done(call)


def test_nobody_answers_the_invite() -> None:
    call = ringing()
    call.caller.s.request_failed(1, "timeout", call.now)
    call.flow()
    assert call.caller.last == Ended(EndCause.TIMEOUT, 408)
    assert call.caller.s.terminated


def test_the_invite_cannot_be_sent() -> None:
    call = ringing()
    call.caller.s.request_failed(1, "transport", call.now)
    call.flow()
    assert call.caller.last == Ended(EndCause.TRANSPORT, 503)


def test_hanging_up_twice_is_once() -> None:
    call = established()
    call.caller.do("hangup")
    call.caller.do("hangup")
    assert call.caller.count("BYE") == 1
    assert len(call.caller.events) == 1


def test_the_caller_ends_an_early_dialog_by_bye() -> None:
    """Section 15.1.2: the BYE gets 200 and the INVITE 487."""
    call = ringing()
    call.callee.do("ring")
    dialog = call.caller.s.dialog
    assert dialog is not None
    bye = dialog.new_request("BYE")
    bye.headers.prepend("Via", "SIP/2.0/UDP x;branch=z9hG4bKx")
    call.callee.s.receive_request(bye, ("caller", 99), call.now)
    call._drain()
    assert call.callee.names[-2:] == ["200 BYE", "487 INVITE"]
    assert call.callee.last == Ended(EndCause.REMOTE_BYE)


@pytest.mark.parametrize("command", ["trying", "ring"])
def test_only_a_callee_rings(command: str) -> None:
    call = ringing()
    with pytest.raises(Misuse):
        call.caller.do(command)


def test_commands_after_the_end_are_absorbed() -> None:
    """The application cannot know yet that the peer has hung up."""
    call = established()
    call.caller.do("hangup")
    peer: Peer
    for peer in (call.caller, call.callee):
        sent, events = len(peer.sent), len(peer.events)
        peer.do("info", "application/dtmf", b"5")
        peer.do("offer", OFFER)
        peer.do("answer_offer", OFFER)
        peer.do("reject_offer", 488)
        peer.do("accept_refer")
        peer.do("refer_result", 200, "OK")
        peer.do("reject_refer", 603)
        peer.do("refer", call.caller.s.dialog and __import__("sip.uri").uri.Uri.parse("sip:x@y"))
        assert (len(peer.sent), len(peer.events)) == (sent, events)
    for name, arguments in (("trying", ()), ("ring", ()), ("answer", (ANSWER,)), ("reject", (486,))):
        call.callee.do(name, *arguments)
    assert call.callee.names == ["200 BYE"]


def test_two_callers_do_not_share_settings() -> None:
    """A setting that says never is not offered."""
    call = Conversation(caller=settings(reliable_provisionals="never"))
    invite = call.caller.s.take_outputs()[0]
    assert isinstance(invite, SendRequest)
    assert "100rel" not in invite.request.supported
    assert "PRACK" not in invite.request.allow


def test_an_ack_after_the_peers_bye_changes_nothing() -> None:
    """Reordered on the way; the late one does not draw a BYE of ours."""
    call = ringing(offer=None, loses=lambda name, nth: name == "ACK")
    call.callee.do("answer", OFFER)
    call.caller.do("hangup")
    ack = call.caller.sent_named("ACK")[0]
    call.callee.s.receive_ack(ack, call.now)
    call.flow()
    assert "BYE" not in call.callee.names
    assert call.callee.last == Ended(EndCause.REMOTE_BYE)
