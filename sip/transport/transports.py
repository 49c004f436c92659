"""All transports of one endpoint: sockets, connections, and sending on a flow (RFC 3261 section 18)."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred

from sip.errors import SipError
from sip.flow import Address, Flow, host_port
from sip.transport.sockets import LOOPBACK, WILDCARDS, LocalAddresses, bind_all, family_of
from sip.transport.stream_table import StreamLimits, StreamTable
from sip.transport.streams import SipStream
from sip.transport.tcp import StreamPort, connect
from sip.transport.tls import TlsContexts, TlsStream
from sip.transport.udp import UdpPort

if TYPE_CHECKING:
    from twisted.internet.interfaces import IConnector, IDelayedCall

    from sip.counters import Counters
    from sip.errors import ParseError
    from sip.transport.reactor import Reactor
    from sip.transport.tls import TlsSettings

SWEEP = 1.0
"""Seconds between looks at the deadlines of the connections, none of which is shorter than 5 s."""
AT_ONCE = 64
"""Connections served in one turn of that: closing one takes 0.2 ms, and others wait meanwhile."""
CLOSING = 1.0
"""Seconds the connections have to take the last bytes when the endpoint stops."""


class CannotConnect(SipError):
    """No connection to a peer; the argument is a stable word that says why."""

    @property
    def reason(self) -> str:
        """Give that word."""
        return str(self.args[0])


class TransportUser(Protocol):
    """Who is told what comes in."""

    def datagram_received(self, data: bytes, flow: Flow) -> None:
        """Take one datagram."""

    def stream_message_received(self, data: bytes, flow: Flow) -> None:
        """Take one message of a connection."""

    def stream_message_broken(self, error: ParseError, flow: Flow) -> None:
        """Answer what cannot be read, if it can be answered."""

    def connection_lost(self, flow: Flow, reason: str) -> None:
        """Forget what waits for this connection."""


class Transports:
    """Owns every socket of an endpoint."""

    def __init__(
        self,
        reactor: Reactor,
        user: TransportUser,
        counters: Counters,
        *,
        limits: StreamLimits,
        tls: TlsSettings | None = None,
    ) -> None:
        """Prepare; nothing is opened before ``listen``."""
        self._reactor = reactor
        self._user = user
        self._counters = counters
        self._limits = limits
        self._contexts = TlsContexts(tls) if tls is not None else None
        self._udp: list[UdpPort] = []
        self._stream_ports: list[StreamPort] = []
        self._streams = StreamTable(limits)
        self._numbers = count(1)
        self._opening: dict[tuple[Address, str | None], list[Deferred[Flow]]] = {}
        self._attempts: dict[SipStream, tuple[tuple[Address, str | None], IConnector | None]] = {}
        self._sweeper: IDelayedCall | None = None
        self._emptied: Deferred[None] | None = None
        self._local = LocalAddresses()

    # -- life ------------------------------------------------------------------------------

    def listen(self, hosts: list[str], port: int, tls_port: int | None) -> None:
        """Bind and begin to read and accept. Raises OSError."""
        for listener in bind_all(hosts, port, tls_port if self._contexts is not None else None):
            transport = listener.address.transport
            if transport == "udp":
                udp = UdpPort(listener, self._user.datagram_received)
                udp.listen(self._reactor)
                self._udp.append(udp)
                continue
            contexts = self._contexts if transport == "tls" else None
            accepting = StreamPort(listener, partial(self._new_stream, transport), contexts)
            accepting.listen(self._reactor)
            self._stream_ports.append(accepting)

    async def stop(self) -> None:
        """Close everything, after what was written is sent."""
        for port in self._stream_ports:
            await port.close()
        self._stream_ports.clear()
        for stream in list(self._attempts):
            self._abandon(stream, "stopped")
        for stream in self._streams:
            stream.drop("stopped")
        if len(self._streams):
            self._emptied = Deferred()
            patience = self._reactor.callLater(CLOSING, self._abort_all)
            await self._emptied
            if patience.active():
                patience.cancel()
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for udp in self._udp:
            await udp.close()
        self._udp.clear()

    @property
    def listening(self) -> list[Address]:
        """List the bound addresses."""
        return [udp.address for udp in self._udp] + [port.address for port in self._stream_ports]

    # -- sending ---------------------------------------------------------------------------

    def send(self, flow: Flow, data: bytes) -> str | None:
        """Send one message; give the reason when it cannot be."""
        if flow.connection:
            stream = self._streams.get(flow.connection)
            return "closed" if stream is None else stream.send(data)
        for udp in self._udp:
            if udp.address == flow.local:
                return udp.send(data, flow)
        return "no_socket"

    def is_up(self, flow: Flow) -> bool:
        """Tell whether something can be sent on the flow."""
        if flow.connection:
            stream = self._streams.get(flow.connection)
            return stream is not None and stream.closing is None
        return True

    def udp_flow(self, address: Address) -> Flow | None:
        """Give the datagram flow to an address, None when no socket of its family is bound."""
        family = family_of(address.host)
        for udp in self._udp:
            if family_of(udp.address.host) == family:
                return udp.flow_to(address.host, address.port)
        return None

    def open(self, address: Address, *, server_name: str | None = None) -> Deferred[Flow]:
        """Give a stream flow to an address, the one we have or a new one. Fails with CannotConnect.

        Args:
            address: a TCP or TLS address.
            server_name: for TLS the SIP domain that the server's certificate must name (RFC 5922).
        """
        key = (address, server_name)
        known = self._streams.reusable(*key)
        result: Deferred[Flow] = Deferred()
        if known is not None and known.closing is None:
            result.callback(known.flow)
        elif address.transport == "tls" and self._contexts is None:
            result.errback(CannotConnect("tls_not_configured"))
        elif key in self._opening:
            self._opening[key].append(result)
        else:
            self._opening[key] = [result]
            self._connect(address, server_name)
        return result

    def ping(self, flow: Flow) -> None:
        """Send a keep-alive (RFC 5626 section 4.4.1; over UDP it merely keeps a NAT's binding)."""
        stream = self._streams.get(flow.connection)
        if stream is not None:
            stream.ping()
        elif not flow.connection:
            self.send(flow, b"\r\n\r\n")

    def trust(self, flow: Flow) -> None:
        """Mark a connection as one of a known peer: not to be closed to make room."""
        stream = self._streams.get(flow.connection)
        if stream is not None:
            stream.trusted = True

    def identities(self, flow: Flow) -> tuple[str, ...]:
        """List the SIP domains that the peer's verified certificate names."""
        stream = self._streams.get(flow.connection)
        return stream.identities if stream is not None else ()

    # -- who we are ------------------------------------------------------------------------

    def local_address_for(self, remote: Address) -> Address:
        """Give our listening address as ``remote`` reaches it: where it may connect or answer to."""
        family = family_of(remote.host)
        listening = [
            one
            for one in self.listening
            if one.transport == remote.transport and family_of(one.host) == family
        ]
        chosen = listening[0] if listening else Address(remote.transport, "0.0.0.0", 5060)
        if chosen.host not in WILDCARDS:
            return chosen
        return chosen._replace(host=self._local.towards(remote.host) or chosen.host)

    def local_host_for(self, host: str) -> str:
        """Give our address as a peer at a numeric address sees it."""
        bound = [one.host for one in self.listening if family_of(one.host) == family_of(host)]
        specific = [one for one in bound if one not in WILDCARDS]
        if specific and len(specific) == len(bound):
            return specific[0]
        return self._local.towards(host) or (specific or [LOOPBACK[family_of(host)]])[0]

    def sent_by(self, flow: Flow) -> str:
        """Give the ``host:port`` of our Via on a flow."""
        if not flow.connection and flow.local.host not in WILDCARDS:
            return host_port(flow.local.host, flow.local.port)
        ours = self.local_address_for(flow.remote)
        return host_port(flow.local.host if flow.connection else ours.host, ours.port)

    # -- the connections (StreamUser) ------------------------------------------------------

    def stream_opening(self, stream: SipStream) -> bool:
        """Bound the connections, and the handshakes under way."""
        refusal = None
        if not stream.outbound:
            refusal = self._streams.make_room(stream.flow.remote.host)
        if refusal is None and isinstance(stream, TlsStream) and not stream.outbound:
            handshaking = sum(1 for one in self._streams if isinstance(one, TlsStream) and not one.handshaken)
            refusal = "tls_handshakes" if handshaking >= self._limits.handshakes else None
        if refusal is not None:
            self._counters.count(refusal)
            return False
        self._streams.add(stream)
        self._sweep_later()
        return True

    def stream_ready(self, stream: SipStream) -> None:
        """Answer those who wait for this connection."""
        key = self._attempts.pop(stream, (None, None))[0]
        if key is not None:
            for waiting in self._opening.pop(key, []):
                waiting.callback(stream.flow)

    def stream_message(self, data: bytes, flow: Flow) -> None:
        """Pass a message on."""
        self._user.stream_message_received(data, flow)

    def stream_broken(self, error: ParseError, flow: Flow) -> None:
        """Pass an error on; the stream closes itself next."""
        self._user.stream_message_broken(error, flow)

    def stream_closed(self, stream: SipStream, reason: str) -> None:
        """Forget a connection and tell those who use it or wait for it."""
        self._streams.remove(stream)
        if stream.closing not in (None, "stopped", "refused"):
            self._counters.count(f"stream_closed_{reason}")
        self._fail_waiting(stream, reason)
        self._user.connection_lost(stream.flow, reason)
        if self._emptied is not None and not len(self._streams):
            emptied, self._emptied = self._emptied, None
            emptied.callback(None)

    # -- inside ----------------------------------------------------------------------------

    def _new_stream(
        self, transport: str, *, outbound: bool = False, server_name: str | None = None
    ) -> SipStream:
        kind = TlsStream if transport == "tls" else SipStream
        stream = kind(
            self,
            self._reactor.seconds,
            self._limits,
            connection=next(self._numbers),
            transport_name=transport,
            outbound=outbound,
            server_name=server_name,
        )
        if isinstance(stream, TlsStream) and self._contexts is not None:
            stream.verify_server = self._contexts.settings.verify_servers
        return stream

    def _connect(self, address: Address, server_name: str | None) -> None:
        stream = self._new_stream(address.transport, outbound=True, server_name=server_name)
        contexts = self._contexts if address.transport == "tls" else None
        self._attempts[stream] = ((address, server_name), None)
        connector = connect(
            self._reactor,
            address,
            stream,
            contexts,
            self._limits.connect_time,
            lambda reason: self._fail_waiting(stream, reason),
        )
        if stream in self._attempts:
            self._attempts[stream] = ((address, server_name), connector)

    def _abandon(self, stream: SipStream, reason: str) -> None:
        connector = self._attempts[stream][1]
        self._fail_waiting(stream, reason)
        if connector is not None:
            connector.disconnect()

    def _fail_waiting(self, stream: SipStream, reason: str) -> None:
        key = self._attempts.pop(stream, (None, None))[0]
        if key is None:
            return
        self._counters.count("connect_failed")
        for waiting in self._opening.pop(key, []):
            waiting.errback(CannotConnect(reason))

    def _sweep_later(self, after: float = SWEEP) -> None:
        if self._sweeper is None:
            self._sweeper = self._reactor.callLater(after, self._sweep)

    def _sweep(self) -> None:
        """Serve the deadlines that have come; goes on as long as there are connections."""
        self._sweeper = None
        now = self._reactor.seconds()
        due = [one for one in self._streams if one.deadline is not None and one.deadline <= now]
        for stream in due[:AT_ONCE]:
            stream.handle_timer(now)
        if len(self._streams):
            self._sweep_later(0 if len(due) > AT_ONCE else SWEEP)

    def _abort_all(self) -> None:
        for stream in self._streams:
            stream.abort("stopped")
