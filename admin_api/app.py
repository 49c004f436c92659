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
from werkzeug.exceptions import HTTPException

from admin_api.problems import problem

if TYPE_CHECKING:
    from klein.resource import KleinResource
    from twisted.web.iweb import IRequest

    from admin_api.authentication import Authentication
    from engine.status import StatusSource

log = Logger()

_CONTENT_SECURITY = b"default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_ASSETS = {
    "console.js": b"text/javascript; charset=utf-8",
    "console.css": b"text/css; charset=utf-8",
}


class AdminApi:
    """The API under ``/api/v1`` and the console at ``/``.

    host_names: the names a request's Host may bear (with localhost); None on the Unix socket, where there is none.
    """

    def __init__(
        self, status: StatusSource, authentication: Authentication, host_names: Sequence[str] | None
    ) -> None:
        self._status = status
        self._authentication = authentication
        self._hosts = None if host_names is None else {"localhost", *host_names}
        self._klein = Klein()
        self._add_routes()

    def resource(self) -> KleinResource:
        """The root resource for a Site."""
        return self._klein.resource()

    def _add_routes(self) -> None:
        route = self._klein.route
        route("/api/v1/health", methods=["GET"])(self._health)
        for name, read in {
            "status": self._status.engine,
            "automates": self._status.automates,
            "links": self._status.links,
            "lines": self._status.lines,
        }.items():
            route(f"/api/v1/{name}", methods=["GET"], endpoint=name)(self._reader(read))
        route("/", methods=["GET"], endpoint="console")(self._front_page)
        route("/console/<name>", methods=["GET"], endpoint="asset")(self._asset)
        self._klein.handle_errors(HTTPException)(self._http_error)
        self._klein.handle_errors(Exception)(self._unexpected)

    def _reader(self, read: Callable[[], object]) -> Callable[[IRequest], Coroutine[object, object, bytes]]:
        async def answer(request: IRequest) -> bytes:
            if not self._right_host(request):
                return problem(request, HTTPStatus.MISDIRECTED_REQUEST, "This host name is not served here.")
            if await self._authentication.administrator(request) is None:
                request.setHeader(b"www-authenticate", b'Basic realm="Polyphony", charset="UTF-8"')
                return problem(request, HTTPStatus.UNAUTHORIZED, "A name and password are needed.")
            return _json(request, read())

        return answer

    def _right_host(self, request: IRequest) -> bool:
        if self._hosts is None:
            return True
        host = (request.getHeader(b"host") or b"").decode("latin-1")
        return host.rpartition(":")[0].strip("[]") in self._hosts or host.strip("[]") in self._hosts

    def _health(self, request: IRequest) -> bytes:
        return _json(request, {"status": "ok"})

    def _front_page(self, request: IRequest) -> bytes:
        return self._asset(request, "index.html")

    def _asset(self, request: IRequest, name: str) -> bytes:
        kind = b"text/html; charset=utf-8" if name == "index.html" else _ASSETS.get(name)
        if kind is None:
            return problem(request, HTTPStatus.NOT_FOUND)
        request.setHeader(b"content-type", kind)
        request.setHeader(b"content-security-policy", _CONTENT_SECURITY)
        request.setHeader(b"x-content-type-options", b"nosniff")
        return files("admin_api").joinpath("web", name).read_bytes()

    def _http_error(self, request: IRequest, failure: Failure) -> bytes:
        error = failure.value
        code = error.code if isinstance(error, HTTPException) and error.code else 500
        return problem(request, HTTPStatus(code))

    def _unexpected(self, request: IRequest, failure: Failure) -> bytes:
        log.failure("an API request failed", failure=failure)
        return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR)


def _json(request: IRequest, value: object) -> bytes:
    request.setHeader(b"content-type", b"application/json")
    request.setHeader(b"cache-control", b"no-store")
    return msgspec.json.encode(value)
