"""Who asks: an administrator with a password over TCP, or whoever may open the engine's own Unix socket."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from engine.administrators import Verdict

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

REMEMBERED = 64
"""Right credentials remembered, as a keyed hash, so that a page with ten requests costs one scrypt."""

REMEMBERED_SECONDS = 300.0

Verify = Callable[[str, str, str], Awaitable[Verdict]]
"""Name, password and source to a verdict."""


class Authentication(Protocol):
    """Decides whether a request comes from an administrator."""

    async def verdict(self, request: IRequest) -> Verdict:
        """Whether it does."""

    def name(self, request: IRequest) -> str:
        """In whose name: of a request that is right."""


class LocalUser:
    """The Unix socket has mode 0600: the file system has checked already."""

    async def verdict(self, request: IRequest) -> Verdict:
        """Whoever could open the socket."""
        return Verdict.RIGHT

    def name(self, request: IRequest) -> str:
        """It is not told who that is."""
        return "local"


class BasicAuthentication:
    """HTTP Basic (RFC 7617), checked against the store."""

    def __init__(self, verify: Verify, seconds: Callable[[], float]) -> None:
        self._verify = verify
        self._seconds = seconds
        self._secret = secrets.token_bytes(32)
        self._known: dict[bytes, float] = {}

    async def verdict(self, request: IRequest) -> Verdict:
        """What the Authorization header is worth."""
        credentials = _credentials(request.getHeader(b"authorization"))
        if credentials is None:
            return Verdict.WRONG
        name, password = credentials
        proof = hmac.digest(self._secret, f"{name}\0{password}".encode(), hashlib.sha256)
        if self._seconds() < self._known.get(proof, 0.0):
            return Verdict.RIGHT
        found = await self._verify(name, password, _source(request))
        if found is Verdict.RIGHT:
            self._remember(proof)
        return found

    def name(self, request: IRequest) -> str:
        """The administrator's."""
        credentials = _credentials(request.getHeader(b"authorization"))
        return "" if credentials is None else credentials[0]

    def _remember(self, proof: bytes) -> None:
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[proof] = self._seconds() + REMEMBERED_SECONDS


def _source(request: IRequest) -> str:
    """The host that asks; all hosts one where the transport does not say."""
    return str(getattr(request.getClientAddress(), "host", ""))


def _credentials(header: bytes | str | None) -> tuple[str, str] | None:
    """The user and password of an Authorization header; None for anything else."""
    text = header.decode("latin-1") if isinstance(header, bytes) else header or ""
    scheme, _, token = text.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(token, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeError, ValueError):
        return None
    return (name, password) if colon else None
