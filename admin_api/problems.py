"""Errors as problem details (RFC 9457): what went wrong, in words, without a trace of our insides."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

PROBLEM_TYPE = b"application/problem+json"


class Problem(msgspec.Struct, omit_defaults=True):
    """A problem object (RFC 9457 section 3).

    field: of the body, the one that is wrong. reason: the fixed word of a refusal, for programs.
    """

    title: str
    status: int
    detail: str = ""
    type: str = "about:blank"
    field: str = ""
    reason: str = ""


def described(status: HTTPStatus, detail: str = "", *, field: str = "", reason: str = "") -> Problem:
    """The problem a status stands for."""
    return Problem(title=status.phrase, status=status.value, detail=detail, field=field, reason=reason)


def problem(
    request: IRequest, status: HTTPStatus, detail: str = "", *, field: str = "", reason: str = ""
) -> bytes:
    """Set the status and the type of the answer and return its body."""
    request.setResponseCode(status.value)
    request.setHeader(b"content-type", PROBLEM_TYPE)
    return msgspec.json.encode(described(status, detail, field=field, reason=reason))
