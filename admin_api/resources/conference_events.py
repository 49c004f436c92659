"""``/api/v1/conferences/events``: what happens in meetings, as it happens and from any event on."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from admin_api.bodies import BadRequest, argument
from admin_api.event_stream import EventStream
from admin_api.guard import header
from admin_api.operations import BAD, MISSING, Operation, Parameter
from admin_api.problems import problem
from admin_api.resources.conferences import NUMBER, ROOMS, TAG
from engine.store import NotFound

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime
    from twisted.web.iweb import IRequest

    from admin_api.routes import Routes
    from engine.conferences.administration import ConferenceAdministration
    from engine.conferences.subscription import Position

MOST_READERS = 64
"""Connections that follow events at once."""


class ConferenceEvents:
    """Streams of events, of one room or of all."""

    def __init__(self, conferences: ConferenceAdministration, clock: IReactorTime) -> None:
        self._conferences = conferences
        self._clock = clock
        self._streams: set[EventStream] = set()

    def serve(self, routes: Routes) -> None:
        """Be reachable."""
        follow = Operation(
            "Follows what happens in all rooms, as Server-Sent Events.",
            TAG,
            str,
            answers=("text/event-stream",),
            parameters=(
                Parameter("after", "The id of the event to go on after."),
                Parameter("Last-Event-ID", "The same, as a browser says it.", place="header"),
            ),
            refusals=frozenset({BAD, HTTPStatus.GONE, HTTPStatus.SERVICE_UNAVAILABLE}),
        )
        of_room = replace(
            follow,
            summary="Follows what happens in a room, as Server-Sent Events.",
            parts=NUMBER,
            refusals=follow.refusals | {MISSING},
        )
        routes.read(f"{ROOMS}/events", self._follow, follow)
        routes.read(f"{ROOMS}/<number>/events", self._follow, of_room)

    def stop(self) -> None:
        """The engine stops."""
        for stream in tuple(self._streams):
            stream.end()

    async def _follow(self, request: IRequest, number: str | None = None) -> bytes:
        """Serve a reader until it is gone or cut off."""
        if number is not None and not self._conferences.is_room(number):
            raise NotFound("room", number[:20])
        after = self._after(request, number)
        if request.method == b"HEAD":
            return b""
        if len(self._streams) >= MOST_READERS:
            request.setHeader(b"retry-after", b"10")
            return problem(request, HTTPStatus.SERVICE_UNAVAILABLE, f"{MOST_READERS} follow events already.")
        stream = EventStream(request, self._clock)
        subscription = self._conferences.subscribe(number, stream.pump)
        self._streams.add(stream)
        try:
            if after is not None:
                await subscription.catch_up(after)
            stream.begin(subscription)
            await stream.over
        except NotFound:
            return problem(
                request, HTTPStatus.GONE, "That event is not known (any more): read the list anew."
            )
        finally:
            self._streams.discard(stream)
            subscription.close()
            stream.end()
        return b""

    def _after(self, request: IRequest, number: str | None) -> Position | None:
        """Where to go on; a browser that connects again says it in Last-Event-ID."""
        text = header(request, b"last-event-id") or argument(request, b"after") or ""
        if not text:
            return None
        found = self._conferences.position(number, text)
        if found is None:
            raise BadRequest(HTTPStatus.BAD_REQUEST, "Last-Event-ID must be MEETING:SEQUENCE.")
        return found
