"""Dialogs: identity, route, target, order (RFC 3261 section 12)."""

from __future__ import annotations

import pytest

from sip.dialog import MAX_CSEQ, Dialog, DialogId, DialogState
from sip.message import Request, Response
from sip.uri import NameAddr

CONTACT = NameAddr.parse("<sip:bob@192.0.2.2>")


def invite(*headers: tuple[str, str], to: str = "<sip:bob@example.com>") -> Request:
    return Request(
        "INVITE",
        "sip:bob@192.0.2.2",
        [
            ("Via", "SIP/2.0/UDP a;branch=z9hG4bK1"),
            ("From", '"Alice" <sip:alice@example.com>;tag=a1'),
            ("To", to),
            ("Call-ID", "c1"),
            ("CSeq", "10 INVITE"),
            *headers,
        ],
    )


def ok(request: Request, *headers: tuple[str, str]) -> Response:
    fields = [("From", request.headers.get("from") or ""), ("To", "<sip:bob@example.com>;tag=b1")]
    return Response(200, "OK", [*fields, ("Call-ID", "c1"), ("CSeq", "10 INVITE"), *headers])


def as_callee(*headers: tuple[str, str]) -> Dialog:
    return Dialog.as_uas(invite(("Contact", "<sip:alice@192.0.2.1:5062>"), *headers), "b1", CONTACT)


def as_caller(*headers: tuple[str, str]) -> Dialog:
    request = invite(("Contact", "<sip:alice@192.0.2.1>"))
    return Dialog.as_uac(request, ok(request, ("Contact", "<sip:bob@192.0.2.2:5070>"), *headers))


def test_both_ends_name_the_same_dialog() -> None:
    assert as_callee().id == DialogId("c1", "b1", "a1")
    assert as_caller().id == DialogId("c1", "a1", "b1")
    assert as_callee().state is DialogState.EARLY


def test_a_request_of_the_callee() -> None:
    request = as_callee().new_request("BYE", [("Reason", "x")])
    assert (request.method, request.uri) == ("BYE", "sip:alice@192.0.2.1:5062")
    assert request.headers.get("from") == "<sip:bob@example.com>;tag=b1"
    assert request.headers.get("to") == '"Alice" <sip:alice@example.com>;tag=a1'
    assert request.cseq == (1, "BYE")
    assert request.max_forwards == 70
    assert request.headers.get("reason") == "x"
    assert "contact" not in request.headers


def test_requests_count_on_and_the_ack_takes_the_number_of_its_invite() -> None:
    dialog = as_caller()
    assert dialog.new_request("INFO").cseq.number == 11
    assert dialog.new_request("ACK", cseq=10).cseq == (10, "ACK")
    assert dialog.new_request("UPDATE").cseq.number == 12
    dialog.local_cseq = MAX_CSEQ
    assert dialog.next_cseq() == 1


@pytest.mark.parametrize("method", ["INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"])
def test_target_refreshes_carry_our_contact(method: str) -> None:
    assert as_callee().new_request(method).headers.get("contact") == "<sip:bob@192.0.2.2>"


def test_a_body_has_a_type() -> None:
    request = as_callee().new_request("INFO", (), b"5", "application/dtmf")
    assert request.content_type == "application/dtmf"
    assert as_callee().new_request("INFO", (), b"5").content_type == "application/octet-stream"


def test_the_route_of_the_callee_is_in_order_and_of_the_caller_reversed() -> None:
    routes = ("Record-Route", "<sip:p2;lr>, <sip:p1;lr>")
    assert as_callee(routes).route_set == ("<sip:p2;lr>", "<sip:p1;lr>")
    assert as_caller(routes).route_set == ("<sip:p1;lr>", "<sip:p2;lr>")
    request = as_callee(routes).new_request("BYE")
    assert request.headers.get_all("route") == ["<sip:p2;lr>", "<sip:p1;lr>"]
    assert request.uri == "sip:alice@192.0.2.1:5062"


def test_a_strict_router_gets_its_address_in_the_request_line() -> None:
    """Section 12.2.1.1."""
    request = as_callee(("Record-Route", "<sip:p2>"), ("Record-Route", "<sip:p1;lr>")).new_request("BYE")
    assert request.uri == "sip:p2"
    assert request.headers.get_all("route") == ["<sip:p1;lr>", "<sip:alice@192.0.2.1:5062>"]


def test_requests_come_in_order() -> None:
    dialog = as_callee()
    results = []
    for number in (11, 13, 12, 13, 14):
        request = invite()
        request.headers.set("CSeq", f"{number} INVITE")
        results.append(dialog.in_order(request))
    assert results == [True, True, False, False, True]


def test_the_first_request_of_a_callee_may_have_any_number() -> None:
    request = invite()
    request.headers.set("CSeq", "0 INVITE")
    assert as_caller().in_order(request)


def test_the_target_moves() -> None:
    dialog = as_callee()
    dialog.refresh_target(invite(("Contact", "<sip:alice@192.0.2.77>")))
    assert dialog.remote_target == "sip:alice@192.0.2.77"
    dialog.refresh_target(invite())
    assert dialog.remote_target == "sip:alice@192.0.2.77"


def test_confirmation_takes_route_and_target_of_the_2xx() -> None:
    """Section 13.2.2.4."""
    dialog = as_caller(("Record-Route", "<sip:old;lr>"))
    dialog.confirm(ok(invite(), ("Record-Route", "<sip:new>"), ("Contact", "<sip:bob@192.0.2.3>")))
    assert dialog.state.value == "confirmed"
    assert dialog.new_request("BYE").uri == "sip:new"
    assert dialog.remote_target == "sip:bob@192.0.2.3"
    dialog.confirm()
    dialog.terminate()
    assert dialog.state.value == "terminated"


def test_a_peer_without_tag_or_contact() -> None:
    """RFC 2543 peers: a missing tag is the empty one (section 12.1.1)."""
    request = invite()
    request.headers.set("From", "<sip:alice@example.com>")
    dialog = Dialog.as_uas(request, "b1", "<sip:bob@192.0.2.2>")
    assert dialog.id.remote_tag == ""
    assert dialog.remote_target == "sip:alice@example.com"
    response = Response(200, "", [("To", "<sip:bob@example.com>")])
    assert Dialog.as_uac(invite(), response).remote_target == "sip:bob@192.0.2.2"
