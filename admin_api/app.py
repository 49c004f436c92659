"""The routes: translate a request, ask the engine, translate its answer. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec
from klein import Klein
from twisted.logger import Logger
from twisted.python.failure import Failure
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from admin_api.metrics import CONTENT_TYPE, render
from admin_api.problems import problem
from engine.administrators import Verdict

if TYPE_CHECKING:
    from klein.resource import KleinResource
    from twisted.web.iweb import IRequest

    from admin_api.authentication import Authentication
    from engine.status import StatusSource

    Handler = Callable[..., Coroutine[object, object, bytes]]

log = Logger()

RETRY_SECONDS = b"60"
_ASSETS = {
    "console.js": b"text/javascript; charset=utf-8",
    "console.css": b"text/css; charset=utf-8",
    "icon.svg": b"image/svg+xml",
}


class AdminApi:
    """The API under ``/api/v1`` and the console at ``/``.

    host_names: names a request's Host may bear besides localhost and the address it came to; None on the Unix
    socket, where there is none.
    """

    def __init__(
        self, status: StatusSource, authentication: Authentication, host_names: Sequence[str] | None
    ) -> None:
        self._authentication = authentication
        self._hosts = None if host_names is None else {"localhost", *(each.lower() for each in host_names)}
        self._klein = Klein()
        for name, read in {
            "status": status.engine,
            "automates": status.automates,
            "links": status.links,
            "lines": status.lines,
        }.items():
            self._route(f"/api/v1/{name}", name, self._for_administrators(_reader(read)))
        self._route("/metrics", "metrics", self._for_administrators(_metrics(status)))
        self._route("/api/v1/health", "health", self._for_everybody(_health))
        self._route("/", "console", self._for_everybody(_front_page))
        self._route("/console/<name>", "asset", self._for_everybody(_asset))
        self._klein.handle_errors(HTTPException)(_http_error)
        self._klein.handle_errors(Exception)(_unexpected)

    def resource(self) -> KleinResource:
        """The root resource for a Site."""
        return self._klein.resource()

    def _route(self, path: str, name: str, handler: Handler) -> None:
        self._klein.route(path, methods=["GET"], endpoint=name)(handler)

    def _for_everybody(self, handler: Callable[..., bytes]) -> Handler:
        """Under a host name that is ours only: a page of somebody else's must not read us by a name of its own."""

        async def answer(request: IRequest, **parts: str) -> bytes:
            if not self._is_right_host(request):
                return problem(request, HTTPStatus.MISDIRECTED_REQUEST, "This host name is not served here.")
            return handler(request, **parts)

        return answer

    def _for_administrators(self, handler: Callable[..., bytes]) -> Handler:
        """And with a right password."""

        async def answer(request: IRequest, **parts: str) -> bytes:
            if not self._is_right_host(request):
                return problem(request, HTTPStatus.MISDIRECTED_REQUEST, "This host name is not served here.")
            match await self._authentication.verdict(request):
                case Verdict.RIGHT:
                    return handler(request, **parts)
                case Verdict.SILENCED:
                    request.setHeader(b"retry-after", RETRY_SECONDS)
                    return problem(request, HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong passwords.")
            request.setHeader(b"www-authenticate", b'Basic realm="Polyphony", charset="UTF-8"')
            return problem(request, HTTPStatus.UNAUTHORIZED, "A name and password are needed.")

        return answer

    def _is_right_host(self, request: IRequest) -> bool:
        if self._hosts is None:
            return True
        header = request.getHeader(b"host") or b""
        text = header.decode("latin-1") if isinstance(header, bytes) else header
        host = _host_of(text)
        return host in self._hosts or host == getattr(request.getHost(), "host", None)


def _host_of(header: str) -> str:
    """The host of a Host header, without its port (RFC 9110 section 7.2)."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


def _reader(read: Callable[[], object]) -> Callable[[IRequest], bytes]:
    return lambda request: _json(request, read())


def _metrics(status: StatusSource) -> Callable[[IRequest], bytes]:
    def read(request: IRequest) -> bytes:
        request.setHeader(b"content-type", CONTENT_TYPE)
        request.setHeader(b"cache-control", b"no-store")
        return render(status.metrics())

    return read


def _health(request: IRequest) -> bytes:
    return _json(request, {"status": "ok"})


def _front_page(request: IRequest) -> bytes:
    return _file(request, "index.html", b"text/html; charset=utf-8")


def _asset(request: IRequest, name: str) -> bytes:
    kind = _ASSETS.get(name)
    return problem(request, HTTPStatus.NOT_FOUND) if kind is None else _file(request, name, kind)


def _file(request: IRequest, name: str, kind: bytes) -> bytes:
    request.setHeader(b"content-type", kind)
    return files("admin_api").joinpath("web", name).read_bytes()


def _json(request: IRequest, value: object) -> bytes:
    request.setHeader(b"content-type", b"application/json")
    request.setHeader(b"cache-control", b"no-store")
    return msgspec.json.encode(value)


def _http_error(request: IRequest, failure: Failure) -> bytes:
    """No such route, or not by this method; a redirection to a tidier path is no route either."""
    error = failure.value
    if isinstance(error, MethodNotAllowed):
        request.setHeader(b"allow", ", ".join(sorted(error.valid_methods or ())).encode())
        return problem(request, HTTPStatus.METHOD_NOT_ALLOWED)
    code = error.code if isinstance(error, HTTPException) and error.code else 500
    return problem(request, HTTPStatus(code) if code >= 400 else HTTPStatus.NOT_FOUND)


def _unexpected(request: IRequest, failure: Failure) -> bytes:
    log.failure("an API request failed", failure=failure)
    return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR)
