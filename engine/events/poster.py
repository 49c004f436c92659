"""Sends a webhook's requests: over TLS with the name checked, to addresses that are allowed, without redirections.

The address is looked at after the name is resolved and is the one connected to, so a name cannot change its mind in
between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.interfaces import IResolutionReceiver, IStreamClientEndpoint
from twisted.internet.protocol import Protocol
from twisted.internet.ssl import optionsForClientTLS
from twisted.web.client import Agent
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory, IBodyProducer
from zope.interface import implementer

from engine.events.addresses import is_allowed
from engine.events.courier import Outcome, Result

if TYPE_CHECKING:
    from twisted.internet.interfaces import IConsumer, IHostResolution, IProtocol, IProtocolFactory
    from twisted.python.failure import Failure

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 20.0
MOST_ANSWER = 1 << 16
"""Octets of an answer that are read; nothing in them matters."""
NEVER = frozenset({400, 413, 422})
"""What a receiver says to what it will never take (RFC 9110 sections 15.5.1, 15.5.14 and 15.5.21)."""


class NotAllowed(Exception):
    """The name leads to no address that is allowed."""

    def __init__(self) -> None:
        super().__init__("its name leads to no public address, nor to one of events.webhook_networks")


@implementer(IResolutionReceiver)
class _Resolved:
    """Gathers the addresses of a name."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self.done: Deferred[None] = Deferred()

    def resolutionBegan(self, resolution: IHostResolution) -> None:  # noqa: N802  # as Twisted calls it
        """It has."""

    def addressResolved(self, address: Any) -> None:  # noqa: N802  # as Twisted calls it
        """One of them."""
        self.addresses.append(address.host)

    def resolutionComplete(self) -> None:  # noqa: N802  # as Twisted calls it
        """All of them."""
        self.done.callback(None)


@implementer(IStreamClientEndpoint)
class _Guarded:
    """A TCP connection to the first address of a name that is allowed and answers."""

    def __init__(self, reactor: Any, host: str, port: int, networks: Sequence[str]) -> None:
        self._reactor = reactor
        self._host, self._port, self._networks = host, port, networks

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:  # noqa: N803  # as Twisted calls it
        """Resolve, look, connect."""
        return ensureDeferred(self._connect(protocolFactory))

    async def _connect(self, factory: Any) -> IProtocol:
        resolved = _Resolved()
        self._reactor.nameResolver.resolveHostName(resolved, self._host, self._port, transportSemantics="TCP")
        await resolved.done
        if not resolved.addresses:
            raise DNSLookupError(self._host)
        allowed = [each for each in dict.fromkeys(resolved.addresses) if is_allowed(each, self._networks)]
        error: Exception = NotAllowed()
        for address in allowed:
            kind = TCP6ClientEndpoint if ":" in address else TCP4ClientEndpoint
            try:
                return await kind(self._reactor, address, self._port, timeout=CONNECT_SECONDS).connect(
                    factory
                )
            except ConnectError as failed:
                error = failed
        raise error


@implementer(IAgentEndpointFactory)
class _Endpoints:
    """Where a request's connection goes."""

    def __init__(self, reactor: Any, networks: Callable[[], Sequence[str]]) -> None:
        self._reactor = reactor
        self._networks = networks

    def endpointForURI(self, uri: Any) -> Any:  # noqa: N802  # as Twisted calls it
        """Guarded, and over TLS for https."""
        host = uri.host.decode("ascii").strip("[]")
        plain = _Guarded(self._reactor, host, uri.port, self._networks())
        return plain if uri.scheme == b"http" else wrapClientTLS(optionsForClientTLS(host), plain)


@implementer(IBodyProducer)
class _Body:
    """A body that is there already."""

    def __init__(self, body: bytes) -> None:
        self.length = len(body)
        self._body = body

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        """All at once."""
        consumer.write(self._body)
        done: Deferred[None] = Deferred()
        done.callback(None)
        return done

    def pauseProducing(self) -> None:  # noqa: N802  # as Twisted calls it
        """It is out already."""

    def resumeProducing(self) -> None:  # noqa: N802  # as Twisted calls it
        """Likewise."""

    def stopProducing(self) -> None:
        """Likewise."""


class _Discarded(Protocol):
    """Reads an answer's body to its end, or to its measure."""

    def __init__(self) -> None:
        self.done: Deferred[None] = Deferred()
        self._left = MOST_ANSWER

    def dataReceived(self, data: bytes) -> None:
        """Nothing is done with it."""
        self._left -= len(data)
        if self._left < 0 and self.transport is not None:
            cast(Any, self.transport).loseConnection()

    def connectionLost(self, reason: Failure | None = None) -> None:
        """The answer is over; how does not matter, its status came before."""
        if not self.done.called:
            self.done.callback(None)


class Poster:
    """POSTs. ``networks`` and ``plain`` are asked each time, so that a reload holds for the next request."""

    def __init__(
        self, reactor: Any, networks: Callable[[], Sequence[str]], plain: Callable[[], bool]
    ) -> None:
        self._reactor = reactor
        self._plain = plain
        self._agent = Agent.usingEndpointFactory(reactor, _Endpoints(reactor, networks))

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Send JSON; what the receiver makes of it. Never fails."""
        if not url.startswith("https://") and not self._plain():
            return Outcome(Result.FAILED, "only https:// is allowed (events.webhook_plain)")
        try:
            return await self._post(url, body, headers)
        except Exception as error:  # whatever a network, a name or a certificate can be: it may be mended
            return Outcome(Result.FAILED, _words(error))

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        wanted = Headers({name: [value] for name, value in headers.items()})
        wanted.setRawHeaders("content-type", ["application/json"])
        wanted.setRawHeaders("user-agent", ["Polyphony"])
        request = self._agent.request(b"POST", url.encode("ascii"), wanted, cast(Any, _Body(body)))
        request.addTimeout(ANSWER_SECONDS, self._reactor)
        response = await request
        discarded = _Discarded()
        response.deliverBody(discarded)
        discarded.done.addTimeout(ANSWER_SECONDS, self._reactor)
        await discarded.done
        status = int(response.code)
        if 200 <= status < 300:
            return Outcome(Result.TAKEN)
        after = response.headers.getRawHeaders("retry-after", [""])[0]
        seconds = float(after) if after.isascii() and after.isdigit() and len(after) < 6 else 0.0
        result = Result.REFUSED if status in NEVER else Result.FAILED
        return Outcome(result, f"the receiver answered {status}", seconds)


def _words(error: Exception) -> str:
    """What went wrong, for whoever administers the webhook."""
    return str(error) or type(error).__name__
