"""What is asked of a list, and one page of the answer."""

from __future__ import annotations

import base64
import binascii
import enum
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args, get_origin

import msgspec

from engine.store.errors import Invalid

ViewT = TypeVar("ViewT", bound=msgspec.Struct)
MOST_ROWS = 1000
LARGEST_ID = 2**31 - 1
"""The largest integer a key, or a number in a filter, may be: PostgreSQL's ``integer``."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition a list can be narrowed by.

    type: what the text of the query string is read as (``str``, ``bool``, ``int``, an enumeration or a Literal, with
    or without ``msgspec.Meta``). column: that of the table, when it is not called as the filter is.
    """

    description: str
    type: Any = str
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """Which rows of a list are wanted.

    filters: by name, as text. q: words that all must be found, without case or accents. order: a name of the noun's
    ``orders``, "-name" for the other way; None for its first. fields: of the view, those that are wanted; None for all.
    """

    limit: int = 100
    cursor: str | None = None
    filters: Mapping[str, str] = field(default_factory=dict)
    q: str | None = None
    order: str | None = None
    fields: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MOST_ROWS:
            raise Invalid("limit", f"1 to {MOST_ROWS}")


@dataclass(frozen=True, slots=True)
class Versioned(Generic[ViewT]):
    """A thing as it is shown, and how many times it has been written: its ETag."""

    view: ViewT
    version: int


@dataclass(frozen=True, slots=True)
class Page(Generic[ViewT]):
    """Some rows of a list; ``next`` is the cursor of those after them, None when there are none."""

    items: list[ViewT]
    next: str | None


class Cursor(msgspec.Struct, array_like=True, forbid_unknown_fields=True, frozen=True):
    """Behind which row a page begins: the last one's value of the order, and its key.

    shape: a sum over what was asked, since a cursor leads nowhere in another list. Nothing in it is trusted: rights
    and filters are applied again to every page.
    """

    shape: int
    value: str | int | float | bool
    id: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_ID)]

    def text(self) -> str:
        """As it is given out: nobody need look inside."""
        return base64.urlsafe_b64encode(msgspec.msgpack.encode(self)).rstrip(b"=").decode()

    @classmethod
    def parse(cls, text: str, shape: int, kind: type) -> Cursor:
        """The cursor of that list, whose order is by values of ``kind``. Raises Invalid."""
        try:
            data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            cursor = msgspec.msgpack.decode(data, type=cls)
        except (ValueError, binascii.Error, msgspec.DecodeError, UnicodeError):
            raise Invalid("cursor", "the one a page of this list came with") from None
        if cursor.shape != shape or type(cursor.value) is not kind or not _storable(cursor.value):
            raise Invalid("cursor", "the one a page of this list came with")
        return cursor


def shape_of(noun: str, query: Query) -> int:
    """A sum over all of the query that says which rows there are, and in which order."""
    asked = (noun, sorted(query.filters.items()), query.q, query.order)
    return zlib.crc32(msgspec.msgpack.encode(asked))


def filter_value(name: str, kind: Filter, text: str) -> Any:
    """What a filter's text means. Raises Invalid."""
    try:
        value = msgspec.convert(text, kind.type, strict=False)
    except msgspec.ValidationError:
        raise Invalid(name, _expected(kind.type)) from None
    if not _storable(value):
        raise Invalid(name, "a value such things can have")
    return value


def _expected(kind: Any) -> str:
    """What a filter of this type takes, in words."""
    kind = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if get_origin(kind) is Literal:
        return " or ".join(map(str, get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return " or ".join(str(each.value) for each in kind)
    return {bool: "true or false", int: "a whole number"}.get(kind, "a value such things can have")


def _storable(value: object) -> bool:
    """Whether a database can be asked for it at all: PostgreSQL knows no NUL, and its integers end."""
    match value:
        case str():
            return value.isprintable() or not value
        case bool():
            return True
        case int():
            return abs(value) <= LARGEST_ID
    return True
