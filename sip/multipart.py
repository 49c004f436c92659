"""Multipart bodies (RFC 2046 section 5.1, RFC 5621): parts are bytes with headers and may hold parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sip.errors import Misuse, ParseError
from sip.grammar import CONTROL, parse_params, read_param
from sip.headers import Headers

MAX_PARTS = 16  # over all depths
MAX_DEPTH = 3
MAX_PART_HEADERS = 32
MAX_PART_HEAD = 8192  # bytes

# bchars, of which the last is no space (RFC 2046 section 5.1.1)
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_FOLD = re.compile(r"\r\n[ \t]+")


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its headers as written, its content, and the parts in it when it is itself multipart."""

    headers: Headers
    body: bytes
    parts: tuple[Part, ...] = ()

    @property
    def content_type(self) -> str:
        """The media type in lower case; text/plain when none is given (RFC 2046 section 5.1)."""
        value = self.headers.get("content-type") or "text/plain"
        return value.partition(";")[0].strip(" \t").lower()

    @property
    def disposition(self) -> str | None:
        """The disposition in lower case without its parameters."""
        value = self.headers.get("content-disposition")
        return None if value is None else value.partition(";")[0].strip(" \t").lower()

    def walk(self) -> Iterator[Part]:
        """Yield the part, or the leaves in it, in order."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.walk()


def parse_multipart(body: bytes, content_type: str) -> tuple[Part, ...]:
    """Read a multipart body.

    Args:
        content_type: the raw Content-Type value with its boundary parameter.

    Raises:
        ParseError: 400, with the label saying which rule was broken.
    """
    parts, _ = _parse(body, content_type, 1, 0)
    return parts


def find_part(body: bytes, content_type: str | None, wanted: str) -> bytes | None:
    """Return the content of the given type: the body itself, or the first leaf of that type in a multipart.

    Raises:
        ParseError: for a multipart that breaks the rules.
    """
    media_type = (content_type or "").partition(";")[0].strip(" \t").lower()
    if media_type == wanted:
        return body
    if content_type is None or not media_type.startswith("multipart/"):
        return None
    for part in parse_multipart(body, content_type):
        for leaf in part.walk():
            if leaf.content_type == wanted:
                return leaf.body
    return None


def write_multipart(parts: tuple[Part, ...], boundary: str) -> bytes:
    """Write a multipart body. Raises Misuse when the boundary is illegal or occurs in a part."""
    if not _BOUNDARY.fullmatch(boundary):
        raise Misuse("a boundary has 1 to 70 characters of RFC 2046")
    delimiter = b"--" + boundary.encode("ascii")
    written = []
    for part in parts:
        if delimiter in part.body:
            raise Misuse("the boundary occurs in a part")
        head = part.headers.write().encode()
        written.append(b"%b\r\n%b\r\n%b\r\n" % (delimiter, head, part.body))
    return b"".join(written) + delimiter + b"--\r\n"


def _parse(body: bytes, content_type: str, depth: int, count: int) -> tuple[tuple[Part, ...], int]:
    if depth > MAX_DEPTH:
        raise ParseError("multipart_depth", f"more than {MAX_DEPTH} levels")
    parts = []
    for chunk in _split(body, _read_boundary(content_type)):
        count += 1
        if count > MAX_PARTS:
            raise ParseError("multipart_parts", f"more than {MAX_PARTS} parts")
        headers, content = _read_part(chunk)
        inner: tuple[Part, ...] = ()
        part_type = headers.get("content-type") or ""
        if part_type[:10].lower() == "multipart/":
            inner, count = _parse(content, part_type, depth + 1, count)
        parts.append(Part(headers, content, inner))
    return tuple(parts), count


def _read_boundary(content_type: str) -> bytes:
    _, semicolon, params = content_type.partition(";")
    boundary = read_param(parse_params(params), "boundary") if semicolon else None
    if boundary is None or not _BOUNDARY.fullmatch(boundary):
        raise ParseError("multipart_boundary", "expected 1 to 70 characters of RFC 2046")
    return boundary.encode("ascii")


def _split(body: bytes, boundary: bytes) -> list[bytes]:
    """Return what is between the delimiter lines, without preamble and epilogue (RFC 2046 section 5.1.1)."""
    data = b"\r\n" + body  # so the first delimiter line begins as the others do
    delimiter = b"\r\n--" + boundary
    chunks: list[bytes] = []
    start = -1
    at = data.find(delimiter)
    while at >= 0:
        after = at + len(delimiter)
        line_end = data.find(b"\r\n", after)
        line = data[after : line_end if line_end >= 0 else len(data)]
        if line.removeprefix(b"--").strip(b" \t"):
            at = data.find(delimiter, after)  # a longer word that begins like the boundary
            continue
        if start >= 0:
            chunks.append(data[start:at])
            if len(chunks) > MAX_PARTS:
                raise ParseError("multipart_parts", f"more than {MAX_PARTS} parts")
        if chunks and line.startswith(b"--"):
            return chunks
        if line_end < 0 or line.startswith(b"--"):
            break
        start = line_end + 2
        at = data.find(delimiter, line_end)  # this line's end may begin the next delimiter: an empty part
    raise ParseError("multipart_unclosed", "the closing boundary is missing")


def _read_part(chunk: bytes) -> tuple[Headers, bytes]:
    if chunk.startswith(b"\r\n"):
        return Headers(), chunk[2:]
    head, blank_line, content = chunk.partition(b"\r\n\r\n")
    if not blank_line and head:
        # no content: the CRLF before the delimiter was taken with it, so one is left at most
        head = head.removesuffix(b"\r\n")
    if len(head) > MAX_PART_HEAD:
        raise ParseError("multipart_headers", f"more than {MAX_PART_HEAD} bytes of part headers")
    try:
        text = _FOLD.sub(" ", head.decode("utf-8"))
    except UnicodeDecodeError:
        raise ParseError("encoding", "the headers of a part are no UTF-8") from None
    lines = text.split("\r\n") if text else []
    if len(lines) > MAX_PART_HEADERS or any(map(CONTROL.search, lines)):
        raise ParseError("multipart_headers", "too many headers in a part, or a control character")
    headers, error = Headers.from_lines(lines)
    if error is not None:
        raise error
    for name in ("content-type", "content-disposition", "content-encoding"):
        if headers.count(name) > 1:
            raise ParseError(f"repeated_{name}", "this header may be there once")
    return headers, content
