"""Commands of a call, between two endpoints: each reaches the session and the other side hears it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sip.call import Call
from sip.session.outputs import (
    AnswerReceived,
    Confirmed,
    EndCause,
    Ended,
    InfoReceived,
    MessageReceived,
    OfferFailed,
    OfferReceived,
    Progress,
    ReferProgress,
    ReferReceived,
)
from sip.uri import NameAddr, Uri
from tests.sip.endpoint.paper import Pair
from tests.sip.endpoint.test_outgoing import call_bob
from tests.sip.wire import SDP

CAROL = NameAddr(None, Uri.parse("sip:carol@192.0.2.3"))


class Talk:
    """A call between ``a``, who placed it, and ``b``."""

    def __init__(self, answer: Callable[[Call], None] = lambda call: call.answer(SDP)) -> None:
        self.pair = Pair()
        self.pair.b.application.on_invite = answer
        self.a, self.heard_by_a = call_bob(self.pair)
        self.pair.pass_time(0.3)
        self.b = self.pair.b.application.calls[0]
        self.heard_by_b: list[Any] = self.pair.b.application.events

    def pass_time(self, seconds: float = 0.1) -> None:
        self.pair.pass_time(seconds)


def test_progress_before_the_answer() -> None:
    """100, 183 with a description, then the refusal with a header."""

    def answer(call: Call) -> None:
        call.trying()
        call.progress(183)
        call.reject(486, "Busy", [("Retry-After", "5")])

    talk = Talk(answer)
    assert talk.pair.wire == ["INVITE", "100 INVITE", "183 INVITE", "486 INVITE", "ACK"]
    assert talk.heard_by_a == [Progress(183, None), Ended(EndCause.REJECTED, 486, "Busy")]


def test_a_new_offer_is_answered() -> None:
    """Hold by re-INVITE from one side, by UPDATE from the other."""
    talk = Talk()
    hold = SDP + b"a=sendonly\r\n"
    talk.a.reoffer(hold)
    talk.pass_time()
    assert talk.heard_by_b[-1] == OfferReceived(hold)
    talk.b.answer_offer(SDP)
    talk.pass_time()
    assert talk.heard_by_a[-1] == AnswerReceived(SDP)
    talk.b.reoffer(SDP, "UPDATE")
    talk.pass_time()
    talk.a.answer_offer(hold)
    talk.pass_time()
    assert talk.heard_by_b[-1] == AnswerReceived(hold)


def test_a_new_offer_is_refused() -> None:
    """The call goes on as before."""
    talk = Talk()
    talk.a.reoffer(SDP)
    talk.pass_time()
    talk.b.reject_offer(488)
    talk.pass_time()
    assert talk.heard_by_a[-1] == OfferFailed(488)


def test_a_cancelled_new_offer_gets_487() -> None:
    """A CANCEL of a re-INVITE that still waits is not the end of the call."""
    talk = Talk()
    talk.a.reoffer(SDP)
    talk.pass_time()
    endpoint = talk.pair.a.endpoint
    for transaction in list(endpoint.layer._clients.values()):
        if transaction.method == "INVITE" and transaction.request is not None:
            endpoint.layer.cancel(transaction, endpoint.seconds())  # type: ignore[arg-type]
    endpoint.flush()
    talk.pass_time(0.5)
    assert talk.pair.wire[-4:] == ["CANCEL", "200 CANCEL", "487 INVITE", "ACK"]
    assert not any(isinstance(event, Ended) for event in talk.heard_by_b)


def test_info_and_message() -> None:
    """Their bodies arrive."""
    talk = Talk()
    talk.a.info("application/dtmf-relay", b"Signal=5\r\n")
    talk.b.message("text/plain", b"hello")
    talk.pass_time()
    assert talk.heard_by_b[-1] == InfoReceived("application/dtmf-relay", b"Signal=5\r\n")
    assert talk.heard_by_a[-1] == MessageReceived("text/plain", b"hello")


def test_a_transfer_is_accepted_and_told() -> None:
    """REFER, its NOTIFYs, and how it went."""
    talk = Talk()
    talk.a.refer(CAROL)
    talk.pass_time()
    assert talk.heard_by_b[-1] == ReferReceived(CAROL, None, None)
    talk.b.accept_refer()
    talk.b.refer_result(200)
    talk.pass_time()
    assert talk.heard_by_a[-1] == ReferProgress(200, True)


def test_a_transfer_is_refused() -> None:
    """603, and the call goes on."""
    talk = Talk()
    talk.a.refer(CAROL)
    talk.pass_time()
    talk.b.reject_refer(603)
    talk.pass_time()
    assert talk.heard_by_a[-1] == ReferProgress(603, True)


def test_a_reason_goes_with_the_bye() -> None:
    """RFC 3326."""
    talk = Talk()
    talk.a.hangup("Q.850;cause=16")
    talk.pass_time()
    assert talk.heard_by_b[-1] == Ended(EndCause.REMOTE_BYE, None, "Q.850;cause=16")


def test_both_hang_up_at_once() -> None:
    """Both BYEs are answered 200."""
    talk = Talk()
    assert isinstance(talk.heard_by_b[-1], Confirmed)
    talk.a.hangup()
    talk.b.hangup()
    talk.pass_time()
    assert talk.pair.wire[-4:] == ["BYE", "BYE", "200 BYE", "200 BYE"]
    assert (len(talk.pair.a.endpoint.calls), len(talk.pair.b.endpoint.calls)) == (0, 0)


def test_a_command_given_while_an_event_is_told_is_served() -> None:
    """An application may hang up at the moment it hears the answer."""
    pair = Pair()
    pair.b.application.on_invite = lambda call: call.answer(SDP)
    call, events = call_bob(pair)

    def hang_up(event: Any) -> None:
        events.append(event)
        if len(events) == 1:
            call.hangup()

    call.on_event = hang_up
    pair.pass_time(0.2)
    assert pair.wire[-3:] == ["ACK", "BYE", "200 BYE"]
    assert events[-1] == Ended(EndCause.LOCAL_BYE)


def test_a_call_names_itself_in_logs() -> None:
    """By its Call-ID."""
    talk = Talk()
    assert repr(talk.b) == f"<Call {talk.a.call_id}>"


@pytest.mark.parametrize("method", ["hangup", "ring", "trying"])
def test_commands_after_the_end_do_nothing(method: str) -> None:
    """Late is no error."""
    talk = Talk()
    talk.b.hangup()
    talk.pass_time()
    before = len(talk.pair.wire)
    getattr(talk.b, method)()
    talk.pass_time()
    assert len(talk.pair.wire) == before


class TestWhenOver:
    """A stop waits for the last word of the last call, and no longer."""

    @staticmethod
    def told(talk: Talk) -> list[float]:
        """The times at which the callee's side was told that its calls are over."""
        times: list[float] = []
        clock = talk.pair.clock
        talk.pair.b.endpoint.dialogs.when_over(lambda: times.append(clock.seconds()))
        return times

    def test_without_a_call(self) -> None:
        """At once."""
        talk = Talk()
        talk.a.hangup()
        talk.pass_time()
        assert len(self.told(talk)) == 1

    def test_when_the_bye_is_answered(self) -> None:
        """Not when it is sent."""
        talk = Talk()
        talk.pair.loses = lambda message: message == "200 BYE"
        talk.b.hangup()
        told = self.told(talk)
        talk.pass_time(0.3)
        assert talk.pair.wire[-2:] == ["BYE", "200 BYE"]
        assert told == []
        talk.pair.loses = lambda message: False
        talk.pass_time(0.5)
        assert talk.pair.wire[-4:] == ["BYE", "200 BYE", "BYE", "200 BYE"]
        assert len(told) == 1
        talk.pass_time(5)
        assert len(told) == 1

    def test_a_callee_that_hangs_up_before_the_ack(self) -> None:
        """Its BYE has to wait for that (RFC 3261 section 15), and is answered before anybody is told."""
        lost = ["ACK", "200 INVITE"]  # 200 repeated: its ACK too
        talk = Talk(lambda call: None)
        talk.pair.loses = lambda message: message in lost
        talk.b.answer(SDP)
        talk.pass_time(0.1)
        talk.b.hangup()
        told = self.told(talk)
        talk.pass_time(1.0)
        assert "BYE" not in talk.pair.wire
        assert told == []
        lost.clear()
        talk.pass_time(5.0)
        assert talk.pair.wire[-3:] == ["ACK", "BYE", "200 BYE"]
        assert len(told) == 1

    def test_when_the_last_is_over(self) -> None:
        """One of two calls does not do."""
        talk = Talk()
        other, _ = call_bob(talk.pair)
        talk.pass_time(0.3)
        told = self.told(talk)
        talk.a.hangup()
        talk.pass_time()
        assert told == []
        other.hangup()
        talk.pass_time()
        assert len(told) == 1


def test_what_a_turn_brings_about_is_sent_at_its_end() -> None:
    """In its order, and nothing before."""
    talk = Talk()
    endpoint = talk.pair.a.endpoint
    before = len(talk.pair.wire)
    endpoint.begin_turn()
    talk.a.info("text/plain", b"one")
    talk.a.hangup()
    assert len(talk.pair.wire) == before
    endpoint.end_turn()
    assert talk.pair.wire[before:] == ["INFO", "BYE"]
