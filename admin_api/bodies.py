"""What a request brings and what it is answered with, as JSON."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from admin_api.guard import header
from engine.language import LANGUAGES, Language

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

MOST_JSON = 1 << 16
"""Octets of a body that says something: more than any room or list of a group's members needs."""
MOST_BULK = 1 << 20
"""Octets of one that brings many things."""
_decoder = msgspec.json.Decoder(dict[str, object])


class BadRequest(Exception):
    """A request that cannot be understood; the text is for whoever wrote it."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def json_object(request: IRequest) -> dict[str, object]:
    """The body; an empty one is an empty object. Raises BadRequest."""
    data = octets(request, MOST_JSON)
    if not data:
        return {}
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, RecursionError):
        raise BadRequest(HTTPStatus.BAD_REQUEST, "The body must be a JSON object.") from None


def octets(request: IRequest, most: int) -> bytes:
    """The body as it is. Raises BadRequest when it is longer."""
    data: bytes = request.content.read(most + 1)
    if len(data) > most:
        raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A body may have {most} octets here.")
    return data


def json_answer(request: IRequest, value: object, status: HTTPStatus = HTTPStatus.OK) -> bytes:
    """JSON that nobody keeps."""
    request.setResponseCode(status.value)
    request.setHeader(b"content-type", b"application/json")
    request.setHeader(b"cache-control", b"no-store")
    return msgspec.json.encode(value)


def nothing(request: IRequest) -> bytes:
    """Done, and nothing to tell."""
    request.setResponseCode(HTTPStatus.NO_CONTENT.value)
    return b""


def language_of(request: IRequest) -> Language:
    """English or French, as Accept-Language would have it (RFC 9110 section 12.5.4)."""
    wanted = parse_accept_header(header(request, b"accept-language"), LanguageAccept)
    best = wanted.best_match(LANGUAGES, default="en")
    return "fr" if best == "fr" else "en"


def argument(request: IRequest, name: bytes) -> str | None:
    """A parameter of the query; the last one where there are several."""
    values = (request.args or {}).get(name)
    return values[-1].decode("utf-8", "replace") if values else None
