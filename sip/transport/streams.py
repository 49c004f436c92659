"""One stream connection under Twisted: bytes to the framer, frames to the user (RFC 3261 section 18.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from twisted.internet.interfaces import IConsumer, IPushProducer, ISystemHandle, ITCPTransport
from twisted.internet.protocol import Protocol as TwistedProtocol
from zope.interface import implementer

from sip.flow import Address, Flow
from sip.framing import Bad, Frame, KeepAlive, StreamFramer
from sip.transport.sockets import mark

if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket

    from twisted.python.failure import Failure

    from sip.errors import ParseError
    from sip.transport.stream_table import StreamLimits

PING = b"\r\n\r\n"
PONG = b"\r\n"


class StreamUser(Protocol):
    """Who is told what happens on the connections."""

    def stream_opening(self, stream: SipStream) -> bool:
        """Say whether a new connection may stay."""

    def stream_ready(self, stream: SipStream) -> None:
        """Take a connection into use."""

    def stream_message(self, data: bytes, flow: Flow) -> None:
        """Take one framed message."""

    def stream_broken(self, error: ParseError, flow: Flow) -> None:
        """Answer what cannot be read; the connection is closed next."""

    def stream_closed(self, stream: SipStream, reason: str) -> None:
        """Forget a connection."""


@implementer(IPushProducer)
class SipStream(TwistedProtocol):
    """A TCP connection, either way. TLS adds the handshake."""

    def __init__(
        self,
        user: StreamUser,
        seconds: Callable[[], float],
        limits: StreamLimits,
        *,
        connection: int,
        transport_name: str = "tcp",
        outbound: bool = False,
        server_name: str | None = None,
    ) -> None:
        """Prepare; ``seconds`` is the clock."""
        self._user = user
        self._seconds = seconds
        self._limits = limits
        self._connection = connection
        self.transport_name = transport_name
        self.outbound = outbound
        self.server_name = server_name
        self.flow = Flow(Address(transport_name, "", 0), Address(transport_name, "", 0), connection)
        self.identities: tuple[str, ...] = ()
        """What the peer's verified certificate names."""
        self.trusted = outbound
        """A connection we opened, or one that carries a known peer: not the first to go."""
        self.heard_at = 0.0
        self._framer = StreamFramer(seconds(), accepted=not outbound)
        if outbound:
            self._framer.deadline = None  # a server has nothing to say before it is asked
        self._silent_until: float | None = None
        self._ping_at: float | None = None
        self._pong_until: float | None = None
        self._answers_pings = False
        self._paused = False
        self._queued = 0
        self._ready = False
        self.closing: str | None = None
        self._close_by: float | None = None

    # -- from Twisted ----------------------------------------------------------------------

    def _mark(self) -> None:
        """Mark a connection of ours; one that was accepted is marked as its listener is."""
        beneath = getattr(self._tcp, "transport", self._tcp)  # TLS is a layer over the connection
        handle = ISystemHandle(beneath, None)
        if handle is not None:
            mark(cast("socket", handle.getHandle()))

    def connectionMade(self) -> None:
        """Name the flow and ask whether the connection may stay."""
        transport = self._tcp
        local, remote = transport.getHost(), transport.getPeer()
        self.flow = Flow(
            Address(self.transport_name, local.host, local.port),
            Address(self.transport_name, remote.host.partition("%")[0], remote.port),
            self._connection,
        )
        self.heard_at = self._seconds()
        transport.setTcpNoDelay(True)
        if self.outbound:
            self._mark()
        if self._user.stream_opening(self):
            self.begin()
        else:
            self.closing = "refused"
            transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        """Feed the framer and hand on what is whole."""
        if self.closing is not None:
            return
        self._framer.receive(data, self._seconds())
        self._take_frames()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Tell the user, once."""
        self._ready = False
        self._user.stream_closed(self, self.closing or "closed")

    def pauseProducing(self) -> None:  # noqa: N802
        """The peer reads slower than we write: begin to count."""
        self._paused = True

    def resumeProducing(self) -> None:  # noqa: N802
        """The peer has read."""
        self._paused = False
        self._queued = 0

    def stopProducing(self) -> None:
        """The connection is over; ``connectionLost`` follows."""

    # -- from the user ---------------------------------------------------------------------

    def send(self, data: bytes) -> str | None:
        """Write one message; give the reason when the connection cannot take it."""
        if self.closing is not None or not self._ready:
            return "closed"
        if self._paused:
            self._queued += len(data)
            if self._queued > self._limits.write_queue:
                self.abort("write_queue")
                return "closed"
        self._tcp.write(data)
        return None

    def drop(self, reason: str) -> None:
        """Close once everything written is out; read no more."""
        if self.closing is None:
            self.closing = reason
            self._close_by = self._seconds() + self._limits.connect_time
            cast(IConsumer, self.transport).unregisterProducer()
            self._tcp.loseConnection()

    def abort(self, reason: str) -> None:
        """Close at once."""
        self.closing = self.closing or reason
        self._tcp.abortConnection()

    @property
    def deadline(self) -> float | None:
        """Say when ``handle_timer`` is due."""
        if self.closing is not None:
            return self._close_by
        times = (self._framer.deadline, self._silent_until, self._ping_at, self._pong_until)
        return min((at for at in times if at is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Close what is too slow or silent; keep alive what we opened (RFC 5626 section 4.4.1)."""
        if self.closing is not None:
            self.abort("closed")  # it had its time to take the last bytes
            return
        if self._silent_until is not None and now >= self._silent_until:
            self.abort("stream_silent")
            return
        if self._pong_until is not None and now >= self._pong_until:
            self.abort("pong_missing")
            return
        if self._ping_at is not None and now >= self._ping_at:
            self.ping()
        self._framer.handle_timer(now)
        self._take_frames()

    def ping(self) -> None:
        """Send a keep-alive; an answer is insisted on only where one came before."""
        now = self._seconds()
        self.send(PING)
        self._ping_at = now + self._limits.ping_interval
        if self._answers_pings:
            self._pong_until = now + self._limits.pong_time

    # -- inside ----------------------------------------------------------------------------

    @property
    def _tcp(self) -> ITCPTransport:
        return cast(ITCPTransport, self.transport)

    def begin(self) -> None:
        """Take the connection into use; TLS does so after the handshake."""
        now = self._seconds()
        self._ready = True
        cast(IConsumer, self.transport).registerProducer(self, True)
        if self.outbound:
            self._ping_at = now + self._limits.ping_interval
        else:
            self._silent_until = now + self._limits.silent_time
        self._user.stream_ready(self)

    def _take_frames(self) -> None:
        for output in self._framer.take_outputs():
            if self.closing is not None:
                return
            if isinstance(output, Frame):
                self.heard_at = self._seconds()
                self._silent_until = None
                self._user.stream_message(output.data, self.flow)
            elif isinstance(output, KeepAlive):
                self._receive_keep_alive(output)
            elif isinstance(output, Bad):
                self._user.stream_broken(output.error, self.flow)
                self.drop(output.error.label)

    def _receive_keep_alive(self, output: KeepAlive) -> None:
        if output.kind == "ping":
            self.send(PONG)
        else:
            self._answers_pings = True
            self._pong_until = None
