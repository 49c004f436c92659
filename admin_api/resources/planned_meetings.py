"""``/api/v1/conferences/{number}/meetings`` and ``/api/v1/meetings``: what is planned, and who is invited."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from admin_api.bodies import json_answer, json_object
from admin_api.resources.conferences import ROOMS

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

    from admin_api.routes import Routes
    from engine.conferences.planned import PlannedMeetings

MEETINGS = "/api/v1/meetings"


class Meetings:
    """Planned meetings, by room and by UID."""

    def __init__(self, planned: PlannedMeetings) -> None:
        self._planned = planned

    def serve(self, routes: Routes) -> None:
        """Be reachable."""
        routes.read(f"{ROOMS}/<number>/meetings", self._of_room)
        routes.change("POST", f"{ROOMS}/<number>/meetings", self._plan)
        routes.read(f"{MEETINGS}/<uid>", self._one)
        routes.change("PATCH", f"{MEETINGS}/<uid>", self._change)
        routes.change("DELETE", f"{MEETINGS}/<uid>", self._cancel)

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
