"""The parts of a running engine and how they hold on to one another. Nothing is started here."""

from __future__ import annotations

import random
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from engine.call.admission import AdmissionPolicy
from engine.call.history import CallHistory
from engine.call.party import Party
from engine.call.router import Router
from engine.call.routing import Routing
from engine.call.services import CallServices
from engine.call.tolls import Tolls
from engine.conferences.conferences import Conferences
from engine.links import Links
from engine.own_addresses import OwnAddresses
from engine.prompts import is_rare
from engine.registrations import LineRegistrations
from engine.sip_trace import trace_of
from media.pool import WorkerPool
from sip.authenticator import Authenticator
from sip.counters import Counters
from sip.dns_lookup import TwistedLookup
from sip.endpoint import Endpoint
from sip.flood import Rate
from sip.guessing import GuessingGuard
from sip.nonce import NonceSource
from sip.resolver import Resolver

if TYPE_CHECKING:
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor

    from engine.call.entitlements import EntitlementReading
    from engine.call.register import CallRegister
    from engine.journal import Journal
    from engine.numbering import Numbering
    from engine.recordings import Recordings
    from engine.settings import DigestSettings, LiveSettings, StartSettings
    from media.control import RoomRecordingClosed
    from media.supervisor import Reactor as MediaReactor
    from sip.call import Call
    from sip.flow import Address, Flow
    from sip.transport.reactor import Reactor as SipReactor


class Peers:
    """Whom the admission policy trusts by address (:class:`engine.call.admission.TrustedPeers`).

    Its attributes are set once they are made: they need the endpoint, which needs the policy.
    """

    own: OwnAddresses
    links: Links
    registrations: LineRegistrations

    def is_us(self, address: Address) -> bool:
        """Whether it is one of our own sockets."""
        return self.own.is_us(address)

    def link_at(self, host: str, transport: str) -> str | None:
        """The scoped name of the declared link at this address."""
        return self.links.link_at(host, transport)

    def is_registered(self, flow: Flow) -> bool:
        """Whether a phone is registered over this flow."""
        return self.registrations.is_registered(flow)


@dataclass(slots=True)
class Parts:
    """Everything that runs, joined."""

    endpoint: Endpoint
    own: OwnAddresses
    media: WorkerPool
    links: Links
    registrations: LineRegistrations
    policy: AdmissionPolicy
    router: Router
    routing: Routing
    services: CallServices
    secrets: dict[str, Mapping[str, str]]
    _default_rate: Rate
    _history: CallHistory
    _prompts: dict[str, Path] = field(default_factory=dict)

    def configure(self, live: LiveSettings) -> None:
        """Take up what may change while calls are up."""
        self.policy.use_networks(live.networks)
        self.endpoint.forget_peer_classes()
        self.router.max_calls = live.max_calls
        self.endpoint.trace = trace_of(live.sip_trace)
        self.services.language = live.language
        self.services.ring_timeout = live.ring_timeout
        self.services.codecs = live.codecs
        own = self.services.security
        self.services.security = replace(live.security, links=own.links, lines=own.lines)
        self.services.symmetric_networks = live.symmetric_networks
        self.routing.tolls.limits = live.tolls
        self.services.conferences.limits = live.conferences
        self.media.limit_load(live.max_load)
        self.media.limit_rooms(live.room_legs)
        self.media.limit_recordings(live.recording_seconds)
        self.services.recordings.format = live.recording_format

    def apply(self, numbering: Numbering) -> None:
        """Take up what the store says of numbers, lines and links."""
        self.secrets.clear()
        self.secrets.update(numbering.secrets)
        self.policy.plans = self.routing.plans = numbering.plans
        self.routing.dialling = numbering.dialling
        self.registrations.forget(numbering.plans.lines)
        self._history.names = {each.key: each.display_name for each in numbering.lines if each.display_name}
        for link in numbering.links:
            own = link.rate_limit
            rate = self._default_rate if own is None else Rate(own, 2 * own)
            self.endpoint.set_rate(f"link:{link.key}", rate)
        self.links.apply(numbering)
        self.services.nat_links = self.links.behind_nat
        self.services.link_dtmf = self.links.dtmf_modes
        self.services.security = replace(
            self.services.security,
            links={each.key: each.srtp for each in numbering.links if each.srtp is not None},
            lines={each.key: each.srtp for each in numbering.lines if each.srtp is not None},
        )
        self.services.symmetric_links = self.links.symmetric
        self.services.prompts = frozenset(each.key for each in numbering.prompts)
        self.services.conferences.define(numbering.room_definitions, numbering.agenda)

    def entitle(self, reading: EntitlementReading) -> None:
        """Take up what the store says of rights, parameters and quotas; it holds from the next call on."""
        self.routing.entitlements.use(reading)
        self.services.calls.channels.bound(reading.quotas)

    def keep_journal(self, journal: Journal) -> None:
        """Have everything that changes about calls written down."""
        self.services.changed = journal.changed
        self.services.calls.on_removed = journal.over
        self.endpoint.dialogs.on_change = _tell_owner

    def load_prompts(self, wanted: Mapping[str, Path]) -> None:
        """Make prompts known to the workers, unless they know them already; forget the others."""
        for name in self._prompts.keys() - wanted.keys():
            self.media.forget_prompt(name)
        for name, path in wanted.items():
            if self._prompts.get(name) != path:
                self.media.load_prompt(name, str(path), later=is_rare(name))
        self._prompts = dict(wanted)

    def keep_streams_from(self, ports: Collection[int]) -> None:
        """Let no stream be sent to these ports of this machine, nor to those of SIP (security reference E3)."""
        listening = {address.port for address in self.endpoint.listening}
        self.services.own_ports = frozenset(listening.union(ports))


def _tell_owner(call: Call) -> None:
    """Let the party of a call know that its session did something."""
    owner = call.owner
    if isinstance(owner, Party) and owner.leg is not None:
        owner.changed()


def build(
    reactor: AsyncioSelectorReactor,
    start: StartSettings,
    live: LiveSettings,
    calls: CallRegister,
    recordings: Recordings,
) -> Parts:
    """Make every part and join them.

    Raises:
        OSError, OpenSSL.SSL.Error: a certificate cannot be read or used.
    """
    counters, peers = Counters(), Peers()
    ha1s: dict[str, Mapping[str, str]] = {}
    policy = AdmissionPolicy(live.networks, peers, _authenticator(start.digest, ha1s), counters)
    router = Router(policy, reactor.seconds, live.max_calls)
    resolver = Resolver(TwistedLookup(reactor), random.random)
    endpoint = Endpoint(
        cast("SipReactor", reactor), router, start.endpoint, resolver=resolver, counters=counters
    )
    own = peers.own = OwnAddresses(endpoint)
    registrations = LineRegistrations(endpoint, reactor.seconds, start.registrar, own.listens_at)
    links = Links(endpoint, resolver, reactor, start.registration)
    peers.links, peers.registrations = links, registrations
    services = CallServices(
        clock=reactor,
        endpoint=endpoint,
        media=WorkerPool(cast("MediaReactor", reactor), start.media),
        calls=calls,
        recordings=recordings,
        language=live.language,
        ring_timeout=live.ring_timeout,
        codecs=live.codecs,
        symmetric_networks=live.symmetric_networks,
    )
    conferences = services.conferences = Conferences(services)
    history = CallHistory(services, lambda entry: services.journal.remember(entry))
    calls.on_over = history.over

    def room_recorded(event: RoomRecordingClosed) -> None:
        recordings.room_closed(event)
        conferences.recorded(event)

    services.media.on_room_recorded = room_recorded
    tolls = Tolls(live.tolls, reactor.seconds)
    services.routing = Routing(registrations.registrar, links, own.first, reactor.seconds, tolls)
    router.serve(services, registrations, links)
    return Parts(
        endpoint,
        own,
        services.media,
        links,
        registrations,
        policy,
        router,
        services.routing,
        services,
        ha1s,
        start.endpoint.flood.peers,
        history,
    )


def _authenticator(digest: DigestSettings, ha1s: Mapping[str, Mapping[str, str]]) -> Authenticator:
    nonces = NonceSource(secrets.token_bytes(32), digest.realm, digest.nonce_lifetime)
    return Authenticator(
        digest.realm,
        ha1s.get,
        nonces,
        algorithms=digest.algorithms,
        guard=GuessingGuard(digest.guessing),
    )
