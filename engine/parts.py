"""The parts of a running engine and how they hold on to one another. Nothing is started here."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from engine.call.admission import AdmissionPolicy
from engine.call.router import Router
from engine.call.routing import Routing
from engine.call.services import CallServices
from engine.call.transfers import Transfers
from engine.links import Links
from engine.numbering import Numbering
from engine.registrations import LineRegistrations
from media.pool import WorkerPool
from media.settings import MediaSettings
from sip.authenticator import Authenticator
from sip.counters import Counters
from sip.dns_lookup import TwistedLookup
from sip.endpoint import Endpoint
from sip.endpoint_settings import EndpointSettings
from sip.flood import FloodLimits, Rate
from sip.flow import Address
from sip.guessing import GuessingGuard, GuessingSettings
from sip.nonce import NonceSource
from sip.registrar import RegistrarSettings
from sip.registration_times import RegistrationSettings
from sip.resolver import Resolver
from sip.session.settings import SessionSettings
from sip.transport.stream_table import StreamLimits
from sip.transport.tls import TlsSettings

if TYPE_CHECKING:
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor

    from engine.call.register import CallRegister
    from engine.certificate import CertificateFiles
    from engine.config import Config
    from engine.data_directory import DataDirectory
    from media.supervisor import Reactor as MediaReactor
    from sip.flow import Flow
    from sip.transport.reactor import Reactor as SipReactor


class Peers:
    """Whom the admission policy trusts by address (:class:`engine.call.admission.TrustedPeers`)."""

    links: Links
    registrations: LineRegistrations

    def link_at(self, host: str, transport: str) -> str | None:
        """The declared link at this address."""
        return self.links.link_at(host, transport)

    def is_registered(self, flow: Flow) -> bool:
        """Whether a phone is registered over this flow."""
        return self.registrations.is_registered(flow)


@dataclass(slots=True)
class Parts:
    """Everything that runs, joined."""

    endpoint: Endpoint
    media: WorkerPool
    links: Links
    registrations: LineRegistrations
    policy: AdmissionPolicy
    router: Router
    routing: Routing
    services: CallServices
    secrets: dict[str, dict[str, str]]
    config: Config
    _prompts: dict[str, Path] = field(default_factory=dict)

    def configure(self, config: Config) -> None:
        """Take up what may change while calls are up."""
        self.config = config
        self.policy.use_networks(config.sip.accepted_networks)
        self.endpoint.forget_peer_classes()
        self.router.max_calls = config.sip.max_calls
        self.services.language = config.engine.language
        self.services.ring_timeout = config.sip.call_timeout

    def apply(self, numbering: Numbering) -> None:
        """Take up what the store says of numbers, lines and links."""
        self.secrets.clear()
        self.secrets.update({number: dict(ha1s) for number, ha1s in numbering.secrets.items()})
        self.policy.lines = numbering.plan.lines
        self.routing.plan = numbering.plan
        self.registrations.forget(numbering.plan.lines)
        for link in numbering.links:
            rate = link.rate_limit or self.config.limits.link_rate
            self.endpoint.set_rate(
                f"link:{link.name}", Rate(rate, max(rate * 2, self.config.limits.link_burst))
            )
        self.links.apply(numbering)
        self.services.nat_links = self.links.behind_nat

    def load_prompt(self, name: str, path: Path) -> None:
        """Make a prompt known to the workers, unless they know it already."""
        if self._prompts.get(name) != path:
            self._prompts[name] = path
            self.media.load_prompt(name, str(path))

    def take_ports(self, config: Config) -> None:
        """Keep streams away from the ports we listen on, once they are known (security reference E3)."""
        store = urlsplit(config.store.url).port
        ports = {address.port for address in self.endpoint.listening} | {config.http.port}
        self.services.own_ports = frozenset(ports | ({store} if store else set()))


def build(
    reactor: AsyncioSelectorReactor,
    directory: DataDirectory,
    config: Config,
    certificate: CertificateFiles,
    calls: CallRegister,
) -> Parts:
    """Make every part and join them.

    Raises:
        OSError: a certificate file cannot be read.
    """
    counters = Counters()
    peers = Peers()
    ha1s: dict[str, dict[str, str]] = {}
    nonces = NonceSource(secrets.token_bytes(32), config.sip.realm, config.sip.nonce_lifetime)
    authenticator = Authenticator(
        config.sip.realm,
        ha1s.get,
        nonces,
        algorithms=config.sip.digest_algorithms,
        guard=GuessingGuard(_guessing(config)),
    )
    policy = AdmissionPolicy(config.sip.accepted_networks, peers, authenticator, counters)
    router = Router(policy, reactor.seconds, config.sip.max_calls)
    resolver = Resolver(TwistedLookup(reactor), random.random)
    endpoint = Endpoint(
        cast("SipReactor", reactor),
        router,
        _endpoint_settings(config, certificate),
        resolver=resolver,
        counters=counters,
    )
    media = WorkerPool(
        cast("MediaReactor", reactor),
        MediaSettings(
            workers=config.media.workers,
            port_first=config.media.port_range[0],
            port_last=config.media.port_range[1],
        ),
    )
    registrations = LineRegistrations(endpoint, reactor.seconds, _registrar(config))
    links = Links(endpoint, resolver, reactor, lambda: _registration(config))
    peers.links, peers.registrations = links, registrations
    recordings = Path(config.media.recordings) if config.media.recordings else directory.recordings
    services = CallServices(
        clock=reactor,
        endpoint=endpoint,
        media=media,
        calls=calls,
        recordings=recordings,
        language=config.engine.language,
        ring_timeout=config.sip.call_timeout,
    )
    routing = Routing(registrations.registrar, links, calls, lambda: _own_address(endpoint))
    services.transfers = Transfers(services, routing)
    router.serve(services, routing, registrations)
    return Parts(endpoint, media, links, registrations, policy, router, routing, services, ha1s, config)


def _own_address(endpoint: Endpoint) -> Address:
    """An address of ours that answers from this host."""
    found = endpoint.listening[0]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(found.host, found.host)
    return found._replace(host=host)


def _endpoint_settings(config: Config, certificate: CertificateFiles) -> EndpointSettings:
    sip, limits = config.sip, config.limits
    return EndpointSettings(
        bind=list(sip.bind),
        port=sip.port,
        tls_port=sip.port + 1 if sip.port else 0,
        tls=TlsSettings(
            certificate=certificate.certificate,
            key=certificate.key,
            authorities=Path(sip.tls_ca) if sip.tls_ca else None,
            client_certificates=sip.tls_client,
        ),
        user_agent=sip.user_agent,
        session=SessionSettings(
            random.random,
            reliable_provisionals=sip.reliable_provisionals,
            session_expires=sip.session_expires,
            min_se=sip.session_min,
            follow_redirects=5,
        ),
        flood=FloodLimits(
            stranger=Rate(limits.stranger_rate, limits.stranger_burst),
            registered=Rate(limits.registered_rate, limits.registered_burst),
            all_strangers=Rate(limits.global_rate, limits.global_burst),
            peers=Rate(limits.link_rate, limits.link_burst),
        ),
        streams=StreamLimits(
            per_source=limits.connections_per_source,
            total=limits.connections,
            handshakes=limits.tls_handshakes,
            handshake_time=limits.tls_handshake_timeout,
            silent_time=limits.idle_timeout,
            write_queue=limits.write_queue,
        ),
        max_transactions=limits.transactions,
        max_unanswered=limits.calls_in_setup,
    )


def _guessing(config: Config) -> GuessingSettings:
    limits = config.limits
    return GuessingSettings(
        failures=limits.guess_failures,
        window=limits.guess_window,
        silence=limits.guess_block,
        longest_silence=limits.guess_block_max,
    )


def _registrar(config: Config) -> RegistrarSettings:
    sip = config.sip
    return RegistrarSettings(
        default_expires=sip.registrar_max_expires,
        min_expires=sip.registrar_min_expires,
        max_expires=sip.registrar_max_expires,
        max_contacts=sip.registrar_max_contacts,
    )


def _registration(config: Config) -> RegistrationSettings:
    return RegistrationSettings(
        expires=config.sip.register_expires, longest_retry=config.sip.register_backoff_max
    )
