"""``/api/v1/conferences/{number}/meetings`` and ``/api/v1/meetings``: what is planned, and who is invited."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from admin_api.bodies import json_answer, json_object
from admin_api.operations import BAD, CONFLICT, MISSING, Operation
from admin_api.resources.conferences import NUMBER, ROOMS
from engine.conferences.described import MeetingAnswer, MeetingBody, many

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

    from admin_api.routes import Routes
    from engine.conferences.planned import PlannedMeetings

MEETINGS = "/api/v1/meetings"
TAG = "meetings"
_UID = {"uid": "The meeting's UID, as calendars have it."}


class Meetings:
    """Planned meetings, by room and by UID."""

    def __init__(self, planned: PlannedMeetings) -> None:
        self._planned = planned

    def serve(self, routes: Routes) -> None:
        """Be reachable."""
        of_room, one = f"{ROOMS}/<number>/meetings", f"{MEETINGS}/<uid>"
        missing, writing = frozenset({MISSING}), frozenset({BAD, MISSING, CONFLICT})
        every = Operation(
            "Lists the meetings planned in a room, cancelled ones too.",
            TAG,
            many(MeetingAnswer),
            parts=NUMBER,
            refusals=missing,
        )
        plan = Operation(
            "Plans one; who is invited gets mail.",
            TAG,
            MeetingAnswer,
            HTTPStatus.CREATED,
            body=MeetingBody,
            parts=NUMBER,
            refusals=writing,
            headers={"Location": "Where it is."},
        )
        shown = Operation("Shows one.", TAG, MeetingAnswer, parts=_UID, refusals=missing)
        changed = Operation(
            "Changes the fields that are named, `invitees` as a whole; who is concerned gets mail.",
            TAG,
            MeetingAnswer,
            body=MeetingBody,
            parts=_UID,
            refusals=writing,
        )
        cancelled = Operation(
            "Cancels it; who was invited gets mail.", TAG, MeetingAnswer, parts=_UID, refusals=missing
        )
        routes.read(of_room, self._of_room, every)
        routes.change("POST", of_room, self._plan, plan)
        routes.read(one, self._one, shown)
        routes.change("PATCH", one, self._change, changed)
        routes.change("DELETE", one, self._cancel, cancelled)

    async def _of_room(self, request: IRequest, number: str) -> bytes:
        return json_answer(request, await self._planned.of_room(number))

    async def _plan(self, request: IRequest, number: str) -> bytes:
        planned = await self._planned.plan(number, json_object(request))
        request.setHeader(b"location", f"{MEETINGS}/{planned['uid']}".encode())
        return json_answer(request, planned, HTTPStatus.CREATED)

    async def _one(self, request: IRequest, uid: str) -> bytes:
        return json_answer(request, await self._planned.get(uid))

    async def _change(self, request: IRequest, uid: str) -> bytes:
        return json_answer(request, await self._planned.change(uid, json_object(request)))

    async def _cancel(self, request: IRequest, uid: str) -> bytes:
        return json_answer(request, await self._planned.cancel(uid))
