"""Errors as problem details (RFC 9457): what went wrong, in words, without a trace of our insides."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

PROBLEM_TYPE = b"application/problem+json"


class FieldProblem(msgspec.Struct):
    """One of several fields that are wrong; field: dotted where it is inside another."""

    field: str
    detail: str


class Problem(msgspec.Struct, omit_defaults=True):
    """A problem object (RFC 9457 section 3).

    field: of the body, the one that is wrong, the first of several. reason: the fixed word of a refusal, for
    programs. errors: every field that is wrong, where a body was read as a whole.
    """

    title: str
    status: int
    detail: str = ""
    type: str = "about:blank"
    field: str = ""
    reason: str = ""
    errors: Sequence[FieldProblem] = ()


def described(
    status: HTTPStatus,
    detail: str = "",
    *,
    field: str = "",
    reason: str = "",
    errors: Sequence[FieldProblem] = (),
) -> Problem:
    """The problem a status stands for."""
    return Problem(
        title=status.phrase, status=status.value, detail=detail, field=field, reason=reason, errors=errors
    )


def problem(
    request: IRequest, status: HTTPStatus, detail: str = "", *, field: str = "", reason: str = ""
) -> bytes:
    """Set the status and the type of the answer and return its body."""
    return answered(request, described(status, detail, field=field, reason=reason))


def answered(request: IRequest, found: Problem) -> bytes:
    """Answer with a problem: as ``problem``."""
    request.setResponseCode(found.status)
    request.setHeader(b"content-type", PROBLEM_TYPE)
    return msgspec.json.encode(found)
