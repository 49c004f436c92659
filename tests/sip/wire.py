"""Messages for tests, in as few words as the test needs."""

from __future__ import annotations

from typing import Any

from sip.flow import Address, Flow
from sip.message import Request, Response, parse_message, response_to

US = Address("udp", "192.0.2.1", 5060)
PEER = Address("udp", "192.0.2.9", 5060)
UDP = Flow(US, PEER)
TCP = Flow(Address("tcp", "192.0.2.1", 5060), Address("tcp", "192.0.2.9", 40000), 7)
SDP = (
    b"v=0\r\no=a 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)


def written(
    method: str,
    *,
    uri: str = "sip:7000@192.0.2.1",
    via: str = "SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKone",
    from_tag: str = "them",
    to_tag: str | None = None,
    call_id: str = "call1",
    cseq: int = 1,
    headers: tuple[str, ...] = (),
    body: bytes = b"",
) -> bytes:
    """Write a request as a peer would."""
    to = "<sip:7000@192.0.2.1>" + (f";tag={to_tag}" if to_tag else "")
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: {via}",
        "Max-Forwards: 70",
        f"From: <sip:peer@192.0.2.9>;tag={from_tag}",
        f"To: {to}",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {method}",
        *(["Contact: <sip:peer@192.0.2.9:5060>"] if method in ("INVITE", "UPDATE", "REFER") else []),
        *headers,
        *(
            ["Content-Type: application/sdp"]
            if body and not any("Content-Type" in one for one in headers)
            else []
        ),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def request(method: str, **parts: Any) -> Request:
    """Read a request that a peer would write."""
    message = parse_message(written(method, **parts))
    assert isinstance(message, Request)
    return message


def ours(method: str, uri: str = "sip:peer@192.0.2.9") -> Request:
    """Make a request of ours, without a Via."""
    fields = [
        ("Max-Forwards", "70"),
        ("From", "<sip:us@192.0.2.1>;tag=us"),
        ("To", f"<{uri}>"),
        ("Call-ID", "call2"),
        ("CSeq", f"1 {method}"),
    ]
    return Request(method, uri, fields)


def response(sent: bytes, status: int, **parts: Any) -> Response:
    """Answer what we sent, as the peer would."""
    return response_to(as_request(sent), status, to_tag="them", **parts)


def as_request(data: bytes) -> Request:
    """Read bytes that must be a request."""
    message = parse_message(data)
    assert isinstance(message, Request)
    return message


def as_response(data: bytes) -> Response:
    """Read bytes that must be a response."""
    message = parse_message(data)
    assert isinstance(message, Response)
    return message


def name(data: bytes) -> str:
    """Say what a message is: "INVITE", "200 INVITE"."""
    message = parse_message(data)
    return message.method if isinstance(message, Request) else f"{message.status} {message.cseq.method}"
