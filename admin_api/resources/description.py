"""``/api/v1/openapi.json``: everything that is served, described."""

from __future__ import annotations

from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import msgspec

from admin_api.entity_tags import is_known, tag_of_octets
from admin_api.noun_operations import IF_NONE_MATCH
from admin_api.openapi import document
from admin_api.operations import BAD, JSON, Operation

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

    from admin_api.routes import Routes

PATH = "/api/v1/openapi.json"


class Description:
    """The document of all routes, this one included. It says nothing of this engine, so it is for everybody."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._octets = b""
        self._tag = b""

    def serve(self, routes: Routes) -> None:
        """Be reachable."""
        told = Operation(
            "Describes this API (OpenAPI 3.1).",
            "engine",
            dict[str, Any],
            also={HTTPStatus.NOT_MODIFIED: "What the asker has is what there is."},
            parameters=(IF_NONE_MATCH,),
            refusals=frozenset({BAD}),
            headers={"ETag": "Of the octets."},
            public=True,
        )
        routes.read_by_all(PATH, self._read, told)

    def _read(self, request: IRequest) -> bytes:
        """Made when it is first asked for, in some 50 ms; then only its octets are kept."""
        if not self._octets:
            self._octets = msgspec.json.encode(document(self._routes.described, version("polyphony")))
            self._tag = tag_of_octets(self._octets)
        request.setHeader(b"etag", self._tag)
        request.setHeader(b"cache-control", b"no-cache")
        if is_known(request, self._tag):
            request.setResponseCode(HTTPStatus.NOT_MODIFIED.value)
            return b""
        request.setHeader(b"content-type", JSON.encode())
        return self._octets
