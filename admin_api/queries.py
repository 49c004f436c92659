"""The query string of a list: ``limit``, ``cursor``, ``q``, ``order``, ``fields``; every other name is a filter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from msgspec import Meta

from admin_api.operations import Parameter
from engine.administration.query import MOST_ROWS, Query
from engine.store import Invalid

if TYPE_CHECKING:
    from twisted.web.iweb import IRequest

    from engine.administration.noun import Noun

LONGEST_VALUE = 1000
"""Characters of a parameter."""


def arguments(request: IRequest) -> dict[str, str]:
    """The parameters of the query. Raises Invalid for one that is there twice, too long or no text."""
    found = {}
    for name, values in (request.args or {}).items():
        text = name.decode("utf-8", "replace")[:64]
        if len(values) > 1:
            raise Invalid(text, "one value")
        try:
            found[text] = values[0].decode("utf-8")
        except UnicodeDecodeError:
            raise Invalid(text, "UTF-8 text") from None
        if len(found[text]) > LONGEST_VALUE:
            raise Invalid(text, f"at most {LONGEST_VALUE} characters")
    return found


def query_of(given: Mapping[str, str]) -> Query:
    """What a list is asked for. Raises Invalid; what a noun knows itself (filters, orders) it checks."""
    rest = dict(given)
    limit = rest.pop("limit", "100")
    if not (limit.isascii() and limit.isdigit() and len(limit) < 10):
        raise Invalid("limit", f"1 to {MOST_ROWS}")
    fields = rest.pop("fields", None)
    cursor = rest.pop("cursor", None)
    q = rest.pop("q", None)
    order = rest.pop("order", None)
    wanted = None if fields is None else frozenset(fields.split(","))
    return Query(limit=int(limit), cursor=cursor, filters=rest, q=q, order=order, fields=wanted)


def fields_of(noun: Noun[Any], given: Mapping[str, str]) -> frozenset[str] | None:
    """Those wanted of one thing, which takes no other parameter. Raises Invalid."""
    for name in given:
        if name != "fields":
            raise Invalid(name, "nothing: the only parameter is fields")
    if "fields" not in given:
        return None
    wanted = frozenset(given["fields"].split(","))
    known: tuple[str, ...] = noun.view.__struct_fields__
    if not wanted.issubset(known):
        raise Invalid("fields", f"of {', '.join(known)}")
    return wanted


def following(path: str, given: Mapping[str, str], cursor: str) -> bytes:
    """The Link header of a page that has a next one (RFC 8288)."""
    return f'<{path}?{urlencode({**given, "cursor": cursor})}>; rel="next"'.encode()


FIELDS = Parameter("fields", "Fields that are wanted, with commas between them; all without it.")


def parameters_of(noun: Noun[Any]) -> tuple[Parameter, ...]:
    """Those of a noun's list."""
    signed = " or ".join(noun.orders)
    found = [
        Parameter("limit", "How many at most.", Annotated[int, Meta(ge=1, le=MOST_ROWS)]),
        Parameter("cursor", "The `next` of the page before."),
        Parameter("order", f"Order: {signed}; with `-` before it from the last to the first."),
        FIELDS,
    ]
    if noun.search:
        found.append(
            Parameter("q", f"Words that are all in {', '.join(noun.search)}, without case or accents.")
        )
    found += [Parameter(name, each.description, each.type) for name, each in noun.filters.items()]
    return tuple(found)
