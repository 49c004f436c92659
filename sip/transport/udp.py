"""SIP over UDP: one bound socket under Twisted's reactor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import DatagramProtocol

from sip.flow import Address, Flow

if TYPE_CHECKING:
    from socket import socket

    from twisted.internet.interfaces import IReactorSocket

    from sip.transport.sockets import Listener

MAX_DATAGRAM = 65_535
MAX_FLOWS = 4_096
"""Flow objects remembered for their peers, so that each datagram need not make one."""


class UdpPort(DatagramProtocol):
    """Gives each datagram, with its flow, to ``receive``."""

    noisy = False

    def __init__(self, listener: Listener, receive: Callable[[bytes, Flow], None]) -> None:
        """Take over a bound socket."""
        self.address = listener.address
        self._receive = receive
        self._socket: socket = listener.socket
        self._port: IListeningPort | None = None
        self._flows: dict[tuple[str, int], Flow] = {}

    def listen(self, reactor: IReactorSocket) -> None:
        """Begin to read."""
        self._port = reactor.adoptDatagramPort(
            self._socket.fileno(), self._socket.family, self, maxPacketSize=MAX_DATAGRAM
        )

    async def close(self) -> None:
        """Stop reading and close the socket."""
        if self._port is not None:
            stopped = self._port.stopListening()
            self._port = None
            if stopped is not None:
                await stopped
        self._socket.close()

    def flow_to(self, host: str, port: int) -> Flow:
        """Give the flow from this socket to a peer."""
        flow = self._flows.get((host, port))
        if flow is None:
            if len(self._flows) >= MAX_FLOWS:
                self._flows.clear()
            flow = self._flows[host, port] = Flow(self.address, Address("udp", host, port))
        return flow

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """Pass a datagram on."""
        self._receive(datagram, self._flows.get(addr) or self.flow_to(*addr))

    def send(self, data: bytes, flow: Flow) -> str | None:
        """Send a datagram; give the reason when the system refuses it.

        A full buffer is a lost packet, which the transactions repair. This calls the socket itself:
        Twisted's ``write`` examines the address again, at twice the price of the system call.
        """
        try:
            self._socket.sendto(data, flow.remote[1:])
        except BlockingIOError:
            return None
        except OSError as error:
            return error.strerror or "send"
        return None
