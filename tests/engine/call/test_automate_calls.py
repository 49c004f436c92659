"""Calls to an automate: offers early and late, hold, digits, and what goes wrong (on a paper network)."""

from __future__ import annotations

import gc
import weakref

import pytest

from engine.store import AutomateRange
from media.control import DigitReceived, LegFailed, PlayFinished
from sip.session.outputs import AnswerReceived, EndCause, Ended, OfferFailed, OfferReceived
from tests.engine.call.town import ECHO, ENGINE, LOOP, Phone, Town, response_headers, sdp, statuses
from tests.sip.wire import SDP, written

READBACK = "6999"


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def phone(town: Town) -> Phone:
    return town.phone("200", "192.0.2.10")


def origin(description: bytes) -> list[bytes]:
    """The identifier and version in o=."""
    return description.split(b"\r\n")[1].split()[1:3]


def answers(phone: Phone) -> list[bytes]:
    """The engine's answers to this phone's offers within the call."""
    return [each.sdp for each in phone.events if isinstance(each, AnswerReceived)]


def test_a_call_is_answered_and_ended_by_the_caller(town: Town, phone: Phone) -> None:
    """200 with our address; the application begins with the ACK; BYE closes the leg."""
    call = phone.dial(ECHO)
    leg = town.media.legs[0]
    assert leg.remote == ("192.0.2.10", 4000)
    assert leg.told == [("echo", True)]
    assert town.calls.by_number == {ECHO: 1}
    call.hangup()
    town.at_rest()


def test_a_call_that_is_over_is_freed_at_once(town: Town, phone: Phone) -> None:
    """By its last reference, not by the collector, although its transactions stay for 32 s (RFC 6026)."""
    gc.collect()
    gc.disable()
    try:
        call = phone.dial(ECHO)
        (conversation,) = town.calls
        (party,) = conversation.parties
        assert party.call is not None
        alive = [weakref.ref(conversation), weakref.ref(party.call.session)]
        del conversation, party
        call.hangup()
        town.pass_time(1)
        leg = town.media.legs[0]
        leg.on_closed()
        leg.on_event = leg.on_change = leg.on_closed = None
        assert [each() for each in alive] == [None, None]
        assert len(town.endpoint.layer) == 2
    finally:
        gc.enable()
    town.at_rest()


def test_a_call_that_we_end_is_freed_with_its_last_transaction(town: Town, phone: Phone) -> None:
    """Our BYE keeps it until Timer K, 5 s after the answer, and the collector is not needed either."""
    gc.collect()
    gc.disable()
    try:
        phone.dial(ECHO)
        (conversation,) = town.calls
        (party,) = conversation.parties
        assert party.call is not None
        alive = [weakref.ref(conversation), weakref.ref(party.call.session)]
        del conversation, party
        leg = town.media.legs[0]
        leg.happens(LegFailed(leg=1, reason="worker_lost"))
        town.pass_time(6)
        leg.closed()
        assert [each() for each in alive] == [None, None]
    finally:
        gc.enable()


def test_an_announcement_ends_the_call(town: Town, phone: Phone) -> None:
    """After its last word it hangs up."""
    phone.dial(LOOP)
    leg = town.media.legs[0]
    assert leg.told == [("play", ["en/welcome"], False)]
    leg.happens(PlayFinished(leg=1, tag=0, interrupted=False))
    town.pass_time(0.1)
    assert phone.ended is not None
    assert phone.ended.cause is EndCause.REMOTE_BYE
    town.at_rest()


def test_a_late_offer_is_ours(town: Town, phone: Phone) -> None:
    """An INVITE without description gets our offer in the 200; its ACK has the answer."""
    phone.dial(ECHO, offer=None)
    offered = next(each.sdp for each in phone.events if isinstance(each, OfferReceived))
    assert b"m=audio 40002 RTP/AVP 0 8 101" in offered
    leg = town.media.legs[0]
    assert leg.remote == ("192.0.2.10", 4000)
    assert leg.told == [("echo", True)]
    phone.call.hangup()
    town.at_rest()


def test_a_late_answer_nobody_can_use_ends_the_call(town: Town, phone: Phone) -> None:
    """An ACK whose answer has no codec of our offer: BYE, and the application never begins."""
    bad = sdp(phone.host, codec=3).replace(b" 101", b"")

    def answer_badly(event: object) -> None:
        phone.events.append(event)  # type: ignore[arg-type]
        if isinstance(event, OfferReceived):
            phone.call.answer_offer(bad)

    phone._happens = answer_badly  # type: ignore[method-assign]
    phone.dial(ECHO, offer=None)
    assert phone.ended is not None
    assert phone.ended.cause is EndCause.REMOTE_BYE
    assert town.media.legs[0].told == []
    assert town.count("answer_refused") == 1
    town.at_rest()


@pytest.mark.parametrize(
    ("offer", "status"),
    [
        (sdp("192.0.2.10", codec=3).replace(b" 101", b""), 488),
        (sdp("127.0.0.1"), 488),
        (sdp("224.0.0.9"), 488),
        (sdp("192.0.2.1", 5060), 488),
        (b"v=0\r\nnonsense", 400),
    ],
    ids=["codec", "loopback", "multicast", "our own SIP port", "garbage"],
)
def test_an_offer_we_cannot_use_is_refused(town: Town, phone: Phone, offer: bytes, status: int) -> None:
    """No codec in common, an address no stream may go to (security reference E3), or no description at all."""
    town.parts.keep_streams_from({8080})
    phone.dial(ECHO, offer=offer)
    assert phone.ended == Ended(EndCause.REJECTED, status, phone.ended.reason if phone.ended else "")
    assert all(leg.spec.codec is None for leg in town.media.legs)
    town.at_rest()


def test_an_offer_cannot_point_at_our_rest_port(town: Town, phone: Phone) -> None:
    """Nor at any other port that was named to be kept clear."""
    town.parts.keep_streams_from({8080})
    phone.dial(ECHO, offer=sdp("192.0.2.1", 8080))
    assert phone.ended is not None
    assert phone.ended.status == 488
    town.at_rest()


def test_hold_and_resume(town: Town, phone: Phone) -> None:
    """sendonly stops what we send and nothing else; sendrecv brings it back. Each answer is a new version."""
    call = phone.dial(ECHO)
    leg = town.media.legs[0]
    call.reoffer(sdp(phone.host, direction="sendonly", version=2))
    town.pass_time(0.1)
    assert (leg.spec.send, leg.spec.receive) == (False, True)
    assert b"a=recvonly" in answers(phone)[-1]
    call.reoffer(sdp(phone.host, port=4100, version=3))
    town.pass_time(0.1)
    assert (leg.spec.send, leg.spec.receive) == (True, True)
    assert leg.remote == ("192.0.2.10", 4100)
    held, resumed = (origin(each) for each in answers(phone))
    assert (held[0], resumed[0]) == (b"1", b"1")
    assert int(resumed[1]) == int(held[1]) + 1
    call.hangup()
    town.at_rest()


def test_an_unchanged_answer_keeps_its_version(town: Town, phone: Phone) -> None:
    """A refresh that offers the same gets the same answer, version included (RFC 3264 section 8)."""
    call = phone.dial(ECHO)
    for _ in range(2):
        call.reoffer(sdp(phone.host))
        town.pass_time(0.1)
    assert answers(phone)[0] == answers(phone)[1]
    assert origin(answers(phone)[0])[1] == b"1"
    call.hangup()
    town.at_rest()


def test_a_reoffer_may_change_the_codec() -> None:
    """From PCMU to G.722 and on to Opus in mid-call: the leg stays, the answer and what it is told change."""
    town = Town(settings={"media.codecs": '["opus", "G722", "PCMU"]'})
    phone = town.phone("1001", "192.0.2.10")
    call = phone.dial(ECHO)
    [leg] = town.media.legs
    opus = sdp(phone.host, codec=111, version=3) + b"a=rtpmap:111 opus/48000/2\r\na=fmtp:111 usedtx=1\r\n"
    for offer, codec, rate in ((sdp(phone.host, codec=9, version=2), "G722", 16000), (opus, "OPUS", 48000)):
        call.reoffer(offer)
        town.pass_time(0.1)
        assert (leg.spec.codec, leg.spec.rate) == (codec, rate)
    assert leg.spec.dtx
    assert (leg.spec.clock_rate, leg.spec.event_rate) == (48000, 8000)
    assert len(town.media.open) == 1
    call.hangup()
    town.at_rest()


def test_a_bad_reoffer_changes_nothing(town: Town, phone: Phone) -> None:
    """488, and the call goes on as it was."""
    call = phone.dial(ECHO)
    leg = town.media.legs[0]
    before = leg.spec
    call.reoffer(sdp(phone.host, codec=3, version=2).replace(b" 101", b""))
    town.pass_time(0.1)
    assert [each.status for each in phone.events if isinstance(each, OfferFailed)] == [488]
    assert leg.spec == before
    call.hangup()
    town.at_rest()


def reinvite(phone: Phone, cseq: int, body: bytes = b"") -> bytes:
    """A re-INVITE in the call whose ACK the test writes itself."""
    dialog = phone.call.session.dialog_id
    assert dialog is not None
    return written(
        "INVITE",
        uri="sip:5000@192.0.2.1",
        via=f"SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKre{cseq}",
        from_tag=phone.call.local_tag,
        to_tag=dialog.remote_tag,
        call_id=phone.call.call_id,
        cseq=cseq,
        body=body,
    )


@pytest.mark.parametrize("good", [True, False])
def test_a_reinvite_without_description_gets_our_offer(town: Town, phone: Phone, good: bool) -> None:
    """The answer comes in the ACK; one we cannot use ends the call."""
    phone.dial(ECHO)
    del town.phones[phone.address]  # from here the test writes what the phone sends
    leg = town.media.legs[0]
    (offered,) = town.send(reinvite(phone, 7), phone.address)
    answered = response_headers(offered)
    assert answered.status == 200
    assert b"m=audio 40002 RTP/AVP 0 8 101" in answered.body
    answer = sdp(phone.host, 4200) if good else sdp(phone.host, 4200, codec=3).replace(b" 101", b"")
    ack = reinvite(phone, 7, answer).replace(b"INVITE", b"ACK")
    said = town.send(ack, phone.address)
    assert leg.remote == ("192.0.2.10", 4200 if good else 4000)
    assert statuses(said) == ([] if good else ["BYE"])
    assert leg.alive is good


def test_digits_by_info_and_by_event_reach_the_application(town: Town, phone: Phone) -> None:
    """6999 repeats what was pressed, however it came."""
    town.numbering(ranges=(readback(),))
    call = phone.dial(READBACK, caller="4")
    leg = town.media.legs[0]
    call.info("application/dtmf-relay", b"Signal=1\r\nDuration=160\r\n")
    call.info("application/dtmf", b"not a digit")
    town.pass_time(0.1)
    leg.happens(DigitReceived(leg=1, digit="2", duration_ms=100))
    town.pass_time(2)
    assert leg.told[-1] == ("play", ["en/you-pressed", "en/digit-1", "en/digit-2"])
    call.hangup()
    town.at_rest()


def without_events(host: str = "192.0.2.10") -> bytes:
    plain = sdp(host).replace(b" 101\r\n", b"\r\n")
    return b"".join(line for line in plain.splitlines(keepends=True) if b"telephone-event" not in line)


def test_digits_are_looked_for_in_the_sound_where_they_can_only_be_there(town: Town) -> None:
    """A phone without telephone-event, and an application that takes keys: else nobody searches."""
    plain, phone = town.phone("200", "192.0.2.10"), town.phone("201", "192.0.2.11")
    town.numbering(ranges=(readback(),))
    heard = []
    for caller, number, offer in (
        (plain, READBACK, without_events()),
        (plain, ECHO, without_events()),
        (phone, READBACK, sdp("192.0.2.11")),
    ):
        call = caller.dial(number, offer=offer)
        heard.append(town.media.legs[-1].spec.inband_digits)
        call.hangup()
        town.pass_time(40)
    assert heard == [True, False, False]


def readback() -> AutomateRange:
    return AutomateRange(id=3, first_number=READBACK, application="readback")


def test_a_lost_leg_ends_its_call(town: Town, phone: Phone) -> None:
    """The worker died: BYE at once."""
    phone.dial(ECHO)
    town.media.legs[0].happens(LegFailed(leg=1, reason="worker_lost"))
    town.pass_time(0.1)
    assert phone.ended is not None
    assert phone.ended.cause is EndCause.REMOTE_BYE
    assert town.count("leg_lost") == 1
    town.at_rest()


def test_a_command_that_failed_is_counted_and_no_more(town: Town, phone: Phone) -> None:
    """A prompt that is not there is no reason to hang up."""
    call = phone.dial(ECHO)
    town.media.legs[0].happens(LegFailed(leg=1, reason="unknown_prompt x"))
    town.pass_time(0.1)
    assert (phone.ended, town.count("leg_command_failed")) == (None, 1)
    call.hangup()
    town.at_rest()


def test_no_worker_has_room(town: Town, phone: Phone) -> None:
    """503 with Retry-After."""
    town.media.refuses = True
    phone.dial(ECHO)
    assert phone.ended is not None
    assert phone.ended.status == 503
    assert any(b"Retry-After: 5" in data for data, to in town.post if to == phone.address)
    town.at_rest()


def test_the_caller_gives_up_while_the_leg_is_opened(town: Town, phone: Phone) -> None:
    """The leg that comes too late is closed; nobody is answered any more."""
    town.media.holds = True
    call = phone.dial(ECHO)
    town.pass_time(0.3)
    call.hangup()
    town.pass_time(0.1)
    town.media.release()
    town.pass_time(0.1)
    assert "200 INVITE" not in town.sent_to(phone)
    assert "487 INVITE" in town.sent_to(phone)
    town.at_rest()


def test_a_full_engine_and_an_unknown_number(town: Town, phone: Phone) -> None:
    """503 above ``sip.max_calls``; 404 for what the plan does not have."""
    phone.dial("12345")
    assert phone.ended is not None
    assert phone.ended.status == 404
    town.parts.router.max_calls = 0
    phone.dial(ECHO)
    assert phone.ended.status == 503
    assert town.count("calls_full") == 1
    town.at_rest()


def test_a_caller_that_requires_100rel_rings_first(town: Town, phone: Phone) -> None:
    """Its 180 is reliable, its PRACK answered."""
    phone.dial(ECHO, headers=(("Require", "100rel"),))
    assert phone.rings == [180]
    assert sorted(town.sent_to(phone)[-2:]) == ["200 INVITE", "200 PRACK"]
    phone.call.hangup()
    town.at_rest()


@pytest.mark.parametrize(
    ("codecs", "answered"), [('["PCMA"]', b"RTP/AVP 8 101"), ('["PCMA", "PCMU"]', b"RTP/AVP 8 0 101")]
)
def test_codecs_are_the_configured_ones(codecs: str, answered: bytes) -> None:
    """Offered in their order; a codec that is not configured is not spoken."""
    town = Town(settings={"media.codecs": codecs})
    phone = town.phone("200", "192.0.2.10")
    phone.dial(ECHO, offer=None)
    offered = next(each.sdp for each in phone.events if isinstance(each, OfferReceived))
    assert answered in offered


def test_a_codec_that_is_not_configured_is_refused() -> None:
    """PCMU offered to an engine of PCMA: 488."""
    town = Town(settings={"media.codecs": '["PCMA"]'})
    phone = town.phone("200", "192.0.2.10")
    phone.dial(ECHO)
    assert phone.ended is not None
    assert phone.ended.status == 488
    town.at_rest()


def test_media_of_the_other_ip_version_gets_a_leg_of_that_version(
    town: Town, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signalling over IPv4, sound over IPv6: the leg is bound to what the sound needs."""
    monkeypatch.setattr(
        town.endpoint, "local_host_for", lambda host: "2001:db8::1" if ":" in host else ENGINE.host
    )
    offer = sdp("2001:db8::9").replace(b"IP4", b"IP6")
    phone.dial(ECHO, offer=offer)
    assert town.media.legs[0].local_host == "2001:db8::1"
    assert town.media.legs[0].remote == ("2001:db8::9", 4000)


def test_an_invite_the_session_refuses_itself(town: Town, phone: Phone) -> None:
    """No Contact: 400, and nothing is left of it."""
    invite = written("INVITE", uri="sip:5000@192.0.2.1", body=SDP).replace(
        b"Contact: <sip:peer@192.0.2.9:5060>\r\n", b""
    )
    said = town.send(invite, phone.address)
    assert "400 INVITE" in statuses(said)
    town.at_rest()


@pytest.mark.parametrize("method", ["MESSAGE", "SUBSCRIBE", "REFER", "NOTIFY"])
def test_methods_nobody_serves_outside_a_dialog(town: Town, phone: Phone, method: str) -> None:
    """405, with an Allow that does not name the method itself."""
    said = town.send(written(method, uri="sip:5000@192.0.2.1", headers=("Event: refer",)), phone.address)
    answer = response_headers(said[0])
    assert answer.status == 405
    assert method not in answer.allow
    assert "INVITE" in answer.allow


def test_options_tells_what_we_can(town: Town, phone: Phone) -> None:
    """200 with Allow, Accept and Supported."""
    (said,) = town.send(written("OPTIONS", uri=f"sip:{ENGINE.host}"), phone.address)
    answer = response_headers(said)
    assert answer.status == 200
    assert "replaces" in answer.supported
