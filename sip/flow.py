"""Where a message came from, or goes to: an address pair and, for streams, one connection."""

from __future__ import annotations

from typing import NamedTuple

LOST_CONNECTION = -1
"""The number of a connection that went with an earlier process: never up, and its peer may come by another."""
DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}


class Address(NamedTuple):
    """A transport address; ``host`` is a numeric IP address, IPv6 without brackets."""

    transport: str
    host: str
    port: int

    def __str__(self) -> str:
        """Write it for logs: ``udp:192.0.2.1:5060``."""
        return f"{self.transport}:{host_port(self.host, self.port)}"


class Flow(NamedTuple):
    """A path to one peer: both ends and, when not 0, the stream connection it means (RFC 5626)."""

    local: Address
    remote: Address
    connection: int = 0

    @property
    def reliable(self) -> bool:
        """Tell whether it is a stream, whose transport repeats lost data itself (RFC 3261 17.1.1.1)."""
        return self.connection != 0


def host_port(host: str, port: int) -> str:
    """Write a host and a port as a SIP URI or a Via does, IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
