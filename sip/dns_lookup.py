"""Looks names up with twisted.names, and with the system's resolver where that one knows better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_ntop
from typing import Any, TypeVar, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import CancelledError, Deferred, DeferredList, fail, succeed
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IAddress, IHostResolution, IReactorTime, IResolutionReceiver
from twisted.names import dns
from twisted.names.client import Resolver as DnsClient
from twisted.names.error import DNSNameError, DomainError, ResolverError
from twisted.names.hosts import searchFileForAll
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath
from zope.interface import implementer

from sip.dns_answers import Answer, LookupFailed, Naptr, Srv

TIMEOUTS = (1.0, 2.0)  # seconds for the first and second question to each server
LONGEST = 6.0  # seconds for one look-up, whatever the servers do
SYSTEM_TTL = 30.0  # the system's resolver tells no TTL

R = TypeVar("R")
_Records = tuple[list[dns.RRHeader], list[dns.RRHeader], list[dns.RRHeader]]


class TwistedLookup:
    """The Lookup of a running process. Holds no timer and no socket while nothing is asked."""

    def __init__(
        self,
        reactor: Any,
        *,
        servers: Sequence[tuple[str, int]] | None = None,
        timeouts: Sequence[float] = TIMEOUTS,
        resolv_conf: str = "/etc/resolv.conf",
        hosts: str = "/etc/hosts",
    ) -> None:
        """Ask by ``reactor``.

        Args:
            reactor: provides time, UDP, TCP and a name resolver.
            servers: name servers; None: those of ``resolv_conf``, read again when it changes.
            timeouts: seconds to wait for each server, per round.
            resolv_conf: the system's resolver configuration.
            hosts: the system's hosts file; what stands there is not asked of the DNS.
        """
        self._reactor = reactor
        self._timeouts = tuple(timeouts)
        self._resolv_conf = Path(resolv_conf)
        self._hosts = FilePath(hosts)
        self._modified: float | None = None
        self._fixed = servers is not None
        self._client = self._make_client(servers or [])

    def naptr(self, name: str) -> Deferred[Answer[Naptr]]:
        """Look up NAPTR records."""

        def read(payload: Any) -> Naptr:
            return Naptr(
                payload.order,
                payload.preference,
                _text(payload.flags.string),
                _text(payload.service.string),
                _text(payload.replacement.name),
            )

        return self._ask(self._dns().lookupNamingAuthorityPointer, name, dns.NAPTR, read)

    def srv(self, name: str) -> Deferred[Answer[Srv]]:
        """Look up SRV records."""

        def read(payload: Any) -> Srv:
            return Srv(payload.priority, payload.weight, payload.port, _text(payload.target.name))

        return self._ask(self._dns().lookupService, name, dns.SRV, read)

    def addresses(self, name: str) -> Deferred[Answer[str]]:
        """Look up A and AAAA records, both at once; the hosts file comes first."""
        known = searchFileForAll(self._hosts, name.encode())
        if known:
            return succeed(Answer(tuple(known), SYSTEM_TTL))
        client = self._dns()
        queries = [
            self._ask(client.lookupAddress, name, dns.A, _address),
            self._ask(client.lookupIPV6Address, name, dns.AAAA, _address),
        ]
        return DeferredList(queries, consumeErrors=True).addCallback(_merge)

    def system_addresses(self, name: str) -> Deferred[Answer[str]]:
        """Ask the system's resolver, in its thread."""
        receiver = _Receiver()
        self._reactor.nameResolver.resolveHostName(receiver, name)
        return receiver.done.addTimeout(LONGEST, self._reactor).addErrback(_failed)

    def _dns(self) -> DnsClient:
        """Give a client of the name servers that are configured now."""
        if not self._fixed:
            modified = _modified_at(self._resolv_conf)
            if modified != self._modified:
                self._modified = modified
                self._client = self._make_client(_name_servers(self._resolv_conf))
        return self._client

    def _make_client(self, servers: Sequence[tuple[str, int]]) -> DnsClient:
        # RFC 1035 and resolv.conf(5): without a name server there may be one on this host
        wanted = list(servers) or [("127.0.0.1", dns.PORT)]
        return DnsClient(servers=wanted, timeout=self._timeouts, reactor=self._reactor)

    def _ask(
        self,
        ask: Callable[[str], Deferred[_Records]],
        name: str,
        kind: int,
        read: Callable[[Any], R],
    ) -> Deferred[Answer[R]]:
        def answered(records: _Records) -> Answer[R]:
            fitting = [record for record in records[0] if record.type == kind]
            ttl = float(min((record.ttl for record in fitting), default=0))
            return Answer(tuple(read(record.payload) for record in fitting), ttl)

        asked = ask(name).addTimeout(LONGEST, cast(IReactorTime, self._reactor))
        return asked.addCallback(answered).addErrback(_failed)


@implementer(IResolutionReceiver)
class _Receiver:
    """Gathers what the system's resolver finds."""

    def __init__(self) -> None:
        self.done: Deferred[Answer[str]] = Deferred()
        self._found: list[str] = []

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:  # noqa: N802, N803
        """Nothing to do yet."""

    def addressResolved(self, address: IAddress) -> None:  # noqa: N802
        """Take one address."""
        if isinstance(address, IPv4Address | IPv6Address):
            self._found.append(address.host)

    def resolutionComplete(self) -> None:  # noqa: N802
        """Give them all; late ones, after a timeout, to nobody."""
        if not self.done.called:
            self.done.callback(Answer(tuple(dict.fromkeys(self._found)), SYSTEM_TTL))


def _failed(failure: Failure) -> Answer[Any]:
    """Turn what twisted.names raises into an empty answer or a LookupFailed."""
    error = failure.value
    assert error is not None
    if isinstance(error, DNSNameError):
        return Answer((), 0.0)
    if isinstance(error, DeferredTimeout | CancelledError):
        raise LookupFailed("dns_timeout") from error
    if isinstance(error, DomainError | ResolverError | OSError | ValueError):
        raise LookupFailed("dns_failed") from error
    raise error


def _merge(results: list[tuple[bool, Any]]) -> Answer[str] | Deferred[Answer[str]]:
    """Join A and AAAA: one that failed does not matter when the other has addresses."""
    answers: list[Answer[str]] = [result for success, result in results if success]
    records = tuple(record for answer in answers for record in answer.records)
    if not records and len(answers) < len(results):
        return fail(next(result for success, result in results if not success))
    return Answer(records, min((answer.ttl for answer in answers if answer.records), default=0.0))


def _address(payload: Any) -> str:
    return inet_ntop(AF_INET if len(payload.address) == 4 else AF_INET6, payload.address)


def _text(octets: bytes) -> str:
    return octets.decode("ascii", "replace")


def _modified_at(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def _name_servers(path: Path) -> list[tuple[str, int]]:
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    found = [words[1] for words in map(str.split, lines) if len(words) > 1 and words[0] == "nameserver"]
    # A link-local server with its zone ("fe80::1%eth0") cannot be told to twisted.names.
    return [(server, dns.PORT) for server in found if "%" not in server]
