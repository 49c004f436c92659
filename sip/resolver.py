"""From a SIP URI to the addresses to try, in order (RFC 3263; SRV order by RFC 2782).

The core asks through ``Lookup`` and decides; it waits for nothing itself. ``maddr`` is ignored on purpose
(security reference D4). Where NAPTR or SRV cannot be looked up at all, which is how many a router's name
server behaves, the next step is taken as if there were none.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeVar

from sip.dns_answers import BRIEF_FAILURE, FAILURE, AnswerCache, Lookup, LookupFailed, Naptr, Srv
from sip.errors import SipError
from sip.flow import DEFAULT_PORTS, Address
from sip.uri import Uri

CANDIDATES = 16  # addresses tried for one request at most
PENALTY = 30.0  # seconds an address that failed is tried last

T = TypeVar("T")

_SERVICES = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}
_SRV_PREFIXES = {"udp": "_sip._udp.", "tcp": "_sip._tcp.", "tls": "_sips._tcp."}


class ResolutionError(SipError):
    """No address was found; ``label`` is a counter label, ``status`` what a waiting caller is told."""

    def __init__(self, label: str, status: int = 503) -> None:
        """Name what happened."""
        super().__init__(label)
        self.label = label
        self.status = status


@dataclass(frozen=True, slots=True)
class ResolverSettings:
    """What this host can do."""

    transports: Sequence[str] = ("udp", "tcp", "tls")
    """Those we have, the one we would rather use first."""
    families: Sequence[int] = (4, 6)
    """IP versions we have, the one we would rather use first."""


class Resolver:
    """Finds where to send a request."""

    def __init__(
        self, lookup: Lookup, random: Callable[[], float], settings: ResolverSettings | None = None
    ) -> None:
        """Ask ``lookup``; ``random`` gives numbers from 0 to below 1, for the weights of SRV."""
        self._random = random
        self._settings = settings or ResolverSettings()
        self._naptr = AnswerCache(lookup.naptr, FAILURE)
        self._srv = AnswerCache(lookup.srv, FAILURE)
        self._addresses = AnswerCache(lookup.addresses, BRIEF_FAILURE)
        self._system = AnswerCache(lookup.system_addresses, BRIEF_FAILURE)
        self._failed: dict[Address, float] = {}

    async def resolve(self, uri: Uri, now: float) -> list[Address]:
        """List the addresses to try, in order. Raises ResolutionError; an address needs no look-up."""
        transport = self._asked_transport(uri)
        if _is_numeric(uri.host):
            return self._listed(transport or self._default(), [uri.host], uri.port)
        if uri.port is not None or _is_local(uri.host):
            hosts = await self._hosts(uri.host, now)
            return self._order(self._listed(transport or self._default(), hosts, uri.port), now)
        routes = await self._routes(uri, transport, now)
        if routes is None:
            hosts = await self._hosts(uri.host, now)
            return self._order(self._listed(transport or self._default(), hosts, None), now)
        found = await self._follow(routes, now)
        return self._order(found, now)

    def failed(self, address: Address, now: float) -> None:
        """Note that ``address`` did not answer: for a while it is tried last."""
        if len(self._failed) >= CANDIDATES * 64:
            self._failed = {at: until for at, until in self._failed.items() if until > now}
        self._failed[address] = now + PENALTY

    def answered(self, address: Address) -> None:
        """Note that ``address`` answered: it is in its own place again."""
        self._failed.pop(address, None)

    def _asked_transport(self, uri: Uri) -> str | None:
        """Give the transport the URI fixes (RFC 3263 section 4.1). ``sips`` is TLS or nothing."""
        if uri.scheme not in ("sip", "sips"):
            raise ResolutionError("scheme", 416)
        named = (uri.param("transport") or "").lower()
        if uri.scheme == "sips":
            if named not in ("", "tcp", "tls"):
                raise ResolutionError("sips_transport", 480)
            named = "tls"
        if named and named not in self._settings.transports:
            raise ResolutionError("transport", 480)
        return named or None

    def _default(self) -> str:
        """UDP when nothing says otherwise (RFC 3263 section 4.1), or what there is of us."""
        return "udp" if "udp" in self._settings.transports else self._settings.transports[0]

    async def _hosts(self, name: str, now: float) -> list[str]:
        cache = self._system if _is_local(name) else self._addresses
        try:
            hosts = await cache.get(name, now)
        except LookupFailed as failure:
            raise ResolutionError(failure.label) from failure
        families = self._settings.families
        usable = [host for host in dict.fromkeys(hosts) if _is_numeric(host) and _version(host) in families]
        if not usable:
            raise ResolutionError("no_such_host")
        return sorted(usable, key=lambda host: families.index(_version(host)))

    async def _routes(
        self, uri: Uri, transport: str | None, now: float
    ) -> list[tuple[str, list[Srv]]] | None:
        """Find the SRV records to follow, by transport; None when there are none for this domain."""
        if not uri.has_param("transport"):
            routes = await self._naptr_routes(uri.host, transport, now)
            if routes:
                return routes
        for candidate in [transport] if transport else self._settings.transports:
            records = await self._srv_records(_SRV_PREFIXES[candidate] + uri.host, now)
            if records:
                return [(candidate, records)]
        return None

    async def _naptr_routes(
        self, host: str, transport: str | None, now: float
    ) -> list[tuple[str, list[Srv]]]:
        routes = []
        for record in sorted(await _or_none(self._naptr.get(host, now)))[:CANDIDATES]:
            found = self._naptr_transport(record)
            if found is None or found != (transport or found):
                continue
            records = await self._srv_records(record.replacement, now)
            if records:
                routes.append((found, records))
        return routes

    def _naptr_transport(self, record: Naptr) -> str | None:
        transport = _SERVICES.get(record.service.upper()) if record.flags.lower() == "s" else None
        return transport if transport in self._settings.transports else None

    async def _srv_records(self, name: str, now: float) -> list[Srv]:
        return order_srv(await _or_none(self._srv.get(name, now)), self._random)

    async def _follow(self, routes: list[tuple[str, list[Srv]]], now: float) -> list[Address]:
        """Look up the targets. A target "." means: this service is not offered here (RFC 2782)."""
        found: list[Address] = []
        error = ResolutionError("service_not_offered", 480)
        for transport, records in routes:
            for record in records[:CANDIDATES]:
                if record.target.rstrip(".") == "" or len(found) >= CANDIDATES:
                    continue
                try:
                    hosts = await self._target_hosts(record.target, now)
                except ResolutionError as failure:
                    error = failure
                    continue
                found += self._listed(transport, hosts, record.port)
        if not found:
            raise error
        return found

    async def _target_hosts(self, target: str, now: float) -> list[str]:
        return [target] if _is_numeric(target) else await self._hosts(target.rstrip("."), now)

    def _listed(self, transport: str, hosts: Iterable[str], port: int | None) -> list[Address]:
        return [Address(transport, host, port or DEFAULT_PORTS[transport]) for host in hosts]

    def _order(self, addresses: list[Address], now: float) -> list[Address]:
        """Put those that failed lately last; each once."""
        unique = list(dict.fromkeys(addresses))
        return sorted(unique, key=lambda address: now < self._failed.get(address, now))[:CANDIDATES]


def order_srv(records: Iterable[Srv], random: Callable[[], float]) -> list[Srv]:
    """Order SRV records by priority, within it at random by weight (RFC 2782, "Weight")."""
    # Those of weight 0 first: they are taken only when the drawn number is 0.
    left = sorted(records, key=lambda record: (record.priority, record.weight))
    ordered = []
    while left:
        peers = [record for record in left if record.priority == left[0].priority]
        drawn = int(random() * (sum(record.weight for record in peers) + 1))
        sums = accumulate(record.weight for record in peers)
        chosen = next(record for record, total in zip(peers, sums, strict=True) if total >= drawn)
        ordered.append(chosen)
        left.remove(chosen)
    return ordered


async def _or_none(records: Awaitable[tuple[T, ...]]) -> tuple[T, ...]:
    try:
        return await records
    except LookupFailed:
        return ()


def _is_local(name: str) -> bool:
    """Tell whether the system knows this name rather than the DNS (RFC 6761 section 6.3)."""
    name = name.lower().rstrip(".")
    return "." not in name or name.endswith(".localhost")


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _version(host: str) -> int:
    return ipaddress.ip_address(host).version
