"""The headers of a message: ordered, by case-insensitive name, compact forms included (RFC 3261 section 7.3).

What we do not understand keeps its spelling, its place and its text; only line folds become one space.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from sip.errors import Misuse, ParseError
from sip.grammar import is_token, split_list

COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}
"""Compact form to long name, both in lower case (the IANA registry)."""

_FREQUENT = """
    Accept Accept-Contact Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Authorization
    Call-ID Call-Info Contact Content-Disposition Content-Encoding Content-Length Content-Type CSeq Date
    Diversion Event Expires From History-Info In-Reply-To Join Max-Forwards MIME-Version Min-Expires Min-SE
    Organization P-Asserted-Identity P-Early-Media P-Preferred-Identity Path Priority Privacy
    Proxy-Authenticate Proxy-Authorization Proxy-Require RAck Reason Record-Route Refer-Sub Refer-To
    Referred-By Reject-Contact Replaces Reply-To Require Retry-After Route RSeq Server Service-Route
    Session-Expires SIP-ETag SIP-If-Match Subject Subscription-State Supported Timestamp To Unsupported
    User-Agent Via Warning WWW-Authenticate
""".split()  # noqa: SIM905  # a word a name reads better than a line a name

_KEYS: dict[str, str] = {}
for _name in _FREQUENT:
    _KEYS[_name] = _KEYS[_name.lower()] = _KEYS[_name.upper()] = _name.lower()
_KEYS.update({"CSEQ": "cseq", "Cseq": "cseq", "Call-Id": "call-id"})
for _short, _long in COMPACT.items():
    _KEYS[_short] = _KEYS[_short.upper()] = _KEYS.setdefault(_long, _long)

_LINE_BREAKERS = re.compile("[\r\n\0]")

Field = tuple[str, str, str]
"""Key (long name in lower case), name as written, value without folds."""


def header_key(name: str) -> str:
    """Return the name by which a header is known: long form, lower case."""
    key = _KEYS.get(name)
    if key is None:
        key = name.lower()
        key = COMPACT.get(key, key)
    return key


class Headers:
    """The headers of one message, in order.

    ``parsed`` holds what the message has read out of the values, by key; changing a header drops its entry.
    """

    __slots__ = ("_fields", "_values", "parsed")

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._fields: list[Field] = []
        self._values: dict[str, list[str]] = {}
        self.parsed: dict[str, Any] = {}
        for name, value in items:
            self.add(name, value)

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> tuple[Headers, ParseError | None]:
        """Read unfolded header lines; what cannot be read is left out and the first reason given.

        Content-Length is the frame, not the content: it stays in ``get`` but is never written from here.
        """
        headers = cls()
        fields = headers._fields
        values = headers._values
        error = None
        for line in lines:
            name, colon, value = line.partition(":")
            key = _KEYS.get(name)
            if key is None:
                name = name.rstrip(" \t")
                if not colon or not is_token(name):
                    error = error or ParseError("header_name", "expected a token and a colon")
                    continue
                key = header_key(name)
            value = value.strip(" \t")
            fields.append((key, name, value))
            held = values.get(key)
            if held is None:
                values[key] = [value]
            else:
                held.append(value)
        return headers, error

    def get(self, name: str) -> str | None:
        """Return the first value as it was written, or None."""
        values = self._values.get(header_key(name))
        return values[0] if values else None

    def get_all(self, name: str) -> list[str]:
        """Return every value, a header line each."""
        return list(self._values.get(header_key(name), ()))

    def get_list(self, name: str) -> list[str]:
        """Return the elements of a comma list over all its lines; a line with an open quote is one element."""
        elements: list[str] = []
        for value in self._values.get(header_key(name), ()):
            try:
                elements += split_list(value)
            except ParseError:
                elements.append(value)  # nobody asked for this header on arrival, so it may be anything
        return [element for element in elements if element]

    def add(self, name: str, value: str) -> None:
        """Append a header. Raises Misuse for a value that would break the line (header injection)."""
        self._insert(len(self._fields), name, value)

    def prepend(self, name: str, value: str) -> None:
        """Put a header before all others: a Via, a Record-Route, a Route."""
        self._insert(0, name, value)

    def set(self, name: str, value: str) -> None:
        """Replace every header of that name by one, in the place of the first."""
        _check(name, value)
        key = header_key(name)
        if key not in self._values:
            self.add(name, value)
            return
        place = next(index for index, field in enumerate(self._fields) if field[0] == key)
        self.remove(name)
        self._insert(place, name, value)

    def set_first(self, name: str, value: str) -> None:
        """Replace the first header line of that name and leave the others."""
        key = header_key(name)
        _check(name, value)
        for place, field in enumerate(self._fields):
            if field[0] == key:
                self._fields[place] = (key, field[1], value)
                self._values[key][0] = value
                self.parsed.pop(key, None)
                return
        self.add(name, value)

    def remove(self, name: str) -> None:
        """Remove every header of that name; none is no error."""
        key = header_key(name)
        if self._values.pop(key, None) is not None:
            self._fields = [field for field in self._fields if field[0] != key]
            self.parsed.pop(key, None)

    def copy_from(self, other: Headers, name: str) -> None:
        """Append every header of that name from another message, as written there."""
        key = header_key(name)
        for field in other._fields:
            if field[0] == key:
                self._fields.append(field)
                self._values.setdefault(key, []).append(field[2])
        self.parsed.pop(key, None)

    def items(self) -> list[tuple[str, str]]:
        """Return (name as written, value) in order."""
        return [(name, value) for _, name, value in self._fields]

    def keys(self) -> Iterable[str]:
        """Return each name that is there once, in long form and lower case."""
        return self._values.keys()

    def count(self, name: str) -> int:
        """Return how many header lines have that name."""
        return len(self._values.get(header_key(name), ()))

    def repeated(self) -> list[str]:
        """Return the names, in long form and lower case, that stand on more than one line."""
        return [key for key, values in self._values.items() if len(values) > 1]

    def copy(self) -> Headers:
        """Return a copy that shares nothing that can change."""
        twin = Headers()
        twin._fields = self._fields.copy()
        twin._values = {key: values.copy() for key, values in self._values.items()}
        twin.parsed = self.parsed.copy()
        return twin

    def write(self) -> str:
        """Return the header lines, each with its CRLF, without Content-Length."""
        return "".join(
            [f"{name}: {value}\r\n" for key, name, value in self._fields if key != "content-length"]
        )

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and header_key(name) in self._values

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.items())

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            return NotImplemented
        return self._content() == other._content()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"<Headers {' '.join(self._values)}>"  # values may be secrets

    def _content(self) -> list[tuple[str, str]]:
        return [(key, value) for key, _, value in self._fields if key != "content-length"]

    def _insert(self, place: int, name: str, value: str) -> None:
        _check(name, value)
        key = header_key(name)
        values = self._values.setdefault(key, [])
        if place == len(self._fields):
            values.append(value)
        else:
            values.insert(sum(field[0] == key for field in self._fields[:place]), value)
        self._fields.insert(place, (key, name, value))
        self.parsed.pop(key, None)


def _check(name: str, value: str) -> None:
    if _LINE_BREAKERS.search(value) or not (name in _KEYS or is_token(name)):
        raise Misuse(f"a value of {name!r} breaks the header line")
