"""What the engine refuses, as problem details: the one place where its errors become statuses."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from admin_api.bodies import BadRequest, language_of
from admin_api.problems import problem
from engine.conferences.administration import NotDone
from engine.store import InUse, Invalid, NotFound, Taken

if TYPE_CHECKING:
    from twisted.python.failure import Failure
    from twisted.web.iweb import IRequest

REFUSALS = (BadRequest, Invalid, Taken, InUse, NotFound, NotDone)


def refused(request: IRequest, failure: Failure) -> bytes:
    """The answer to a request that was refused; nothing has changed."""
    error = failure.value
    match error:
        case BadRequest():
            return problem(request, error.status, error.detail)
        case Invalid():
            detail = f"{error.field}: expected {error.expected}"
            return problem(request, HTTPStatus.BAD_REQUEST, detail, field=error.field)
        case NotDone():
            request.setHeader(b"vary", b"accept-language")
            return problem(request, _status(error), error.text(language_of(request)), reason=error.reason)
        case NotFound():
            return problem(request, HTTPStatus.NOT_FOUND, str(error))
    return problem(request, HTTPStatus.CONFLICT, str(error))


def _status(error: NotDone) -> HTTPStatus:
    if error.missing:
        return HTTPStatus.NOT_FOUND
    if error.wrong:
        return HTTPStatus.BAD_REQUEST
    return HTTPStatus.FORBIDDEN if error.forbidden else HTTPStatus.CONFLICT
