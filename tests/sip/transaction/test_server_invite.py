"""The INVITE server transaction (RFC 3261 section 17.2.1, RFC 6026 section 7.1)."""

from __future__ import annotations

import pytest

from sip.message import Request, response_to
from sip.transaction.outputs import AckReceived, TimedOut, TransportFailed
from sip.transaction.timers import TRYING_AFTER
from tests.sip.transaction.bench import Bench
from tests.sip.wire import TCP, request

INVITE = request("INVITE")


@pytest.fixture
def bench() -> Bench:
    return Bench()


def ack(branch: str = "z9hG4bKone", to_tag: str = "us") -> Request:
    return request("ACK", via=f"SIP/2.0/UDP 192.0.2.9:5060;branch={branch}", to_tag=to_tag)


def test_a_silent_user_has_100_sent_for_it(bench: Bench) -> None:
    """17.2.1: after 200 ms, once; a repeated INVITE then gets it again."""
    bench.accept(request("INVITE"))
    bench.receive(request("INVITE"))
    assert bench.names == []
    bench.pass_time(0.25)
    assert (bench.names, bench.sent_at) == (["100 INVITE"], [TRYING_AFTER])
    bench.receive(request("INVITE"))
    assert bench.names == ["100 INVITE", "100 INVITE"]
    bench.pass_time(100)
    assert len(bench.sent) == 2


def test_a_quick_user_is_not_preceded_by_100(bench: Bench) -> None:
    """An answer within 200 ms is the first response."""
    transaction = bench.accept(request("INVITE"))
    bench.respond(transaction, response_to(INVITE, 180, to_tag="us"))
    bench.pass_time(1)
    bench.receive(request("INVITE"))
    assert bench.names == ["180 INVITE", "180 INVITE"]


def test_a_refusal_is_repeated_until_the_ack(bench: Bench) -> None:
    """Timer G doubles up to T2; the ACK stops it; Timer I ends it after T4."""
    transaction = bench.accept(request("INVITE"))
    bench.respond(transaction, response_to(INVITE, 486, to_tag="us"))
    bench.pass_time(4)
    assert bench.sent_at == [0, 0.5, 1.5, 3.5]
    bench.receive(ack())
    bench.receive(ack())
    bench.pass_time(4.9)
    bench.receive(request("INVITE"))
    assert (len(bench.sent), bench.told, len(bench.layer)) == (4, [], 1)
    bench.pass_time(0.2)
    assert (len(bench.layer), bench.layer.deadline) == (0, None)


def test_a_repeated_invite_is_answered_as_before(bench: Bench) -> None:
    """Completed: the request again draws the response again."""
    transaction = bench.accept(request("INVITE"))
    bench.respond(transaction, response_to(INVITE, 486, to_tag="us"))
    bench.receive(request("INVITE"))
    assert bench.names == ["486 INVITE", "486 INVITE"]


def test_no_ack_times_out(bench: Bench) -> None:
    """Timer H: 64*T1 after the refusal the user is told."""
    transaction = bench.accept(request("INVITE"))
    bench.respond(transaction, response_to(INVITE, 486, to_tag="us"))
    bench.pass_time(40)
    assert bench.told == [TimedOut(transaction)]
    assert len(bench.layer) == 0


def test_over_a_stream_a_refusal_is_sent_once(bench: Bench) -> None:
    """No Timer G, and Timer I is 0."""
    transaction = bench.accept(request("INVITE"), TCP)
    bench.respond(transaction, response_to(INVITE, 486, to_tag="us"))
    bench.pass_time(10)
    bench.receive(ack(), TCP)
    assert (bench.names, len(bench.layer)) == (["486 INVITE"], 0)


def test_a_2xx_is_repeated_by_the_session_alone(bench: Bench) -> None:
    """RFC 6026 Accepted: the user's repeats pass, repeated INVITEs are absorbed, Timer L ends it."""
    transaction = bench.accept(request("INVITE"))
    ok = response_to(INVITE, 200, to_tag="us")
    bench.respond(transaction, ok)
    bench.receive(request("INVITE"))
    bench.pass_time(5)
    assert bench.names == ["200 INVITE"]
    bench.respond(transaction, ok)
    assert bench.names == ["200 INVITE", "200 INVITE"]
    bench.respond(transaction, response_to(INVITE, 486, to_tag="us"))
    assert len(bench.sent) == 2
    bench.pass_time(32)
    assert (len(bench.layer), bench.layer.deadline) == (0, None)


def test_the_ack_to_a_2xx_is_the_sessions(bench: Bench) -> None:
    """With a branch of its own, and with that of the INVITE, which some peers reuse."""
    transaction = bench.accept(request("INVITE"))
    bench.respond(transaction, response_to(INVITE, 200, to_tag="us"))
    bench.receive(ack("z9hG4bKother"))
    bench.receive(ack())
    assert [type(told) for told in bench.told] == [AckReceived, AckReceived]


def test_an_ack_before_any_answer_is_dropped(bench: Bench) -> None:
    """It acknowledges nothing."""
    bench.accept(request("INVITE"))
    bench.receive(ack())
    assert (bench.told, bench.counters["ack_early"]) == ([], 1)


def test_a_response_that_cannot_be_sent_ends_it(bench: Bench) -> None:
    """17.2.4: the user is told, once."""
    transaction = bench.accept(request("INVITE"), TCP)
    bench.layer.send_failed(transaction, "closed")
    bench.layer.send_failed(transaction, "closed")
    bench.take()
    assert (bench.told, len(bench.layer)) == ([TransportFailed(transaction, "closed")], 0)
    bench.respond(transaction, response_to(INVITE, 200, to_tag="us"))
    transaction.handle_timer(bench.now, [])
    assert bench.sent == []
