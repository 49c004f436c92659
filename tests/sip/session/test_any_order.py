"""Whatever both ends do, in whatever order and with whatever loss: no exception, one end, nothing left over."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sip.message import Request
from sip.session.outputs import Ended, Respond
from sip.uri import Uri
from tests.sip.session import conversation as link
from tests.sip.session.conversation import ANSWER, HOLD, OFFER, Conversation, established
from tests.sip.session.test_early import Caller

CAROL = Uri.parse("sip:carol@example.com")
BOTH = [
    ("offer", HOLD),
    ("offer", OFFER, "UPDATE"),
    ("answer_offer", ANSWER),
    ("reject_offer", 488),
    ("info", "application/dtmf", b"5"),
    ("message", "text/plain", b"hi"),
    ("accept_refer",),
    ("reject_refer", 603),
    ("refer_result", 180, None),
    ("refer_result", 200, "OK"),
    ("hangup",),
]
CALLEE = [
    ("trying",),
    ("ring",),
    ("progress", 183, ANSWER),
    ("answer", ANSWER),
    ("reject", 486),
    ("cancelled",),
]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("caller"), st.sampled_from(BOTH)),
        st.tuples(st.just("callee"), st.sampled_from(BOTH + CALLEE + CALLEE)),
        st.tuples(st.just("wait"), st.sampled_from([0.01, 0.6, 5.0, 40.0, 100.0])),
    ),
    max_size=12,
)
MODES = st.sampled_from(["never", "supported", "required"])


@settings(max_examples=150, deadline=None)
@given(STEPS, MODES, MODES, st.booleans(), st.sampled_from([0, 100]), st.sets(st.integers(1, 30), max_size=8))
def test_any_conversation_ends_cleanly(
    steps: list[tuple[str, object]], one: str, other: str, late: bool, timer: int, lost: set[int]
) -> None:
    count = 0

    def loses(name: str, nth: int) -> bool:
        nonlocal count
        count += 1
        return count in lost

    call = Conversation(
        loses=loses,
        offer=None if late else OFFER,
        caller=link.settings(reliable_provisionals=one, session_expires=timer),
        callee=link.settings(reliable_provisionals=other, session_expires=timer),
    )
    call.advance(1)
    for who, what in steps:
        if who == "wait":
            call.advance(what)  # type: ignore[arg-type]
            continue
        assert isinstance(what, tuple)
        peer = getattr(call, who)
        getattr(peer.s, what[0])(*_with_now(what[0], list(what[1:]), call.now))
        call.advance(0.05)
    call.caller.do("hangup")
    call.callee.do("hangup")
    call.advance(200)
    for peer in (call.caller, call.callee):
        assert peer.s.terminated
        assert len(peer.of(Ended)) == 1
        assert isinstance(peer.last, Ended)


def _with_now(name: str, arguments: list[object], now: float) -> list[object]:
    """The time stands after the description or type and body of a command, before its options."""
    if name in ("trying", "ring", "accept_refer", "hangup", "cancelled"):
        return [now, *arguments]
    if name == "offer":
        return [arguments[0], now, *arguments[1:]]
    return [*arguments, now]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([100, 180, 183, 200, 202, 302, 401, 408, 422, 481, 486, 487, 491, 500, 503, 600]),
            st.sampled_from(["", "a", "b"]),
            st.sampled_from([b"", ANSWER, b"junk"]),
            st.integers(0, 3),
            st.booleans(),
            st.sampled_from(
                [
                    {},
                    {"Require": "100rel", "RSeq": "1"},
                    {"Contact": "<sip:other@192.0.2.7>"},
                    {"Min_SE": "400"},
                    {"Session_Expires": "x"},
                    {"Session_Expires": "200;refresher=uac"},
                    {"Retry_After": "2"},
                    {"Record_Route": "<sip:strict>"},
                ]
            ),
        ),
        max_size=10,
    )
)
def test_any_responses_leave_a_caller_sane(
    responses: list[tuple[int, str, bytes, int, bool, dict[str, str]]],
) -> None:
    caller = Caller(caller=link.settings(follow_redirects=2, session_expires=100))
    for status, tag, body, nth, stray, headers in responses:
        caller.gets(status, tag, body, nth=nth % len(caller.requests), stray=stray, **headers)
        caller.waits(3)
    caller.gives("hangup")
    for key, _ in caller.requests:
        caller.session.request_failed(key, "timeout", caller.now)
    for _ in range(5):
        caller.waits(100)
        for key, _ in caller.requests:
            caller.session.request_failed(key, "timeout", caller.now)
    caller.take()
    assert caller.session.terminated
    assert len([event for event in caller.events if isinstance(event, Ended)]) == 1


def test_a_refer_is_given_up_with_its_session() -> None:
    call = established()
    call.caller.do("refer", CAROL)
    call.callee.do("accept_refer")
    call.callee.do("hangup")
    call.callee.do("refer_result", 200, None)
    call.advance(200)
    assert call.callee.count("NOTIFY") == 1
    assert call.caller.s.terminated


def test_a_refresh_is_left_to_an_offer_under_way() -> None:
    """RFC 4028: a re-INVITE refreshes the session as well, so no second request goes out."""
    call = established(caller=link.settings(session_expires=100))
    call.advance(48)
    call.caller.do("offer", HOLD)
    call.advance(5)
    assert call.caller.names == ["INVITE"]
    call.callee.do("answer_offer", ANSWER)
    call.advance(45)
    assert call.caller.count("UPDATE") == 0
    call.advance(10)
    assert call.caller.count("UPDATE") == 1


def test_an_update_of_another_fork_is_put_off() -> None:
    """Only the latest early dialog is followed; the others are asked to come again."""
    caller = Caller()
    caller.gets(180, "a")
    caller.gets(180, "b")
    update = Request(
        "UPDATE",
        "sip:alice@192.0.2.1",
        [
            ("Via", "SIP/2.0/UDP x;branch=z9hG4bKu"),
            ("From", "<sip:bob@example.com>;tag=a"),
            ("To", caller.last.headers.get("from") or ""),
            ("Call-ID", "call-1"),
            ("CSeq", "1 UPDATE"),
        ],
    )
    caller.session.receive_request(update, "key", caller.now)
    responses = [output for output in caller.session.take_outputs() if isinstance(output, Respond)]
    assert [output.response.status for output in responses] == [500]
    assert responses[0].response.headers.get("retry-after") == "5"
