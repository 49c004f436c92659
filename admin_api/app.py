"""The routes: translate a request, ask the engine, translate its answer. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING

from klein import Klein
from twisted.logger import Logger
from twisted.python.failure import Failure
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from admin_api.bodies import json_answer
from admin_api.guard import Guard
from admin_api.metrics import CONTENT_TYPE, render
from admin_api.problems import problem
from admin_api.refusals import REFUSALS, refused
from admin_api.resources.conference_events import ConferenceEvents
from admin_api.resources.conferences import MeetingPolicies, Rooms
from admin_api.resources.live_conferences import LiveConferences
from admin_api.resources.planned_meetings import Meetings
from admin_api.resources.session import Sessions
from admin_api.routes import Routes

if TYPE_CHECKING:
    from klein.resource import KleinResource
    from twisted.internet.interfaces import IReactorTime
    from twisted.web.iweb import IRequest

    from admin_api.authentication import Authentication
    from admin_api.routes import Resource
    from engine.authentication.authenticator import Authenticator
    from engine.conferences.administration import ConferenceAdministration
    from engine.conferences.planned import PlannedMeetings
    from engine.status import StatusSource

log = Logger()

_ASSETS = {
    "console.js": b"text/javascript; charset=utf-8",
    "conferences.js": b"text/javascript; charset=utf-8",
    "console.css": b"text/css; charset=utf-8",
    "icon.svg": b"image/svg+xml",
}


class AdminApi:
    """The API under ``/api/v1`` and the console at ``/``.

    host_names: names a request's Host may bear besides localhost and the address it came to; None on the Unix
    socket, where there is none.
    """

    def __init__(
        self,
        status: StatusSource,
        conferences: ConferenceAdministration,
        planned: PlannedMeetings,
        authentication: Authentication,
        authenticator: Authenticator,
        host_names: Sequence[str] | None,
        clock: IReactorTime,
    ) -> None:
        guard = Guard(authentication, host_names)
        self._klein = Klein()
        routes = Routes(self._klein, guard)
        for name, read in {
            "status": status.engine,
            "automates": status.automates,
            "links": status.links,
            "lines": status.lines,
        }.items():
            routes.read(f"/api/v1/{name}", _reader(read))
        routes.read("/metrics", _metrics(status))
        routes.read_by_all("/api/v1/health", _health)
        routes.read_by_all("/", _front_page)
        routes.read_by_all("/console/<name>", _asset)
        self._events = ConferenceEvents(conferences, clock)
        for noun in (
            Rooms(conferences),
            LiveConferences(conferences, guard.name),
            self._events,
            MeetingPolicies(conferences),
            Meetings(planned),
            Sessions(authenticator, guard),
        ):
            noun.serve(routes)
        self._klein.handle_errors(HTTPException)(_http_error)
        self._klein.handle_errors(*REFUSALS)(refused)
        self._klein.handle_errors(Exception)(_unexpected)

    def resource(self) -> KleinResource:
        """The root resource for a Site."""
        return self._klein.resource()

    def stop(self) -> None:
        """End what would go on for ever."""
        self._events.stop()


def _reader(read: Callable[[], object]) -> Resource:
    async def answer(request: IRequest) -> bytes:
        return json_answer(request, read())

    return answer


def _metrics(status: StatusSource) -> Resource:
    async def read(request: IRequest) -> bytes:
        request.setHeader(b"content-type", CONTENT_TYPE)
        request.setHeader(b"cache-control", b"no-store")
        return render(status.metrics())

    return read


def _health(request: IRequest) -> bytes:
    return json_answer(request, {"status": "ok"})


def _front_page(request: IRequest) -> bytes:
    return _file(request, "index.html", b"text/html; charset=utf-8")


def _asset(request: IRequest, name: str) -> bytes:
    kind = _ASSETS.get(name)
    return problem(request, HTTPStatus.NOT_FOUND) if kind is None else _file(request, name, kind)


def _file(request: IRequest, name: str, kind: bytes) -> bytes:
    request.setHeader(b"content-type", kind)
    return files("admin_api").joinpath("web", name).read_bytes()


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
