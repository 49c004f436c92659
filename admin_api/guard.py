"""Who may ask, and how: a host name of ours, somebody with the right, no page of others behind a change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from admin_api.authentication import CsrfMissing
from admin_api.problems import problem
from engine.authentication.refusal import NotAdmitted, Why
from engine.domain.actor import Actor, Role

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

    from admin_api.authentication import Authentication
    from admin_api.throttle import Throttle

    Handler = Callable[..., Coroutine[object, object, bytes]]

JSON = "application/json"
RETRY_SECONDS = b"60"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Need:
    """What a route takes. whole_engine: it tells of, or changes, what is of every company alike."""

    least: Role
    whole_engine: bool = True


TO_READ = Need(Role.READ_ONLY)
TO_ACT = Need(Role.OPERATOR)
TO_CHANGE = Need(Role.ADMINISTRATOR)
ITSELF = None
"""For a resource that asks its actor's rights itself, and looks within her companies only, as the nouns do."""


class Guard:
    """What stands before every route.

    host_names: names a request's Host may bear besides localhost and the address it came to; None on the Unix
    socket, where there is none. throttle: who asks too often waits; None there, too.
    """

    def __init__(
        self,
        authentication: Authentication,
        host_names: Sequence[str] | None,
        throttle: Throttle | None = None,
    ) -> None:
        self._throttle = throttle
        self._authentication = authentication
        self._actors: WeakKeyDictionary[IRequest, Actor] = WeakKeyDictionary()
        self._hosts = None if host_names is None else {"localhost", *(each.lower() for each in host_names)}

    def for_everybody(self, handler: Callable[..., bytes]) -> Handler:
        """Under a host name that is ours only: a page of somebody else's must not read us by a name of its own."""

        async def answer(request: IRequest, **parts: str) -> bytes:
            refused = self._turned_away(request)
            return handler(request, **parts) if refused is None else refused

        return answer

    def for_administrators(
        self, handler: Callable[..., Awaitable[bytes]], need: Need | None = TO_READ
    ) -> Handler:
        """And by somebody who may; ``actor`` then tells who."""
        return self._guarded(handler, need, changes=False)

    def for_changes(
        self,
        handler: Callable[..., Awaitable[bytes]],
        need: Need | None = TO_CHANGE,
        kinds: Sequence[str] = (JSON,),
    ) -> Handler:
        """And not by a browser on behalf of another page (CSRF). kinds: media types a body may have."""
        return self._guarded(self._from_no_other_page(handler, kinds), need, changes=True)

    def for_entering(self, handler: Callable[..., Awaitable[bytes]]) -> Handler:
        """A change by whoever is not known yet: the handler looks at the credentials itself."""

        async def answer(request: IRequest, **parts: str) -> bytes:
            refused = self._turned_away(request)
            return await self._from_no_other_page(handler)(request, **parts) if refused is None else refused

        return answer

    def actor(self, request: IRequest) -> Actor:
        """Who asks: of a request that was let through."""
        return self._actors[request]

    def name(self, request: IRequest) -> str:
        """In whose name a request is done, as meetings' journals show it."""
        return self.actor(request).name.removeprefix("admin:")

    def _guarded(
        self, handler: Callable[..., Awaitable[bytes]], need: Need | None, *, changes: bool
    ) -> Handler:
        async def answer(request: IRequest, **parts: str) -> bytes:
            refused = self._turned_away(request)
            if refused is None:
                refused = await self._not_admitted(request, changes=changes)
            if refused is None and need is not None:
                refused = self._without_right(request, need, changes=changes)
            return await handler(request, **parts) if refused is None else refused

        return answer

    def _from_no_other_page(
        self, handler: Callable[..., Awaitable[bytes]], kinds: Sequence[str] = (JSON,)
    ) -> Handler:
        """A form or a simple script of another origin cannot send any of ``kinds``, nor DELETE, without asking us
        first (CORS), which nobody answers; and browsers tell where a request comes from.
        """

        async def answer(request: IRequest, **parts: str) -> bytes:
            if is_foreign(request):
                return of_another_page(request)
            if request.method != b"DELETE" and _content_type(request) not in kinds:
                return problem(
                    request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"The body must be {' or '.join(kinds)}."
                )
            return await handler(request, **parts)

        return answer

    def _turned_away(self, request: IRequest) -> bytes | None:
        """The refusal of whoever it may be: one that asks too often, or by a wrong name."""
        if self._throttle is not None and (refused := self._throttle.of_source(request)) is not None:
            return refused
        if self._is_right_host(request):
            return None
        return problem(request, HTTPStatus.MISDIRECTED_REQUEST, "This host name is not served here.")

    async def _not_admitted(self, request: IRequest, *, changes: bool) -> bytes | None:
        try:
            self._actors[request] = await self._authentication.actor(request, changes=changes)
        except NotAdmitted as error:
            return not_admitted(request, error)
        except CsrfMissing:
            return of_another_page(request)
        return None if self._throttle is None else self._throttle.of_token(request, self._actors[request])

    def _without_right(self, request: IRequest, need: Need, *, changes: bool) -> bytes | None:
        actor = self.actor(request)
        if actor.may(_noun_of(request), writes=changes, least=need.least):
            if actor.companies is None or not need.whole_engine:
                return None
            return problem(
                request, HTTPStatus.FORBIDDEN, "This is of every company on the engine.", reason="forbidden"
            )
        return problem(
            request, HTTPStatus.FORBIDDEN, "Your role or your token does not allow this.", reason="forbidden"
        )

    def _is_right_host(self, request: IRequest) -> bool:
        if self._hosts is None:
            return True
        host = _host_of(header(request, b"host"))
        return host in self._hosts or host == getattr(request.getHost(), "host", None)


def not_admitted(request: IRequest, error: NotAdmitted) -> bytes:
    """The answer to whoever is not let in."""
    if error.why is Why.SILENCED:
        request.setHeader(b"retry-after", RETRY_SECONDS)
        return problem(
            request, HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong passwords.", reason=error.why.value
        )
    if error.why is Why.CODE:
        detail = "A one-time code is needed: sign in with one, or use an API token."
        return problem(request, HTTPStatus.UNAUTHORIZED, detail, reason=error.why.value)
    if not header(request, b"sec-fetch-mode"):  # a browser would open a window of its own over the console
        request.setHeader(b"www-authenticate", b'Basic realm="Polyphony", charset="UTF-8"')
    return problem(
        request, HTTPStatus.UNAUTHORIZED, "A name and password are needed.", reason=error.why.value
    )


def header(request: IRequest, name: bytes) -> str:
    """A header's text; empty where there is none."""
    value = request.getHeader(name) or b""
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _host_of(text: str) -> str:
    """The host of a Host header, without its port (RFC 9110 section 7.2)."""
    if text.startswith("["):
        return text[1:].partition("]")[0].lower()
    return text.partition(":")[0].lower()


def of_another_page(request: IRequest) -> bytes:
    """The answer to a browser that asks on behalf of a page that is not ours."""
    return problem(
        request, HTTPStatus.FORBIDDEN, "Another page may not change anything here.", reason="origin"
    )


def _noun_of(request: IRequest) -> str:
    """What a path is about, as scopes name it: ``/api/v1/NOUN/...``, ``/metrics``."""
    parts = request.path.decode("utf-8", "replace").removeprefix("/api/v1").split("/")
    return parts[1] if len(parts) > 1 else ""


def _content_type(request: IRequest) -> str:
    return header(request, b"content-type").partition(";")[0].strip().lower()


def is_foreign(request: IRequest) -> bool:
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
