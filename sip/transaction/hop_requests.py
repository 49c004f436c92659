"""Requests that go only as far as the INVITE went: the ACK to a refusal, and CANCEL."""

from __future__ import annotations

from sip.headers import Headers
from sip.message import Request, Response


def ack_for(invite: Request, response: Response) -> Request:
    """Build the ACK to a 300-699 (RFC 3261 section 17.1.1.3): To of the response, Via of the INVITE."""
    return _same_hop(invite, "ACK", response.headers.get("To") or "")


def cancel_for(invite: Request) -> Request:
    """Build the CANCEL of an INVITE (RFC 3261 section 9.1): the same but for the method."""
    return _same_hop(invite, "CANCEL", invite.headers.get("To") or "")


def _same_hop(invite: Request, method: str, to: str) -> Request:
    source = invite.headers
    headers = Headers()
    headers.add("Via", source.get_all("Via")[0])
    headers.add("Max-Forwards", "70")
    for route in source.get_all("Route"):
        headers.add("Route", route)
    headers.add("From", source.get("From") or "")
    headers.add("To", to)
    headers.add("Call-ID", invite.call_id)
    headers.add("CSeq", f"{invite.cseq.number} {method}")
    return Request(method, invite.uri, headers, b"")
