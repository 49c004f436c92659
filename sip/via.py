"""The Via header (RFC 3261 section 20.42) with received and rport (RFC 3581)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from sip.errors import ParseError
from sip.grammar import Params, find_param, is_token, parse_integer, parse_params, replace_param, write_params
from sip.uri import CACHED_LENGTH, MAX_PORT, is_ipv6, parse_host_port, write_host_port

MAGIC_COOKIE = (
    "z9hG4bK"  # RFC 3261 section 8.1.1.7: a branch that starts with it is unique across space and time
)
PROTOCOL = "SIP/2.0"


@dataclass(frozen=True, slots=True)
class Via:
    """One Via value: the way a request took, and the way its response takes back."""

    transport: str
    """In upper case."""
    host: str
    """An IPv6 address has no brackets here."""
    port: int | None = None
    params: Params = ()
    protocol: str = PROTOCOL

    @classmethod
    def parse(cls, text: str) -> Via:
        """Read one Via value. Raises ParseError."""
        return _parse(text)

    def __str__(self) -> str:
        sent_by = write_host_port(self.host, self.port)
        return f"{self.protocol}/{self.transport} {sent_by}{write_params(self.params)}"

    @property
    def branch(self) -> str | None:
        """The branch, the name of the transaction."""
        return find_param(self.params, "branch")

    @property
    def received(self) -> str | None:
        """The address the request came from, without brackets."""
        value = find_param(self.params, "received")
        return value.strip("[]") if value else None

    @property
    def rport(self) -> int | None:
        """The source port the server filled in (RFC 3581); None when it is absent, empty or not a port."""
        value = find_param(self.params, "rport")
        try:
            return parse_integer(value, MAX_PORT, "rport") if value else None
        except ParseError:
            return None

    @property
    def wants_rport(self) -> bool:
        """Whether the client asked for the answer at its source port (RFC 3581 section 3)."""
        return find_param(self.params, "rport") is not None

    def param(self, name: str) -> str | None:
        """Return a parameter's raw value, "" when it has none, None when it is not there."""
        return find_param(self.params, name)

    def with_params(self, **params: str | int | None) -> Via:
        """Return a copy with the parameters set; None writes one without a value."""
        changed = self.params
        for name, value in params.items():
            changed = replace_param(changed, name, None if value is None else str(value))
        return replace(self, params=changed)


def _read(text: str) -> Via:
    sent, semicolon, params = text.partition(";")
    parts = sent.split("/", 2)
    if len(parts) != 3:
        raise ParseError("via", "expected SIP/2.0/transport")
    name, version, rest = parts[0].strip(" \t"), parts[1].strip(" \t"), parts[2].replace("\t", " ").strip(" ")
    transport, _, sent_by = rest.partition(" ")
    if not (is_token(name) and is_token(version) and is_token(transport)):
        raise ParseError("via", "expected SIP/2.0/transport and a host")
    host, port = parse_host_port(sent_by.strip(" "))
    via = Via(
        transport.upper(), host, port, parse_params(params) if semicolon else (), f"{name.upper()}/{version}"
    )
    received = via.received
    if received and ":" in received and not is_ipv6(received):
        raise ParseError("via", "received is no address")
    return via


_remembered = lru_cache(4096)(_read)


def _parse(text: str) -> Via:
    # A branch is new with every transaction, but the messages of the transaction bring it again.
    return _remembered(text) if len(text) <= CACHED_LENGTH else _read(text)
