"""``/api/v1/conferences``: the rooms there are. ``/api/v1/meeting-policies``: what their meetings may be."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from admin_api.bodies import BadRequest, argument, json_answer, json_object, nothing

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

    from admin_api.routes import Routes
    from engine.conferences.administration import ConferenceAdministration

ROOMS = "/api/v1/conferences"
POLICIES = "/api/v1/meeting-policies"
LISTED = 100
"""Meetings that are over, in an answer that does not say how many."""


class Rooms:
    """Rooms of the store, and the meetings that were held in them."""

    def __init__(self, conferences: ConferenceAdministration) -> None:
        self._conferences = conferences

    def serve(self, routes: Routes) -> None:
        """Be reachable."""
        routes.read(ROOMS, self._all)
        routes.change("POST", ROOMS, self._add)
        routes.read(f"{ROOMS}/<number>", self._one)
        routes.change("PATCH", f"{ROOMS}/<number>", self._change)
        routes.change("DELETE", f"{ROOMS}/<number>", self._remove)
        routes.read(f"{ROOMS}/held", self._held)
        routes.read(f"{ROOMS}/<number>/held", self._held)

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
        routes.read(POLICIES, self._all)
        routes.read(f"{POLICIES}/<key>", self._one)
        routes.change("PUT", f"{POLICIES}/<key>", self._put)
        routes.change("DELETE", f"{POLICIES}/<key>", self._remove)

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
