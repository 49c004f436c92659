"""The session description in a message, wherever it stands (RFC 3261 section 7.4, RFC 5621)."""

from __future__ import annotations

from sip.errors import ParseError, SipError
from sip.message import Request, Response
from sip.multipart import parse_multipart

SDP = "application/sdp"
ACCEPTED = f"{SDP}, multipart/mixed, multipart/alternative"


class Refusal(SipError):
    """A request we answer with an error; the one way from a broken rule to the wire in a session."""

    def __init__(self, status: int, *headers: tuple[str, str], reason: str | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.reason = reason


def check_encoding(request: Request) -> None:
    """Refuse an encoded body (RFC 3261 section 8.2.3)."""
    encoding = request.headers.get("content-encoding")
    if encoding is not None and encoding.strip().lower() != "identity":
        raise Refusal(415, ("Accept-Encoding", "identity"))


def offer_in(request: Request) -> bytes | None:
    """The description in a request. Raises Refusal for a body that has none (415) or is broken (400)."""
    if not request.body:
        return None
    check_encoding(request)
    found = sdp_in(request)
    if found is None and not _is_optional(request):
        raise Refusal(415, ("Accept", ACCEPTED))
    return found


def sdp_in(message: Request | Response) -> bytes | None:
    """The description in a message, None when there is none that can be found."""
    if not message.body:
        return None
    content_type = message.content_type
    if content_type == SDP:
        return message.body
    if content_type is None or not content_type.startswith("multipart/"):
        return None
    try:
        parts = parse_multipart(message.body, message.headers.get("content-type") or "")
    except ParseError as error:
        if isinstance(message, Request):
            raise Refusal(error.status) from None
        return None
    leaves = [leaf for part in parts for leaf in part.walk()]
    return next((leaf.body for leaf in leaves if leaf.content_type == SDP), None)


def matches(content_type: str, accepted: tuple[str, ...]) -> bool:
    """Whether a media type is in the list, "text/*" standing for all of its kind."""
    return content_type in accepted or f"{content_type.partition('/')[0]}/*" in accepted


def _is_optional(request: Request) -> bool:
    """RFC 3261 section 20.11: a body of an unknown type may say that it can be ignored."""
    disposition = request.headers.get("content-disposition") or ""
    return "handling=optional" in disposition.lower().replace(" ", "")
