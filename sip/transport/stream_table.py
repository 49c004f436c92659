"""Which stream connections there are, and how many a source may hold (security rule B3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip.flow import Address
    from sip.transport.streams import SipStream


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Bounds on connections; times in seconds."""

    per_source: int = 256
    total: int = 4_096
    handshakes: int = 64
    """TLS handshakes under way at once."""
    handshake_time: float = 5.0
    connect_time: float = 5.0
    silent_time: float = 30.0
    """A connection that has brought no whole message by then is closed."""
    write_queue: int = 1024 * 1024
    """Bytes a peer may leave unread before it is dropped."""
    ping_interval: float = 100.0
    """Between our keep-alives on connections we opened: within the 95 to 120 s of RFC 5626 section 4.4.1."""
    pong_time: float = 10.0


class StreamTable:
    """The connections of one endpoint, by number, by far end and by source."""

    def __init__(self, limits: StreamLimits) -> None:
        """Begin with none."""
        self._limits = limits
        self._streams: dict[int, SipStream] = {}
        self._by_source: dict[str, int] = {}
        self._opened: dict[tuple[Address, str | None], SipStream] = {}

    def __len__(self) -> int:
        """Count the connections."""
        return len(self._streams)

    def __iter__(self) -> Iterator[SipStream]:
        """Go through a copy: closing one while going is allowed."""
        return iter(list(self._streams.values()))

    def get(self, connection: int) -> SipStream | None:
        """Find a connection by its number."""
        return self._streams.get(connection)

    def reusable(self, remote: Address, server_name: str | None) -> SipStream | None:
        """Find a connection we opened to ``remote``, for TLS one verified for that very name (rule G1)."""
        return self._opened.get((remote, server_name))

    def make_room(self, host: str) -> str | None:
        """Make room for one more connection from ``host``, or give the label of its refusal.

        Over the total the connection that goes is the one heard of longest ago among those that
        brought nothing we trust.
        """
        if self._by_source.get(host, 0) >= self._limits.per_source:
            return "streams_of_source"
        if len(self._streams) >= self._limits.total:
            idle = min((one for one in self if not one.trusted), key=lambda one: one.heard_at, default=None)
            if idle is None:
                return "streams_total"
            idle.drop("evicted")
        return None

    def add(self, stream: SipStream) -> None:
        """Take in a connection, open for use."""
        self._streams[stream.flow.connection] = stream
        host = stream.flow.remote.host
        self._by_source[host] = self._by_source.get(host, 0) + 1
        if stream.outbound:
            self._opened[stream.flow.remote, stream.server_name] = stream

    def remove(self, stream: SipStream) -> None:
        """Forget a connection."""
        if self._streams.pop(stream.flow.connection, None) is None:
            return
        remote = stream.flow.remote
        left = self._by_source[remote.host] - 1
        if left:
            self._by_source[remote.host] = left
        else:
            del self._by_source[remote.host]
        if self._opened.get((remote, stream.server_name)) is stream:
            del self._opened[remote, stream.server_name]
