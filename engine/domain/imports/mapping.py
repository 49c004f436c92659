"""Which attribute of the source becomes which field of a user.

A field takes an attribute (``sn``), the first of several that has a value (``mail|userPrincipalName``), or a text with
attributes in braces (``{givenName}.{sn}@example.com``). A text of which one attribute is missing is empty as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from engine.domain.imports.entry import Entry

ATTRIBUTE = (
    r"[A-Za-z][A-Za-z0-9 _.;-]{0,63}"  # options as in "cn;lang-fr", RFC 4512 section 2.5; blanks in CSV heads
)
_CHOICE = re.compile(rf"\s*{ATTRIBUTE}(?:\|{ATTRIBUTE})*\s*")
_BRACES = re.compile(rf"\{{({ATTRIBUTE}(?:\|{ATTRIBUTE})*)\}}")
LONGEST = 255


class MappingError(ValueError):
    """A field's source cannot be understood."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field}: an attribute, several with | between, or a text with {{attribute}}")
        self.field = field


@dataclass(frozen=True, slots=True)
class FieldSource:
    """The value of one field: literal texts and attributes (each a choice of several) in turn."""

    parts: tuple[str | tuple[str, ...], ...]

    @classmethod
    def parse(cls, field: str, text: str) -> FieldSource:
        """Read one field's source. Raises MappingError."""
        if not text or len(text) > LONGEST or not text.isprintable():
            raise MappingError(field)
        if _CHOICE.fullmatch(text):
            return cls((_choice(text),))
        parts: list[str | tuple[str, ...]] = []
        end = 0
        for found in _BRACES.finditer(text):
            parts += [text[end : found.start()], _choice(found[1])]
            end = found.end()
        parts.append(text[end:])
        if end == 0 or any(isinstance(part, str) and set(part) & set("{}") for part in parts):
            raise MappingError(field)
        return cls(tuple(part for part in parts if part))

    @property
    def attributes(self) -> frozenset[str]:
        """Every attribute it reads, as written."""
        return frozenset(name for part in self.parts if isinstance(part, tuple) for name in part)

    def value(self, entry: Entry) -> str:
        """What ``entry`` gives."""
        found = []
        for part in self.parts:
            if isinstance(part, str):
                found.append(part)
                continue
            value = next(filter(None, (entry.first(name) for name in part)), "")
            if not value:
                return ""
            found.append(value)
        return "".join(found)


def _choice(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split("|"))


@dataclass(frozen=True, slots=True)
class FieldMap:
    """The fields an import writes; all others of a user it never touches."""

    sources: Mapping[str, FieldSource]

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> FieldMap:
        """Read field -> source. Raises MappingError naming the field."""
        return cls({field: FieldSource.parse(field, text) for field, text in texts.items()})

    @property
    def attributes(self) -> frozenset[str]:
        """Every attribute to be read from the source."""
        return frozenset().union(*(source.attributes for source in self.sources.values()))

    def values(self, entry: Entry) -> dict[str, str]:
        """The user's fields as ``entry`` has them."""
        return {field: source.value(entry) for field, source in self.sources.items()}
