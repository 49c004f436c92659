"""``/api/v1/conferences/live``: the meetings that are held now, and every verb in them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from admin_api.bodies import json_answer, json_object, nothing
from admin_api.guard import TO_ACT
from admin_api.operations import BAD, CONFLICT, MISSING, Operation
from admin_api.resources.conferences import NUMBER, ROOMS, TAG
from engine.conferences.administration import LiveRoomDetails, NotDone
from engine.conferences.described import RoomBody, VerbBody
from engine.conferences.live_view import LiveRoomView

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.web.iweb import IRequest

    from admin_api.routes import Routes
    from engine.conferences.administration import ConferenceAdministration


class LiveConferences:
    """Live meetings. name_of: in whose name a request is done."""

    def __init__(self, conferences: ConferenceAdministration, name_of: Callable[[IRequest], str]) -> None:
        self._conferences = conferences
        self._name_of = name_of

    def serve(self, routes: Routes) -> None:
        """Be reachable."""
        one, refusals = f"{ROOMS}/<number>/live", frozenset({BAD, MISSING, CONFLICT})
        every = Operation("Lists the meetings that are held now.", TAG, list[LiveRoomView])
        opened = Operation(
            "Begins one in a room that is nowhere else, until it is over.",
            TAG,
            LiveRoomDetails,
            HTTPStatus.CREATED,
            body=RoomBody,
            refusals=refusals,
            headers={"Location": "Where it is."},
        )
        shown = Operation(
            "Shows a meeting and who is in it.",
            TAG,
            LiveRoomDetails,
            parts=NUMBER,
            refusals=frozenset({MISSING}),
        )
        act = Operation(
            "Does a verb, in a host's rights; answers the meeting as it is then.",
            TAG,
            LiveRoomDetails,
            also={HTTPStatus.NO_CONTENT: "It was the meeting's end."},
            body=VerbBody,
            parts={**NUMBER, "verb": "The verb."},
            refusals=refusals,
        )
        routes.read(f"{ROOMS}/live", self._all, every)
        routes.change("POST", f"{ROOMS}/live", self._open, opened, need=TO_ACT)
        routes.read(one, self._one, shown)
        routes.change("POST", f"{one}/<verb>", self._act, act, need=TO_ACT)

    async def _all(self, request: IRequest) -> bytes:
        return json_answer(request, self._conferences.live())

    async def _open(self, request: IRequest) -> bytes:
        opened = await self._conferences.open(json_object(request))
        request.setHeader(b"location", f"{ROOMS}/{opened.room.number}/live".encode())
        return json_answer(request, opened, HTTPStatus.CREATED)

    async def _one(self, request: IRequest, number: str) -> bytes:
        return json_answer(request, self._conferences.live_room(number))

    async def _act(self, request: IRequest, number: str, verb: str) -> bytes:
        self._conferences.act(number, verb, json_object(request), self._name_of(request))
        try:
            return json_answer(request, self._conferences.live_room(number))
        except NotDone:  # it was the meeting's end
            return nothing(request)
