"""SIP links to PBXs: which addresses they have, the automates registered on them, and whether they answer."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import random
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from engine.call.destinations import Destination
from engine.status import AutomateStatus, LinkStatus
from sip.credentials import Credentials
from sip.errors import SipError
from sip.flow import DEFAULT_PORTS, Address
from sip.message import Response
from sip.registering import Registrations
from sip.registration import RegistrationClient, RegistrationState, StateChanged
from sip.registration_times import RegistrationSettings
from sip.uri import NameAddr, Uri

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twisted.internet.interfaces import IReactorTime

    from engine.numbering import Numbering
    from engine.store import AutomateRange, Link
    from sip.endpoint import Endpoint
    from sip.resolver import Resolver

log = Logger()

PROBE_SECONDS = 30.0
"""Between two OPTIONS to a link without registrations, whose silence nobody would notice otherwise."""

PROBE_TIMEOUT = 8.0
"""Seconds an OPTIONS may take before the link counts as down; well under the 32 s of its transaction."""

RESOLVE_SECONDS = 60.0
"""Between two look-ups of the links that are given by name: their addresses are trusted, so they must be right."""


@dataclass(eq=False, slots=True)
class SipLink:
    """One link as it runs."""

    record: Link
    addresses: tuple[Address, ...] = ()
    ranges: tuple[AutomateRange, ...] = ()
    clients: dict[str, RegistrationClient] = field(default_factory=dict)
    state: str = "unknown"
    since: float = field(default_factory=time.time)
    last_error: str = ""

    @property
    def uri(self) -> Uri:
        """Where requests to the PBX go."""
        record = self.record
        params = () if record.transport == "udp" else (("transport", record.transport),)
        return Uri(scheme="sip", user=None, host=record.host, port=record.port, params=params)

    def enter(self, state: str, error: str = "") -> bool:
        """Note the state; True when it is another than before."""
        changed = state != self.state
        if changed:
            self.since = time.time()
        self.state, self.last_error = state, error
        return changed


class Links:
    """All links. Everything happens in the reactor's thread."""

    def __init__(
        self,
        endpoint: Endpoint,
        resolver: Resolver,
        clock: IReactorTime,
        settings: Callable[[], RegistrationSettings],
    ) -> None:
        self._endpoint = endpoint
        self._resolver = resolver
        self._clock = clock
        self._settings = settings
        self._links: dict[str, SipLink] = {}
        self._trusted: dict[tuple[str, str], str] = {}
        self._registrations = Registrations(endpoint, clock, random, on_change=self._registration_changed)
        self._owners: dict[RegistrationClient, tuple[SipLink, str]] = {}
        self._wall = time.time
        self._loops = [LoopingCall(self._probe_all), LoopingCall(self._resolve_all)]
        for loop in self._loops:
            loop.clock = clock

    # ---- life

    def start(self) -> None:
        """Begin to probe and to look addresses up."""
        for loop, seconds in zip(self._loops, (PROBE_SECONDS, RESOLVE_SECONDS), strict=True):
            loop.start(seconds, now=False)

    async def stop(self) -> None:
        """Unregister every automate, as far as the PBXs answer in time."""
        for loop in self._loops:
            if loop.running:
                loop.stop()
        await self._registrations.stop()

    def apply(self, numbering: Numbering) -> None:
        """Run the links and automates of ``numbering``; those unchanged are left alone."""
        wanted = {each.name: each for each in numbering.links}
        for name in [name for name, link in self._links.items() if wanted.get(name) != link.record]:
            self._drop(self._links.pop(name))
        for name, record in wanted.items():
            if name not in self._links:
                self._links[name] = SipLink(record)
        for link in self._links.values():
            link.ranges = tuple(each for each in numbering.ranges if each.link_id == link.record.id)
            self._apply_ranges(link)
        self._resolve_all()

    # ---- what the calls ask

    def link_at(self, host: str, transport: str) -> str | None:
        """The link whose PBX has this address and uses this transport (security reference C1)."""
        return self._trusted.get((host, transport))

    def destination(self, link: str, number: str) -> Destination | None:
        """How ``number`` is reached over ``link``."""
        found = self._links.get(link)
        if found is None:
            return None
        record = found.record
        credentials = None
        if record.username is not None and record.password is not None:
            credentials = Credentials(record.realm or record.host, record.username, record.password)
        target = Uri(scheme="sip", user=number, host=record.host, port=record.port, params=found.uri.params)
        host = found.addresses[0].host if found.addresses else record.host
        return Destination(number, target, host, next_hop=found.uri, credentials=credentials)

    @property
    def behind_nat(self) -> frozenset[str]:
        """Names of the links whose media source is learned."""
        return frozenset(name for name, link in self._links.items() if link.record.nat)

    # ---- what the administrator asks

    def link_states(self) -> list[LinkStatus]:
        """Every link and how it is."""
        return [self._link_state(link) for link in self._links.values()]

    def automate_states(self, numbering: Numbering, calls: Mapping[str, int]) -> list[AutomateStatus]:
        """Every automate number and how it is."""
        names = {link.record.id: link for link in self._links.values()}
        return [
            self._automate_state(number, each.application, names.get(each.link_id or 0), calls.get(number, 0))
            for each in numbering.ranges
            for number in each.numbers()
        ]

    def _link_state(self, link: SipLink) -> LinkStatus:
        record = link.record
        registered = sum(client.state is RegistrationState.REGISTERED for client in link.clients.values())
        return LinkStatus(
            name=record.name,
            address=f"{record.host}:{record.port or DEFAULT_PORTS[record.transport]}",
            transport=record.transport,
            state=link.state,
            since=link.since,
            last_error=link.last_error,
            automates=len(link.clients),
            registered=registered,
        )

    def _automate_state(
        self, number: str, application: str, link: SipLink | None, calls: int
    ) -> AutomateStatus:
        client = None if link is None else link.clients.get(number)
        if client is None:
            return AutomateStatus(
                number, application, "" if link is None else link.record.name, "answering", 0.0, "", calls
            )
        assert link is not None
        since = self._wall() - (self._clock.seconds() - client.since)
        return AutomateStatus(
            number, application, link.record.name, client.state.value, since, client.last_error or "", calls
        )

    # ---- registrations

    def _apply_ranges(self, link: SipLink) -> None:
        """Register what is wanted and not yet registered; before the PBX's address is known nothing can be."""
        if not link.addresses or not link.record.register:
            return
        wanted = {number: each for each in link.ranges for number in each.numbers()}
        for number in [number for number in link.clients if number not in wanted]:
            self._remove_client(link.clients.pop(number))
        for number, each in wanted.items():
            if number not in link.clients:
                client = link.clients[number] = self._client(link, number, each.password)
                self._owners[client] = (link, number)
                self._registrations.add(client, link.record.name)

    def _client(self, link: SipLink, number: str, password: str | None) -> RegistrationClient:
        record = link.record
        secret = password or record.password
        user = record.username or number
        return RegistrationClient(
            aor=NameAddr(None, Uri(scheme="sip", user=number, host=record.host, port=record.port)),
            registrar=Uri(scheme="sip", user=None, host=record.host, port=record.port),
            contact=self._endpoint.local_contact(link.addresses[0], number),
            call_id=secrets.token_hex(16),
            from_tag=secrets.token_hex(8),
            random=random,
            credentials=None if secret is None else Credentials(record.realm or record.host, user, secret),
            next_hop=link.uri,
            settings=self._settings(),
        )

    def _remove_client(self, client: RegistrationClient) -> None:
        self._owners.pop(client, None)
        self._registrations.remove(client)

    def _drop(self, link: SipLink) -> None:
        for client in link.clients.values():
            self._remove_client(client)
        self._trusted = {key: name for key, name in self._trusted.items() if name != link.record.name}

    def _registration_changed(self, client: RegistrationClient, change: StateChanged) -> None:
        link, number = self._owners.get(client, (None, ""))
        if link is None:
            return
        if change.state is RegistrationState.REGISTERED:
            if link.enter("up"):
                log.info("link {link} is up", link=link.record.name)
        elif change.state is RegistrationState.FAILED:
            log.warn(
                "automate {number} on link {link}: {error}",
                number=number,
                link=link.record.name,
                error=change.error,
            )
            if not any(each.state is RegistrationState.REGISTERED for each in link.clients.values()):
                link.enter("down", change.error or "")

    # ---- addresses and probes

    def _resolve_all(self) -> None:
        for link in self._links.values():
            looking = ensureDeferred(self._resolver.resolve(link.uri, self._clock.seconds()))
            looking.addCallbacks(self._resolved, self._unresolved, callbackArgs=(link,), errbackArgs=(link,))

    def _resolved(self, addresses: list[Address], link: SipLink) -> None:
        name = link.record.name
        if self._links.get(name) is not link:
            return
        first = not link.addresses
        link.addresses = tuple(addresses)
        self._trusted = {key: owner for key, owner in self._trusted.items() if owner != name}
        for address in addresses:
            self._trusted[address.host, link.record.transport] = name
        self._endpoint.forget_peer_classes()
        if first:
            self._apply_ranges(link)
            if not link.record.register:
                self._probe(link)

    def _unresolved(self, failure: Failure, link: SipLink) -> None:
        failure.trap(SipError)
        if link.enter("down", f"address not found: {failure.getErrorMessage()}"):
            log.warn("link {link}: {error}", link=link.record.name, error=link.last_error)

    def _probe_all(self) -> None:
        for link in self._links.values():
            if not link.record.register:
                self._probe(link)

    def _probe(self, link: SipLink) -> None:
        own = NameAddr(
            None, Uri(scheme="sip", user="polyphony", host=self._endpoint.local_host_for(link.record.host))
        )
        request = self._endpoint.new_request("OPTIONS", link.uri, from_=own, to=NameAddr(None, link.uri))
        probing: Deferred[Response] = self._endpoint.request(
            request, next_hop=link.uri, timeout=PROBE_TIMEOUT
        )
        probing.addCallbacks(self._answered, self._silent, callbackArgs=(link,), errbackArgs=(link,))

    def _answered(self, response: Response, link: SipLink) -> None:
        """Any answer is a sign of life: a PBX that refuses OPTIONS is there."""
        if link.enter("up"):
            log.info("link {link} is up", link=link.record.name)

    def _silent(self, failure: Failure, link: SipLink) -> None:
        failure.trap(SipError)
        if link.enter("down", failure.getErrorMessage()):
            log.warn("link {link} is down: {error}", link=link.record.name, error=link.last_error)
