"""Requests of ours on their way: over which flow, and where next when nobody answers (RFC 3263)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred, ensureDeferred

from sip.errors import SipError
from sip.flow import DEFAULT_PORTS, Address, Flow
from sip.transaction.client_invite import ClientInviteTransaction
from sip.transport.sockets import is_numeric
from sip.transport.transports import CannotConnect
from sip.uri import Uri

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from sip.counters import Counters
    from sip.message import Request, Response
    from sip.transaction.client import ClientTransaction
    from sip.transaction.layer import TransactionLayer
    from sip.transport.transports import Transports

TIMEOUT = "timeout"
TRANSPORT = "transport"
UNRESOLVED = "unresolved"
CANCELLED = "cancelled"
VIA_LENGTH = 100
"""What our Via adds to a request, about."""
UNAVAILABLE = 503


class RequestFailed(SipError):
    """No final response: ``reason`` is "timeout", "transport", "unresolved" or "cancelled"."""

    def __init__(self, reason: str) -> None:
        """Name what happened."""
        super().__init__(reason)
        self.reason = reason


class AddressResolver(Protocol):
    """Finds addresses for a URI; ``sip.resolver.Resolver`` does."""

    def resolve(self, uri: Uri, now: float) -> Awaitable[list[Address]]:
        """List the addresses to try, in order. Raises SipError when there are none."""

    def failed(self, address: Address, now: float) -> None:
        """Hear that an address did not answer, or could not serve us: others are tried first for a while."""

    def answered(self, address: Address) -> None:
        """Hear that an address answers."""


class Sending:
    """One request, tried at one address after the other until somebody answers."""

    __slots__ = (
        "_address",
        "_cancelled",
        "_candidates",
        "_over",
        "_requests",
        "_server_name",
        "on_failure",
        "on_response",
        "request",
        "transaction",
    )

    def __init__(
        self,
        requests: ClientRequests,
        request: Request,
        on_response: Callable[[Response, Flow], None],
        on_failure: Callable[[str], None],
    ) -> None:
        """Prepare; ``ClientRequests.start`` sends."""
        self._requests = requests
        self.request = request
        self.on_response = on_response
        self.on_failure = on_failure
        self.transaction: ClientTransaction | None = None
        self._address: Address | None = None
        self._candidates: list[Address] = []
        self._server_name: str | None = None
        self._cancelled = False
        self._over = False

    def cancel(self) -> None:
        """Stop an INVITE: by CANCEL when it is out, else by not sending it."""
        self.try_no_more()
        if isinstance(self.transaction, ClientInviteTransaction):
            self._requests.layer.cancel(self.transaction, self._requests.seconds())

    def try_no_more(self) -> None:
        """Try no further address; when the request is not even out yet, do not send it."""
        self._cancelled = True
        if self.transaction is None:
            self.fail(CANCELLED)

    def abandon(self) -> None:
        """Wait for nothing any more; what still arrives is ignored."""
        self._over = True

    def respond(self, response: Response, flow: Flow) -> None:
        """Take a response; 503 means: try the next address (RFC 3263 section 4.3)."""
        if self._over:
            return
        self._requests.learn(self._address, works=response.status != UNAVAILABLE)
        if response.status == UNAVAILABLE and self._candidates and not self._cancelled:
            self.transaction = None
            self.next()
        else:
            self.on_response(response, flow)

    def lost(self, reason: str) -> None:
        """Take note that the transaction came to nothing."""
        if self._over:
            return
        self._requests.learn(self._address, works=False)
        self.transaction = None
        if self._candidates and not self._cancelled:
            self.next()
        else:
            self.fail(reason)

    def fail(self, reason: str) -> None:
        """Tell, once, that no response will come."""
        if not self._over:
            self._over = True
            self.on_failure(reason)

    def begin(self, candidates: list[Address], server_name: str) -> None:
        """Try the addresses in turn; ``server_name`` is the domain that a TLS server must prove to be."""
        self._candidates = candidates
        self._server_name = server_name
        self.next()

    def next(self) -> None:
        """Try the next address."""
        if self._over:
            return
        if not self._candidates:
            self.fail(TRANSPORT)
            return
        address = self._address = self._candidates.pop(0)
        if address.transport == "udp":
            flow = self._requests.transports.udp_flow(address)
            if flow is None:
                self.lost(TRANSPORT)
            else:
                self.send(flow)
            return
        name = self._server_name if address.transport == "tls" else None
        opening = self._requests.transports.open(address, server_name=name)
        opening.addCallbacks(self._opened, self._not_opened)

    def send(self, flow: Flow) -> None:
        """Send on one flow."""
        if not self._over:
            self.transaction = self._requests.layer.send_request(self.request, flow, self._requests.seconds())
            self.transaction.owner = self
            self._requests.flush()

    def _opened(self, flow: Flow) -> None:
        self.send(flow)

    def _not_opened(self, failure: Failure) -> None:
        if not isinstance(failure.value, CannotConnect):
            failure.raiseException()
        self.lost(TRANSPORT)


class ClientRequests:
    """Sends requests for calls and for the application."""

    def __init__(
        self,
        layer: TransactionLayer,
        transports: Transports,
        counters: Counters,
        seconds: Callable[[], float],
        flush: Callable[[], None],
        resolver: AddressResolver | None,
        max_datagram: int,
    ) -> None:
        """Join the parts; without a resolver only numeric addresses are reached."""
        self.layer = layer
        self.transports = transports
        self.seconds = seconds
        self.flush = flush
        self._counters = counters
        self._resolver = resolver
        self._max_datagram = max_datagram

    def start(self, sending: Sending, *, flow: Flow | None, next_hop: Uri | None) -> None:
        """Send on ``flow`` when it is up, else where ``next_hop``, the first Route or the Request-URI say."""
        if flow is not None and self.transports.is_up(flow):
            sending.send(flow)
            return
        self.find(
            next_hop or next_hop_of(sending.request),
            lambda addresses, name: sending.begin(self._by_size(sending.request, addresses), name),
            sending.fail,
        )

    def learn(self, address: Address | None, *, works: bool) -> None:
        """Let the resolver know which of the addresses it found are worth trying (RFC 3263 section 4.3)."""
        if address is None or self._resolver is None:
            return
        if works:
            self._resolver.answered(address)
        else:
            self._resolver.failed(address, self.seconds())

    def send_ack(self, request: Request, flow: Flow | None) -> None:
        """Send the ACK to a 2xx, which is in no transaction: on ``flow``, else where its route says."""
        if flow is not None:
            self.layer.send_ack(request, flow)
            self.flush()
            return
        self.find(
            next_hop_of(request),
            lambda addresses, name: self._ack_to(request, addresses[0], name),
            lambda reason: self._counters.count("ack_unsent"),
        )

    def _ack_to(self, request: Request, address: Address, server_name: str) -> None:
        if address.transport == "udp":
            flow = self.transports.udp_flow(address)
            if flow is not None:
                self.send_ack(request, flow)
            return
        name = server_name if address.transport == "tls" else None
        opening = self.transports.open(address, server_name=name)
        opening.addCallbacks(
            lambda flow: self.send_ack(request, flow), lambda failure: self._counters.count("ack_unsent")
        )

    def find(
        self,
        uri: Uri,
        found: Callable[[list[Address], str], None],
        failed: Callable[[str], None],
    ) -> None:
        """Look up the addresses of a URI; a numeric host needs no look-up and is answered at once."""
        direct = direct_address(uri)
        if direct is not None:
            found([direct], uri.host)
        elif self._resolver is None or uri.scheme not in ("sip", "sips"):
            self._counters.count("unresolved")
            failed(UNRESOLVED)
        else:
            looking: Deferred[list[Address]] = ensureDeferred(self._resolve(self._resolver, uri))
            looking.addCallbacks(
                lambda addresses: found(addresses, uri.host),
                lambda failure: self._not_found(failure, failed),
            )

    async def _resolve(self, resolver: AddressResolver, uri: Uri) -> list[Address]:
        addresses = await resolver.resolve(uri, self.seconds())
        if uri.scheme == "sips":  # rule G3: never down to anything else
            addresses = [address for address in addresses if address.transport == "tls"]
        return addresses

    def _not_found(self, failure: Failure, failed: Callable[[str], None]) -> None:
        if not isinstance(failure.value, SipError):
            failure.raiseException()
        self._counters.count("unresolved")
        failed(UNRESOLVED)

    def _by_size(self, request: Request, addresses: list[Address]) -> list[Address]:
        """Put TCP before UDP for what might be fragmented (RFC 3261 section 18.1.1)."""
        if not any(address.transport == "udp" for address in addresses):
            return list(addresses)
        if len(request.serialise()) + VIA_LENGTH <= self._max_datagram:
            return list(addresses)
        self._counters.count("switched_to_tcp")
        ordered: list[Address] = []
        for address in addresses:
            if address.transport == "udp":
                ordered.append(address._replace(transport="tcp"))
            ordered.append(address)
        return ordered


def next_hop_of(request: Request) -> Uri:
    """Give the URI that says where a request goes: the first Route, or the Request-URI (8.1.2).

    After a strict router the Request-URI is that router, so the Route is not asked (12.2.1.1).
    """
    routes = request.routes
    if routes and routes[0].uri.has_param("lr"):
        return routes[0].uri
    return request.request_uri


def direct_address(uri: Uri) -> Address | None:
    """Give the address of a URI whose host is numeric; ``maddr`` is ignored (rule D4)."""
    if uri.opaque is not None or not is_numeric(uri.host):
        return None
    transport = (uri.param("transport") or "udp").lower()
    if uri.scheme == "sips":
        transport = "tls"
    if transport not in DEFAULT_PORTS:
        return None
    return Address(transport, uri.host, uri.port or DEFAULT_PORTS[transport])
