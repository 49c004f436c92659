"""``/api/v1/conferences``: the rooms there are. ``/api/v1/meeting-policies``: what their meetings may be."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from admin_api.bodies import BadRequest, argument, json_answer, json_object, nothing
from admin_api.operations import BAD, CONFLICT, MISSING, Operation, Parameter
from engine.conferences.described import PolicyAnswer, PolicyBody, RoomAnswer, RoomBody, many
from engine.store.conferences.records import HeldMeeting

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

    from admin_api.routes import Routes
    from engine.conferences.administration import ConferenceAdministration

ROOMS = "/api/v1/conferences"
POLICIES = "/api/v1/meeting-policies"
LISTED = 100
"""Meetings that are over, in an answer that does not say how many."""


TAG = "conferences"
POLICY = "meeting-policies"
NUMBER = {"number": "The room's number."}
_KEY = {"key": "`default`, `group:NAME` or `user:NAME`."}
_COUNT = Parameter("count", "How many at most, 1000 at the most.", Annotated[int, Meta(ge=0, le=999_999_999)])
_WRITING = frozenset({BAD, MISSING, CONFLICT})
_LOCATION = {"Location": "Where it is."}


class Rooms:
    """Rooms of the store, and the meetings that were held in them."""

    def __init__(self, conferences: ConferenceAdministration) -> None:
        self._conferences = conferences

    def serve(self, routes: Routes) -> None:
        """Be reachable."""
        one, gone = f"{ROOMS}/<number>", HTTPStatus.NO_CONTENT
        routes.read(ROOMS, self._all, Operation("Lists the rooms, by number.", TAG, many(RoomAnswer)))
        routes.change(
            "POST",
            ROOMS,
            self._add,
            Operation(
                "Makes a room; without a number it gets the first free one of its domain's ranges.",
                TAG,
                RoomAnswer,
                HTTPStatus.CREATED,
                body=RoomBody,
                refusals=_WRITING,
                headers=_LOCATION,
            ),
        )
        shown = Operation("Shows a room.", TAG, RoomAnswer, parts=NUMBER, refusals=frozenset({MISSING}))
        changed = Operation(
            "Changes the fields that are named; a meeting that is held goes on as it began.",
            TAG,
            RoomAnswer,
            body=RoomBody,
            parts=NUMBER,
            refusals=_WRITING,
        )
        removed = Operation(
            "Removes a room; not while meetings are planned in it.",
            TAG,
            status=gone,
            parts=NUMBER,
            refusals=frozenset({MISSING, CONFLICT}),
        )
        routes.read(one, self._one, shown)
        routes.change("PATCH", one, self._change, changed)
        routes.change("DELETE", one, self._remove, removed)
        held = Operation(
            "Lists the newest meetings that are over.",
            TAG,
            list[HeldMeeting],
            parameters=(_COUNT,),
            refusals=frozenset({BAD}),
        )
        of_room = replace(
            held,
            summary="Lists those that were held in a room.",
            parts=NUMBER,
            refusals=frozenset({BAD, MISSING}),
        )
        routes.read(f"{ROOMS}/held", self._held, held)
        routes.read(f"{ROOMS}/<number>/held", self._held, of_room)

    async def _all(self, request: IRequest) -> bytes:
        return json_answer(request, await self._conferences.rooms())

    async def _add(self, request: IRequest) -> bytes:
        added = await self._conferences.add_room(json_object(request))
        request.setHeader(b"location", f"{ROOMS}/{added['number']}".encode())
        return json_answer(request, added, HTTPStatus.CREATED)

    async def _one(self, request: IRequest, number: str) -> bytes:
        return json_answer(request, await self._conferences.room(number))

    async def _change(self, request: IRequest, number: str) -> bytes:
        return json_answer(request, await self._conferences.change_room(number, json_object(request)))

    async def _remove(self, request: IRequest, number: str) -> bytes:
        await self._conferences.remove_room(number)
        return nothing(request)

    async def _held(self, request: IRequest, number: str | None = None) -> bytes:
        text = argument(request, b"count")
        if text is not None and not (text.isascii() and text.isdigit() and 0 < len(text) < 10):
            raise BadRequest(HTTPStatus.BAD_REQUEST, "count must be a whole number.")
        return json_answer(request, await self._conferences.held(number, int(text or LISTED)))


class MeetingPolicies:
    """Policies: ``default``, ``group:NAME``, ``user:NAME``."""

    def __init__(self, conferences: ConferenceAdministration) -> None:
        self._conferences = conferences

    def serve(self, routes: Routes) -> None:
        """Be reachable."""
        one, reads = f"{POLICIES}/<key>", frozenset({BAD, MISSING})
        every = Operation("Lists the policies, the weakest first.", POLICY, many(PolicyAnswer))
        shown = Operation("Shows a policy.", POLICY, PolicyAnswer, parts=_KEY, refusals=reads)
        put = Operation(
            "Sets a policy, whole.",
            POLICY,
            PolicyAnswer,
            also={HTTPStatus.CREATED: "It is a new one."},
            body=PolicyBody,
            parts=_KEY,
            refusals=frozenset({BAD, CONFLICT}),
        )
        removed = Operation(
            "Says nothing at this level any more.",
            POLICY,
            status=HTTPStatus.NO_CONTENT,
            parts=_KEY,
            refusals=reads,
        )
        routes.read(POLICIES, self._all, every)
        routes.read(one, self._one, shown)
        routes.change("PUT", one, self._put, put)
        routes.change("DELETE", one, self._remove, removed)

    async def _all(self, request: IRequest) -> bytes:
        return json_answer(request, await self._conferences.policies())

    async def _one(self, request: IRequest, key: str) -> bytes:
        return json_answer(request, await self._conferences.policy(key))

    async def _put(self, request: IRequest, key: str) -> bytes:
        stored, is_new = await self._conferences.put_policy(key, json_object(request))
        return json_answer(request, stored, HTTPStatus.CREATED if is_new else HTTPStatus.OK)

    async def _remove(self, request: IRequest, key: str) -> bytes:
        await self._conferences.remove_policy(key)
        return nothing(request)
