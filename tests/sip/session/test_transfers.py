"""REFER, its NOTIFYs, and Replaces between two sessions (RFC 3515, RFC 3891, RFC 4488)."""

from __future__ import annotations

import pytest

from sip.errors import Misuse
from sip.session.outputs import EndCause, ReferProgress, ReferReceived
from sip.transfer import Replaces
from sip.uri import NameAddr, Uri
from tests.sip.session.conversation import ANSWER, Conversation, established, ringing
from tests.sip.session.test_in_dialog import send

CAROL = Uri.parse("sip:carol@example.com")


def asked(**options: object) -> Conversation:
    """A call in which the caller asked the callee to call Carol."""
    call = established()
    call.caller.do("refer", CAROL, **options)
    return call


def test_a_transfer_that_succeeds() -> None:
    call = asked(referred_by="<sip:alice@example.com>")
    assert call.callee.events == [
        ReferReceived(NameAddr.parse("<sip:carol@example.com>"), None, "<sip:alice@example.com>")
    ]
    call.callee.do("accept_refer")
    call.callee.do("refer_result", 180, None)
    call.callee.do("refer_result", 200, "Fine")
    assert call.callee.names == ["202 REFER", "NOTIFY", "NOTIFY", "NOTIFY"]
    assert call.caller.events == [
        ReferProgress(100, False),
        ReferProgress(180, False),
        ReferProgress(200, True),
    ]
    first, last = call.callee.sent_named("NOTIFY")[0], call.callee.sent_named("NOTIFY")[-1]
    assert first.headers.get("event") == "refer"
    assert first.headers.get("subscription-state") == "active;expires=180"
    assert first.body == b"SIP/2.0 100 Trying\r\n"
    assert first.content_type == "message/sipfrag"
    assert last.headers.get("subscription-state") == "terminated;reason=noresource"
    assert last.body == b"SIP/2.0 200 Fine\r\n"
    call.advance(300)
    assert not call.caller.s.ended


def test_a_transfer_with_replaces() -> None:
    """An attended transfer: Carol is to replace a dialog of hers."""
    call = asked(replaces=Replaces("call-9", "carol-tag", "alice-tag"))
    received = call.callee.last
    assert received.replaces == Replaces("call-9", "carol-tag", "alice-tag")
    assert received.refer_to.uri == CAROL


def test_a_refused_request() -> None:
    call = asked()
    call.callee.do("reject_refer", 603)
    assert call.caller.events == [ReferProgress(603, True)]
    call.caller.do("refer", NameAddr(None, CAROL))
    assert call.caller.count("REFER") == 2


def test_the_second_transfer_of_a_session_is_numbered() -> None:
    """RFC 3515 section 2.4.6."""
    call = asked()
    call.callee.do("accept_refer")
    call.callee.do("refer_result", 486, None)
    call.caller.do("refer", CAROL)
    call.callee.do("accept_refer")
    number = call.caller.sent_named("REFER")[1].cseq.number
    assert call.callee.sent_named("NOTIFY")[-1].headers.get("event") == f"refer;id={number}"
    assert call.caller.last == ReferProgress(100, False)


def test_one_at_a_time() -> None:
    call = asked()
    with pytest.raises(Misuse):
        call.caller.do("refer", CAROL)
    send(call, "REFER", Refer_To="<sip:dave@example.com>")
    assert call.callee.names == ["491 REFER"]


@pytest.mark.parametrize("headers", [{}, {"Refer_To": "<sip:"}, {"Refer_To": "<sip:a@b?Replaces=x>"}])
def test_an_unreadable_request(headers: dict[str, str]) -> None:
    call = established()
    send(call, "REFER", b"", "", **headers)
    assert call.callee.names == ["400 REFER"]


def test_no_subscription_when_none_is_wanted() -> None:
    """RFC 4488."""
    call = established()
    send(call, "REFER", Refer_To="<sip:carol@example.com>", Refer_Sub="false", Require="norefersub")
    call.callee.do("accept_refer")
    call.callee.do("refer_result", 200, None)
    assert call.callee.names == ["202 REFER"]
    assert call.callee.sent[0].headers.get("refer-sub") == "false"


def test_a_peer_that_sends_no_notify_by_agreement() -> None:
    call = asked()
    asked_of = call.callee.s._referral._asked
    assert asked_of is not None
    call.callee.s._context.respond(asked_of.key, asked_of.request, 202, [("Refer-Sub", "false")])
    call.flow()
    assert call.caller.events == [ReferProgress(202, True)]


def test_a_peer_that_never_notifies() -> None:
    """Timer N of RFC 6665."""
    call = asked()
    asked_of = call.callee.s._referral._asked
    assert asked_of is not None
    call.callee.s._context.respond(asked_of.key, asked_of.request, 202)
    call.advance(33)
    assert call.caller.events == [ReferProgress(408, True)]


def test_a_transfer_that_takes_too_long() -> None:
    call = asked()
    call.callee.do("accept_refer")
    call.advance(181)
    assert (
        call.callee.sent_named("NOTIFY")[-1].headers.get("subscription-state") == "terminated;reason=timeout"
    )
    assert call.caller.last == ReferProgress(408, True) or call.caller.last == ReferProgress(100, True)
    call.callee.do("refer_result", 200, None)
    assert call.callee.count("NOTIFY") == 2


def test_an_unanswered_refer() -> None:
    call = established()
    call.caller.s.refer(CAROL, call.now)
    key = call.caller.s._context.key_of("REFER")
    assert key is not None
    call.caller.s.request_failed(key, "timeout", call.now)
    call.flow()
    assert call.caller.events == [ReferProgress(408, True)]


@pytest.mark.parametrize("how", ["481", "timeout"])
def test_a_referrer_who_forgot_is_told_nothing_more(how: str) -> None:
    call = asked()
    if how == "481":
        call.caller.s._referral._conclude(200)
        call.callee.do("accept_refer")
    else:
        call.callee.s.accept_refer(call.now)
        key = call.callee.s._context.key_of("NOTIFY")
        assert key is not None
        call.callee.s.request_failed(key, "timeout", call.now)
        call.flow()
    call.callee.do("refer_result", 200, None)
    assert call.callee.count("NOTIFY") == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Event": "refer"}, 481),
        ({"Event": "presence"}, 489),
        ({}, 481),
    ],
)
def test_a_notify_nobody_asked_for(headers: dict[str, str], status: int) -> None:
    call = established()
    send(call, "NOTIFY", b"SIP/2.0 200 OK", "message/sipfrag", **headers)
    assert call.callee.names == [f"{status} NOTIFY"]


def test_a_notify_of_another_refer() -> None:
    call = established()
    call.callee.do("refer", CAROL)
    send(
        call,
        "NOTIFY",
        b"SIP/2.0 200 OK",
        "message/sipfrag",
        Event="refer;id=999",
        Subscription_State="active",
    )
    assert call.callee.names[-1] == "481 NOTIFY"


def test_notifies_without_news_or_state() -> None:
    call = established()
    call.callee.do("refer", CAROL)
    send(
        call, "NOTIFY", b"junk", "message/sipfrag", Event="refer", Subscription_State="active;expires=9999999"
    )
    assert call.callee.events == []
    send(call, "NOTIFY", b"x", "text/plain", Event="refer", Subscription_State="(")
    assert call.callee.names[-1] == "400 NOTIFY"
    send(call, "NOTIFY", b"", Event="refer", Subscription_State="terminated;reason=giveup")
    assert call.callee.events == [ReferProgress(408, True)]


def test_the_subscription_is_renewed_and_ended() -> None:
    """RFC 6665: SUBSCRIBE within the dialog; Expires 0 ends it."""
    call = asked()
    call.callee.do("accept_refer")
    send(call, "SUBSCRIBE", Event="refer", Expires="600")
    assert call.callee.sent_named("200 SUBSCRIBE")[0].headers.get("expires") == "600"
    call.advance(300)
    assert call.callee.count("NOTIFY") == 2
    send(call, "SUBSCRIBE", Event="refer", Expires="0")
    assert (
        call.callee.sent_named("NOTIFY")[-1].headers.get("subscription-state") == "terminated;reason=timeout"
    )


@pytest.mark.parametrize(("event", "status"), [("refer", 481), ("dialog", 489)])
def test_a_subscribe_nobody_can_serve(event: str, status: int) -> None:
    call = established()
    send(call, "SUBSCRIBE", Event=event)
    assert call.callee.names == [f"{status} SUBSCRIBE"]


def test_a_hang_up_answers_the_undecided_refer() -> None:
    call = asked()
    call.caller.do("hangup")
    assert call.callee.names == ["200 BYE", "487 REFER"]


class TestReplaces:
    """RFC 3891 section 3."""

    def test_names_are_those_of_the_other_end(self) -> None:
        call = established()
        named = call.caller.s.replaces()
        assert named == Replaces("call-1", "bob-1", "alice-1")
        assert call.callee.s.check_replaced(named) is None
        assert call.caller.s.check_replaced(named) == 481

    def test_early_only_does_not_replace_an_answered_call(self) -> None:
        call = established()
        named = call.caller.s.replaces(early_only=True)
        assert named is not None
        assert call.callee.s.check_replaced(named) == 486

    def test_an_early_dialog_can_be_replaced_at_the_one_who_calls(self) -> None:
        call = ringing()
        assert call.caller.s.replaces() is None
        call.callee.do("ring")
        toward_callee, toward_caller = call.caller.s.replaces(), call.callee.s.replaces()
        assert toward_callee is not None
        assert toward_caller is not None
        assert call.callee.s.check_replaced(toward_callee) == 481
        assert call.caller.s.check_replaced(toward_caller) is None

    def test_an_ended_call_is_declined(self) -> None:
        call = established()
        named = call.caller.s.replaces()
        assert named is not None
        call.callee.do("hangup", cause=EndCause.REPLACED)
        assert call.callee.last.cause is EndCause.REPLACED
        assert call.callee.s.check_replaced(named) == 603

    def test_it_has_no_place_within_a_dialog(self) -> None:
        call = established()
        send(call, "INVITE", ANSWER, "application/sdp", Replaces="a;to-tag=1;from-tag=2")
        assert call.callee.names == ["400 INVITE"]
