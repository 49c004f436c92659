"""Session descriptions (RFC 4566, RFC 8866): bytes to a tree of sections and back, with bounds.

The parser checks form and size only. What a media section means for a call (codecs, direction, addresses)
is decided by `sip.offer_answer`. Lines that are not understood are kept and written back in the canonical
order of RFC 4566 section 5, so that ``serialise`` of a parsed description is stable.
"""

from __future__ import annotations

from dataclasses import dataclass

from sip.errors import SipError

MAX_BYTES = 32 * 1024
MAX_MEDIA = 16
MAX_FORMATS = 64
MAX_CANDIDATES = 64
MAX_CRYPTO = 8
MAX_ATTRIBUTES = 512  # in one section: 64 formats with rtpmap, fmtp and feedback lines fit well

DIRECTIONS = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})

# RFC 4566 section 5: which lines come before and after c= in each kind of section.
_SESSION_BEFORE, _SESSION_AFTER = "iuep", "btrzk"
_MEDIA_BEFORE, _MEDIA_AFTER = "i", "bk"
_ATTRIBUTE_LIMITS = {"candidate": MAX_CANDIDATES, "crypto": MAX_CRYPTO}

Attribute = tuple[str, str | None]
Line = tuple[str, str]


class SdpError(SipError):
    """A description we refuse. ``label`` counts it, ``status`` answers it (400 malformed, 488 unusable)."""

    def __init__(self, label: str, status: int = 488, detail: str = "") -> None:
        super().__init__(f"{label}: {detail}" if detail else label)
        self.label = label
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Origin:
    """The o= line. Identifier and version are compared as text: some devices write more than 64 bits."""

    username: str
    session_id: str
    version: str
    family: str
    host: str

    @classmethod
    def parse(cls, value: str) -> Origin:
        parts = value.split()
        if len(parts) != 6 or parts[3] != "IN" or parts[4] not in _FAMILIES:
            raise SdpError("sdp_origin", 400)
        return cls(parts[0], parts[1], parts[2], parts[4], parts[5])

    def __str__(self) -> str:
        return f"{self.username} {self.session_id} {self.version} IN {self.family} {self.host}"


@dataclass(frozen=True, slots=True)
class MediaSection:
    """One m= section. ``host`` is its own c= address, None when the session's applies."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    host: str | None = None
    attributes: tuple[Attribute, ...] = ()
    others: tuple[Line, ...] = ()
    port_count: int = 1

    def attribute(self, name: str) -> str | None:
        """The value of the first attribute of that name; "" for a flag; None when absent."""
        for key, value in self.attributes:
            if key == name:
                return value or ""
        return None

    @property
    def direction(self) -> str | None:
        return _direction(self.attributes)

    def serialise_lines(self) -> list[str]:
        port = f"{self.port}/{self.port_count}" if self.port_count != 1 else str(self.port)
        lines = [f"m={self.kind} {port} {self.protocol} {' '.join(self.formats)}"]
        _write_body(lines, self.host, self.others, self.attributes, _MEDIA_BEFORE)
        return lines


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """A whole description. ``host`` is the session level c= address, if there is one."""

    origin: Origin
    name: str = "-"
    host: str | None = None
    attributes: tuple[Attribute, ...] = ()
    others: tuple[Line, ...] = (("t", "0 0"),)
    media: tuple[MediaSection, ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> SessionDescription:
        """Read a description.

        Raises:
            SdpError: for anything that is not one, or is larger than the limits of this module.
        """
        sections = _split_sections(_decode(data))
        head = _read_session(sections[0])
        return cls(*head, media=tuple([_read_media(section) for section in sections[1:]]))

    def serialise(self) -> bytes:
        lines = ["v=0", f"o={self.origin}", f"s={self.name}"]
        _write_body(lines, self.host, self.others, self.attributes, _SESSION_BEFORE)
        for section in self.media:
            lines += section.serialise_lines()
        lines.append("")
        return "\r\n".join(lines).encode()

    @property
    def times(self) -> list[str]:
        """The t= values; an answer repeats them (RFC 3264 section 6)."""
        return [value for kind, value in self.others if kind == "t"]

    def host_of(self, section: MediaSection) -> str | None:
        return section.host or self.host

    def direction_of(self, section: MediaSection) -> str:
        """RFC 8866 section 6.7: the section's own direction, else the session's, else sendrecv."""
        return section.direction or _direction(self.attributes) or "sendrecv"


_FAMILIES = frozenset({"IP4", "IP6"})


def _direction(attributes: tuple[Attribute, ...]) -> str | None:
    for key, _ in attributes:
        if key in DIRECTIONS:
            return key
    return None


def _decode(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise SdpError("sdp_size")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise SdpError("sdp_encoding", 400) from None
    text = text.replace("\r\n", "\n")
    if "\r" in text or "\0" in text:
        raise SdpError("sdp_control_character", 400)
    return text


def _split_sections(text: str) -> list[list[Line]]:
    """The session part, then one list of lines a medium. Over the limits nothing more is looked at."""
    if text.count("\nm=") > MAX_MEDIA:
        raise SdpError("sdp_media_count")
    current: list[Line] = []
    sections = [current]
    for line in text.split("\n"):
        if not line:
            continue
        if line[1:2] != "=" or not ("a" <= line[0] <= "z"):
            raise SdpError("sdp_line", 400)
        if line[0] == "m":
            current = []
            sections.append(current)
        current.append((line[0], line[2:]))
    if not sections[0] or sections[0][0] != ("v", "0"):
        raise SdpError("sdp_version", 400)
    return sections


def _read_session(
    lines: list[Line],
) -> tuple[Origin, str, str | None, tuple[Attribute, ...], tuple[Line, ...]]:
    origin: Origin | None = None
    name = "-"
    rest: list[Line] = []
    for kind, value in lines[1:]:
        if kind == "o" and origin is None:
            origin = Origin.parse(value)
        elif kind == "s":
            name = value
        else:
            rest.append((kind, value))
    if origin is None:
        raise SdpError("sdp_origin", 400)
    return origin, name, *_read_body(rest, _SESSION_BEFORE + _SESSION_AFTER)


def _read_media(lines: list[Line]) -> MediaSection:
    kind, port, count, protocol, formats = _read_media_line(lines[0][1])
    return MediaSection(
        kind, port, protocol, formats, *_read_body(lines[1:], _MEDIA_BEFORE + _MEDIA_AFTER), count
    )


def _read_media_line(value: str) -> tuple[str, int, int, str, tuple[str, ...]]:
    """``<media> <port>[/<count>] <proto> <fmt> ...``, checked because its words are copied into answers."""
    if not (value.isascii() and value.isprintable()):
        raise SdpError("sdp_media_line", 400)
    words = value.split(" ")
    if len(words) < 4 or not all(words[:4]):
        raise SdpError("sdp_media_line", 400)
    port, slash, count = words[1].partition("/")
    ports = number(port, 65535)
    if ports is None or (slash and not number(count, 255)):
        raise SdpError("sdp_port")
    formats = tuple([word for word in words[3:] if word])
    if len(formats) > MAX_FORMATS:
        raise SdpError("sdp_format_count")
    return words[0], ports, int(count) if slash else 1, words[2], formats


def _read_body(lines: list[Line], kept: str) -> tuple[str | None, tuple[Attribute, ...], tuple[Line, ...]]:
    host: str | None = None
    attributes: list[Attribute] = []
    others: list[Line] = []
    for kind, value in lines:
        if kind == "a":
            name, colon, content = value.partition(":")
            attributes.append((name, content if colon else None))
        elif kind == "c":
            host = host or _read_connection(value)
        elif kind in kept:
            others.append((kind, value))
        # RFC 4566 section 5 would ignore the whole description for an unknown line; dropping it is kinder.
    _check_attributes(attributes)
    if len(others) > 1:
        others.sort(key=lambda line: kept.index(line[0]))
    return host, tuple(attributes), tuple(others)


def _check_attributes(attributes: list[Attribute]) -> None:
    if len(attributes) > MAX_ATTRIBUTES:
        raise SdpError("sdp_attribute_count")
    if len(attributes) <= MAX_CRYPTO:
        return
    names = [name for name, _ in attributes]
    for name, limit in _ATTRIBUTE_LIMITS.items():
        if names.count(name) > limit:
            raise SdpError(f"sdp_{name}_count")


def _read_connection(value: str) -> str:
    """The address of a c= line, without the multicast TTL and count (``IN IP4 224.2.1.1/127/3``)."""
    words = value.split()
    if len(words) != 3 or words[0] != "IN" or words[1] not in _FAMILIES:
        raise SdpError("sdp_connection")
    host = words[2].partition("/")[0]
    if not host:
        raise SdpError("sdp_connection")
    return host


def _write_body(
    lines: list[str],
    host: str | None,
    others: tuple[Line, ...],
    attributes: tuple[Attribute, ...],
    before: str,
) -> None:
    lines += [f"{kind}={value}" for kind, value in others if kind in before]
    if host is not None:
        lines.append(f"c=IN {'IP6' if ':' in host else 'IP4'} {host}")
    lines += [f"{kind}={value}" for kind, value in others if kind not in before]
    lines += [f"a={name}" if value is None else f"a={name}:{value}" for name, value in attributes]


def number(text: str, highest: int) -> int | None:
    """ASCII digits within 0..highest. ``int`` alone takes "+5", "1_0" and digits of other scripts."""
    if not text or len(text) > 10 or not (text.isascii() and text.isdigit()):
        return None
    value = int(text)
    return value if value <= highest else None
