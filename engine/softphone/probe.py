"""One OPTIONS to a SIP server (RFC 3261 section 11): does anybody listen there, and does it speak SIP?

Plain blocking sockets, because what the doctor wants to know is what pjsua2 hides: that the port is closed,
that nobody answers, or that something answers which is not SIP.
"""

from __future__ import annotations

import contextlib
import enum
import re
import secrets
import socket
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.softphone.settings import TransportName

RESEND = 0.5  # seconds, T1: over UDP the request is repeated until the time is up
STATUS_LINE = re.compile(rb"SIP/2\.0 (\d{3}) ([^\r\n]*)\r\n")
LARGEST_ANSWER = 65536


class Answer(enum.Enum):
    """How the far end behaved."""

    ANSWERS = "answers"
    REFUSED = "refused"
    SILENT = "silent"
    UNREACHABLE = "unreachable"
    NOT_SIP = "not_sip"
    NO_TLS = "no_tls"


@dataclass(frozen=True, slots=True)
class Probe:
    """What came back; ``delay_ms`` from the request to its answer."""

    answer: Answer
    status: int = 0
    reason: str = ""
    delay_ms: float = 0.0


def probe(host: str, port: int, transport: TransportName = "udp", timeout: float = 2.0) -> Probe:
    """Send OPTIONS and say what became of it; never raises for what the network does."""
    try:
        with contextlib.closing(_connected(host, port, transport, timeout)) as connection:
            return _ask(connection, host, port, transport, timeout)
    except ssl.SSLError as error:
        return Probe(Answer.NO_TLS, reason=error.reason or str(error))
    except ConnectionRefusedError:
        return Probe(Answer.REFUSED)
    except TimeoutError:
        return Probe(Answer.SILENT)
    except OSError as error:
        return Probe(Answer.UNREACHABLE, reason=error.strerror or str(error))


def _connected(host: str, port: int, transport: TransportName, timeout: float) -> socket.socket:
    """A connected socket; connected UDP is told by ICMP that nobody listens."""
    if transport == "udp":
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        connection = socket.socket(family, kind, protocol)
        connection.connect(address)
        return connection
    connection = socket.create_connection((host, port), timeout=timeout)
    if transport == "tcp":
        return connection
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # whether it speaks, not who it is
    return context.wrap_socket(connection, server_hostname=host)


def _ask(connection: socket.socket, host: str, port: int, transport: TransportName, timeout: float) -> Probe:
    request = options(host, port, transport, connection.getsockname()[:2])
    started = time.monotonic()
    received = b""
    for wait in _waits(timeout, resend=transport == "udp"):
        if transport == "udp" or not received:
            connection.send(request)
        connection.settimeout(wait)
        with contextlib.suppress(TimeoutError):
            while chunk := connection.recv(LARGEST_ANSWER):
                received += chunk
                if b"\r\n" in received or transport == "udp":
                    return _understood(received, (time.monotonic() - started) * 1000)
            return Probe(Answer.NOT_SIP, reason="connection closed")
    return Probe(Answer.SILENT)


def _waits(timeout: float, *, resend: bool) -> Iterator[float]:
    while resend and timeout > RESEND:
        yield RESEND
        timeout -= RESEND
    yield timeout


def _understood(received: bytes, delay_ms: float) -> Probe:
    match = STATUS_LINE.match(received)
    if match is None:
        return Probe(Answer.NOT_SIP, reason=received[:40].decode("latin-1"), delay_ms=delay_ms)
    return Probe(Answer.ANSWERS, int(match[1]), match[2].decode("utf-8", "replace"), delay_ms)


def options(host: str, port: int, transport: TransportName, local: tuple[str, int]) -> bytes:
    """An OPTIONS request outside a dialog, answered on the path it came (rport, RFC 3581)."""
    where = f"[{host}]" if ":" in host else host
    ours = f"[{local[0]}]:{local[1]}" if ":" in local[0] else f"{local[0]}:{local[1]}"
    lines = [
        f"OPTIONS sip:{where}:{port};transport={transport} SIP/2.0",
        f"Via: SIP/2.0/{transport.upper()} {ours};branch=z9hG4bK{secrets.token_hex(8)};rport",
        "Max-Forwards: 70",
        f"From: <sip:doctor@{ours}>;tag={secrets.token_hex(4)}",
        f"To: <sip:{where}:{port}>",
        f"Call-ID: {secrets.token_hex(12)}",
        "CSeq: 1 OPTIONS",
        f"Contact: <sip:doctor@{ours};transport={transport}>",
        "Accept: application/sdp",
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def local_address(host: str, port: int) -> str:
    """The address of ours from which packets to that host leave; empty when there is no way there.

    A phone bound to it names the same address in Contact and SDP that its packets come from.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with contextlib.closing(socket.socket(family, kind, protocol)) as probing:
            probing.connect(address)
            return str(probing.getsockname()[0])
    except OSError:
        return ""
