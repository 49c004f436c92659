"""Who asks: an administrator with a password over TCP, or whoever may open the engine's own Unix socket."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

REMEMBERED = 64
"""Right credentials remembered, as a keyed hash, so that a page with ten requests costs one scrypt."""


class Authentication(Protocol):
    """Decides whether a request comes from an administrator."""

    async def administrator(self, request: IRequest) -> str | None:
        """The administrator's name, or None."""


class LocalUser:
    """The Unix socket has mode 0600: the file system has checked already."""

    async def administrator(self, request: IRequest) -> str | None:
        """Whoever could open the socket."""
        return "local"


class BasicAuthentication:
    """HTTP Basic (RFC 7617), checked against the store."""

    def __init__(self, verify: Callable[[str, str], Awaitable[bool]]) -> None:
        self._verify = verify
        self._secret = secrets.token_bytes(32)
        self._known: dict[bytes, str] = {}

    async def administrator(self, request: IRequest) -> str | None:
        """The name the request proves, or None."""
        credentials = _credentials(request.getHeader(b"authorization"))
        if credentials is None:
            return None
        name, password = credentials
        proof = hmac.digest(self._secret, f"{name}\0{password}".encode(), hashlib.sha256)
        if proof in self._known:
            return self._known[proof]
        if not await self._verify(name, password):
            return None
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[proof] = name
        return name


def _credentials(header: bytes | str | None) -> tuple[str, str] | None:
    """The user and password of an Authorization header; None for anything else."""
    text = header.decode("latin-1") if isinstance(header, bytes) else header or ""
    scheme, _, token = text.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(token, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if colon else None
