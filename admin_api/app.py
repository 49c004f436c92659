"""The routes: translate a request, ask the engine, translate its answer. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from klein import Klein
from twisted.logger import Logger
from twisted.python.failure import Failure
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from admin_api.guard import Guard
from admin_api.problems import problem
from admin_api.refusals import REFUSALS, refused
from admin_api.resources.conference_events import ConferenceEvents
from admin_api.resources.conferences import MeetingPolicies, Rooms
from admin_api.resources.console import Console
from admin_api.resources.description import Description
from admin_api.resources.events import CompanyEvents
from admin_api.resources.live_conferences import LiveConferences
from admin_api.resources.nouns import NounRoutes
from admin_api.resources.planned_meetings import Meetings
from admin_api.resources.running_engine import RunningEngine
from admin_api.resources.second_factor import SecondFactor
from admin_api.resources.session import Sessions
from admin_api.routes import Routes, Served

if TYPE_CHECKING:
    from klein.resource import KleinResource
    from twisted.internet.interfaces import IReactorTime
    from twisted.web.iweb import IRequest

    from admin_api.authentication import Authentication
    from admin_api.throttle import Throttle
    from engine.administration.desk import Desk
    from engine.administration.event_reading import EventReading
    from engine.authentication.authenticator import Authenticator
    from engine.conferences.administration import ConferenceAdministration
    from engine.conferences.planned import PlannedMeetings
    from engine.status import StatusSource

log = Logger()


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
        desk: Desk,
        events: EventReading,
        authentication: Authentication,
        authenticator: Authenticator,
        host_names: Sequence[str] | None,
        clock: IReactorTime,
        throttle: Throttle | None = None,
    ) -> None:
        guard = Guard(authentication, host_names, throttle)
        self._klein = Klein()
        self.routes = routes = Routes(self._klein, guard)
        self._events = ConferenceEvents(conferences, clock)
        self._company_events = CompanyEvents(events, guard, clock)
        parts: tuple[Served, ...] = (
            RunningEngine(status, {noun.name for noun in desk.nouns}),
            *(NounRoutes(noun, desk, guard.actor) for noun in desk.nouns),
            Rooms(conferences),
            LiveConferences(conferences, guard.name),
            self._events,
            self._company_events,
            MeetingPolicies(conferences),
            Meetings(planned),
            Sessions(authenticator, guard),
            SecondFactor(authenticator, guard),
            Console(),
            Description(routes),
        )
        for part in parts:
            part.serve(routes)
        self._klein.handle_errors(HTTPException)(_http_error)
        self._klein.handle_errors(*REFUSALS)(refused)
        self._klein.handle_errors(Exception)(_unexpected)

    def resource(self) -> KleinResource:
        """The root resource for a Site."""
        return self._klein.resource()

    def stop(self) -> None:
        """End what would go on for ever."""
        self._events.stop()
        self._company_events.stop()


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
