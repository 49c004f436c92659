"""The lexical rules that headers share (RFC 3261 section 25.1): tokens, quoting, parameters, lists, integers.

Every function costs time linear in its input: no regular expression here repeats a group.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from sip.errors import ParseError

Params = tuple[tuple[str, str | None], ...]
"""Parameters in order, values in raw form (a quoted string keeps its quotes); None stands for no value."""

TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
# gen-value is a token, a host or a quoted string; "=" in a value is no token, but tags in base64 are common
_VALUE = re.compile(r"[A-Za-z0-9\-.!%*_+`'~\[\]:=]+")
_PLAIN_PARAMS = re.compile(r"[A-Za-z0-9\-.!%*_+`'~\[\]:=;]+")
_LIST_MARKS = re.compile(r'[",<]')
_QUOTE_MARKS = re.compile(r'["\\]')
_PARAM_MARKS = re.compile(r'[";]')
_NEEDS_ESCAPE = re.compile(r'(["\\])')
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""A control character other than HTAB."""
_CONTROLS = {code: None for code in (*range(0x20), 0x7F) if code != 0x09}


def is_token(text: str) -> bool:
    """Whether the text is one ``token``."""
    return TOKEN.fullmatch(text) is not None


def parse_integer(text: str, maximum: int, label: str) -> int:
    """Read ``1*DIGIT`` up to ``maximum``.

    ``int`` alone would take a sign, underscores, blanks and the digits of other scripts, and refuses more
    than 4,300 digits.
    """
    if text.isdigit() and text.isascii():
        digits = text if len(text) <= 10 else text.lstrip("0")
        if len(digits) <= 10:
            value = int(digits or "0")
            if value <= maximum:
                return value
    raise ParseError(label, f"expected digits, at most {maximum}")


def closing_quote(text: str, start: int) -> int:
    """Return the index of the quote that closes the one at ``start``; a backslash hides what follows it."""
    at = start + 1
    while found := _QUOTE_MARKS.search(text, at):
        if found[0] == '"':
            return found.start()
        at = found.end() + 1
    raise ParseError("quote", "a quoted string does not end")


def quote(text: str) -> str:
    """Write a ``quoted-string``; control characters are left out, they have no business in what we write."""
    return '"' + _NEEDS_ESCAPE.sub(r"\\\1", text.translate(_CONTROLS)) + '"'


def unquote(text: str) -> str:
    """Read the inside of a ``quoted-string``."""
    if "\\" not in text:
        return text
    parts = []
    at = 0
    while (found := text.find("\\", at)) >= 0:
        parts.append(text[at:found])
        parts.append(text[found + 1 : found + 2])
        at = found + 2
    parts.append(text[at:])
    return "".join(parts).translate(_CONTROLS)


def split_list(text: str) -> list[str]:
    """Split a comma list outside quotes and angle brackets. Elements come stripped, empty ones too."""
    if "," not in text:
        return [text.strip(" \t")]
    if '"' not in text and "<" not in text:
        return [part.strip(" \t") for part in text.split(",")]
    parts = []
    start = at = 0
    while found := _LIST_MARKS.search(text, at):
        if found[0] == '"':
            at = closing_quote(text, found.start()) + 1
        elif found[0] == "<":
            at = text.find(">", found.end()) + 1
            if not at:
                raise ParseError("bracket", "an angle bracket does not close")
        else:
            parts.append(text[start : found.start()].strip(" \t"))
            start = at = found.end()
    parts.append(text[start:].strip(" \t"))
    return parts


def _split_params(text: str) -> list[str]:
    """Split at the semicolons outside quotes."""
    if '"' not in text:
        return text.split(";")
    parts = []
    start = at = 0
    while found := _PARAM_MARKS.search(text, at):
        if found[0] == '"':
            at = closing_quote(text, found.start()) + 1
        else:
            parts.append(text[start : found.start()])
            start = at = found.end()
    parts.append(text[start:])
    return parts


def parse_params(text: str) -> Params:
    """Read what follows the first semicolon of ``*(SEMI generic-param)``."""
    params: list[tuple[str, str | None]] = []
    if _PLAIN_PARAMS.fullmatch(text):
        for part in text.split(";"):
            name, equal, value = part.partition("=")
            if equal:
                if not value or ":" in name or "[" in name or "]" in name or not name:
                    raise ParseError("parameter", "expected name or name=value")
                params.append((name, value))
            elif part and is_token(part):
                params.append((part, None))
            else:
                raise ParseError("parameter", "expected name or name=value")
        return tuple(params)
    for part in _split_params(text):
        name, equal, value = part.partition("=")
        name = name.strip(" \t")
        value = value.strip(" \t")
        if not is_token(name) or (equal and not _is_value(value)):
            raise ParseError("parameter", "expected name or name=value")
        params.append((name, value if equal else None))
    return tuple(params)


def _is_value(text: str) -> bool:
    if text.startswith('"'):
        return closing_quote(text, 0) == len(text) - 1 and not CONTROL.search(text)
    return _VALUE.fullmatch(text) is not None


def find_param(params: Params, name: str) -> str | None:
    """Return the raw value of a parameter, "" for one without a value, None when it is not there."""
    for key, value in params:
        if key == name:
            return value or ""
    name = name.lower()
    for key, value in params:
        if key.lower() == name:
            return value or ""
    return None


def read_param(params: Params, name: str) -> str | None:
    """Return a parameter's value without quotes, "" for one without a value, None when it is not there."""
    value = find_param(params, name)
    if value and value[0] == '"':
        return unquote(value[1:-1])
    return value


def find_escaped_param(params: Params, name: str) -> str | None:
    """Find a URI parameter as ``find_param`` does; its name may be escaped (RFC 4475 section 3.1.1.3)."""
    value = find_param(params, name)
    if value is None:
        for key, found in params:
            if "%" in key and unquote_to_bytes(key).lower() == name.lower().encode():
                return found or ""
    return value


def replace_param(params: Params, name: str, value: str | None) -> Params:
    """Set a parameter in its place, or append it."""
    lowered = name.lower()
    if all(key.lower() != lowered for key, _ in params):
        return (*params, (name, value))
    return tuple((key, value if key.lower() == lowered else old) for key, old in params)


def write_value(value: str) -> str:
    """Write a parameter value, in quotes when it must be."""
    return value if _VALUE.fullmatch(value) else quote(value)


def write_params(params: Params) -> str:
    """Write ``*(SEMI generic-param)``, values as they are."""
    return "".join([f";{name}" if value is None else f";{name}={value}" for name, value in params])
