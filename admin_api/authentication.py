"""Who asks: a password, an API token or a session over TCP, or whoever may open the engine's own Unix socket."""

from __future__ import annotations

import base64
import binascii
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Protocol

from engine.authentication.refusal import NotAdmitted, Why
from engine.domain.actor import LOCAL, Actor

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

    from engine.authentication.authenticator import Authenticator, SignedIn

CSRF_HEADER = b"x-csrf-token"
LONGEST_COOKIES = 4096
"""Octets of a Cookie header that is looked into."""


class CsrfMissing(Exception):
    """A cookie came with a change that no page of ours asks for."""


class Authentication(Protocol):
    """Decides in whose name a request is done."""

    async def actor(self, request: IRequest, *, changes: bool) -> Actor:
        """Who asks; ``changes``: to change something. Raises NotAdmitted, or CsrfMissing."""


class LocalUser:
    """The Unix socket has mode 0600: the file system has checked already."""

    async def actor(self, request: IRequest, *, changes: bool) -> Actor:
        """Whoever could open the socket."""
        return LOCAL


class RequestAuthentication:
    """HTTP Basic (RFC 7617) for scripts, Bearer (RFC 6750) for API tokens and sessions, a cookie for the console."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator

    async def actor(self, request: IRequest, *, changes: bool) -> Actor:
        """What the Authorization header is worth, or else the session's cookie."""
        scheme, _, text = _header(request, b"authorization").partition(" ")
        match scheme.lower():
            case "basic":
                return await self._by_password(request, text)
            case "bearer":
                return await self._by_bearer(text.strip())
            case "":
                return await self._by_cookie(request, changes=changes)
        raise NotAdmitted(Why.WRONG)

    async def _by_password(self, request: IRequest, text: str) -> Actor:
        credentials = basic_credentials(text)
        if credentials is None:
            raise NotAdmitted(Why.WRONG)
        return await self._authenticator.by_password(*credentials, source_of(request))

    async def _by_bearer(self, secret: str) -> Actor:
        """A page cannot be made to send this header by another, so a session needs no proof besides."""
        if secret.startswith("poly_"):
            return await self._authenticator.by_token(secret)
        return (await self._authenticator.by_session(secret)).actor

    async def _by_cookie(self, request: IRequest, *, changes: bool) -> Actor:
        secret = session_cookie(request)
        if secret is None:
            raise NotAdmitted(Why.WRONG)
        signed_in: SignedIn = await self._authenticator.by_session(secret)
        if changes and not self._authenticator.proves_page(signed_in, _header(request, CSRF_HEADER)):
            raise CsrfMissing
        return signed_in.actor


def cookie_name(*, secure: bool) -> str:
    """Of the session's cookie; over TLS a name that no other host and no plain HTTP can set (RFC 6265bis)."""
    return "__Host-polyphony-session" if secure else "polyphony-session"


def session_cookie(request: IRequest) -> str | None:
    """The session a request's cookies name."""
    text = _header(request, b"cookie")
    if not text or len(text) > LONGEST_COOKIES:
        return None
    try:
        found = SimpleCookie(text).get(cookie_name(secure=request.isSecure()))
    except CookieError:
        return None
    return None if found is None else found.value


def source_of(request: IRequest) -> str:
    """The host that asks; all hosts one where the transport does not say."""
    return str(getattr(request.getClientAddress(), "host", ""))


def basic_credentials(token: str) -> tuple[str, str] | None:
    """The user and password of Basic credentials; None for anything else."""
    try:
        name, colon, password = base64.b64decode(token, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeError, ValueError):
        return None
    return (name, password) if colon else None


def _header(request: IRequest, name: bytes) -> str:
    value = request.getHeader(name) or b""
    return value.decode("latin-1") if isinstance(value, bytes) else value
