"""``/api/v1/conferences/live``: the meetings that are held now, and every verb in them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from admin_api.bodies import json_answer, json_object, nothing
from admin_api.guard import TO_ACT
from admin_api.resources.conferences import ROOMS
from engine.conferences.administration import NotDone

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
        routes.read(f"{ROOMS}/live", self._all)
        routes.change("POST", f"{ROOMS}/live", self._open, need=TO_ACT)
        routes.read(f"{ROOMS}/<number>/live", self._one)
        routes.change("POST", f"{ROOMS}/<number>/live/<verb>", self._act, need=TO_ACT)

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
