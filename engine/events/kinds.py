"""Which events a reader wants: kinds by name, ``users.added``, or all of a noun, ``users.*``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine.store.errors import Invalid

MOST_KINDS = 64
_PATTERN = re.compile(r"[a-z][a-z-]{0,47}\.(\*|[a-z][a-z_-]{0,31})")
_EXPECTED = f"kinds of events as users.added or users.*, at most {MOST_KINDS}"


class Kinds:
    """A choice of kinds; of none, all."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        """Raises Invalid for what is no kind."""
        self.patterns = tuple(dict.fromkeys(patterns))
        if len(self.patterns) > MOST_KINDS or not all(map(_PATTERN.fullmatch, self.patterns)):
            raise Invalid("kinds", _EXPECTED)
        self._whole = frozenset(each for each in self.patterns if not each.endswith("*"))
        self._nouns = frozenset(each.removesuffix(".*") for each in self.patterns if each.endswith("*"))

    @classmethod
    def parse(cls, text: str) -> Kinds:
        """Of a list with commas; an empty one means all. Raises Invalid."""
        return cls(text.split(",")) if text else cls()

    def __contains__(self, kind: str) -> bool:
        """Whether events of this kind are wanted."""
        return not self.patterns or kind in self._whole or kind.partition(".")[0] in self._nouns
