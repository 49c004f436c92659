"""Session timers between two sessions (RFC 4028)."""

from __future__ import annotations

import pytest

from sip.session.outputs import AnswerReceived, EndCause, Ended, OfferReceived
from sip.session.settings import SessionSettings
from sip.session.timers import Timers
from tests.sip.session.conversation import ANSWER, OFFER, Conversation, Peer, established, ringing, settings
from tests.sip.session.test_early import Caller


def timed(**changes: object) -> SessionSettings:
    return settings(session_expires=100, **changes)


def test_the_caller_refreshes_by_update() -> None:
    call = established(caller=timed())
    assert call.caller.s.session_interval == call.callee.s.session_interval == 100
    call.advance(1000)
    assert call.caller.count("UPDATE") == 20
    assert not call.caller.s.ended
    refresh = call.caller.sent_named("UPDATE")[0]
    assert refresh.headers.get("session-expires") == "100;refresher=uac"
    assert refresh.body == b""
    assert call.callee.sent_named("200 UPDATE")[0].require == ["timer"]


def test_the_callee_asks_for_a_timer() -> None:
    """The caller knows timers and asks for none; the callee chooses him as refresher."""
    call = established(callee=timed())
    call.advance(60)
    assert call.caller.count("UPDATE") == 1


def test_the_callee_refreshes_when_asked_to() -> None:
    call = ringing(headers=(("Session-Expires", "120;refresher=uas"),))
    call.callee.do("answer", ANSWER)
    call.advance(61)
    assert call.callee.count("UPDATE") == 1
    assert call.caller.count("UPDATE") == 0
    call.advance(600)
    assert not call.callee.s.ended


def test_a_refresh_by_re_invite_repeats_the_description() -> None:
    call = established(caller=timed())
    call.caller.s._context.peer_allow = frozenset()
    call.advance(50)
    assert call.caller.sent_named("INVITE")[0].body == OFFER
    assert call.callee.events == [OfferReceived(OFFER)]
    call.callee.do("answer_offer", ANSWER)
    assert call.caller.events == [AnswerReceived(ANSWER)]
    assert not call.caller.s.ended


def test_a_refused_refresh_is_no_event_for_the_application() -> None:
    call = established(caller=timed())
    call.caller.s._context.peer_allow = frozenset()
    call.advance(50)
    call.callee.do("reject_offer", 488)
    assert call.caller.events == []
    call.advance(20)
    assert call.callee.last == Ended(EndCause.SESSION_EXPIRED)


def test_without_a_refresh_the_other_side_hangs_up() -> None:
    """Section 10: min(32, a third) before the end."""
    call = established(caller=timed())
    silence(call.caller)
    call.advance(66)
    assert not call.callee.s.ended
    call.advance(2)
    assert call.callee.last == Ended(EndCause.SESSION_EXPIRED)
    assert call.callee.count("BYE") == 1


def silence(peer: Peer) -> None:
    """Take the peer away without a word."""
    peer.s._context.timers.keep_only()


def test_an_unanswered_refresh_ends_the_session() -> None:
    call = established(caller=timed())
    call.callee.session = None
    call.advance(49.5)
    call.caller.s.take_outputs()
    call.caller.s.handle_timer(call.now + 1)
    key = call.caller.s._context.key_of("UPDATE")
    assert key is not None
    call.caller.s.request_failed(key, "timeout", call.now + 33)
    assert call.caller.s.ended


def test_too_short_an_interval_is_refused_and_asked_again() -> None:
    """422 with Min-SE (section 6), taken up by the caller (section 7.3)."""
    call = ringing(caller=timed(), callee=settings(min_se=300))
    invites = call.caller.sent_named("INVITE")
    assert [invite.headers.get("session-expires") for invite in invites] == ["100", "300"]
    assert invites[1].headers.get("min-se") == "300"
    assert call.callee.names[0] == "422 INVITE"


def test_422_without_reason_is_not_repeated_for_ever() -> None:
    caller = Caller(caller=timed())
    caller.gets(422, "t", Min_SE="100")
    caller.gets(422, "t", Min_SE="200")
    caller.gets(422, "t", Min_SE="300")
    assert caller.methods == ["INVITE"] * 3
    assert caller.events == [Ended(EndCause.REJECTED, 422, "")]
    for text in ("90", "junk"):
        other = Caller(caller=timed())
        other.gets(422, "t", Min_SE=text)
        assert other.events == [Ended(EndCause.REJECTED, 422, "")]


def test_422_to_an_offer_within_the_session() -> None:
    caller = Caller(caller=timed())
    caller.gets(200, "a", ANSWER, Session_Expires="100;refresher=uac")
    caller.gives("offer", OFFER)
    caller.gets(422, "a", Min_SE="400")
    assert caller.last.headers.get("session-expires") == "400;refresher=uac"
    caller.gets(422, "a", Min_SE="400")
    assert type(caller.events[-1]).__name__ == "OfferFailed"


def test_a_callee_alone_refreshes_if_told_to() -> None:
    """A caller without timers: the callee keeps the session on its own, to notice a dead peer."""
    call = Conversation(callee=timed(refresh_alone=True))
    invite = call.first_invite
    invite.headers.set("Supported", "100rel")
    call.flow()
    call.callee.do("answer", ANSWER)
    assert call.callee.sent[-1].headers.get("session-expires") == "100;refresher=uas"
    assert call.callee.sent[-1].require == []
    call.advance(60)
    assert call.callee.count("UPDATE") == 1


@pytest.mark.parametrize("text", ["x", "100;refresher=me", "-1"])
def test_an_unreadable_interval_is_a_bad_request(text: str) -> None:
    call = ringing(headers=(("Session-Expires", text),))
    assert call.caller.last.status == 400


def test_timers_run_in_order_and_once() -> None:
    """One that cancels another is obeyed; one that sets itself anew in the past waits for the next run."""
    timers = Timers()
    ran: list[str] = []

    def first(now: float) -> None:
        ran.append("a")
        timers.cancel("b")

    def again(now: float) -> None:
        ran.append("c")
        timers.set("c", 0.0, again)

    timers.set("b", 2.0, first)
    timers.set("a", 1.0, first)
    timers.set("c", 3.0, again)
    assert timers.deadline == 1.0
    timers.run(3.0)
    assert ran == ["a", "c"]
    assert "c" in timers
    timers.keep_only("nothing")
    assert timers.deadline is None
