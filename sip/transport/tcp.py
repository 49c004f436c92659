"""Accepting and opening stream connections, plain or under TLS (RFC 3261 section 18)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.error import ConnectionRefusedError as RefusedError
from twisted.internet.interfaces import IAddress, IConnector, IListeningPort
from twisted.internet.protocol import ClientFactory, ServerFactory
from twisted.protocols.tls import TLSMemoryBIOFactory

from sip.transport.tls import ClientTls, ServerTls, TlsContexts

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTCP
    from twisted.python.failure import Failure

    from sip.flow import Address
    from sip.transport.sockets import Listener
    from sip.transport.streams import SipStream

NewStream = Callable[[], "SipStream"]


class StreamFactory(ServerFactory):
    """Makes the protocol of each accepted connection."""

    noisy = False

    def __init__(self, new_stream: NewStream) -> None:
        """Make streams by ``new_stream``."""
        self._new_stream = new_stream

    def buildProtocol(self, addr: IAddress | None) -> SipStream:
        """Give Twisted a fresh stream."""
        return self._new_stream()


class Connecting(ClientFactory):
    """One attempt to connect; ``failed`` is told when no connection comes of it."""

    noisy = False

    def __init__(self, stream: SipStream, failed: Callable[[str], None]) -> None:
        """Attempt for one stream object, which is not used again."""
        self._stream = stream
        self._failed = failed

    def buildProtocol(self, addr: IAddress | None) -> SipStream:
        """Give Twisted the stream."""
        return self._stream

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """Tell that the connection was refused or timed out."""
        self._failed("refused" if isinstance(reason.value, RefusedError) else "unreachable")


class StreamPort:
    """One listening socket for TCP or TLS."""

    def __init__(self, listener: Listener, new_stream: NewStream, contexts: TlsContexts | None) -> None:
        """Take over a listening socket; ``contexts`` make it TLS."""
        self.address = listener.address
        self._socket = listener.socket
        factory = StreamFactory(new_stream)
        self._factory = (
            factory if contexts is None else TLSMemoryBIOFactory(ServerTls(contexts), False, factory)
        )
        self._port: IListeningPort | None = None

    def listen(self, reactor: object) -> None:
        """Begin to accept."""
        self._port = reactor.adoptStreamPort(self._socket.fileno(), self._socket.family, self._factory)  # type: ignore[attr-defined]
        self._socket.close()  # the reactor has a duplicate

    async def close(self) -> None:
        """Stop accepting."""
        if self._port is not None:
            stopped = self._port.stopListening()
            self._port = None
            if stopped is not None:
                await stopped


def connect(
    reactor: IReactorTCP,
    address: Address,
    stream: SipStream,
    contexts: TlsContexts | None,
    timeout: float,
    failed: Callable[[str], None],
) -> IConnector:
    """Open a connection for ``stream``; ``contexts`` make it TLS to the stream's server name."""
    factory: ClientFactory = Connecting(stream, failed)
    if contexts is None:
        return reactor.connectTCP(address.host, address.port, factory, timeout)
    wrapped = TLSMemoryBIOFactory(ClientTls(contexts, stream.server_name or ""), True, factory)
    return reactor.connectTCP(address.host, address.port, wrapped, timeout)
