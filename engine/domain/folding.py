"""Text as it is compared: without case and without accents, so that "helene" finds "Hélène"."""

from __future__ import annotations

import unicodedata

LONGEST_FOLDED = 255
"""Characters that are kept of a folded text: few characters fold to more than one, none of a usual name."""


def fold(text: str) -> str:
    """``text`` in compatibility decomposition, without its combining marks, case folded, of one space each."""
    if text.isascii():  # most are, and none of it changes them
        return " ".join(text.casefold().split())
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(each for each in decomposed if not unicodedata.combining(each))
    return " ".join(unicodedata.normalize("NFKD", bare.casefold()).split())


def folded_key(text: str) -> str:
    """As ``fold``, cut to what a column of a table holds."""
    return fold(text)[:LONGEST_FOLDED]
