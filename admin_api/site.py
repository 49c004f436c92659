"""HTTP itself: what every answer bears, and how much a request may bring."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote_to_bytes

import msgspec
from OpenSSL import SSL
from twisted.internet.ssl import ContextFactory
from twisted.web.server import Request, Site

from admin_api.problems import PROBLEM_TYPE, described, problem

if TYPE_CHECKING:
    from pathlib import Path

    from admin_api.app import AdminApi

MOST_BODY = 1 << 20
"""Octets of a request's body (security reference G4). More ends the connection."""

IDLE_SECONDS = 60.0
CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!eNULL"
"""For TLS 1.2: forward secrecy and authenticated encryption only."""

HEADERS = {
    b"content-security-policy": (
        b"default-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
}


class BoundedRequest(Request):
    """A request whose body has a limit."""

    _received = 0
    _refused = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802
        """Refuse what says that it is too long before any of it is kept."""
        if length is not None and length > MOST_BODY:
            self._refuse()
            length = 0
        cast(Any, super()).gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        """Refuse what turns out to be too long."""
        self._received += len(data)
        if self._received > MOST_BODY:
            self._refuse()
        if not self._refused:
            cast(Any, super()).handleContentChunk(data)

    def process(self) -> None:
        """Answer, with the headers every answer bears."""
        if self._refused:
            return
        answer = cast(Any, self)  # Twisted's own request is not typed
        for name, value in HEADERS.items():
            answer.setHeader(name, value)
        if not _is_text(answer.path):
            answer.write(problem(answer, HTTPStatus.NOT_FOUND))
            answer.finish()
            return
        cast(Any, super()).process()

    def _refuse(self) -> None:
        """413 and the end of the connection: what follows is not read as a request."""
        if self._refused:
            return
        self._refused = True
        status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        body = msgspec.json.encode(described(status, f"A body may have {MOST_BODY} octets."))
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {PROBLEM_TYPE.decode()}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        transport = cast(Any, self.channel).transport
        transport.write(head.encode() + body)
        transport.loseConnection()


def _is_text(path: bytes) -> bool:
    """Whether a path is UTF-8 once its escapes are undone; Klein takes nothing else."""
    try:
        unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class ServerTls(ContextFactory):
    """TLS 1.2 or later with our certificate and its chain (security reference G1)."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Read the files. Raises SSL.Error."""
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION)
        context.set_cipher_list(CIPHERS)
        context.use_certificate_chain_file(str(certificate))
        context.use_privatekey_file(str(key))
        context.check_privatekey()
        self._context = context

    def getContext(self) -> SSL.Context:  # noqa: N802
        """The one context of all connections."""
        return self._context


def site_of(api: AdminApi) -> Site:
    """What a port serves."""
    return Site(api.resource(), requestFactory=BoundedRequest, timeout=IDLE_SECONDS)
