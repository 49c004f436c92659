"""The INVITE client transaction (RFC 3261 section 17.1.1, RFC 6026 section 7.2)."""

from __future__ import annotations

import pytest

from sip.flow import Flow
from sip.transaction.outputs import ResponseReceived, StrayResponse2xx, TimedOut, TransportFailed
from tests.sip.transaction.bench import Bench
from tests.sip.wire import TCP, UDP, as_request, ours, response


@pytest.fixture
def bench() -> Bench:
    return Bench()


def statuses(bench: Bench) -> list[int]:
    return [told.response.status for told in bench.told if isinstance(told, ResponseReceived)]


def test_silence_gives_seven_invites_and_one_timeout(bench: Bench) -> None:
    """Timer A doubles from T1, Timer B ends it after 64*T1."""
    transaction = bench.invite(ours("INVITE"))
    bench.pass_time(60)
    assert bench.sent_at == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert bench.told == [TimedOut(transaction)]
    assert (len(bench.layer), bench.layer.deadline) == (0, None)


def test_a_stream_is_not_repeated(bench: Bench) -> None:
    """Over a reliable transport there is no Timer A, but Timer B."""
    transaction = bench.invite(ours("INVITE"), TCP)
    bench.pass_time(60)
    assert bench.names == ["INVITE"]
    assert bench.told == [TimedOut(transaction)]


def test_a_provisional_ends_the_repeats_and_the_timeout(bench: Bench) -> None:
    """Proceeding waits as long as the session wants."""
    bench.invite(ours("INVITE"))
    bench.receive(response(bench.sent[0], 180))
    bench.pass_time(600)
    assert (bench.names, statuses(bench), len(bench.layer)) == (["INVITE"], [180], 1)


@pytest.mark.parametrize(("flow", "lingers"), [(UDP, 32.0), (TCP, 0.0)])
def test_a_refusal_is_acknowledged_each_time_it_comes(bench: Bench, flow: Flow, lingers: float) -> None:
    """Completed: the ACK is repeated for each repeated response, the user hears one; Timer D is 0 over TCP."""
    bench.invite(ours("INVITE"), flow)
    refusal = response(bench.sent[0], 486)
    bench.receive(refusal, flow)
    bench.receive(refusal, flow)
    acks = ["ACK", "ACK"] if lingers else ["ACK"]
    assert (bench.names, statuses(bench)) == (["INVITE", *acks], [486])
    bench.pass_time(lingers)
    assert len(bench.layer) == 0


def test_the_ack_to_a_refusal_is_of_the_same_hop(bench: Bench) -> None:
    """17.1.1.3: Request-URI, top Via, Call-ID, From and Route of the INVITE, To of the response."""
    invite = ours("INVITE")
    invite.headers.add("Route", "<sip:proxy.example;lr>")
    bench.invite(invite)
    bench.receive(response(bench.sent[0], 404))
    sent, ack = as_request(bench.sent[0]), as_request(bench.sent[1])
    assert ack.uri == sent.uri
    assert ack.headers.get_all("Via") == sent.headers.get_all("Via")
    assert (ack.call_id, ack.from_, ack.routes) == (sent.call_id, sent.from_, sent.routes)
    assert (ack.to_tag, str(ack.cseq)) == ("them", "1 ACK")


def test_every_2xx_is_passed_on_while_accepted(bench: Bench) -> None:
    """RFC 6026: forked and repeated 2xx reach the user for 64*T1, later ones as strays."""
    bench.invite(ours("INVITE"))
    ok = response(bench.sent[0], 200)
    bench.receive(ok)
    bench.receive(ok)
    assert (statuses(bench), bench.names) == ([200, 200], ["INVITE"])
    bench.receive(response(bench.sent[0], 486))
    assert statuses(bench) == [200, 200]
    bench.pass_time(32)
    assert len(bench.layer) == 0
    bench.receive(ok)
    assert isinstance(bench.told[-1], StrayResponse2xx)


def test_cancel_waits_for_a_provisional(bench: Bench) -> None:
    """9.1: no CANCEL before a response; then one with the branch of the INVITE."""
    transaction = bench.invite(ours("INVITE"))
    bench.cancel(transaction)
    assert bench.names == ["INVITE"]
    bench.receive(response(bench.sent[0], 100))
    assert bench.names == ["INVITE", "CANCEL"]
    invite, cancel = as_request(bench.sent[0]), as_request(bench.sent[1])
    assert cancel.headers.get_all("Via") == invite.headers.get_all("Via")
    assert (cancel.uri, str(cancel.cseq), cancel.to_tag) == (invite.uri, "1 CANCEL", None)


def test_cancel_after_a_provisional_goes_at_once_and_ends(bench: Bench) -> None:
    """The peer answers 200 to the CANCEL and 487 to the INVITE; the user hears only of the INVITE's."""
    transaction = bench.invite(ours("INVITE"))
    bench.receive(response(bench.sent[0], 180))
    bench.cancel(transaction)
    bench.receive(response(bench.sent[1], 200))
    bench.receive(response(bench.sent[0], 487))
    heard = [
        told for told in bench.told if isinstance(told, ResponseReceived) and not told.transaction.is_cancel
    ]
    assert [told.response.status for told in heard] == [180, 487]
    assert bench.names == ["INVITE", "CANCEL", "ACK"]


def test_a_cancelled_invite_without_final_response_times_out(bench: Bench) -> None:
    """9.1: 64*T1 after the CANCEL the INVITE is considered over."""
    transaction = bench.invite(ours("INVITE"))
    bench.receive(response(bench.sent[0], 180))
    bench.cancel(transaction)
    bench.receive(response(bench.sent[1], 200))
    bench.pass_time(33)
    assert bench.told[-1] == TimedOut(transaction)


def test_cancel_after_the_answer_does_nothing(bench: Bench) -> None:
    """A final response makes CANCEL pointless (9.1)."""
    transaction = bench.invite(ours("INVITE"))
    bench.receive(response(bench.sent[0], 200))
    bench.cancel(transaction)
    assert bench.names == ["INVITE"]


def test_a_send_error_ends_it_once(bench: Bench) -> None:
    """17.1.4: the user is told, and nothing more is sent."""
    transaction = bench.invite(ours("INVITE"))
    bench.layer.send_failed(transaction, "unreachable")
    bench.layer.send_failed(transaction, "unreachable")
    bench.take()
    bench.pass_time(60)
    assert (bench.told, bench.names) == ([TransportFailed(transaction, "unreachable")], ["INVITE"])


def test_a_send_error_of_the_ack_is_not_the_users_business(bench: Bench) -> None:
    """In Completed the user has its response already."""
    transaction = bench.invite(ours("INVITE"))
    bench.receive(response(bench.sent[0], 486))
    bench.layer.send_failed(transaction, "unreachable")
    bench.take()
    assert not any(isinstance(told, TransportFailed) for told in bench.told)
    assert len(bench.layer) == 0


def test_late_input_is_absorbed(bench: Bench) -> None:
    """A terminated machine takes anything and does nothing."""
    transaction = bench.invite(ours("INVITE"))
    answer = response(bench.sent[0], 200)
    bench.pass_time(60)
    bench.told.clear()
    out: list[object] = []
    transaction.receive(answer, UDP, bench.now, out)  # type: ignore[arg-type]
    transaction.handle_timer(bench.now, out)  # type: ignore[arg-type]
    assert out == []
