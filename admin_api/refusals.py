"""What the engine refuses, as problem details: the one place where its errors become statuses."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from admin_api.bodies import BadRequest, language_of
from admin_api.bulk import BadRows
from admin_api.decoding import WrongBody
from admin_api.entity_tags import BadTag, tag_of
from admin_api.problems import FieldProblem, answered, described
from engine.conferences.administration import NotDone
from engine.store import InUse, Invalid, NotFound, Taken
from engine.store.errors import Forbidden, Spent, Stale

if TYPE_CHECKING:
    from twisted.python.failure import Failure
    from twisted.web.iweb import IRequest

    from admin_api.problems import Problem
    from engine.language import Language

REFUSALS = (
    BadRequest,
    BadRows,
    BadTag,
    WrongBody,
    Invalid,
    Taken,
    InUse,
    NotFound,
    NotDone,
    Forbidden,
    Stale,
    Spent,
)
LONGEST_DETAIL = 500


def refused(request: IRequest, failure: Failure) -> bytes:
    """The answer to a request that was refused; nothing has changed."""
    error = failure.value
    assert error is not None
    if isinstance(error, NotDone):
        request.setHeader(b"vary", b"accept-language")
    if isinstance(error, Stale):
        request.setHeader(b"etag", tag_of(error.version))
    return answered(request, problem_of(error, language_of(request)))


def problem_of(error: BaseException, language: Language) -> Problem:
    """A refusal in words; ``error`` is one of ``REFUSALS``."""
    match error:
        case BadRequest():
            return described(error.status, error.detail)
        case BadRows():
            return described(HTTPStatus.BAD_REQUEST, str(error))
        case BadTag():
            return described(
                HTTPStatus.BAD_REQUEST, "If-Match and If-None-Match take entity tags, in double quotes, or *."
            )
        case WrongBody():
            first, errors = error.fields[0], [_field_problem(*each) for each in error.fields]
            detail = _bounded("; ".join(filter(None, (_told(*each) for each in error.fields))))
            return described(HTTPStatus.BAD_REQUEST, detail, field=first.field, errors=errors)
        case Invalid():
            return described(
                HTTPStatus.BAD_REQUEST, f"{error.field}: expected {error.expected}", field=error.field
            )
        case NotDone():
            return described(_status(error), error.text(language), reason=error.reason)
        case NotFound():
            return described(HTTPStatus.NOT_FOUND, str(error))
        case Forbidden():
            return described(HTTPStatus.FORBIDDEN, str(error), reason="forbidden")
        case Stale():
            return described(HTTPStatus.PRECONDITION_FAILED, str(error), reason="stale")
        case Spent():
            return described(HTTPStatus.CONFLICT, str(error), reason="spent")
    return described(HTTPStatus.CONFLICT, str(error))


def _told(field: str, expected: str) -> str:
    return f"{field}: expected {expected}" if field else f"expected {expected}"


def _field_problem(field: str, expected: str) -> FieldProblem:
    return FieldProblem(field, f"expected {expected}")


def _bounded(text: str) -> str:
    return text if len(text) <= LONGEST_DETAIL else f"{text[:LONGEST_DETAIL]}..."


def _status(error: NotDone) -> HTTPStatus:
    if error.missing:
        return HTTPStatus.NOT_FOUND
    if error.wrong:
        return HTTPStatus.BAD_REQUEST
    return HTTPStatus.FORBIDDEN if error.forbidden else HTTPStatus.CONFLICT
