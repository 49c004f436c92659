"""``/api/v1/events``: the event log of a company, from any number on; by asking again and again, or by WebSocket."""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec
from msgspec import Meta
from twisted.internet.defer import Deferred

from admin_api.bodies import argument, json_answer
from admin_api.guard import ITSELF, is_foreign, of_another_page
from admin_api.operations import BAD, MISSING, Operation, Parameter
from admin_api.problems import problem
from admin_api.web_socket import EventSocket, handshake_of
from engine.administration.event_reading import EventView, view_of
from engine.events.kinds import Kinds
from engine.store.errors import Invalid
from engine.store.event_log import LoggedEvent, UnknownCursor

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime
    from twisted.web.iweb import IRequest

    from admin_api.guard import Guard
    from admin_api.routes import Routes
    from engine.administration.event_reading import Company, EventReading

PATH = "/api/v1/events"
MOST_READERS = 256
"""Who wait or follow at once, on one listener."""
MOST_OF_ONE = 64
"""Of them, in one name: nobody takes all places."""
LONGEST_WAIT = 60
MOST_EVENTS = 1000
LARGEST_CURSOR = 2**63 - 1

TAG = "events"
PARAMETERS = (
    Parameter("company", "Whose; needed by those who see several companies."),
    Parameter(
        "after",
        "The number of the last event that is known; without it, from now on.",
        Annotated[int, Meta(ge=0, le=LARGEST_CURSOR)],
    ),
    Parameter(
        "kinds", "Those that are wanted, with commas between: users.added, or users.* for all of a noun."
    ),
)
REFUSALS = frozenset({BAD, MISSING, HTTPStatus.SERVICE_UNAVAILABLE})


class EventPageView(msgspec.Struct, frozen=True):
    """Some events, and where to go on."""

    events: list[EventView]
    cursor: Annotated[int, Meta(ge=0, description="What to go on after.")]


TELL = Operation(
    "Tells the events of a company from a number on.",
    TAG,
    EventPageView,
    parameters=(
        *PARAMETERS,
        Parameter("limit", "Events at most.", Annotated[int, Meta(ge=1, le=MOST_EVENTS)]),
        Parameter(
            "wait",
            "Seconds to wait for one when there are none.",
            Annotated[int, Meta(ge=0, le=LONGEST_WAIT)],
        ),
    ),
    refusals=REFUSALS | {HTTPStatus.GONE},
)
FOLLOW = Operation(
    "Follows the events of a company by WebSocket, a text message an event.",
    TAG,
    str,
    answers=("text/plain",),
    parameters=PARAMETERS,
    refusals=REFUSALS | {HTTPStatus.UPGRADE_REQUIRED},
)


class CompanyEvents:
    """Tells events, waits for the next one, or follows them."""

    def __init__(self, reading: EventReading, guard: Guard, clock: IReactorTime) -> None:
        self._reading = reading
        self._guard = guard
        self._clock = clock
        self._readers: Counter[str] = Counter()
        self._waiting: set[Deferred[None]] = set()
        self._sockets: set[EventSocket] = set()

    def serve(self, routes: Routes) -> None:
        """Be reachable."""
        routes.read(PATH, self._tell, TELL, need=ITSELF)
        routes.read(f"{PATH}/socket", self._follow, FOLLOW, need=ITSELF)

    def stop(self) -> None:
        """The engine stops."""
        for waiting in tuple(self._waiting):
            _fire(waiting)
        for socket in tuple(self._sockets):
            socket.close(1001, "the engine stops")

    async def _tell(self, request: IRequest) -> bytes:
        """The events after a cursor; if there are none, the next one, when it comes in time."""
        limit = _number(request, b"limit", 1, MOST_EVENTS, 100)
        seconds = _number(request, b"wait", 0, LONGEST_WAIT, 0)
        company, after, kinds = await self._asked(request)
        try:
            page = await self._reading.page(company, after, kinds, limit)
            events, cursor = page.events, page.cursor
            if not events and seconds:
                name = self._guard.actor(request).name
                if self._is_full(name):
                    return _full(request)
                self._readers[name] += 1
                try:
                    events, cursor = await self._next(request, company, cursor, kinds, limit, seconds)
                finally:
                    self._readers[name] -= 1
        except UnknownCursor as error:
            return problem(request, HTTPStatus.GONE, _text(error), reason="unknown_cursor")
        return json_answer(request, EventPageView([view_of(each, company.uid) for each in events], cursor))

    async def _next(
        self, request: IRequest, company: Company, cursor: int, kinds: Kinds, limit: int, seconds: float
    ) -> tuple[list[LoggedEvent], int]:
        """What comes within so many seconds, as soon as anything does. Raises UnknownCursor."""
        got: list[LoggedEvent] = []
        over: Deferred[None] = Deferred()

        def ready() -> None:
            got.extend(follower.take(limit - len(got)))
            if got or follower.over:
                _fire(over)

        follower = await self._reading.follow(company, cursor, kinds, ready)
        timer = self._clock.callLater(seconds, _fire, over)
        cast(Any, request).notifyFinish().addErrback(lambda _gone: _fire(over))
        self._waiting.add(over)
        try:
            ready()
            await over
        finally:
            self._waiting.discard(over)
            follower.close()
            if timer.active():
                timer.cancel()
        if follower.lost is not None:
            raise follower.lost
        return got, follower.cursor

    async def _follow(self, request: IRequest) -> bytes:
        """Serve a reader's WebSocket until it is gone."""
        if is_foreign(request):  # browsers send their cookies along to whatever socket a page opens
            return of_another_page(request)
        handshake = handshake_of(request)
        if handshake is None:
            request.setHeader(b"upgrade", b"websocket")
            request.setHeader(b"sec-websocket-version", b"13")
            return problem(
                request, HTTPStatus.UPGRADE_REQUIRED, "This is a WebSocket (RFC 6455, version 13)."
            )
        company, after, kinds = await self._asked(request)
        name = self._guard.actor(request).name
        if self._is_full(name):
            return _full(request)
        socket = EventSocket(request, self._clock, company.uid)
        self._readers[name] += 1
        self._sockets.add(socket)
        try:
            follower = await self._reading.follow(company, after, kinds, socket.pump)
            socket.begin(follower, handshake)
            await socket.over
        finally:
            self._readers[name] -= 1
            self._sockets.discard(socket)
            socket.release()
        return b""

    async def _asked(self, request: IRequest) -> tuple[Company, int | None, Kinds]:
        """Whose events, after which, and of which kinds. Raises Invalid, Forbidden, NotFound."""
        kinds = Kinds.parse(argument(request, b"kinds") or "")
        after = _cursor(request)
        company = await self._reading.company(self._guard.actor(request), argument(request, b"company"))
        return company, after, kinds

    def _is_full(self, name: str) -> bool:
        return self._readers.total() >= MOST_READERS or self._readers[name] >= MOST_OF_ONE


def _text(error: UnknownCursor) -> str:
    return (
        "The events that follow that one are not known (any more): read the things themselves anew, then go on"
        f" after {error.oldest - 1}."
    )


def _full(request: IRequest) -> bytes:
    request.setHeader(b"retry-after", b"10")
    return problem(request, HTTPStatus.SERVICE_UNAVAILABLE, "Too many follow events already.")


def _cursor(request: IRequest) -> int | None:
    text = argument(request, b"after")
    return None if text is None else _whole("after", text, 0, LARGEST_CURSOR)


def _number(request: IRequest, name: bytes, low: int, high: int, otherwise: int) -> int:
    text = argument(request, name)
    return otherwise if text is None else _whole(name.decode(), text, low, high)


def _whole(name: str, text: str, low: int, high: int) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else -1
    if not low <= number <= high:
        raise Invalid(name, f"a whole number from {low} to {high}")
    return number


def _fire(waiting: Deferred[None]) -> None:
    if not waiting.called:
        waiting.callback(None)
