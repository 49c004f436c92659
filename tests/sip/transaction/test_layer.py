"""Which transaction a message is for, and what becomes of one that has none (RFC 3261 17.1.3, 17.2.3, 8.2.2.2, 9)."""

from __future__ import annotations

import pytest

from sip.flow import Address, Flow
from sip.message import response_to
from sip.transaction.layer import RETRY_AFTER
from sip.transaction.outputs import (
    AckReceived,
    CancelReceived,
    RequestReceived,
    ResponseReceived,
    TransportFailed,
)
from tests.sip.transaction.bench import Bench
from tests.sip.wire import TCP, UDP, US, as_request, as_response, ours, request, response


@pytest.fixture
def bench() -> Bench:
    return Bench()


OLD = "SIP/2.0/UDP 192.0.2.9:5060"
"""A Via of RFC 2543, without a branch."""


def test_nothing_is_kept_of_a_request_that_is_not_accepted(bench: Bench) -> None:
    """The state of a challenge is nothing: each repeat is a new request (rule D1)."""
    for _ in range(3):
        bench.receive(request("INVITE"))
    assert [type(told) for told in bench.told] == [RequestReceived] * 3
    assert (len(bench.layer), bench.layer.deadline) == (0, None)


@pytest.mark.parametrize(
    "other",
    [
        {"via": "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKtwo"},
        {"via": "SIP/2.0/UDP 192.0.2.8:5060;branch=z9hG4bKone"},
        {"via": "SIP/2.0/UDP 192.0.2.9:5061;branch=z9hG4bKone"},
    ],
)
def test_branch_and_sent_by_name_a_transaction(bench: Bench, other: dict[str, str]) -> None:
    """17.2.3: same branch and sent-by is a repeat, anything else a new request."""
    bench.accept(request("OPTIONS"))
    bench.receive(request("OPTIONS"))
    assert bench.told == []
    bench.receive(request("OPTIONS", call_id="call9", **other))
    assert isinstance(bench.told[0], RequestReceived)


def test_the_host_of_sent_by_is_compared_without_case(bench: Bench) -> None:
    """Host names have no case."""
    bench.accept(request("OPTIONS", via="SIP/2.0/UDP Phone.example;branch=z9hG4bKone"))
    bench.receive(request("OPTIONS", via="SIP/2.0/UDP phone.EXAMPLE;branch=z9hG4bKone"))
    assert bench.told == []


def test_a_bare_magic_cookie_is_no_branch(bench: Bench) -> None:
    """RFC 4475 3.1.2.17: without anything after it the RFC 2543 rules apply."""
    bench.accept(request("OPTIONS", via="SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK"))
    bench.receive(request("OPTIONS", via="SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK", call_id="call9"))
    assert isinstance(bench.told[0], RequestReceived)


def test_rfc_2543_peers_are_matched_by_everything(bench: Bench) -> None:
    """Repeats, the ACK and the CANCEL of an INVITE without a branch find it."""
    transaction = bench.accept(request("INVITE", via=OLD))
    bench.receive(request("INVITE", via=OLD))
    bench.receive(request("CANCEL", via=OLD))
    assert bench.told == [CancelReceived(transaction)]  # type: ignore[arg-type]
    bench.respond(transaction, response_to(request("INVITE", via=OLD), 487, to_tag="us"))
    bench.receive(request("ACK", via=OLD, to_tag="forged"))
    assert bench.counters["ack_tag_mismatch"] == 1
    bench.receive(request("ACK", via=OLD, to_tag="us"))
    bench.pass_time(6)
    assert bench.names == ["200 CANCEL", "487 INVITE"]


def test_another_cseq_is_another_transaction_of_rfc_2543(bench: Bench) -> None:
    """The next request of such a peer is a new one."""
    bench.accept(request("OPTIONS", via=OLD))
    bench.receive(request("OPTIONS", via=OLD, cseq=2))
    assert isinstance(bench.told[0], RequestReceived)


def test_a_merged_request_gets_482(bench: Bench) -> None:
    """8.2.2.2: the same request by another way, while the first copy is served."""
    transaction = bench.accept(request("INVITE"))
    copy = request("INVITE", via="SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKother")
    bench.receive(copy)
    assert (bench.names, bench.told, bench.counters["request_merged"]) == (["482 INVITE"], [], 1)
    bench.respond(transaction, response_to(request("INVITE"), 486, to_tag="us"))
    bench.receive(request("ACK", to_tag="us"))
    bench.pass_time(40)
    bench.receive(copy)
    assert isinstance(bench.told[-1], RequestReceived)


def test_a_request_within_a_dialog_is_never_merged(bench: Bench) -> None:
    """The rule is for requests without a To tag."""
    bench.accept(request("OPTIONS", to_tag="us"))
    bench.receive(request("OPTIONS", to_tag="us", via="SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKother"))
    assert isinstance(bench.told[0], RequestReceived)


def test_a_request_of_ours_that_comes_back_unchanged_has_looped(bench: Bench) -> None:
    """16.3 point 4 (rule D4): 482; with another Request-URI it is a spiral and welcome."""
    bench.send(ours("OPTIONS", "sip:7000@192.0.2.1"))
    looped = as_request(bench.sent.pop())
    own = looped.headers.get("Via")
    looped.headers.set("Via", f"SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKproxy, {own}")
    bench.receive(looped)
    assert bench.names == ["482 OPTIONS"]
    spiral = looped.copy()
    spiral.uri = "sip:7001@192.0.2.1"
    spiral.headers.set("Via", f"SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKproxy2, {own}")
    bench.receive(spiral)
    assert isinstance(bench.told[-1], RequestReceived)


def test_calling_ourselves_is_no_loop(bench: Bench) -> None:
    """The top Via may well be ours."""
    bench.send(ours("OPTIONS", "sip:7000@192.0.2.1"))
    bench.receive(as_request(bench.sent[0]))
    assert isinstance(bench.told[0], RequestReceived)


def test_cancel_finds_its_invite(bench: Bench) -> None:
    """9.2: 200 with the INVITE's To tag, sent by the layer; the user is told once, repeats get 200 again."""
    transaction = bench.accept(request("INVITE"))
    transaction.to_tag = "us"
    bench.receive(request("CANCEL"))
    bench.receive(request("CANCEL"))
    assert bench.names == ["200 CANCEL", "200 CANCEL"]
    assert as_response(bench.sent[0]).to_tag == "us"
    assert bench.told == [CancelReceived(transaction)]  # type: ignore[arg-type]


def test_cancel_after_the_answer_changes_nothing(bench: Bench) -> None:
    """9.2: it is answered, and that is all."""
    transaction = bench.accept(request("INVITE"))
    bench.respond(transaction, response_to(request("INVITE"), 200, to_tag="us"))
    bench.receive(request("CANCEL"))
    assert (bench.names, bench.told) == (["200 INVITE", "200 CANCEL"], [])


def test_cancel_of_nothing_gets_481(bench: Bench) -> None:
    """9.2; and it leaves no state behind."""
    bench.receive(request("CANCEL"))
    assert (bench.names, len(bench.layer)) == (["481 CANCEL"], 0)
    assert bench.counters["cancel_unmatched"] == 1


@pytest.mark.parametrize(("host", "port"), [("192.0.2.66", 5060), ("192.0.2.9", 5061)])
def test_cancel_from_another_source_gets_481(bench: Bench, host: str, port: int) -> None:
    """Rule C9: even with the right branch."""
    bench.accept(request("INVITE"))
    bench.receive(request("CANCEL"), Flow(US, Address("udp", host, port)))
    assert (bench.names, bench.told) == (["481 CANCEL"], [])


def test_cancel_over_a_new_connection_of_the_same_host_counts(bench: Bench) -> None:
    """A stream's address cannot be forged, and its port changes with each connection."""
    transaction = bench.accept(request("INVITE"), TCP)
    again = TCP._replace(remote=TCP.remote._replace(port=40001), connection=8)
    bench.receive(request("CANCEL"), again)
    assert bench.told == [CancelReceived(transaction)]  # type: ignore[arg-type]


def test_an_ack_that_fits_nothing_is_the_users(bench: Bench) -> None:
    """It may be the ACK to a 2xx; the layer never answers it (rule A10)."""
    bench.receive(request("ACK"))
    assert [type(told) for told in bench.told] == [AckReceived]
    assert bench.sent == []


def test_stray_responses_are_dropped(bench: Bench) -> None:
    """Rule A10: without a transaction, or with more than our Via (8.1.3.3), a response has no effect."""
    bench.send(ours("OPTIONS"))
    answer = response(bench.sent[0], 200)
    stranger = response(bench.sent[0], 200)
    stranger.headers.set("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKguess")
    bench.receive(stranger)
    doubled = response(bench.sent[0], 200)
    doubled.headers.add("Via", "SIP/2.0/UDP 192.0.2.5;branch=z9hG4bKx")
    bench.receive(doubled)
    assert (bench.told, len(bench.sent)) == ([], 1)
    assert (bench.counters["response_stray"], bench.counters["response_many_vias"]) == (1, 1)
    bench.receive(answer)
    assert isinstance(bench.told[0], ResponseReceived)


def test_the_method_of_cseq_is_part_of_the_match(bench: Bench) -> None:
    """17.1.3: the response to a CANCEL has the INVITE's branch."""
    transaction = bench.invite(ours("INVITE"))
    bench.receive(response(bench.sent[0], 180))
    bench.cancel(transaction)
    bench.receive(response(bench.sent[1], 481))
    assert [type(told) for told in bench.told] == [ResponseReceived, ResponseReceived]
    assert bench.names == ["INVITE", "CANCEL"]


def test_over_the_bound_new_requests_get_503(bench: Bench) -> None:
    """Rule D3: at the limit and one over it; known transactions go on."""
    bench = Bench(max_transactions=2)
    bench.accept(request("OPTIONS", call_id="a"))
    second = request("OPTIONS", call_id="b", via="SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKb")
    transaction = bench.accept(second)
    bench.receive(request("OPTIONS", call_id="c", via="SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKc"))
    refusal = as_response(bench.sent[0])
    assert (refusal.status, refusal.headers.get("Retry-After")) == (503, str(RETRY_AFTER))
    assert (len(bench.layer), bench.counters["overload_transactions"]) == (2, 1)
    bench.respond(transaction, response_to(second, 200, to_tag="us"))
    assert bench.names == ["503 OPTIONS", "200 OPTIONS"]


def test_refusals_have_the_same_tag_each_time(bench: Bench) -> None:
    """8.2.7: an answer without state is the same whenever the request comes."""
    bench.receive(request("CANCEL"))
    bench.receive(request("CANCEL"))
    assert bench.sent[0] == bench.sent[1]
    assert as_response(bench.sent[0]).to_tag


def test_a_lost_connection_ends_its_transactions_only(bench: Bench) -> None:
    """17.1.4: what was on it fails, what is elsewhere stays."""
    client = bench.send(ours("OPTIONS"), TCP)
    server = bench.accept(request("OPTIONS"), TCP)
    invite = request("INVITE", via="SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKanswered")
    bench.respond(bench.accept(invite, TCP), response_to(invite, 200, to_tag="us"))
    elsewhere = bench.send(ours("OPTIONS"), TCP._replace(connection=8))
    bench.layer.transport_failed(TCP)
    bench.take()
    assert {told.transaction for told in bench.told if isinstance(told, TransportFailed)} == {client, server}
    assert (len(bench.layer), elsewhere.deadline is not None) == (1, True)


def test_a_request_gets_a_via_of_its_own_on_each_way(bench: Bench) -> None:
    """8.1.1.7: a new branch for each attempt, the flow's transport, and rport (RFC 3581)."""
    message = ours("OPTIONS")
    bench.send(message, UDP)
    bench.send(message, TCP)
    first, second = (as_request(data).headers.get_all("Via") for data in bench.sent)
    assert [len(first), len(second)] == [1, 1]
    assert first[0].startswith("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK")
    assert second[0].startswith("SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK")
    assert first[0].endswith(";rport")
    assert as_request(bench.sent[0]).via.branch != as_request(bench.sent[1]).via.branch


def test_the_ack_to_a_2xx_keeps_its_via(bench: Bench) -> None:
    """The same ACK is sent for each repeated 2xx."""
    ack = ours("ACK")
    bench.layer.send_ack(ack, UDP)
    bench.layer.send_ack(ack, UDP)
    bench.take()
    assert bench.sent[0] == bench.sent[1]


def test_a_forgotten_transaction_leaves_nothing(bench: Bench) -> None:
    """The user may drop one for a stateless answer."""
    invite = request("INVITE")
    transaction = bench.accept(invite, TCP)
    assert bench.layer.find_server(invite) is transaction
    bench.layer.forget(transaction)
    bench.take()
    assert (len(bench.layer), bench.layer.find_server(invite)) == (0, None)
    bench.receive(request("INVITE", via="SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKz"), TCP)
    assert isinstance(bench.told[-1], RequestReceived)
