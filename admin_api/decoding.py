"""A body into a struct, with every field that is wrong told at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar, get_type_hints

import msgspec

from admin_api.expectations import expected

T = TypeVar("T", bound=msgspec.Struct)

MOST_TOLD = 50
"""Wrong fields named in one answer."""
LONGEST_NAME = 64
_PATH = re.compile(r" - at `\$([^`]*)`$")
_hints: dict[type, dict[str, Any]] = {}


class WrongField(NamedTuple):
    """A field, dotted where it is inside another, and what it takes."""

    field: str
    expected: str


class WrongBody(Exception):
    """Fields that cannot be taken, in the order of the body; at least one."""

    def __init__(self, fields: list[WrongField]) -> None:
        super().__init__("; ".join(f"{each.field}: expected {each.expected}" for each in fields))
        self.fields = fields


def decoded(kind: type[T], values: Mapping[str, object]) -> T:
    """A struct of a JSON object's values. Raises WrongBody."""
    known = {each.encode_name: each for each in msgspec.structs.fields(kind)}
    hints = _hints_of(kind)
    taken: dict[str, Any] = {}
    wrong: list[WrongField] = []
    for name, value in values.items():
        field = known.get(name)
        if field is None:
            wrong.append(
                WrongField(name[:LONGEST_NAME], f"nothing: the fields are {', '.join(known) or 'none'}")
            )
            continue
        try:
            taken[field.name] = msgspec.convert(value, hints[field.name])
        except msgspec.ValidationError as error:
            wrong.append(_wrong(name, hints[field.name], error))
    wrong += [
        WrongField(name, f"{expected(hints[field.name])}; it is required")
        for name, field in known.items()
        if field.required and name not in values
    ]
    if wrong:
        raise WrongBody(wrong[:MOST_TOLD])
    try:
        return kind(**taken)
    except ValueError as error:  # what a struct's __post_init__ finds in several fields together
        raise WrongBody([WrongField("", str(error))]) from None


def _wrong(name: str, hint: Any, error: msgspec.ValidationError) -> WrongField:
    """The library's own words may repeat the value, which may be a secret; of its path only ours is told."""
    inside = _PATH.search(str(error))
    path = inside[1].replace("[...]", "") if inside else ""
    return WrongField(f"{name}{path}"[: 2 * LONGEST_NAME], expected(hint))


def _hints_of(kind: type) -> dict[str, Any]:
    found = _hints.get(kind)
    if found is None:
        found = _hints[kind] = get_type_hints(kind, include_extras=True)
    return found
