"""What the configuration means to each part, in that part's own words.

Nothing else reads the keys that parts are made of, so a test can walk all keys and see what each changes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from twisted.logger import Logger

from engine.call.media_security import MediaSecurity
from engine.call.tolls import TollLimits
from engine.conferences.limits import ConferenceLimits
from media.codecs.availability import available
from media.settings import MediaSettings
from sip.endpoint_settings import EndpointSettings
from sip.flood import FloodLimits, Rate
from sip.format_parameters import opus_fmtp
from sip.guessing import GuessingSettings
from sip.offer_answer import G722, G729, L16, OPUS, PCMA, PCMU, Codec, with_events
from sip.registrar import RegistrarSettings
from sip.registration_times import RegistrationSettings
from sip.session.settings import SessionSettings
from sip.transport.stream_table import StreamLimits
from sip.transport.tls import TlsSettings

if TYPE_CHECKING:
    from engine.certificate import CertificateFiles
    from engine.config import Config
    from engine.config.annotation import IpNetwork
    from engine.config.media_section import MediaSection
    from engine.config.signalling_sections import LimitsSection, SipSection
    from engine.data_directory import DataDirectory
    from engine.recordings import RecordingFormat

log = Logger()

OPUS_BANDS = {"narrow": 8000, "wide": 16000, "full": 48000}

CODECS: dict[str, tuple[Codec, ...]] = {
    "opus": (OPUS,),
    "G722": (G722,),
    "PCMA": (PCMA,),
    "PCMU": (PCMU,),
    "L16": L16,
    "G729": (G729,),
}
"""The formats by their names in the configuration."""
POSTGRESQL_PORT = 5432


@dataclass(frozen=True, slots=True)
class DigestSettings:
    """How callers prove who they are."""

    realm: str
    nonce_lifetime: int
    algorithms: tuple[str, ...]
    guessing: GuessingSettings


@dataclass(frozen=True, slots=True)
class StartSettings:
    """What is fixed when the parts are made.

    store_ports: where the database listens, so that no stream is sent there.
    """

    endpoint: EndpointSettings
    digest: DigestSettings
    registrar: RegistrarSettings
    registration: RegistrationSettings
    media: MediaSettings
    recordings: Path
    store_ports: frozenset[int]

    @classmethod
    def of(cls, config: Config, directory: DataDirectory, certificate: CertificateFiles) -> StartSettings:
        """Those of ``config``; ``certificate`` is the one it names, or our own."""
        recordings = config.media.recordings
        return cls(
            endpoint=_endpoint(config, certificate),
            digest=_digest(config.sip, config.limits),
            registrar=_registrar(config.sip),
            registration=RegistrationSettings(
                expires=config.sip.register_expires, longest_retry=config.sip.register_backoff_max
            ),
            media=MediaSettings(
                workers=config.media.workers,
                port_first=config.media.port_range[0],
                port_last=config.media.port_range[1],
                plugins=tuple(config.media.plugins),
                plugin_budget_ms=config.media.plugin_budget,
                run_folder=directory.run,
                orphan_seconds=config.media.orphan_time,
                hang_seconds=config.media.hang_time,
            ),
            recordings=Path(recordings) if recordings else directory.recordings,
            store_ports=_store_ports(config.store.url),
        )


@dataclass(frozen=True, slots=True)
class LiveSettings:
    """What may change while calls are up."""

    networks: tuple[IpNetwork, ...]
    max_calls: int
    ring_timeout: int
    codecs: tuple[Codec, ...]
    symmetric_networks: tuple[IpNetwork, ...]
    max_load: float
    room_legs: int
    recording_seconds: int
    recording_format: RecordingFormat
    language: str
    tolls: TollLimits
    security: MediaSecurity
    sip_trace: str
    conferences: ConferenceLimits

    @classmethod
    def of(cls, config: Config) -> LiveSettings:
        """Those of ``config``."""
        return cls(
            networks=config.sip.accepted_networks,
            max_calls=config.sip.max_calls,
            ring_timeout=config.sip.call_timeout,
            codecs=_codecs(config.media),
            max_load=config.media.max_load / 100,
            room_legs=config.media.room_legs,
            symmetric_networks=config.media.symmetric_networks,
            recording_seconds=config.media.recording_max,
            recording_format=config.media.recording_format,
            language=config.engine.language,
            tolls=TollLimits(config.limits.line_calls, config.limits.line_calls_a_minute),
            sip_trace=config.log.sip,
            conferences=ConferenceLimits(
                rooms=config.conference.max_rooms,
                participants=config.conference.max_participants,
                per_domain=config.conference.max_per_domain,
                per_user=config.conference.max_per_user,
            ),
            security=MediaSecurity(
                default=config.media.srtp,
                best_effort=config.media.srtp_best_effort,
                any_signalling=config.media.srtp_any_signalling,
            ),
        )


def _codecs(media: MediaSection) -> tuple[Codec, ...]:
    """The formats to be offered and accepted; a codec whose library this machine lacks is left out."""
    speech: list[Codec] = []
    for name in media.codecs:
        if not available(name):
            log.info("codec {name} is left out: its library is not installed", name=name)
            continue
        speech += CODECS[name]
    fmtp = opus_fmtp(OPUS_BANDS[media.opus_band])
    return with_events([codec._replace(fmtp=fmtp) if codec.name == OPUS.name else codec for codec in speech])


def _endpoint(config: Config, certificate: CertificateFiles) -> EndpointSettings:
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
            min_version=sip.tls_min,
        ),
        user_agent=sip.user_agent,
        session=SessionSettings(
            random.random,
            reliable_provisionals=sip.reliable_provisionals,
            session_expires=sip.session_expires,
            min_se=sip.session_min,
            follow_redirects=5,  # within a PBX; elsewhere routing decides (engine.call.destinations)
        ),
        flood=_flood(limits),
        streams=_streams(limits),
        max_transactions=limits.transactions,
        max_unanswered=limits.calls_in_setup,
    )


def _flood(limits: LimitsSection) -> FloodLimits:
    return FloodLimits(
        stranger=Rate(limits.stranger_rate, limits.stranger_burst),
        registered=Rate(limits.registered_rate, limits.registered_burst),
        all_strangers=Rate(limits.global_rate, limits.global_burst),
        peers=Rate(limits.link_rate, limits.link_burst),
    )


def _streams(limits: LimitsSection) -> StreamLimits:
    return StreamLimits(
        per_source=limits.connections_per_source,
        total=limits.connections,
        handshakes=limits.tls_handshakes,
        handshake_time=limits.tls_handshake_timeout,
        silent_time=limits.idle_timeout,
        write_queue=limits.write_queue,
    )


def _digest(sip: SipSection, limits: LimitsSection) -> DigestSettings:
    return DigestSettings(
        realm=sip.realm,
        nonce_lifetime=sip.nonce_lifetime,
        algorithms=tuple(sip.digest_algorithms),
        guessing=GuessingSettings(
            failures=limits.guess_failures,
            window=limits.guess_window,
            silence=limits.guess_block,
            longest_silence=limits.guess_block_max,
        ),
    )


def _registrar(sip: SipSection) -> RegistrarSettings:
    return RegistrarSettings(
        default_expires=sip.registrar_max_expires,
        min_expires=sip.registrar_min_expires,
        max_expires=sip.registrar_max_expires,
        max_contacts=sip.registrar_max_contacts,
    )


def _store_ports(url: str) -> frozenset[int]:
    parts = urlsplit(url)
    if not parts.scheme.startswith("postgresql"):
        return frozenset()
    return frozenset({parts.port or POSTGRESQL_PORT})
