"""SIP links to PBXs: which addresses they have, the automates registered on them, and whether they answer."""

from __future__ import annotations

import ipaddress
import secrets
import time
from dataclasses import dataclass, field, replace
from random import random
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from engine.call.destinations import Destination
from engine.call.number_plans import COMPANY
from engine.domain.scope import DEFAULT_COMPANY, scoped
from engine.status import AutomateStatus, LinkStatus
from sip.credentials import Credentials
from sip.errors import SipError
from sip.flow import DEFAULT_PORTS, Address, host_port
from sip.message import Response
from sip.registering import Registrations
from sip.registration import RegistrationClient, RegistrationState, StateChanged, Trouble
from sip.registration_times import RegistrationSettings
from sip.uri import NameAddr, Uri, escape_user

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twisted.internet.interfaces import IReactorTime

    from engine.numbering import Numbering
    from engine.store import AutomateRange, DtmfMode, Link
    from sip.endpoint import Endpoint
    from sip.flow import Flow
    from sip.resolver import Resolver

log = Logger()

PROBE_SECONDS = 30.0
"""Between two OPTIONS to a link without registrations, whose silence nobody would notice otherwise."""

PROBE_TIMEOUT = 8.0
"""Seconds an OPTIONS may take before the link counts as down; well under the 32 s of its transaction."""

RESOLVE_SECONDS = 60.0
"""Between two look-ups of the links that are given by name: their addresses are trusted, so they must be right."""

REFRESH_SECONDS = 30.0
"""Least time between two rounds of registering anew because a link's connection was lost: some PBXs close idle ones."""

_HARMLESS = ("pbx_type", "rate_limit", "nat", "symmetric", "dtmf", "dialled_prefixes", "srtp")
"""Fields of a link that its registrations do not depend on."""


@dataclass(eq=False, slots=True)
class _Automate:
    """One number registered on a link, and the password it was begun with."""

    number: str
    client: RegistrationClient
    password: str | None = field(repr=False)


@dataclass(eq=False, slots=True)
class SipLink:
    """One link as it runs. ``since`` is a Unix time."""

    record: Link
    addresses: tuple[Address, ...] = ()
    ranges: tuple[AutomateRange, ...] = ()
    automates: dict[str, _Automate] = field(default_factory=dict)
    state: str = "unknown"
    since: float = field(default_factory=time.time)
    last_error: str = ""
    refreshed_at: float = -REFRESH_SECONDS

    @property
    def uri(self) -> Uri:
        """Where requests to the PBX go."""
        record = self.record
        params = () if record.transport == "udp" else (("transport", record.transport),)
        return Uri(scheme="sip", user=None, host=record.host, port=record.port, params=params)

    @property
    def registered(self) -> int:
        """How many of its automates are registered."""
        return sum(each.client.state is RegistrationState.REGISTERED for each in self.automates.values())

    def enter(self, state: str, error: str = "") -> bool:
        """Note the state; True when it is another than before."""
        changed = state != self.state
        if changed:
            self.since = time.time()
        self.state, self.last_error = state, error
        return changed


class Links:
    """All links, by their scoped names. Everything happens in the reactor's thread."""

    def __init__(
        self,
        endpoint: Endpoint,
        resolver: Resolver,
        clock: IReactorTime,
        settings: RegistrationSettings,
    ) -> None:
        self._endpoint = endpoint
        self._resolver = resolver
        self._clock = clock
        self._settings = settings
        self._links: dict[str, SipLink] = {}
        self._company_uids: Mapping[int, str] = {}
        self._trusted: dict[tuple[str, str], tuple[str, ...]] = {}
        self._registrations = Registrations(endpoint, clock, random, on_change=self._registration_changed)
        self._owners: dict[RegistrationClient, tuple[SipLink, str]] = {}
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
        self._company_uids = numbering.company_uids
        wanted = {each.key: each for each in numbering.links}
        for name, link in list(self._links.items()):
            record = wanted.get(name)
            if record is not None and _registers_alike(link.record, record):
                link.record = record
            else:
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
        return next(iter(self._trusted.get((host, transport), ())), None)

    def links_at(self, address: Address) -> tuple[str, ...]:
        """All links with that address, the oldest first: one PBX may serve several companies."""
        return self._trusted.get((address.host, address.transport), ())

    def destination(self, link: str, number: str) -> Destination | None:
        """How ``number`` is reached over ``link``."""
        found = self._links.get(link)
        if found is None:
            return None
        record = found.record
        credentials = None
        if record.username is not None and record.password is not None:
            credentials = Credentials(record.realm or record.host, record.username, record.password)
        return Destination(
            number,
            found.uri.with_(user=escape_user(number)),
            found.addresses[0].host if found.addresses else record.host,
            next_hop=found.uri,
            credentials=credentials,
            link=link,
            route=_service_route(found),
        )

    @property
    def behind_nat(self) -> frozenset[str]:
        """Names of the links whose media source is learned."""
        return frozenset(name for name, link in self._links.items() if link.record.nat)

    @property
    def symmetric(self) -> frozenset[str]:
        """Names of the links whose calls may share a port (RFC 4961)."""
        return frozenset(name for name, link in self._links.items() if link.record.symmetric)

    @property
    def dtmf_modes(self) -> dict[str, DtmfMode]:
        """How digits travel on the links where that is said."""
        modes = {name: link.record.dtmf for name, link in self._links.items()}
        return {name: mode for name, mode in modes.items() if mode != "auto"}

    # ---- what the administrator asks

    def link_states(self) -> list[LinkStatus]:
        """Every link and how it is."""
        return [self._link_state(link) for link in self._links.values()]

    def automate_states(self, numbering: Numbering, calls: Mapping[str, int]) -> list[AutomateStatus]:
        """Every automate number and how it is."""
        links = {link.record.id: link for link in self._links.values()}
        return [
            self._automate_state(
                number, each, links.get(each.link_id or 0), calls.get(scoped(number, each.company_id), 0)
            )
            for each in numbering.ranges
            for number in each.numbers()
        ]

    def _link_state(self, link: SipLink) -> LinkStatus:
        record = link.record
        return LinkStatus(
            name=record.name,
            address=host_port(record.host, record.port or DEFAULT_PORTS[record.transport]),
            transport=record.transport,
            state=link.state,
            since=link.since,
            last_error=link.last_error,
            automates=len(link.automates),
            registered=link.registered,
            company=self._company_uids.get(record.company_id, ""),
        )

    def _automate_state(
        self, number: str, automates: AutomateRange, link: SipLink | None, calls: int
    ) -> AutomateStatus:
        """How a number is; one that registers nowhere merely answers."""
        name = "" if link is None else link.record.name
        automate = None if link is None else link.automates.get(number)
        state, since, error = "answering", 0.0, ""
        if automate is not None:
            client = automate.client
            state, error = client.state.value, client.last_error or ""
            since = time.time() - (self._clock.seconds() - client.since)
        elif link is not None and link.record.register:  # its PBX's address is not known yet
            state, since, error = RegistrationState.UNREGISTERED.value, link.since, link.last_error
        return AutomateStatus(
            number,
            automates.application,
            name,
            state,
            since,
            error,
            calls,
            self._company_uids.get(automates.company_id, ""),
        )

    # ---- registrations

    def _apply_ranges(self, link: SipLink) -> None:
        """Register what is wanted and not yet registered; before the PBX's address is known nothing can be."""
        if not link.addresses or not link.record.register:
            return
        wanted = {number: each.password for each in link.ranges for number in each.numbers()}
        for number, automate in list(link.automates.items()):
            if number not in wanted or wanted[number] != automate.password:
                del link.automates[number]
                self._unregister(automate)
        for number, password in wanted.items():
            if number not in link.automates:
                self._register(link, number, password)

    def _register(self, link: SipLink, number: str, password: str | None) -> None:
        client = self._client(link, number, password)
        link.automates[number] = _Automate(number, client, password)
        self._owners[client] = (link, number)
        self._registrations.add(client, link.record.key)

    def _client(self, link: SipLink, number: str, password: str | None) -> RegistrationClient:
        record = link.record
        secret = password or record.password
        user = record.username or number
        return RegistrationClient(
            aor=NameAddr(None, Uri(scheme="sip", user=number, host=record.host, port=record.port)),
            registrar=Uri(scheme="sip", user=None, host=record.host, port=record.port),
            contact=self._contact(link, number),
            call_id=secrets.token_hex(16),
            from_tag=secrets.token_hex(8),
            random=random,
            credentials=None if secret is None else Credentials(record.realm or record.host, user, secret),
            next_hop=link.uri,
            settings=self._settings,
        )

    def _contact(self, link: SipLink, number: str) -> NameAddr:
        """Where the PBX reaches an automate; it says whose that is, for the PBX may serve other companies as well."""
        contact = self._endpoint.local_contact(link.addresses[0], number)
        company = link.record.company_id
        if company == DEFAULT_COMPANY:
            return contact
        return replace(contact, uri=contact.uri.with_param(COMPANY, str(company)))

    def _unregister(self, automate: _Automate) -> None:
        self._owners.pop(automate.client, None)
        self._registrations.remove(automate.client)

    def _drop(self, link: SipLink) -> None:
        for automate in link.automates.values():
            self._unregister(automate)
        self._forget_trust(link.record.key)
        self._endpoint.forget_peer_classes()

    def _registration_changed(self, client: RegistrationClient, change: StateChanged) -> None:
        link, number = self._owners.get(client, (None, ""))
        if link is None:
            return
        if change.state is RegistrationState.REGISTERED:
            self._up(link)
        elif change.state is RegistrationState.FAILED:
            self._registration_failed(client, link, number, change.error or "")

    def _registration_failed(
        self, client: RegistrationClient, link: SipLink, number: str, error: str
    ) -> None:
        """A refusal is the automate's own; silence is the link's, which is told once and not a hundred times."""
        name = link.record.name
        say = log.debug if client.trouble is Trouble.UNREACHABLE else log.warn
        say("automate {number} on link {link}: {error}", number=number, link=name, error=error)
        if not link.registered and link.enter("down", error):
            log.warn("link {link} is down: {error}", link=name, error=error)

    def connection_lost(self, flow: Flow) -> None:
        """Register anew when the connection on which a PBX knows us is gone (RFC 5626 section 4.4)."""
        now = self._clock.seconds()
        for name, link in self._links.items():
            if flow.remote in link.addresses and now - link.refreshed_at >= REFRESH_SECONDS:
                link.refreshed_at = now
                self._registrations.flow_lost(name)

    # ---- addresses and probes

    def _resolve_all(self) -> None:
        for link in list(self._links.values()):
            looking = ensureDeferred(self._resolver.resolve(link.uri, self._clock.seconds()))
            looking.addCallbacks(self._resolved, self._unresolved, callbackArgs=(link,), errbackArgs=(link,))
            looking.addErrback(lambda failure: log.failure("looking up a link failed", failure))

    def _resolved(self, addresses: list[Address], link: SipLink) -> None:
        key = link.record.key
        if self._links.get(key) is not link:
            return
        first = not link.addresses
        link.addresses = tuple(each._replace(host=_canonical(each.host)) for each in addresses)
        self._forget_trust(key)
        for address in link.addresses:
            place = address.host, link.record.transport
            sharing = {*self._trusted.get(place, ()), key}
            self._trusted[place] = tuple(sorted(sharing, key=lambda each: self._links[each].record.id))
        self._endpoint.forget_peer_classes()
        if first:
            self._apply_ranges(link)
            self._probe(link)

    def _forget_trust(self, name: str) -> None:
        left = {
            place: tuple(each for each in sharing if each != name) for place, sharing in self._trusted.items()
        }
        self._trusted = {place: sharing for place, sharing in left.items() if sharing}

    def _unresolved(self, failure: Failure, link: SipLink) -> None:
        """Without any address the link is down; with one from before it goes on with that."""
        failure.trap(SipError)
        error = f"address not found: {failure.getErrorMessage()}"
        if link.addresses:
            link.last_error = error
        elif link.enter("down", error):
            log.warn("link {link}: {error}", link=link.record.name, error=error)

    def _probe_all(self) -> None:
        for link in list(self._links.values()):
            self._probe(link)

    def _probe(self, link: SipLink) -> None:
        """Ask a PBX for a sign of life; where automates register, they notice themselves."""
        if link.automates:
            return
        own = NameAddr(
            None, Uri(scheme="sip", user="polyphony", host=self._endpoint.local_host_for(link.record.host))
        )
        request = self._endpoint.new_request("OPTIONS", link.uri, from_=own, to=NameAddr(None, link.uri))
        probing: Deferred[Response] = self._endpoint.request(
            request, next_hop=link.uri, timeout=PROBE_TIMEOUT
        )
        probing.addCallbacks(
            lambda response: self._up(link), self._silent, errbackArgs=(link,)
        )  # any answer is a sign of life: a PBX that refuses OPTIONS is there
        probing.addErrback(lambda failure: log.failure("probing a link failed", failure))

    def _up(self, link: SipLink) -> None:
        if link.enter("up"):
            log.info("link {link} is up", link=link.record.name)

    def _silent(self, failure: Failure, link: SipLink) -> None:
        failure.trap(SipError)
        if link.enter("down", failure.getErrorMessage()):
            log.warn("link {link} is down: {error}", link=link.record.name, error=link.last_error)


def _registers_alike(one: Link, other: Link) -> bool:
    """Whether two records of a link need the same registrations."""
    harmless = {name: getattr(other, name) for name in _HARMLESS}
    return replace(one, **harmless) == other


def _canonical(host: str) -> str:
    """A numeric address as sockets write it."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host


def _service_route(link: SipLink) -> tuple[str, ...]:
    """The way out a registrar gave to those who register with it (RFC 3608): all of one link share it."""
    for automate in link.automates.values():
        if automate.client.service_route:
            return tuple(str(each) for each in automate.client.service_route)
    return ()
