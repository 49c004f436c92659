"""``/api/v1/{noun}``: every noun of the domain model by the same routes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

import msgspec

from admin_api.bodies import json_answer, json_object, nothing
from admin_api.csv_table import written
from admin_api.decoding import WrongBody, WrongField, decoded
from admin_api.entity_tags import NO_VERSION, demanded_versions, is_known, tag_of, tag_of_octets
from admin_api.expectations import expected
from admin_api.guard import ITSELF
from admin_api.negotiation import wanted_type
from admin_api.noun_operations import BASE, LISTS, NounOperations
from admin_api.operations import CSV, JSON, JSON_LINES
from admin_api.queries import arguments, fields_of, following, query_of
from admin_api.resources.bulk_changes import BulkChanges
from engine.administration.action import check
from engine.administration.query import MOST_ROWS

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

    from admin_api.routes import Resource, Routes
    from engine.administration.action import Action
    from engine.administration.desk import Desk
    from engine.administration.noun import Noun
    from engine.administration.query import Query, Versioned
    from engine.domain.actor import Actor

    ActorOf = Callable[[IRequest], Actor]


class NounRoutes:
    """The routes of one noun. actor_of: in whose name a request is done, once it may be done at all."""

    def __init__(self, noun: Noun[Any], desk: Desk, actor_of: ActorOf) -> None:
        self._noun = noun
        self._desk = desk
        self._actor_of = actor_of
        self._path = f"{BASE}/{noun.name}"
        self._bulk = BulkChanges(noun, desk, actor_of)

    def serve(self, routes: Routes) -> None:
        """Be reachable."""
        one, told = f"{self._path}/<uid>", NounOperations(self._noun)
        routes.read(self._path, self._list, told.list(), need=ITSELF)
        if not self._noun.engine_writes:
            routes.change("POST", self._path, self._add, told.add(), need=ITSELF)
            routes.change("POST", f"{self._path}/bulk", self._bulk.answer, told.bulk(), need=ITSELF)
        for action in self._noun.actions:
            path = f"{one if action.of_one else self._path}/{action.path}"
            if action.method == "GET":
                routes.read(path, self._performer(action), told.action(action), need=ITSELF)
            else:
                routes.change(action.method, path, self._performer(action), told.action(action), need=ITSELF)
        routes.read(one, self._one, told.one(), need=ITSELF)
        if not self._noun.engine_writes:
            routes.change("PATCH", one, self._change, told.change(), need=ITSELF)
        routes.change("DELETE", one, self._remove, told.remove(), need=ITSELF)

    # ---- lists

    async def _list(self, request: IRequest) -> bytes:
        actor, given = self._actor_of(request), arguments(request)
        query, kind = query_of(given), wanted_type(request, LISTS)
        request.setHeader(b"vary", b"accept")
        if kind != JSON and not given.keys() & {"limit", "cursor"}:
            return self._exported(request, kind, query.fields, await self._all(actor, query))
        page = await self._desk.read(self._noun.page, actor, query)
        if page.next is not None:
            request.setHeader(b"link", following(self._path, given, page.next))
        if kind != JSON:
            return self._exported(request, kind, query.fields, page.items)
        items = [_shown(each, query.fields) for each in page.items]
        return _tagged(request, JSON, msgspec.json.encode({"items": items, "next": page.next}))

    async def _all(self, actor: Actor, query: Query) -> list[Any]:
        """Every page of a list; others are answered between two."""
        found: list[Any] = []
        query = replace(query, limit=MOST_ROWS)
        while True:
            page = await self._desk.read(self._noun.page, actor, query)
            found += page.items
            if page.next is None:
                return found
            query = replace(query, cursor=page.next)

    def _exported(
        self, request: IRequest, kind: str, fields: frozenset[str] | None, views: list[Any]
    ) -> bytes:
        if kind == JSON_LINES:
            lines = [msgspec.json.encode(_shown(view, fields)) for view in views]
            return _tagged(request, kind, b"".join(line + b"\n" for line in lines))
        names = [name for name in self._noun.view.__struct_fields__ if fields is None or name in fields]
        rows = ([getattr(view, name) for name in names] for view in views)
        return _tagged(request, f"{CSV}; charset=utf-8", written([names, *rows]).encode())

    # ---- one

    async def _one(self, request: IRequest, uid: str) -> bytes:
        fields = fields_of(self._noun, arguments(request))
        found = await self._desk.read(self._noun.get, self._actor_of(request), uid)
        tag = tag_of(found.version)
        request.setHeader(b"etag", tag)
        if is_known(request, tag):
            return _unchanged(request)
        return json_answer(request, _shown(found.view, fields))

    async def _add(self, request: IRequest) -> bytes:
        actor = self._actor_of(request)
        self._noun.require_write(actor)
        draft = decoded(self._noun.draft, json_object(request))
        added = await self._desk.write(self._noun, self._noun.add, actor, draft)
        request.setHeader(b"location", f"{self._path}/{added.view.uid}".encode())
        return self._answered(request, added, HTTPStatus.CREATED)

    async def _change(self, request: IRequest, uid: str) -> bytes:
        actor = self._actor_of(request)
        self._noun.require_write(actor)
        patch = decoded(self._noun.patch, json_object(request))
        version = await self._demanded(request, actor, uid)
        changed = await self._desk.write(self._noun, self._noun.change, actor, uid, patch, version)
        return self._answered(request, changed, HTTPStatus.OK)

    async def _remove(self, request: IRequest, uid: str) -> bytes:
        actor = self._actor_of(request)
        self._noun.require_write(actor)
        version = await self._demanded(request, actor, uid)
        await self._desk.write(self._noun, self._noun.remove, actor, uid, version)
        return nothing(request)

    async def _demanded(self, request: IRequest, actor: Actor, uid: str) -> int | None:
        """The version If-Match names: of several the one there is."""
        versions = demanded_versions(request)
        if versions is None:
            return None
        if len(versions) == 1:
            return next(iter(versions))
        now = await self._desk.read(self._noun.get, actor, uid)
        return now.version if now.version in versions else NO_VERSION

    def _answered(self, request: IRequest, found: Versioned[Any], status: HTTPStatus) -> bytes:
        request.setHeader(b"etag", tag_of(found.version))
        return json_answer(request, found.view, status)

    # ---- verbs

    def _performer(self, action: Action) -> Resource:
        async def perform(request: IRequest, uid: str = "") -> bytes:
            actor = self._actor_of(request)
            check(self._noun, action, actor)
            body = _body_of(request, action)
            if action.live:
                answer = action.perform(self._noun, actor, uid, body)
                answer = await answer if isawaitable(answer) else answer
            elif action.writes:
                answer = await self._desk.write(self._noun, action.perform, self._noun, actor, uid, body)
            else:
                answer = await self._desk.read(action.perform, self._noun, actor, uid, body)
            return _performed(request, action, answer)

        return perform


def _body_of(request: IRequest, action: Action) -> msgspec.Struct | None:
    if action.method == "GET":
        return _parameters(arguments(request), action.body)
    return None if action.body is None else decoded(action.body, json_object(request))


def _parameters(given: dict[str, str], kind: type[msgspec.Struct] | None) -> msgspec.Struct | None:
    """Parameters of the query as a struct. Raises WrongBody."""
    fields = {} if kind is None else {each.encode_name: each for each in msgspec.structs.fields(kind)}
    values: dict[str, object] = {}
    wrong = []
    for name, text in given.items():
        if name not in fields:
            wrong.append(WrongField(name, f"nothing: the parameters are {', '.join(fields) or 'none'}"))
            continue
        try:
            values[name] = msgspec.to_builtins(msgspec.convert(text, fields[name].type, strict=False))
        except msgspec.ValidationError:
            wrong.append(WrongField(name, expected(fields[name].type)))
    if wrong:
        raise WrongBody(wrong)
    return None if kind is None else decoded(kind, values)


def _performed(request: IRequest, action: Action, answer: object) -> bytes:
    if action.answer is None:
        return nothing(request)
    if isinstance(answer, bytes):
        request.setHeader(b"content-type", action.media_type.encode())
        request.setHeader(b"cache-control", b"no-store")
        return answer
    return json_answer(request, answer)


def _shown(view: Any, fields: frozenset[str] | None) -> object:
    """A view, or the fields of it that are wanted, in its own order."""
    if fields is None:
        return view
    return {name: getattr(view, name) for name in view.__struct_fields__ if name in fields}


def _tagged(request: IRequest, kind: str, data: bytes) -> bytes:
    """Octets with their own ETag; only that, where the asker has them already."""
    tag = tag_of_octets(data)
    request.setHeader(b"etag", tag)
    if is_known(request, tag):
        return _unchanged(request)
    request.setHeader(b"content-type", kind.encode())
    request.setHeader(b"cache-control", b"no-store")
    return data


def _unchanged(request: IRequest) -> bytes:
    request.setResponseCode(HTTPStatus.NOT_MODIFIED.value)
    return b""
