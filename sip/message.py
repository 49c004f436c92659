"""SIP requests and responses: read from bytes once, checked once, written back (RFC 3261 sections 7 and 8).

``parse_message`` is the one place that reads the wire. Everything it accepts has readable typed properties:
what the user agent acts upon is checked here, what nobody asks for stays text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from sip.errors import ParseError
from sip.fields import (
    MAX_CONTACTS,
    MAX_CSEQ,
    MAX_EXPIRES,
    MAX_ROUTES,
    MAX_VIAS,
    METHODS,
    CSeq,
    MessageFields,
)
from sip.grammar import CONTROL, is_token, parse_integer
from sip.headers import Headers, header_key
from sip.reasons import REASONS
from sip.uri import Uri

__all__ = [
    "MAX_BODY",
    "MAX_CONTACTS",
    "MAX_CSEQ",
    "MAX_DATAGRAM",
    "MAX_EXPIRES",
    "MAX_HEAD",
    "MAX_HEADERS",
    "MAX_LINE",
    "MAX_ROUTES",
    "MAX_VIAS",
    "METHODS",
    "REASONS",
    "CSeq",
    "Request",
    "Response",
    "parse_message",
    "response_to",
]

MAX_DATAGRAM = 65535
MAX_LINE = 8192  # characters, start line and unfolded header line
MAX_HEAD = 65536  # bytes, the header block with its start line
MAX_HEADERS = 256
MAX_BODY = 262144

# Security rule A8, and the headers whose second value would be a second reading of the same decision.
_SINGLE = frozenset(
    (
        *("call-id", "content-length", "content-type", "cseq", "event", "expires", "from", "max-forwards"),
        *("min-expires", "min-se", "rack", "refer-to", "referred-by", "replaces", "rseq"),
        *("session-expires", "subscription-state", "to"),
    )
)
_MANDATORY = ("from", "to", "call-id", "cseq", "via")
# A backslash has no meaning in these, so it cannot excuse a control character either.
_NO_QUOTING = frozenset({"call-id", "cseq"})

_CONTROL_BYTES = bytes([*range(9), *range(10, 32), 127])
_FOLD = re.compile(r"\r\n[ \t]+")
# in the start line, or before the colon of a header: two parsers could read two names
_MISPLACED_FOLD = re.compile(r"\A[^\r\n]*\r\n[ \t]|\r\n[^ \t:\r\n][^:\r\n]*\r\n[ \t]")
_VERSION = re.compile(r"[Ss][Ii][Pp]/[0-9]+\.[0-9]+")


class Request(MessageFields):
    """A SIP request."""

    __slots__ = ("_request_uri", "method", "uri")

    def __init__(
        self, method: str, uri: str, headers: Headers | Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> None:
        self.method = method
        self.uri = uri
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        self.body = body
        self._request_uri: tuple[str, Uri] | None = None

    @property
    def request_uri(self) -> Uri:
        """The Request-URI; of an unknown scheme only ``scheme`` and ``opaque`` are filled (answer 416)."""
        held = self._request_uri
        if held is None or held[0] is not self.uri:
            held = self._request_uri = (self.uri, Uri.parse(self.uri))
        return held[1]

    def serialise(self) -> bytes:
        """Write the request; Content-Length is computed and last."""
        return self._write(f"{self.method} {self.uri} SIP/2.0")

    def copy(self) -> Request:
        """Return a copy whose headers can be changed without changing this one."""
        return Request(self.method, self.uri, self.headers.copy(), self.body)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Request):
            return NotImplemented
        return (self.method, self.uri, self.body, self.headers) == (
            other.method,
            other.uri,
            other.body,
            other.headers,
        )

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.uri}>"


class Response(MessageFields):
    """A SIP response."""

    __slots__ = ("reason", "status")

    def __init__(
        self,
        status: int,
        reason: str = "",
        headers: Headers | Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        self.body = body

    def serialise(self) -> bytes:
        """Write the response; Content-Length is computed and last."""
        return self._write(f"SIP/2.0 {self.status} {self.reason}")

    def copy(self) -> Response:
        """Return a copy whose headers can be changed without changing this one."""
        return Response(self.status, self.reason, self.headers.copy(), self.body)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Response):
            return NotImplemented
        return (self.status, self.reason, self.body, self.headers) == (
            other.status,
            other.reason,
            other.body,
            other.headers,
        )

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.reason}>"


def response_to(
    request: Request,
    status: int,
    reason: str | None = None,
    *,
    to_tag: str | None = None,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    content_type: str | None = None,
    record_route: bool = False,
) -> Response:
    """Make the response to a request (RFC 3261 section 8.2.6).

    Works on raw headers, so it answers the request of a ParseError as well.

    Args:
        to_tag: put into the To when it has none and can be read; never into a 100.
        record_route: copy Record-Route, for a response that forms a dialog (section 12.1.1).
    """
    response = Response(status, REASONS.get(status, "") if reason is None else reason)
    ours = response.headers
    for name in ("via", "from"):
        ours.copy_from(request.headers, name)
    _copy_to(request, ours, to_tag if status > 100 else None)
    for name in ("call-id", "cseq", "timestamp"):
        ours.copy_from(request.headers, name)
    if record_route:
        ours.copy_from(request.headers, "record-route")
    for header_name, value in headers:
        ours.add(header_name, value)
    if body or content_type is not None:
        response.set_body(body, content_type or "application/octet-stream")
    return response


def _copy_to(request: Request, ours: Headers, to_tag: str | None) -> None:
    ours.copy_from(request.headers, "to")
    if to_tag is None:
        return
    try:
        tagless = request.to_tag is None
    except ParseError:
        return  # it is copied as it came; the request of a ParseError has no dialog to name
    if tagless:
        ours.set_first("To", f"{request.headers.get('to')};tag={to_tag}")


def parse_message(data: bytes, *, stream: bool = False) -> Request | Response:
    """Read and check one message.

    Args:
        data: a datagram, or what ``StreamFramer`` framed.
        stream: Content-Length is mandatory and exact (RFC 3261 section 18.3); in a datagram what follows
            it is ignored.

    Raises:
        ParseError: for anything that is no acceptable message; its ``message`` is what can be answered.
    """
    if data.startswith(b"\r\n"):
        data = _skip_empty_lines(data)
    if not data:
        raise ParseError("empty", "no message, perhaps a keep-alive")
    head, blank_line, body = data.partition(b"\r\n\r\n")
    message: Request | Response | None = None
    try:
        error = None if blank_line else ParseError("unfinished", "the header block does not end")
        lines, error = _split_head(head[: MAX_HEAD + 1], error)
        headers, header_error = Headers.from_lines(lines[1 : MAX_HEADERS + 1])
        error = error or header_error
        if lines[0][:4].upper() == "SIP/":
            message = _parse_status_line(lines[0], headers)
        else:
            message, line_error = _parse_request_line(lines[0], headers)
            error = error or line_error
        if error is not None:
            raise error
        _check_bounds(head, lines)
        _check_counts(headers)
        message.body = _cut_body(headers, body, stream)
        if isinstance(message, Request):
            _check_request(message)
        _check_common(message)
    except ParseError as error:
        error.message = message if isinstance(message, Request) and _is_answerable(message) else None
        raise
    return message


def _skip_empty_lines(data: bytes) -> bytes:
    """Drop the CRLFs before a start line (RFC 3261 section 7.5); a lone CR or LF is not one of them."""
    rest = data.lstrip(b"\r\n")
    skipped = data[: len(data) - len(rest)]
    return rest if len(skipped) == 2 * skipped.count(b"\r\n") else data


def _split_head(head: bytes, error: ParseError | None) -> tuple[list[str], ParseError | None]:
    """Split the header block into unfolded lines. A line that must not be echoed is left out."""
    clean = len(head) - len(head.translate(None, _CONTROL_BYTES)) == 2 * head.count(b"\r\n")
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError:
        text = head.decode("utf-8", "surrogateescape")
        error = error or ParseError("encoding", "the header block is no UTF-8")
    if "\r\n " in text or "\r\n\t" in text:
        if _MISPLACED_FOLD.search(text):
            error = error or ParseError("fold", "a fold in the start line or in a header name")
        text = _FOLD.sub(" ", text)
    lines = text.split("\r\n")
    if not clean:
        lines, control_error = _clean_lines(lines)
        error = error or control_error
    return lines, error


def _clean_lines(lines: list[str]) -> tuple[list[str], ParseError | None]:
    """Drop the control characters that a quoted-pair may bring in; any other condemns its line."""
    error = None
    kept = []
    for number, line in enumerate(lines):
        if CONTROL.search(line):
            name, colon, value = line.partition(":")
            if number and header_key(name.rstrip(" \t")) not in _NO_QUOTING:
                line = f"{name}{colon}{_drop_quoted_controls(value)}"
            if CONTROL.search(line):
                error = error or ParseError("control_character", "a control character or a bare line end")
                if number:
                    continue
                line = ""
        kept.append(line)
    return kept, error


def _drop_quoted_controls(value: str) -> str:
    """Remove each ``\\`` and control character pair inside quoted strings.

    RFC 3261 allows them in a display name (RFC 4475 section 3.1.1.2 has a NUL); no table, log or peer is
    better off with one.
    """
    out = []
    inside = False
    at = 0
    while at < len(value):
        char = value[at]
        if inside and char == "\\":
            pair = value[at : at + 2]
            if not (pair[1:] and CONTROL.match(pair[1:]) and pair[1:] not in "\r\n"):
                out.append(pair)
            at += 2
            continue
        inside ^= char == '"'
        out.append(char)
        at += 1
    return "".join(out)


def _parse_status_line(line: str, headers: Headers) -> Response:
    version, _, rest = line.partition(" ")
    status, _, reason = rest.partition(" ")
    if version.upper() != "SIP/2.0":
        raise ParseError("version", "expected SIP/2.0", status=505)
    if len(status) != 3 or not status.isascii() or not status.isdigit() or not "100" <= status < "700":
        raise ParseError("status_code", "expected a status code from 100 to 699")
    return Response(int(status), reason, headers)


def _parse_request_line(line: str, headers: Headers) -> tuple[Request, ParseError | None]:
    """Read ``Method SP Request-URI SP SIP-Version``; with an error still what can be read, for the answer."""
    parts = line.split(" ")
    if len(parts) == 3 and parts[2] == "SIP/2.0" and parts[0] in METHODS:
        return Request(parts[0], parts[1], headers), None
    request = Request(parts[0], parts[1] if len(parts) > 1 else "", headers)
    if not is_token(parts[0]):
        return request, ParseError("method", "expected a method")
    last = parts[-1]
    if _VERSION.fullmatch(last) and last.upper() != "SIP/2.0":
        return request, ParseError("version", "expected SIP/2.0", status=505)
    if len(parts) != 3 or last.upper() != "SIP/2.0":
        return request, ParseError(
            "request_line", "expected method, Request-URI and version, one space between"
        )
    return request, None


def _check_bounds(head: bytes, lines: list[str]) -> None:
    if len(head) > MAX_HEAD:
        raise ParseError("head_length", f"more than {MAX_HEAD} bytes of headers", status=513)
    if len(lines) > MAX_HEADERS + 1:
        raise ParseError("many_headers", f"more than {MAX_HEADERS} headers", status=513)
    if len(head) > MAX_LINE and len(max(lines, key=len)) > MAX_LINE:
        raise ParseError("line_length", f"a line of more than {MAX_LINE} characters", status=513)


def _check_counts(headers: Headers) -> None:
    for name in headers.repeated():
        if name in _SINGLE:
            raise ParseError(f"repeated_{name}", "this header may be there once")
    for name in _MANDATORY:
        if name not in headers:
            raise ParseError(f"missing_{name}", "this header is mandatory")


def _cut_body(headers: Headers, body: bytes, stream: bool) -> bytes:
    value = headers.get("content-length")
    if value is None:
        if stream:
            raise ParseError("missing_content-length", "a stream needs it to find the next message")
        return body
    length = parse_integer(value, 2**32 - 1, "content_length")
    if length > MAX_BODY:
        raise ParseError("body_length", f"more than {MAX_BODY} bytes", status=413)
    if length > len(body) or (stream and length != len(body)):
        raise ParseError("content_length", "it says another number than there are bytes")
    return body[:length]


def _check_request(request: Request) -> None:
    uri = request.request_uri
    if uri.headers:
        raise ParseError("request_uri", "a Request-URI has no headers")  # RFC 3261 section 19.1.1, table 1
    if request.cseq.method != request.method:
        raise ParseError("cseq_method", "another method than in the request line")
    request.max_forwards  # noqa: B018  # reading is checking; the result is held
    request.routes  # noqa: B018


def _check_common(message: Request | Response) -> None:
    """Read once all that the layers above read, so that none of their readings can fail."""
    held = message.headers.keys()
    message.via  # noqa: B018
    if message.from_tag == "" or message.to_tag == "":
        raise ParseError("tag", "a tag has a value")
    message.cseq  # noqa: B018
    message.call_id  # noqa: B018
    for name in _CHECKED.keys() & held:
        _CHECKED[name](message)


def _check_contact(message: Request | Response) -> None:
    if message.contact_star:
        if isinstance(message, Request) and message.method != "REGISTER":
            raise ParseError("contact", "a star is for REGISTER")
    else:
        message.contacts  # noqa: B018


def _check_content_type(message: Request | Response) -> None:
    message.content_type  # noqa: B018
    message.content_type_param("boundary")


_CHECKED: dict[str, Callable[[Request | Response], object]] = {
    "allow": lambda message: message.allow,
    "contact": _check_contact,
    "content-type": _check_content_type,
    "event": lambda message: (message.event, message.event_id),
    "expires": lambda message: message.expires,
    "record-route": lambda message: message.record_routes,
    "require": lambda message: message.require,
    "supported": lambda message: message.supported,
}


def _is_answerable(request: Request) -> bool:
    """Whether an answer may go out: never to an ACK (RFC 3261 section 17.1.1.3), never without a way back."""
    return request.method != "ACK" and "via" in request.headers
