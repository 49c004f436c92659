"""SIP over TLS: contexts, the handshake, and whom the peer's certificate names (RFC 5922, rules G1, G2)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from OpenSSL import SSL
from twisted.internet.interfaces import (
    IHandshakeListener,
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
    ISSLTransport,
)
from zope.interface import implementer

from sip.transport.certificates import identities, names_domain
from sip.transport.sockets import is_numeric
from sip.transport.streams import SipStream

if TYPE_CHECKING:
    from cryptography import x509
    from OpenSSL.crypto import X509
    from twisted.protocols.tls import TLSMemoryBIOProtocol

CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!eNULL"
"""For TLS 1.2: forward secrecy and authenticated encryption only."""

ClientCertificates = Literal["none", "optional", "required"]
TlsVersion = Literal["1.2", "1.3"]
_VERSIONS = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Our certificate and whom we believe."""

    certificate: Path
    key: Path
    authorities: Path | None = None
    """PEM file of the authorities for peers' certificates; None means the system's."""
    verify_servers: bool = True
    """Check the servers we connect to. Off only for a PBX with a certificate nobody signed."""
    client_certificates: ClientCertificates = "none"
    """Ask those who connect to us for a certificate (mutual TLS)."""
    min_version: TlsVersion = "1.2"
    """The oldest version spoken; older ones than 1.2 are not (rule G1)."""
    server_names: tuple[str, ...] = ()
    """Names we answer to when the client names one (SNI); empty means all."""


class TlsContexts:
    """The OpenSSL contexts of one endpoint."""

    def __init__(self, settings: TlsSettings) -> None:
        """Read certificate and key. Raises SSL.Error or OSError."""
        self.settings = settings
        self.server = _context(settings)
        self.client = _context(settings)
        mode = {
            "none": SSL.VERIFY_NONE,
            "optional": SSL.VERIFY_PEER,
            "required": SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT,
        }[settings.client_certificates]
        self.server.set_verify(mode)
        self.server.set_session_id(b"sip")
        self.client.set_verify(SSL.VERIFY_PEER if settings.verify_servers else SSL.VERIFY_NONE)
        self._nobody = SSL.Context(SSL.TLS_METHOD)  # without a certificate no handshake succeeds
        if settings.server_names:
            self.server.set_tlsext_servername_callback(self._choose)

    def _choose(self, connection: SSL.Connection) -> None:
        """Let the handshake fail when the client wants a name that is not ours (rule G1)."""
        name = connection.get_servername()
        if name is not None and name.decode("ascii", "replace").lower() not in self.settings.server_names:
            connection.set_context(self._nobody)


def _context(settings: TlsSettings) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(_VERSIONS[settings.min_version])
    context.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE)
    context.set_cipher_list(CIPHERS)
    context.use_certificate_chain_file(str(settings.certificate))
    context.use_privatekey_file(str(settings.key))
    context.check_privatekey()
    if settings.authorities is None:
        context.set_default_verify_paths()
    else:
        context.load_verify_locations(str(settings.authorities))
    return context


@implementer(IOpenSSLServerConnectionCreator)
class ServerTls:
    """Makes the server end of each accepted connection."""

    def __init__(self, contexts: TlsContexts) -> None:
        """Use the endpoint's contexts."""
        self._contexts = contexts

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: N802, N803
        """Give Twisted a connection; it feeds it from memory."""
        return SSL.Connection(self._contexts.server, None)


@implementer(IOpenSSLClientConnectionCreator)
class ClientTls:
    """Makes the client end of one connection, and names whom it wants."""

    def __init__(self, contexts: TlsContexts, server_name: str) -> None:
        """Aim at the SIP domain ``server_name``."""
        self._contexts = contexts
        self._server_name = server_name

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: N803
        """Give Twisted a connection with the server name in its hello (RFC 6066: names, not addresses)."""
        connection = SSL.Connection(self._contexts.client, None)
        if not is_numeric(self._server_name):
            connection.set_tlsext_host_name(self._server_name.encode("ascii", "ignore"))
        return connection


@implementer(IHandshakeListener)
class TlsStream(SipStream):
    """A TLS connection: in use only after the handshake and, for a server, the check of its name."""

    verify_server = True
    handshaken = False

    def connectionMade(self) -> None:
        """Give the handshake its time."""
        self._handshake_until = self._seconds() + self._limits.handshake_time
        super().connectionMade()

    def begin(self) -> None:
        """Wait for the handshake."""
        if self.handshaken:
            super().begin()

    def handshakeCompleted(self) -> None:  # noqa: N802
        """Check whom we reached, then take the connection into use."""
        self.handshaken = True
        certificate = self._peer_certificate()
        self.identities = identities(certificate) if certificate is not None else ()
        if self.outbound and self.verify_server and not self._is_wanted(certificate):
            self.abort("tls_name")
        elif self.closing is None:
            self.begin()

    @property
    def deadline(self) -> float | None:
        """Say when ``handle_timer`` is due."""
        return super().deadline if self.handshaken else self._handshake_until

    def handle_timer(self, now: float) -> None:
        """Close a handshake that takes too long."""
        if self.handshaken:
            super().handle_timer(now)
        else:
            self.abort("tls_handshake_slow")

    def _is_wanted(self, certificate: x509.Certificate | None) -> bool:
        return certificate is not None and names_domain(certificate, self.server_name or "")

    def _peer_certificate(self) -> x509.Certificate | None:
        found = cast("X509 | None", cast(ISSLTransport, self.transport).getPeerCertificate())
        return None if found is None else found.to_cryptography()
