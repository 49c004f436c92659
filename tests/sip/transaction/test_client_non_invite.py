"""The client transaction of other methods (RFC 3261 section 17.1.2)."""

from __future__ import annotations

from sip.transaction.outputs import ResponseReceived, TimedOut
from tests.sip.transaction.bench import Bench
from tests.sip.wire import TCP, UDP, ours, response


def test_silence_gives_eleven_requests_and_one_timeout() -> None:
    """Timer E doubles up to T2, Timer F ends it after 64*T1."""
    bench = Bench()
    transaction = bench.send(ours("OPTIONS"))
    bench.pass_time(60)
    assert bench.sent_at == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert bench.told == [TimedOut(transaction)]
    assert (len(bench.layer), bench.layer.deadline) == (0, None)


def test_a_provisional_slows_the_repeats_to_t2() -> None:
    """Proceeding repeats every T2, and Timer F still ends it."""
    bench = Bench()
    bench.send(ours("OPTIONS"))
    bench.receive(response(bench.sent[0], 100))
    bench.pass_time(60)
    assert bench.sent_at == [0, 0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]
    assert isinstance(bench.told[-1], TimedOut)


def test_the_final_response_is_passed_on_once() -> None:
    """Completed absorbs repeats for T4 over UDP, and is not entered over TCP."""
    for flow, lingers in ((UDP, 5.0), (TCP, 0.0)):
        bench = Bench()
        bench.send(ours("BYE"), flow)
        ok = response(bench.sent[0], 200)
        bench.receive(ok, flow)
        assert len(bench.layer) == (1 if lingers else 0)
        bench.receive(ok, flow)
        bench.pass_time(lingers)
        heard = [told for told in bench.told if isinstance(told, ResponseReceived)]
        assert (len(heard), len(bench.layer), bench.names) == (1, 0, ["BYE"])


def test_late_input_is_absorbed() -> None:
    """A terminated machine takes anything and does nothing."""
    bench = Bench()
    transaction = bench.send(ours("BYE"), TCP)
    ok = response(bench.sent[0], 200)
    bench.receive(ok, TCP)
    out: list[object] = []
    transaction.receive(ok, TCP, bench.now, out)  # type: ignore[arg-type]
    transaction.handle_timer(bench.now, out)  # type: ignore[arg-type]
    transaction.fail("closed", out)  # type: ignore[arg-type]
    assert out == []
