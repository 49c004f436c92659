"""The keys of signalling, and of what it takes from whom."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

import msgspec

from engine.config.annotation import MAX_SECONDS, IpNetwork, key


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
