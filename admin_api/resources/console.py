"""``/`` and ``/console``: the pages of a browser, which hold nothing of this engine."""

from __future__ import annotations

from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING

from admin_api.operations import MISSING, Operation
from admin_api.problems import problem

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

    from admin_api.routes import Routes

TAG = "console"
_HTML = "text/html"
_ASSETS = {
    "console.js": b"text/javascript; charset=utf-8",
    "conferences.js": b"text/javascript; charset=utf-8",
    "reference.js": b"text/javascript; charset=utf-8",
    "console.css": b"text/css; charset=utf-8",
    "icon.svg": b"image/svg+xml",
}


class Console:
    """Static files."""

    def serve(self, routes: Routes) -> None:
        """Be reachable."""
        page = Operation("The console.", TAG, str, answers=(_HTML,), public=True)
        reference = Operation("This description, to be read.", TAG, str, answers=(_HTML,), public=True)
        asset = Operation(
            "A file of these pages.",
            TAG,
            str,
            answers=("text/javascript", "text/css", "image/svg+xml"),
            parts={"name": "Its name."},
            refusals=frozenset({MISSING}),
            public=True,
        )
        routes.read_by_all("/", lambda request: _page(request, "index.html"), page)
        routes.read_by_all("/api/v1/docs", lambda request: _page(request, "reference.html"), reference)
        routes.read_by_all("/console/<name>", _asset, asset)


def _page(request: IRequest, name: str) -> bytes:
    return _file(request, name, b"text/html; charset=utf-8")


def _asset(request: IRequest, name: str) -> bytes:
    kind = _ASSETS.get(name)
    return problem(request, HTTPStatus.NOT_FOUND) if kind is None else _file(request, name, kind)


def _file(request: IRequest, name: str, kind: bytes) -> bytes:
    request.setHeader(b"content-type", kind)
    return files("admin_api").joinpath("web", name).read_bytes()
