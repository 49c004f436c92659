"""Many changes in one body: lines of JSON or rows of CSV, each done by itself and answered by itself.

A row without ``uid`` is added; one with it is changed, only the fields it names; with ``_remove`` it is removed.
``_version`` is what If-Match is elsewhere. Fields that are answered and cannot be written are passed over, so that
what was exported can be sent back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from admin_api.csv_table import BadTable, read
from admin_api.decoding import WrongBody, WrongField, decoded

if TYPE_CHECKING:
    from engine.administration.noun import Noun

UID, VERSION, REMOVE = "uid", "_version", "_remove"
MOST_ROWS = 5000
_CONTROLS = {UID: str, VERSION: int | None, REMOVE: bool | None}


class BadRows(ValueError):
    """A body that is no rows at all; the text says why."""


class Row(msgspec.Struct, omit_defaults=True):
    """What became of a row. row: counted from 1. A problem where it failed."""

    row: int
    status: int
    uid: str = ""
    problem: msgspec.Raw | None = None


class Outcome(msgspec.Struct):
    """What became of all. rows: in the order of the body."""

    added: int
    changed: int
    removed: int
    failed: int
    rows: list[Row]


class Add(msgspec.Struct):
    """Make one."""

    draft: msgspec.Struct


class Change(msgspec.Struct):
    """Change one."""

    uid: str
    version: int | None
    patch: msgspec.Struct


class Remove(msgspec.Struct):
    """Remove one."""

    uid: str
    version: int | None


Step = Add | Change | Remove


def rows_of_json(data: bytes) -> list[object]:
    """The values of a body of JSON lines. Raises BadRows."""
    try:
        return _bounded(msgspec.json.decode(line) for line in data.splitlines() if line.strip())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRows("Each line must be a JSON object.") from None


def rows_of_csv(data: bytes, noun: Noun[Any]) -> list[object]:
    """The rows of a table whose columns are fields. Raises BadRows."""
    hints = {each.encode_name: each.type for each in msgspec.structs.fields(noun.draft)}
    try:
        return _bounded(read(data.decode("utf-8"), hints | _CONTROLS))
    except UnicodeDecodeError:
        raise BadRows("A table must be UTF-8 text.") from None
    except BadTable as error:
        raise BadRows(str(error)) from None


def _bounded(rows: Iterator[Any]) -> list[object]:
    found = []
    for row in rows:
        found.append(row)
        if len(found) > MOST_ROWS:
            raise BadRows(f"At most {MOST_ROWS} rows at once.")
    return found


def step_of(noun: Noun[Any], row: object) -> Step:
    """What a row asks for. Raises WrongBody."""
    if not isinstance(row, dict):
        raise WrongBody([WrongField("", "a JSON object")])
    uid, version, removes = (_control(row, name) for name in (UID, VERSION, REMOVE))
    if not uid:
        return Add(decoded(noun.draft, _writable(noun, row, is_new=True)))
    if removes:
        return Remove(uid, version)
    return Change(uid, version, decoded(noun.patch, _writable(noun, row, is_new=False)))


def _control(row: Mapping[str, object], name: str) -> Any:
    try:
        return msgspec.convert(row.get(name), _CONTROLS[name] | None)
    except msgspec.ValidationError:
        expected = {UID: "the uid of one", VERSION: "a whole number", REMOVE: "true or false"}[name]
        raise WrongBody([WrongField(name, expected)]) from None


def _writable(noun: Noun[Any], row: Mapping[str, object], *, is_new: bool) -> dict[str, object]:
    kind = noun.draft if is_new else noun.patch
    known = {each.encode_name for each in msgspec.structs.fields(kind)}
    shown = {each.encode_name for each in msgspec.structs.fields(noun.view)}
    passed_over = (shown - known) | {UID, VERSION, REMOVE}
    return {name: value for name, value in row.items() if name not in passed_over}
