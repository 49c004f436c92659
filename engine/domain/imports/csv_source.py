"""Users of a CSV file (RFC 4180): the first row names the columns, the separator is comma, semicolon or tab.

Spreadsheets write the separator of the country and a byte order mark, or the letters of Windows; all are read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from engine.domain.imports.entry import Entry, SourceError

SEPARATORS = ",;\t"
MOST_COLUMNS = 200
LONGEST_FIELD = 4096
LARGEST = 16 << 20
"""Octets of a file at most: 8,000 users are about one million."""
_NO = frozenset({"0", "no", "n", "non", "false", "faux", "f", "disabled"})
_YES = frozenset({"1", "yes", "y", "o", "oui", "true", "vrai", "t", "v", "enabled"})


def read_csv(content: bytes, *, key: str = "", enabled: str = "") -> list[Entry]:
    """The rows of a file. Raises SourceError where it is none.

    key, enabled: the columns that hold a person's lasting key and whether she is enabled (yes or no in both
    languages); empty: there are none. A row of another width is an entry with an error, the others stand.
    """
    if len(content) > LARGEST:
        raise SourceError("text", f"> {LARGEST >> 20} MiB")
    text = _decoded(content)
    rows = _rows(text)
    head = [name.strip().lower() for name in next(rows, [])]
    if not any(head):
        raise SourceError("text", "1")
    if len(head) > MOST_COLUMNS or len(set(head)) != len(head):
        raise SourceError("columns", "1")
    for column in filter(None, (key, enabled)):
        if column.lower() not in head:
            raise SourceError("column", column)
    return list(_entries(rows, head, key.lower(), enabled.lower()))


def _decoded(content: bytes) -> str:
    """UTF-8, with or without its mark, else Windows-1252, whose every letter is one octet."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if "\0" in text:
        raise SourceError("text", "UTF-8")
    return text


def _rows(text: str) -> Iterator[list[str]]:
    """Every row, the first included. Raises SourceError with the line of what is no CSV."""
    first = text.partition("\n")[0]
    separator = max(SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise SourceError("text", str(reader.line_num)) from error


def _entries(rows: Iterator[list[str]], head: list[str], key: str, enabled: str) -> Iterator[Entry]:
    for number, row in enumerate(rows, 2):
        if not any(map(str.strip, row)):
            continue
        reference = str(number)
        if len(row) != len(head) or any(len(value) > LONGEST_FIELD for value in row):
            yield Entry(reference, "", {}, error="row")
            continue
        values = dict(zip(head, row, strict=True))
        attributes = {name: (value,) for name, value in values.items() if name and value.strip()}
        state = values.get(enabled, "").strip().lower() if enabled else ""
        entry = Entry(reference, values.get(key, "").strip(), attributes, _state(state))
        yield (
            entry
            if not state or entry.enabled is not None
            else Entry(reference, entry.key, attributes, error="enabled")
        )


def _state(word: str) -> bool | None:
    if word in _YES:
        return True
    return False if word in _NO else None
