"""The line each key of a TOML file stands on, which ``tomllib`` does not tell.

Works on text ``tomllib`` has accepted, so it need not find errors: it walks over comments, strings and
brackets and notes where a table header or a key begins.
"""

from __future__ import annotations

import re

_NAME = re.compile(r"""\s*(?:"([^"\n]*)"|'([^'\n]*)'|([A-Za-z0-9_-]+))\s*""")
_SKIPPED = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''[\s\S]*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*",
    re.DOTALL,
)


def key_lines(text: str) -> dict[tuple[str, ...], int]:
    """Map each dotted name, as a tuple, to its 1-based line; tables and keys alike."""
    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    position, line = 0, 1
    while position < len(text):
        start = _skip_blank(text, position)
        line += text.count("\n", position, start)
        position = start
        if position >= len(text):
            break
        header = text[position] == "["
        opening = len(text[position:]) - len(text[position:].lstrip("[")) if header else 0
        name, after = _dotted_name(text, position + opening)
        if header:
            table = name
        else:
            name = table + name
        for depth in range(1, len(name) + 1):
            found.setdefault(name[:depth], line)
        end = _end_of_statement(text, after)
        line += text.count("\n", position, end)
        position = end
    return found


def _skip_blank(text: str, position: int) -> int:
    """The start of the next statement: past white space, line ends and comments."""
    while position < len(text):
        if text[position] == "#":
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
        elif text[position].isspace():
            position += 1
        else:
            break
    return position


def _dotted_name(text: str, position: int) -> tuple[tuple[str, ...], int]:
    names: list[str] = []
    while match := _NAME.match(text, position):
        names.append(next(group for group in match.groups() if group is not None))
        position = match.end()
        if not text.startswith(".", position):
            break
        position += 1
    return tuple(names), position


def _end_of_statement(text: str, position: int) -> int:
    """Just past the statement's line end, which may come after the brackets of a long array."""
    depth = 0
    while position < len(text):
        character = text[position]
        if character in "\"'#":
            match = _SKIPPED.match(text, position)
            position = match.end() if match else position + 1
            continue
        if character in "[{":
            depth += 1
        elif character in "]}":
            depth -= 1
        elif character == "\n" and depth <= 0:
            return position + 1
        position += 1
    return position
