"""Who may ask, and how: a host name of ours, a right password, and no page of somebody else's behind a change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from admin_api.problems import problem
from engine.administrators import Verdict

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

    from admin_api.authentication import Authentication

    Handler = Callable[..., Coroutine[object, object, bytes]]

RETRY_SECONDS = b"60"
_PORTS = {"http": 80, "https": 443}


class Guard:
    """What stands before every route.

    host_names: names a request's Host may bear besides localhost and the address it came to; None on the Unix
    socket, where there is none.
    """

    def __init__(self, authentication: Authentication, host_names: Sequence[str] | None) -> None:
        self._authentication = authentication
        self._hosts = None if host_names is None else {"localhost", *(each.lower() for each in host_names)}

    def for_everybody(self, handler: Callable[..., bytes]) -> Handler:
        """Under a host name that is ours only: a page of somebody else's must not read us by a name of its own."""

        async def answer(request: IRequest, **parts: str) -> bytes:
            refused = self._wrong_host(request)
            return handler(request, **parts) if refused is None else refused

        return answer

    def for_administrators(self, handler: Callable[..., Awaitable[bytes]]) -> Handler:
        """And with a right password."""

        async def answer(request: IRequest, **parts: str) -> bytes:
            refused = self._wrong_host(request)
            if refused is None:
                refused = await self._wrong_password(request)
            return await handler(request, **parts) if refused is None else refused

        return answer

    def for_changes(self, handler: Callable[..., Awaitable[bytes]]) -> Handler:
        """And not by a browser on behalf of another page (CSRF).

        A form or a simple script of another origin cannot send ``application/json``, nor DELETE, without asking us
        first (CORS), which nobody answers; and browsers tell where a request comes from.
        """

        async def answer(request: IRequest, **parts: str) -> bytes:
            if _is_foreign(request):
                return problem(
                    request,
                    HTTPStatus.FORBIDDEN,
                    "Another page may not change anything here.",
                    reason="origin",
                )
            if request.method != b"DELETE" and _content_type(request) != "application/json":
                return problem(
                    request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json."
                )
            return await handler(request, **parts)

        return self.for_administrators(answer)

    def name(self, request: IRequest) -> str:
        """In whose name an administrator's request is done."""
        return self._authentication.name(request)

    def _wrong_host(self, request: IRequest) -> bytes | None:
        if self._is_right_host(request):
            return None
        return problem(request, HTTPStatus.MISDIRECTED_REQUEST, "This host name is not served here.")

    async def _wrong_password(self, request: IRequest) -> bytes | None:
        match await self._authentication.verdict(request):
            case Verdict.RIGHT:
                return None
            case Verdict.SILENCED:
                request.setHeader(b"retry-after", RETRY_SECONDS)
                return problem(request, HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong passwords.")
        request.setHeader(b"www-authenticate", b'Basic realm="Polyphony", charset="UTF-8"')
        return problem(request, HTTPStatus.UNAUTHORIZED, "A name and password are needed.")

    def _is_right_host(self, request: IRequest) -> bool:
        if self._hosts is None:
            return True
        host = _host_of(header(request, b"host"))
        return host in self._hosts or host == getattr(request.getHost(), "host", None)


def header(request: IRequest, name: bytes) -> str:
    """A header's text; empty where there is none."""
    value = request.getHeader(name) or b""
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _host_of(text: str) -> str:
    """The host of a Host header, without its port (RFC 9110 section 7.2)."""
    if text.startswith("["):
        return text[1:].partition("]")[0].lower()
    return text.partition(":")[0].lower()


def _content_type(request: IRequest) -> str:
    return header(request, b"content-type").partition(";")[0].strip().lower()


def _is_foreign(request: IRequest) -> bool:
    """Whether a browser says that another page asks (RFC 6454 section 7; Fetch Metadata)."""
    if header(request, b"sec-fetch-site") in ("cross-site", "same-site"):
        return True
    origin = header(request, b"origin")
    if not origin:
        return False
    try:
        ours, theirs = urlsplit(f"//{header(request, b'host')}"), urlsplit(origin)
        # what serves us over TLS to the outside may speak plainly to us, so the scheme may be either there
        right = theirs.scheme == "https" or (theirs.scheme == "http" and not request.isSecure())
        port = _PORTS.get(theirs.scheme)
        same = (theirs.hostname, theirs.port or port) == (ours.hostname, ours.port or port)
    except ValueError:
        return True
    return not (right and same)
