"""``/api/v1/openapi.json``: everything that is served, described."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from admin_api.bodies import json_answer
from admin_api.openapi import Json, document
from admin_api.operations import Operation

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

    from admin_api.routes import Routes

PATH = "/api/v1/openapi.json"


class Description:
    """The document of all routes, this one included. It says nothing of this engine, so it is for everybody."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._document: Json | None = None

    def serve(self, routes: Routes) -> None:
        """Be reachable."""
        told = Operation("Describes this API (OpenAPI 3.1).", "engine", dict[str, Any], public=True)
        routes.read_by_all(PATH, self._read, told)

    def _read(self, request: IRequest) -> bytes:
        """Made when it is first asked for."""
        if self._document is None:
            self._document = document(self._routes.described, version("polyphony"))
        answer = json_answer(request, self._document)
        request.setHeader(b"cache-control", b"no-cache")
        return answer
