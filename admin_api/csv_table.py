"""Things as rows of CSV (RFC 4180) and back: a column a field, the types those of the field.

Numbers, truth values and texts are written plainly, an absent value as an empty cell, lists and objects as JSON. A
cell that a spreadsheet would take for a formula gets an apostrophe before it, which reading takes off again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import inspect

LONGEST_CELL = 131_072
LONGEST_INTEGER = 18
"""Digits: what 64 bits hold for certain."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class BadTable(ValueError):
    """Octets that are no table; the text says why."""


# ---- writing


def written(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV, each ended by CR LF."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None or value is msgspec.UNSET:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return _guarded(value if isinstance(value, str) else _text(value))


def _text(value: object) -> str:
    """A value that is no text: as JSON has it, without the quotes of a plain one such as a time."""
    plain = msgspec.to_builtins(value)
    return plain if isinstance(plain, str) else msgspec.json.encode(plain).decode()


def _guarded(text: str) -> str:
    return f"'{text}" if _would_be_formula(text) or _is_guarded(text) else text


def _would_be_formula(text: str) -> bool:
    """A number with its sign stays as it is."""
    return text.startswith(_FORMULA) and not (text[0] in "+-" and text[1:].replace(" ", "").isdigit())


def _is_guarded(text: str) -> bool:
    rest = text.lstrip("'")
    return text.startswith("'") and rest.startswith(_FORMULA)


# ---- reading


def read(text: str, hints: Mapping[str, Any]) -> Iterator[dict[str, object]]:
    """The rows of a table, each a field's name to its value; of a column without a hint the text.

    hints: types of the columns. A cell that is not of its type stays text, so that whoever checks the row can name
    the field. Raises BadTable.
    """
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        head = [name.strip() for name in next(lines, [])]
        if not all(head) or len(set(head)) < len(head):
            raise BadTable("The first line must name the columns, each once.")
        infos = {name: _Column(hints[name]) for name in head if name in hints}
        for row in lines:
            if not row:
                continue
            if len(row) != len(head):
                raise BadTable(f"Line {lines.line_num} has {len(row)} cells, the first has {len(head)}.")
            yield dict(_fields(head, row, infos))
    except csv.Error as error:
        raise BadTable(f"Line {lines.line_num}: {error}.") from None


def _fields(head: list[str], row: list[str], infos: Mapping[str, _Column]) -> Iterator[tuple[str, object]]:
    for name, cell in zip(head, row, strict=True):
        text = cell[1:] if _is_guarded(cell) else cell
        column = infos.get(name)
        if column is None:
            if text:
                yield name, text
        elif text or column.is_text or column.nullable:
            yield name, column.value(text)


class _Column:
    """How the cells of a field are read."""

    def __init__(self, hint: Any) -> None:
        info = inspect.type_info(hint)
        while isinstance(info, inspect.Metadata):
            info = info.type
        parts = info.types if isinstance(info, inspect.UnionType) else (info,)
        kinds = {type(each) for each in parts}
        self.nullable = inspect.NoneType in kinds
        self.is_text = not self.nullable and inspect.StrType in kinds
        self._number = inspect.IntType in kinds
        self._truth = inspect.BoolType in kinds
        self._json = any(
            isinstance(
                each, inspect.CollectionType | inspect.DictType | inspect.StructType | inspect.FloatType
            )
            for each in parts
        )

    def value(self, text: str) -> object:
        """A cell's value; its text where it is none of the type."""
        if not text and self.nullable:
            return None
        if self._truth and text.strip().lower() in _TRUTH:
            return _TRUTH[text.strip().lower()]
        digits = text.removeprefix("-")
        if self._number and digits.isascii() and digits.isdigit() and len(digits) <= LONGEST_INTEGER:
            return int(text)
        if self._json:
            try:
                return msgspec.json.decode(text)
            except (msgspec.DecodeError, RecursionError):
                return text
        return text
