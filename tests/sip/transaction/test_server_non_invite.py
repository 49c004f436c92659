"""The server transaction of other methods (RFC 3261 section 17.2.2)."""

from __future__ import annotations

from sip.message import response_to
from tests.sip.transaction.bench import Bench
from tests.sip.wire import TCP, UDP, request


def test_repeats_before_an_answer_are_absorbed() -> None:
    """Trying says nothing; Proceeding and Completed say what they said."""
    bench = Bench()
    options = request("OPTIONS")
    transaction = bench.accept(options)
    bench.receive(request("OPTIONS"))
    assert (bench.told, bench.sent) == ([], [])
    bench.respond(transaction, response_to(options, 100))
    bench.receive(request("OPTIONS"))
    bench.respond(transaction, response_to(options, 200, to_tag="us"))
    bench.receive(request("OPTIONS"))
    assert bench.names == ["100 OPTIONS", "100 OPTIONS", "200 OPTIONS", "200 OPTIONS"]


def test_a_second_final_answer_is_discarded() -> None:
    """Figure 8: once Completed, nothing the user says is sent."""
    bench = Bench()
    options = request("OPTIONS")
    transaction = bench.accept(options)
    bench.respond(transaction, response_to(options, 200, to_tag="us"))
    bench.respond(transaction, response_to(options, 404, to_tag="us"))
    assert bench.names == ["200 OPTIONS"]


def test_it_lingers_for_timer_j() -> None:
    """64*T1 over UDP, not at all over TCP; the request itself is let go with the answer."""
    for flow, lingers in ((UDP, 32.0), (TCP, 0.0)):
        bench = Bench()
        options = request("OPTIONS")
        transaction = bench.accept(options, flow)
        bench.respond(transaction, response_to(options, 200, to_tag="us"))
        assert transaction.request is None
        assert len(bench.layer) == (1 if lingers else 0)
        bench.pass_time(lingers)
        assert (len(bench.layer), bench.terminated) == (0, [transaction])
        transaction.handle_timer(bench.now, [])


def test_an_answer_is_written_once() -> None:
    """Repeats send the same bytes, whatever became of the message object."""
    bench = Bench()
    options = request("OPTIONS")
    transaction = bench.accept(options)
    answer = response_to(options, 200, to_tag="us")
    bench.respond(transaction, answer)
    answer.headers.add("X-Late", "1")
    bench.receive(request("OPTIONS"))
    assert bench.sent[0] == bench.sent[1]
