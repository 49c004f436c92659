"""The typed readings of a message's headers, each read once and held until its header changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from sip.errors import Misuse, ParseError
from sip.grammar import is_token, parse_integer, parse_params, read_param, split_list
from sip.headers import Headers
from sip.uri import NameAddr
from sip.via import Via

MAX_VIAS = 70  # a request passes at most 70 hops (Max-Forwards, RFC 3261 section 8.1.1.6)
MAX_ROUTES = 64
MAX_CONTACTS = 64
MAX_CSEQ = 2**31 - 1
MAX_EXPIRES = 2**32 - 1

METHODS = frozenset(
    (
        *("ACK", "BYE", "CANCEL", "INFO", "INVITE", "MESSAGE", "NOTIFY", "OPTIONS"),
        *("PRACK", "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE", "UPDATE"),
    )
)
"""The methods we know by name; any other token is a method too."""

_LINE_BREAKERS = re.compile("[\r\n\0]")
# RFC 3261 section 25.1, word: what a Call-ID is made of; blanks and commas are not in it
_CALL_ID = re.compile(r"[!-+\--~]+")

_T = TypeVar("_T")


class CSeq(NamedTuple):
    """The CSeq header: the order of requests within a dialog."""

    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> CSeq:
        """Read ``1*DIGIT LWS Method``. Raises ParseError."""
        digits, _, method = text.replace("\t", " ").partition(" ")
        method = method.lstrip(" ")
        if method not in METHODS and not is_token(method):
            raise ParseError("cseq", "expected a number and a method")
        return cls(parse_integer(digits, MAX_CSEQ, "cseq_range"), method)

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


class MessageFields:
    """What requests and responses share: headers with typed readings, and a body."""

    __slots__ = ("body", "headers")

    headers: Headers
    body: bytes

    def _read(self, key: str, read: Callable[[str], _T]) -> _T:
        """Return the typed reading of a mandatory header, read once until the header changes."""
        found: _T | None = self.headers.parsed.get(key)
        if found is None:
            value = self.headers.get(key)
            if value is None:
                raise ParseError(f"missing_{key}", f"the {key} header is mandatory")
            found = self.headers.parsed[key] = read(value)
        return found

    def _read_list(self, key: str, read: Callable[[str], _T], most: int) -> list[_T]:
        """Return the typed readings of a list header, empty when it is not there."""
        found: list[_T] | None = self.headers.parsed.get(key)
        if found is None:
            found = []
            for value in self.headers.get_all(key):
                found += [read(element) for element in split_list(value)]
                if len(found) > most:
                    raise ParseError(f"many_{key}", f"more than {most} values")
            self.headers.parsed[key] = found
        return found

    def _read_tokens(self, key: str) -> list[str]:
        found: list[str] | None = self.headers.parsed.get(key)
        if found is None:
            values = self.headers.get_all(key)
            found = [element for value in values for element in split_list(value) if element]
            self.headers.parsed[key] = found
        return found

    def _read_number(self, key: str, maximum: int) -> int | None:
        if key not in self.headers:
            return None
        return self._read(key, lambda text: parse_integer(text, maximum, f"{key}_range"))

    @property
    def via(self) -> Via:
        """The topmost Via."""
        vias = self.vias
        if not vias:
            raise ParseError("missing_via", "the via header is mandatory")
        return vias[0]

    @property
    def vias(self) -> list[Via]:
        """All Via values, the topmost first."""
        return self._read_list("via", Via.parse, MAX_VIAS)

    @property
    def from_(self) -> NameAddr:
        """The From header."""
        return self._read("from", NameAddr.parse)

    @property
    def to(self) -> NameAddr:
        """The To header."""
        return self._read("to", NameAddr.parse)

    @property
    def from_tag(self) -> str | None:
        """The tag of the From header."""
        return self.from_.tag

    @property
    def to_tag(self) -> str | None:
        """The tag of the To header."""
        return self.to.tag

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return self._read("call-id", _parse_call_id)

    @property
    def cseq(self) -> CSeq:
        """The CSeq header."""
        return self._read("cseq", CSeq.parse)

    @property
    def contacts(self) -> list[NameAddr]:
        """The Contact values; empty for ``Contact: *``."""
        return [] if self.contact_star else self._read_list("contact", NameAddr.parse, MAX_CONTACTS)

    @property
    def contact_star(self) -> bool:
        """Whether this is ``Contact: *`` (RFC 3261 section 10.2.2)."""
        return self.headers.get("contact") == "*" and self.headers.count("contact") == 1

    @property
    def routes(self) -> list[NameAddr]:
        """The Route values, the next hop first."""
        return self._read_list("route", NameAddr.parse, MAX_ROUTES)

    @property
    def record_routes(self) -> list[NameAddr]:
        """The Record-Route values, as they stand in the message."""
        return self._read_list("record-route", NameAddr.parse, MAX_ROUTES)

    @property
    def max_forwards(self) -> int | None:
        """Max-Forwards, None when it is absent (RFC 2543)."""
        return self._read_number("max-forwards", 255)

    @property
    def expires(self) -> int | None:
        """Expires in seconds, None when it is absent."""
        return self._read_number("expires", MAX_EXPIRES)

    @property
    def content_type(self) -> str | None:
        """The media type in lower case without parameters, None when it is absent."""
        return self._read("content-type", _parse_content_type) if "content-type" in self.headers else None

    def content_type_param(self, name: str) -> str | None:
        """Return a parameter of Content-Type (charset, boundary) unquoted. Raises ParseError."""
        _, semicolon, params = (self.headers.get("content-type") or "").partition(";")
        return read_param(parse_params(params), name) if semicolon else None

    @property
    def require(self) -> list[str]:
        """The option tags of Require."""
        return self._read_tokens("require")

    @property
    def supported(self) -> list[str]:
        """The option tags of Supported."""
        return self._read_tokens("supported")

    @property
    def allow(self) -> list[str]:
        """The methods of Allow."""
        return self._read_tokens("allow")

    @property
    def event(self) -> str | None:
        """The event package of Event, without its parameters (RFC 6665 section 8.2.1)."""
        return self._read("event", _parse_event) if "event" in self.headers else None

    @property
    def event_id(self) -> str | None:
        """The id parameter of Event."""
        _, semicolon, params = (self.headers.get("event") or "").partition(";")
        return read_param(parse_params(params), "id") if semicolon else None

    def set_body(self, body: bytes, content_type: str) -> None:
        """Set the body with its type."""
        self.body = body
        self.headers.set("Content-Type", content_type)

    def replace_top_via(self, via: Via) -> None:
        """Replace the topmost Via value; the others stay, even those of the same header line."""
        first = self.headers.get("via")
        if first is None:
            raise Misuse("there is no Via to replace")
        rest = self.vias[1:]
        others = split_list(first)[1:]
        self.headers.set_first("Via", ", ".join([str(via), *others]))
        self.headers.parsed["via"] = [via, *rest]

    def _write(self, start_line: str) -> bytes:
        if _LINE_BREAKERS.search(start_line):
            raise Misuse("the start line breaks")
        length = len(self.body)
        head = f"{start_line}\r\n{self.headers.write()}Content-Length: {length}\r\n\r\n".encode(
            "utf-8", "surrogateescape"
        )
        return head + self.body if length else head


def _parse_call_id(text: str) -> str:
    if not _CALL_ID.fullmatch(text):
        raise ParseError("call_id", "expected one word")
    return text


def _parse_content_type(text: str) -> str:
    kind, _, subtype = text.partition(";")[0].partition("/")
    kind, subtype = kind.strip(" \t"), subtype.strip(" \t")
    if not (is_token(kind) and is_token(subtype)):
        raise ParseError("content_type", "expected type/subtype")
    return f"{kind}/{subtype}".lower()


def _parse_event(text: str) -> str:
    package, semicolon, params = text.partition(";")
    package = package.rstrip(" \t")
    if not is_token(package):
        raise ParseError("event", "expected an event package")
    if semicolon:
        parse_params(params)
    return package
