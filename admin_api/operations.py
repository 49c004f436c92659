"""What a route says of itself: from this the OpenAPI document is made, and nothing is served without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

JSON = "application/json"
JSON_LINES = "application/x-ndjson"
CSV = "text/csv"

OFTEN = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.MISDIRECTED_REQUEST,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""Refusals of any route that asks who it is."""
OF_PUBLIC = frozenset({HTTPStatus.MISDIRECTED_REQUEST, HTTPStatus.TOO_MANY_REQUESTS})
"""Of those that do not."""
OF_BODIES = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}
)
"""Of those that read a body."""
BAD, MISSING, CONFLICT, STALE = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.PRECONDITION_FAILED,
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something of the query, of the path, or a header. type: what its text is read as."""

    name: str
    description: str
    type: Any = str
    place: str = "query"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of a path.

    summary: what it does, in a line. tag: the noun it belongs to. answer: the type of what comes back, None for
    nothing. body: that of what is sent, by default as JSON; by media type where it may be another. answers: other
    media types the answer can have. refusals: statuses besides those of every route. public: without a password.
    parts: what a variable of the path is.
    """

    summary: str
    tag: str
    answer: Any = None
    status: HTTPStatus = HTTPStatus.OK
    also: Mapping[HTTPStatus, str] = field(default_factory=dict)
    body: Any = None
    bodies: tuple[str, ...] = (JSON,)
    answers: tuple[str, ...] = (JSON,)
    parameters: tuple[Parameter, ...] = ()
    parts: Mapping[str, str] = field(default_factory=dict)
    refusals: frozenset[HTTPStatus] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict)
    public: bool = False


@dataclass(frozen=True, slots=True)
class Described:
    """A route that is served. path: with ``<name>`` for its variables."""

    method: str
    path: str
    operation: Operation
