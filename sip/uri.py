"""SIP URIs and name-addr (RFC 3261 sections 19.1 and 20.10); other schemes are kept as opaque text.

Parts are held in their raw, escaped form, so that what we do not change is written as it came.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from socket import AF_INET6, inet_pton
from urllib.parse import quote as percent_encode
from urllib.parse import unquote_to_bytes

from sip.errors import ParseError
from sip.grammar import (
    CONTROL,
    Params,
    closing_quote,
    find_escaped_param,
    find_param,
    parse_integer,
    parse_params,
    quote,
    read_param,
    replace_param,
    unquote,
    write_params,
    write_value,
)

MAX_PORT = 65535
CACHED_LENGTH = (
    200  # characters; longer texts are not remembered, so that strangers cannot make us hold megabytes
)
CACHED_TEXTS = 4096

# unreserved / escaped / user-unreserved, and "#", which phones dial unescaped
_USER = re.compile(r"[A-Za-z0-9\-_.!~*'()%&=+$,;?/#]+")
_PASSWORD = re.compile(r"[A-Za-z0-9\-_.!~*'()%&=+$,]*")
_HOST = re.compile(r"[A-Za-z0-9\-._]+")
_URI_PARAMS = re.compile(r"[A-Za-z0-9\-_.!~*'()%\[\]/:&+$=;]+")
# hnv-unreserved, and "@" and ";", which phones leave unescaped in Replaces
_URI_HEADERS = re.compile(r"[A-Za-z0-9\-_.!~*'()%\[\]/?:+$=&@;,]+")
_OPAQUE = re.compile(r"[!#-;=?-~]+")  # visible ASCII without quote and angle brackets
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL_ESCAPE = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff])")
_ESCAPE_RUN = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_BARE_DISPLAY = re.compile(r'[^",;:<>@\\\x00-\x08\x0a-\x1f\x7f]*')
_USER_SAFE = "-_.!~*'()&=+$,;?/"
_HEADER_SAFE = "-_.!~*'()[]/?:+$"
# RFC 3261 section 19.1.4: these never match when only one of the two URIs has them
_TELLING_PARAMS = frozenset({"user", "ttl", "method", "maddr", "transport"})


def unescape(text: str) -> str:
    """Undo ``%HH``; what is not printable or no UTF-8 stays escaped, so the result is safe as text."""
    if "%" not in text:
        return text
    return _ESCAPE_RUN.sub(_unescape_run, text)


def _unescape_run(found: re.Match[str]) -> str:
    try:
        decoded = unquote_to_bytes(found[0]).decode("utf-8")
    except UnicodeDecodeError:
        return found[0]
    return "".join([char if char.isprintable() else percent_encode(char) for char in decoded])


def escape_user(text: str) -> str:
    """Escape text for the user part of a URI."""
    return percent_encode(text, safe=_USER_SAFE)


def escape_header(text: str) -> str:
    """Escape text for the value of a URI header, for instance Replaces in a Refer-To (RFC 3891 section 3)."""
    return percent_encode(text, safe=_HEADER_SAFE)


def parse_host_port(text: str) -> tuple[str, int | None]:
    """Read ``host [":" port]``; an IPv6 address comes back without its brackets."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or not is_ipv6(host):
            raise ParseError("host", "expected an IPv6 address in brackets")
        rest = rest.strip(" \t")
        if not rest:
            return host, None
        if rest[0] != ":":
            raise ParseError("host", "expected a port after the IPv6 address")
        return host, _parse_port(rest[1:])
    host, colon, port = text.partition(":")
    host = host.rstrip(" \t")
    if not _HOST.fullmatch(host):
        raise ParseError("host", "expected a host name or an address")
    return host, _parse_port(port) if colon else None


def is_ipv6(text: str) -> bool:
    """Whether the text is an IPv6 address (without brackets, without a zone)."""
    try:
        inet_pton(AF_INET6, text)
    except (OSError, ValueError):
        return False
    return True


def write_host_port(host: str, port: int | None) -> str:
    """Write ``host [":" port]``, an IPv6 address in brackets."""
    written = f"[{host}]" if ":" in host else host
    return written if port is None else f"{written}:{port}"


def _parse_port(text: str) -> int:
    port = parse_integer(text.strip(" \t"), MAX_PORT, "port")
    if port == 0:
        raise ParseError("port", "expected a port from 1 to 65535")
    return port


def _check_escapes(text: str) -> None:
    if "%" in text and _BAD_ESCAPE.search(text):
        raise ParseError("escape", "expected two hexadecimal digits after a percent sign")


@dataclass(frozen=True, slots=True)
class Uri:
    """A URI. Of a scheme other than sip and sips only ``scheme`` and ``opaque`` are filled."""

    scheme: str = "sip"
    """In lower case."""
    user: str | None = None
    """Raw, escaped form; ``user_text`` for people and tables."""
    password: str | None = None
    host: str = ""
    """An IPv6 address has no brackets here."""
    port: int | None = None
    params: Params = ()
    headers: tuple[tuple[str, str], ...] = ()
    """Raw, escaped form; ``header`` reads one."""
    opaque: str | None = None

    @classmethod
    def parse(cls, text: str) -> Uri:
        """Read a URI. Raises ParseError."""
        return _parse_uri_remembered(text) if len(text) <= CACHED_LENGTH else _parse_uri(text)

    def __str__(self) -> str:
        if self.opaque is not None:
            return f"{self.scheme}:{self.opaque}"
        written = write_host_port(self.host, self.port)
        if self.user is not None:
            secret = "" if self.password is None else f":{self.password}"
            written = f"{self.user}{secret}@{written}"
        if self.params:
            written += write_params(self.params)
        if self.headers:
            written += "?" + "&".join([f"{name}={value}" for name, value in self.headers])
        return f"{self.scheme}:{written}"

    @property
    def user_text(self) -> str | None:
        """The user part unescaped; what is not printable stays escaped."""
        return None if self.user is None else unescape(self.user)

    def param(self, name: str) -> str | None:
        """Return a parameter's value unescaped, "" when it has none, None when it is not there."""
        value = find_escaped_param(self.params, name)
        return value if not value else unescape(value)

    def has_param(self, name: str) -> bool:
        """Whether the parameter is there, with or without a value."""
        return find_escaped_param(self.params, name) is not None

    def header(self, name: str) -> str | None:
        """Return a URI header's value unescaped, None when it is absent; control characters stay escaped."""
        lowered = name.lower()
        for key, value in self.headers:
            if key.lower() == lowered:
                return unescape(value)
        return None

    def with_param(self, name: str, value: str | None = None) -> Uri:
        """Return a copy with the parameter set (value in raw form)."""
        return replace(self, params=replace_param(self.params, name, value))

    def with_(
        self,
        *,
        user: str | None = None,
        host: str | None = None,
        port: int | None = None,
        params: Params | None = None,
        headers: tuple[tuple[str, str], ...] | None = None,
    ) -> Uri:
        """Return a copy with the given parts replaced (raw forms); None leaves a part as it is."""
        return replace(
            self,
            user=self.user if user is None else user,
            host=self.host if host is None else host,
            port=self.port if port is None else port,
            params=self.params if params is None else params,
            headers=self.headers if headers is None else headers,
        )

    def equivalent(self, other: Uri) -> bool:
        """Compare by RFC 3261 section 19.1.4. Other schemes are compared as text."""
        if self.scheme != other.scheme or self.opaque is not None or other.opaque is not None:
            return self.scheme == other.scheme and self.opaque == other.opaque
        if (_plain(self.user), _plain(self.password), self.port) != (
            _plain(other.user),
            _plain(other.password),
            other.port,
        ):
            return False
        if self.host.lower() != other.host.lower():
            return False
        return _same_params(self.params, other.params) and _header_set(self.headers) == _header_set(
            other.headers
        )


def _plain(text: str | None) -> bytes | None:
    return None if text is None else unquote_to_bytes(text)


def _same_params(ours: Params, theirs: Params) -> bool:
    left = {unescape(name).lower(): unquote_to_bytes(value or "").lower() for name, value in ours}
    right = {unescape(name).lower(): unquote_to_bytes(value or "").lower() for name, value in theirs}
    if any(left[name] != right[name] for name in left.keys() & right.keys()):
        return False
    return not (left.keys() ^ right.keys()) & _TELLING_PARAMS


def _header_set(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, bytes]]:
    return sorted((name.lower(), unquote_to_bytes(value)) for name, value in headers)


def _parse_uri(text: str) -> Uri:
    scheme, colon, rest = text.partition(":")
    if scheme != "sip":
        scheme = scheme.lower()
        if scheme not in ("sip", "sips"):
            return _parse_opaque(scheme, colon, rest)
    if not colon:
        raise ParseError("uri", "expected a scheme and a colon")
    if "%" in rest:
        _check_escapes(rest)
    user = password = None
    userinfo, at, host_part = rest.partition("@")
    if at:
        user, with_password, secret = userinfo.partition(":")
        password = secret if with_password else None
        if not _USER.fullmatch(user) or not _PASSWORD.fullmatch(secret):
            raise ParseError("uri_user", "a character of the user part must be escaped")
    else:
        host_part = rest
    params: Params = ()
    headers: tuple[tuple[str, str], ...] = ()
    if "?" in host_part:
        host_part, _, header_part = host_part.partition("?")
        headers = _parse_uri_headers(header_part)
    if ";" in host_part:
        host_part, _, param_part = host_part.partition(";")
        params = _parse_uri_params(param_part)
    host, port = _parse_uri_host(host_part)
    return Uri(scheme, user, password, host, port, params, headers)


_parse_uri_remembered = lru_cache(CACHED_TEXTS)(_parse_uri)


def _parse_uri_host(text: str) -> tuple[str, int | None]:
    if " " in text or "\t" in text:
        raise ParseError("host", "a blank inside a URI")
    return parse_host_port(text)


def _parse_opaque(scheme: str, colon: str, rest: str) -> Uri:
    if not colon or not _SCHEME.fullmatch(scheme) or not _OPAQUE.fullmatch(rest):
        raise ParseError("uri", "expected a scheme, a colon and visible characters")
    return Uri(scheme=scheme, opaque=rest)


def _parse_uri_params(text: str) -> Params:
    if not _URI_PARAMS.fullmatch(text):
        raise ParseError("uri_parameter", "a character of a URI parameter must be escaped")
    params: list[tuple[str, str | None]] = []
    for part in text.split(";"):
        name, equal, value = part.partition("=")
        if not name or (equal and not value):
            raise ParseError("uri_parameter", "expected name or name=value")
        params.append((name, value if equal else None))
    return tuple(params)


def _parse_uri_headers(text: str) -> tuple[tuple[str, str], ...]:
    if not _URI_HEADERS.fullmatch(text):
        raise ParseError("uri_header", "a character of a URI header must be escaped")
    headers = []
    for part in text.split("&"):
        name, equal, value = part.partition("=")
        if not name or not equal:
            raise ParseError("uri_header", "expected name=value")
        # An escaped CRLF is for a body only; in a header it would be an injection waiting for its unescape.
        if name.lower() != "body" and _CONTROL_ESCAPE.search(part):
            raise ParseError("uri_header", "an escaped control character")
        headers.append((name, value))
    return tuple(headers)


@dataclass(frozen=True, slots=True)
class NameAddr:
    """A name-addr or addr-spec with its header parameters: From, To, Contact, Route, Refer-To..."""

    display: str | None
    """Unquoted, without control characters."""
    uri: Uri
    params: Params = ()
    """Raw values; ``param`` unquotes."""

    @classmethod
    def parse(cls, text: str) -> NameAddr:
        """Read one name-addr. Raises ParseError."""
        return _parse_name_addr_remembered(text) if len(text) <= CACHED_LENGTH else _parse_name_addr(text)

    def __str__(self) -> str:
        display = "" if self.display is None else f"{quote(self.display)} "
        return f"{display}<{self.uri}>{write_params(self.params)}"

    @property
    def tag(self) -> str | None:
        """The tag parameter."""
        return find_param(self.params, "tag")

    def param(self, name: str) -> str | None:
        """Return a parameter's value unquoted, "" when it has none, None when it is not there."""
        return read_param(self.params, name)

    def has_param(self, name: str) -> bool:
        """Whether the parameter is there, with or without a value."""
        return find_param(self.params, name) is not None

    def with_param(self, name: str, value: str | None = None) -> NameAddr:
        """Return a copy with the parameter set; the value is quoted when it has to be."""
        written = None if value is None else write_value(value)
        return NameAddr(self.display, self.uri, replace_param(self.params, name, written))

    def with_tag(self, tag: str) -> NameAddr:
        """Return a copy with this tag."""
        return self.with_param("tag", tag)

    def without_params(self) -> NameAddr:
        """Return a copy without header parameters (so without its tag); the URI keeps its own."""
        return NameAddr(self.display, self.uri)


def _parse_name_addr(text: str) -> NameAddr:
    text = text.strip(" \t")
    open_at = text.find("<")
    quote_at = text.find('"')
    display: str | None
    if quote_at == 0:
        end = closing_quote(text, 0)
        if CONTROL.search(text, 0, end):
            raise ParseError("display_name", "a control character")
        display = unquote(text[1:end])
        open_at = end + 1
        while text[open_at : open_at + 1] in (" ", "\t"):
            open_at += 1
        if text[open_at : open_at + 1] != "<":
            raise ParseError("name_addr", "expected an angle bracket after the display name")
    elif open_at < 0 or 0 <= quote_at < open_at:
        return _parse_addr_spec(text)
    else:
        display = _parse_bare_display(text[:open_at])
    close_at = text.find(">", open_at)
    if close_at < 0:
        raise ParseError("bracket", "an angle bracket does not close")
    uri = Uri.parse(text[open_at + 1 : close_at])
    rest = text[close_at + 1 :].lstrip(" \t")
    if not rest:
        return NameAddr(display, uri)
    if rest[0] != ";":
        raise ParseError("name_addr", "expected a semicolon after the angle brackets")
    return NameAddr(display, uri, parse_params(rest[1:]))


_parse_name_addr_remembered = lru_cache(CACHED_TEXTS)(_parse_name_addr)


def _parse_addr_spec(text: str) -> NameAddr:
    """Read the form without angle brackets: parameters belong to the header (RFC 3261 section 20)."""
    spec, semicolon, params = text.partition(";")
    spec = spec.rstrip(" \t")
    if "?" in spec or "," in spec:
        raise ParseError("name_addr", "a URI with a comma or a question mark needs angle brackets")
    return NameAddr(None, Uri.parse(spec), parse_params(params) if semicolon else ())


def _parse_bare_display(text: str) -> str | None:
    """Read ``*(token LWS)``; more than tokens is taken, but nothing that could be read another way."""
    if not _BARE_DISPLAY.fullmatch(text):
        raise ParseError("display_name", "a display name with separators needs quotes")
    return " ".join([word for word in text.replace("\t", " ").split(" ") if word]) or None
