"""Every key of the configuration file: its type, unit, default and check, one struct a section.

What stands here is all there is: the loader, ``polyphony config show --docs`` and the reload read
their rules from these annotations. A path is relative to the file that names it.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
MAX_SECONDS = 86_400
_PASSWORD = re.compile(r"^([^:]*://[^:/@]*):.*@", re.DOTALL)


def key(
    description: str,
    *,
    unit: str = "",
    low: int | None = None,
    high: int | None = None,
    check: str = "",
    reloads: bool = False,
    example: str = "",
) -> Meta:
    """Say what a key means.

    ``check`` names a rule of ``engine.config.checks``; ``reloads`` means a change takes effect when the
    configuration is read again, without a restart; ``example`` is shown where the default is empty.
    """
    extra = {"unit": unit, "check": check, "reloads": reloads, "example": example}
    return Meta(description=description, ge=low, le=high, extra=extra)


class SipSection(msgspec.Struct, frozen=True, kw_only=True):
    """Signalling: where we listen, who may call, how long things last."""

    bind: Annotated[list[str], key("Addresses to listen on for UDP, TCP and TLS.", check="addresses")] = (
        msgspec.field(default_factory=lambda: ["0.0.0.0", "::"])
    )
    port: Annotated[
        int,
        key(
            "UDP and TCP port; TLS uses the next one. 0 lets the system choose free ports.",
            low=0,
            high=65_534,
        ),
    ] = 5060
    accept_from: Annotated[
        list[str],
        key(
            "Networks whose calls are taken without credentials, besides declared links.",
            check="networks",
            reloads=True,
        ),
    ] = msgspec.field(default_factory=lambda: ["127.0.0.0/8", "::1/128"])
    realm: Annotated[str, key("Realm we challenge with, and the domain of our own lines.", check="realm")] = (
        "polyphony"
    )
    user_agent: Annotated[str, key("Text of the User-Agent header of our requests.", check="header")] = (
        "Polyphony"
    )
    tls_certificate: Annotated[
        str,
        key(
            "PEM file of our certificate chain. Empty: the one made in the data directory.",
            check="file",
            example="/etc/ssl/polyphony/chain.pem",
        ),
    ] = ""
    tls_key: Annotated[
        str,
        key("PEM file of the certificate's private key.", check="file", example="/etc/ssl/polyphony/key.pem"),
    ] = ""
    tls_ca: Annotated[
        str,
        key(
            "PEM file of the authorities peers are checked against. Empty: those of the system.",
            check="file",
            example="/etc/ssl/polyphony/peers.pem",
        ),
    ] = ""
    tls_client: Annotated[
        Literal["none", "optional", "required"],
        key("Whether a TLS client must show a certificate of its own."),
    ] = "none"
    tls_min: Annotated[Literal["1.2", "1.3"], key("Oldest TLS version spoken.")] = "1.2"
    digest_algorithms: Annotated[
        list[Literal["SHA-256", "MD5"]],
        key("Digest algorithms offered in a challenge, the preferred one first.", check="some"),
    ] = msgspec.field(default_factory=lambda: ["SHA-256", "MD5"])
    nonce_lifetime: Annotated[
        int, key("How long a digest nonce stays valid.", unit="seconds", low=10, high=3600)
    ] = 300
    max_calls: Annotated[
        int,
        key(
            "Calls that may be up at once; above it 503 is answered.",
            unit="calls",
            low=1,
            high=20_000,
            reloads=True,
        ),
    ] = 5000
    call_timeout: Annotated[
        int,
        key(
            "How long a call we place may ring before it is cancelled.",
            unit="seconds",
            low=5,
            high=3600,
            reloads=True,
        ),
    ] = 180
    session_expires: Annotated[
        int,
        key("Session interval offered and accepted (RFC 4028).", unit="seconds", low=90, high=MAX_SECONDS),
    ] = 1800
    session_min: Annotated[
        int,
        key(
            "Shortest session interval accepted; below it 422 is answered (RFC 4028).",
            unit="seconds",
            low=90,
            high=MAX_SECONDS,
        ),
    ] = 90
    reliable_provisionals: Annotated[
        Literal["never", "supported", "required"],
        key("Whether provisional responses are sent reliably (PRACK, RFC 3262)."),
    ] = "supported"
    register_expires: Annotated[
        int,
        key(
            "Lifetime our automates ask for when they register on a PBX.",
            unit="seconds",
            low=60,
            high=MAX_SECONDS,
        ),
    ] = 3600
    register_backoff_max: Annotated[
        int,
        key(
            "Longest wait between two attempts to register on a PBX that does not answer.",
            unit="seconds",
            low=5,
            high=1800,
        ),
    ] = 20
    registrar_min_expires: Annotated[
        int,
        key(
            "Shortest registration our registrar grants; below it 423 is answered.",
            unit="seconds",
            low=10,
            high=3600,
        ),
    ] = 60
    registrar_max_expires: Annotated[
        int, key("Longest registration our registrar grants.", unit="seconds", low=60, high=MAX_SECONDS)
    ] = 3600
    registrar_max_contacts: Annotated[
        int, key("Contacts one line may have registered.", unit="contacts", low=1, high=100)
    ] = 10

    @property
    def accepted_networks(self) -> tuple[IpNetwork, ...]:
        """``accept_from``, parsed."""
        return tuple(ipaddress.ip_network(each) for each in self.accept_from)


class LimitsSection(msgspec.Struct, frozen=True, kw_only=True):
    """What one peer, and all of them together, may use up. Above a limit requests are dropped or refused."""

    stranger_rate: Annotated[
        int, key("Sustained rate of one unknown source.", unit="requests/s", low=1, high=100_000)
    ] = 50
    stranger_burst: Annotated[
        int, key("Burst one unknown source may send.", unit="requests", low=1, high=100_000)
    ] = 200
    registered_rate: Annotated[
        int,
        key("Sustained rate of a source with a live registration.", unit="requests/s", low=1, high=100_000),
    ] = 50
    registered_burst: Annotated[
        int, key("Burst of a source with a live registration.", unit="requests", low=1, high=100_000)
    ] = 200
    link_rate: Annotated[
        int,
        key(
            "Sustained rate of a declared link that sets none of its own, and of the accepted networks.",
            unit="requests/s",
            low=1,
            high=1_000_000,
        ),
    ] = 5000
    link_burst: Annotated[
        int, key("Burst of a declared link or an accepted network.", unit="requests", low=1, high=1_000_000)
    ] = 10_000
    global_rate: Annotated[
        int, key("Sustained rate of all unknown sources together.", unit="requests/s", low=1, high=1_000_000)
    ] = 2000
    global_burst: Annotated[
        int, key("Burst of all unknown sources together.", unit="requests", low=1, high=1_000_000)
    ] = 4000
    line_calls: Annotated[
        int,
        key(
            "Calls over links one line may have at once: dialled, transferred or forwarded by it.",
            unit="calls",
            low=1,
            high=20_000,
            reloads=True,
        ),
    ] = 2
    line_calls_a_minute: Annotated[
        int,
        key(
            "Calls over links one line may begin in a minute.",
            unit="calls",
            low=1,
            high=100_000,
            reloads=True,
        ),
    ] = 10
    transactions: Annotated[
        int, key("Transactions held at once.", unit="transactions", low=100, high=1_000_000)
    ] = 50_000
    calls_in_setup: Annotated[
        int, key("Calls begun and not yet answered.", unit="calls", low=1, high=100_000)
    ] = 2000
    connections: Annotated[
        int, key("TCP and TLS connections in all.", unit="connections", low=1, high=100_000)
    ] = 4096
    connections_per_source: Annotated[
        int, key("TCP and TLS connections of one source.", unit="connections", low=1, high=100_000)
    ] = 256
    idle_timeout: Annotated[
        int, key("A connection that has sent nothing is closed after this.", unit="seconds", low=1, high=3600)
    ] = 30
    tls_handshake_timeout: Annotated[
        int, key("A TLS handshake is complete within this.", unit="seconds", low=1, high=60)
    ] = 5
    tls_handshakes: Annotated[int, key("TLS handshakes at once.", unit="handshakes", low=1, high=10_000)] = 64
    write_queue: Annotated[
        int,
        key(
            "Bytes that may wait for a peer that does not read; then it is dropped.",
            unit="bytes",
            low=65_536,
            high=67_108_864,
        ),
    ] = 1_048_576
    guess_failures: Annotated[
        int,
        key(
            "Failed authentications within the window after which a source is ignored.",
            unit="failures",
            low=1,
            high=1000,
        ),
    ] = 10
    guess_window: Annotated[
        int, key("Window in which failed authentications count.", unit="seconds", low=1, high=3600)
    ] = 60
    guess_block: Annotated[
        int,
        key(
            "How long a guessing source is ignored the first time; doubled each time.",
            unit="seconds",
            low=1,
            high=3600,
        ),
    ] = 60
    guess_block_max: Annotated[
        int, key("Longest time a guessing source is ignored.", unit="seconds", low=1, high=MAX_SECONDS)
    ] = 3600


class MediaSection(msgspec.Struct, frozen=True, kw_only=True):
    """RTP: the worker processes, their ports and the recordings."""

    workers: Annotated[
        int, key("Media worker processes. 0: one a processor core.", unit="processes", low=0, high=256)
    ] = 0
    ports: Annotated[
        str, key("UDP ports of RTP (even) and RTCP (the next), first and last.", check="port_range")
    ] = "40000-59999"
    codecs: Annotated[
        list[Literal["opus", "G722", "PCMA", "PCMU", "L16", "G729"]],
        key(
            "Codecs offered and accepted, the preferred one first. G729 counts only where libbcg729 is installed.",
            check="some",
            reloads=True,
        ),
    ] = msgspec.field(default_factory=lambda: ["opus", "G722", "PCMA", "PCMU", "G729"])
    opus_band: Annotated[
        Literal["narrow", "wide", "full"],
        key("Sound of Opus legs: up to 4 kHz (narrow), 8 kHz (wide) or 20 kHz (full).", reloads=True),
    ] = "full"
    srtp: Annotated[
        Literal["off", "optional", "required"],
        key(
            "Protection of the sound (SRTP, RFC 4568) where a line or link sets none: refused, taken when offered, or"
            " insisted on.",
            reloads=True,
        ),
    ] = "optional"
    srtp_best_effort: Annotated[
        bool,
        key("Whether keys are offered and taken beside plain RTP, too (RFC 8643).", reloads=True),
    ] = False
    srtp_any_signalling: Annotated[
        bool,
        key(
            "Whether keys may travel over SIP that is not encrypted, where whoever reads it can listen.",
            reloads=True,
        ),
    ] = False
    max_load: Annotated[
        int,
        key(
            "Share of a core that a media worker may use; above it new calls get 503, those that are up stay.",
            unit="percent",
            low=10,
            high=100,
            reloads=True,
        ),
    ] = 85
    symmetric_from: Annotated[
        list[str],
        key(
            "Networks whose callers, taken without credentials, send media from the address their SDP names "
            "(RFC 4961): their calls share one port a worker.",
            check="networks",
            reloads=True,
            example='["192.0.2.0/24"]',
        ),
    ] = msgspec.field(default_factory=list)
    recordings: Annotated[
        str,
        key(
            "Folder of the recordings. Empty: recordings/ in the data directory.",
            check="path",
            example="/var/lib/polyphony/recordings",
        ),
    ] = ""
    plugins: Annotated[
        list[str],
        key(
            "Plug-ins that are given what callers say and may change it (docs/plugins.md): names of entry points in"
            " the group polyphony.frames, or module:factory.",
            check="plugins",
        ),
    ] = msgspec.field(default_factory=list)
    plugin_budget: Annotated[
        int,
        key(
            "What each plug-in may use of the 20 ms of a tick; then ticks are left out.",
            unit="ms",
            low=1,
            high=15,
        ),
    ] = 2
    recording_format: Annotated[
        Literal["wav", "g711", "flac", "ogg"],
        key(
            "Format of recordings: WAV of 16 bits, WAV of G.711 as it came, FLAC, or Opus in Ogg. "
            "FLAC and Ogg are made of a WAV when a recording is over.",
            reloads=True,
        ),
    ] = "wav"
    recording_max: Annotated[
        int,
        key(
            "Longest single recording; then it is closed.",
            unit="seconds",
            low=1,
            high=MAX_SECONDS,
            reloads=True,
        ),
    ] = 3600

    orphan_time: Annotated[
        int,
        key(
            "How long workers carry calls on when the control process was killed, for its successor to take over.",
            unit="seconds",
            low=0,
            high=3600,
        ),
    ] = 60
    hang_time: Annotated[
        int,
        key(
            "A worker silent for so long is killed, and its calls go on in its successor. 0: never.",
            unit="seconds",
            low=0,
            high=3600,
        ),
    ] = 5

    @property
    def worker_count(self) -> int:
        """``workers``, with 0 replaced by the number of cores this process may use."""
        return self.workers or len(os.sched_getaffinity(0))

    @property
    def symmetric_networks(self) -> tuple[IpNetwork, ...]:
        """``symmetric_from``, parsed."""
        return tuple(ipaddress.ip_network(each) for each in self.symmetric_from)

    @property
    def port_range(self) -> tuple[int, int]:
        """``ports`` as (first, last)."""
        first, _, last = self.ports.partition("-")
        return int(first), int(last)


class HttpSection(msgspec.Struct, frozen=True, kw_only=True):
    """The REST API and the console."""

    bind: Annotated[
        str,
        key(
            "Address to listen on. A loopback address is served in plain HTTP, any other over TLS only.",
            check="address",
        ),
    ] = "127.0.0.1"
    port: Annotated[int, key("TCP port. 0 lets the system choose a free one.", low=0, high=65_535)] = 8080
    host_names: Annotated[
        list[str],
        key(
            "Names accepted in the Host header, besides the address bound and localhost.",
            check="names",
            example='["pbx.example.com"]',
        ),
    ] = msgspec.field(default_factory=list)
    tls_certificate: Annotated[
        str,
        key(
            "PEM file of the certificate chain. Empty: the one of sip.tls_certificate.",
            check="file",
            example="/etc/ssl/polyphony/chain.pem",
        ),
    ] = ""
    tls_key: Annotated[
        str,
        key("PEM file of the certificate's private key.", check="file", example="/etc/ssl/polyphony/key.pem"),
    ] = ""

    @property
    def secure(self) -> bool:
        """Whether the API must be served over TLS: everywhere but on loopback."""
        return not ipaddress.ip_address(self.bind).is_loopback


class LogSection(msgspec.Struct, frozen=True, kw_only=True):
    """What is logged, how and where."""

    level: Annotated[
        Literal["debug", "info", "warn", "error"],
        key("Least severe level logged.", reloads=True),
    ] = "info"
    sip: Annotated[
        str,
        key(
            "SIP messages logged, passwords' proofs, keys and digits masked: all, or those that name a number."
            " Empty: none.",
            check="trace",
            reloads=True,
            example="1001",
        ),
    ] = ""
    format: Annotated[Literal["text", "json"], key("A line of text, or one JSON object a line.")] = "text"
    file: Annotated[
        str, key("File to append to. Empty: standard error.", check="path", example="/var/log/polyphony.log")
    ] = ""


class StoreSection(msgspec.Struct, frozen=True, kw_only=True):
    """The database."""

    url: Annotated[
        str,
        key(
            "SQLAlchemy URL of SQLite or PostgreSQL. Empty: store.sqlite3 in the data directory.",
            check="store_url",
            example="postgresql+psycopg://polyphony:secret@db.example.com/polyphony",
        ),
    ] = ""

    call_days: Annotated[
        int,
        key("How long calls that are over are kept, with how they sounded.", unit="days", low=1, high=3650),
    ] = 90

    def url_in(self, data: Path) -> str:
        """The URL to open; ``data`` is the data directory."""
        return self.url or f"sqlite:///{data.absolute() / 'store.sqlite3'}"

    def __repr__(self) -> str:
        """Show the URL without its password (security reference G6)."""
        return f"StoreSection(url={without_password(self.url)!r}, call_days={self.call_days})"


class EngineSection(msgspec.Struct, frozen=True, kw_only=True):
    """The process itself."""

    language: Annotated[
        Literal["en", "fr"],
        key("Language of the announcements and of the texts shown to users.", reloads=True),
    ] = "en"
    stop_timeout: Annotated[
        int,
        key(
            "How long calls may take to say goodbye when the process is stopped.",
            unit="seconds",
            low=1,
            high=60,
            reloads=True,
        ),
    ] = 4


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The whole configuration; every section exists, with defaults for what the file leaves out."""

    sip: SipSection = SipSection()
    limits: LimitsSection = LimitsSection()
    media: MediaSection = MediaSection()
    http: HttpSection = HttpSection()
    log: LogSection = LogSection()
    store: StoreSection = StoreSection()
    engine: EngineSection = EngineSection()


SECTIONS: dict[str, type[msgspec.Struct]] = {
    "sip": SipSection,
    "limits": LimitsSection,
    "media": MediaSection,
    "http": HttpSection,
    "log": LogSection,
    "store": StoreSection,
    "engine": EngineSection,
}


def without_password(url: str) -> str:
    """``url`` with three asterisks for its password, and without its query, which may hold one too."""
    return _PASSWORD.sub(r"\1:***@", url).partition("?")[0]


def values(section: msgspec.Struct) -> Sequence[tuple[str, object]]:
    """The section's (key, value) pairs in the order they are documented."""
    return [(name, getattr(section, name)) for name in section.__struct_fields__]
