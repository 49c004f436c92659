"""Which of a company's numbers answers: automates by range, lines, and prefixes that lead to a link."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.domain.scope import DEFAULT_COMPANY, company_of

MAX_DIGITS = 32
"""E.164 allows 15 digits; private prefixes and access codes add some. Longer "numbers" are refused."""


@dataclass(frozen=True, slots=True)
class AutomateTarget:
    """A number of an automate range and what answers it."""

    number: str
    range_id: int
    application: str
    parameters: Mapping[str, object]
    company: int = DEFAULT_COMPANY


@dataclass(frozen=True, slots=True)
class LineTarget:
    """A line of ours: a phone that registers here."""

    number: str
    company: int = DEFAULT_COMPANY


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """A number behind a link (its scoped name), dialled as it stands."""

    number: str
    link: str

    @property
    def company(self) -> int:
        """The link's."""
        return company_of(self.link)


Target = AutomateTarget | LineTarget | LinkTarget


@dataclass(frozen=True, slots=True)
class NumberRange:
    """``count`` numbers from ``first``; numbers keep their leading zeros, so their length counts."""

    range_id: int
    first: str
    count: int
    application: str
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def key(self) -> tuple[int, int]:
        """Where the range sorts: by length of the number, then by value."""
        return len(self.first), int(self.first)

    def number(self, index: int) -> str:
        """The number at ``index``, leading zeros kept."""
        return str(int(self.first) + index).zfill(len(self.first))


class NumberPlan:
    """All numbers of a company, looked up at each call; replaced as a whole when they change."""

    def __init__(
        self,
        ranges: Iterable[NumberRange] = (),
        lines: Iterable[str] = (),
        link_prefixes: Mapping[str, str] | None = None,
        company: int = DEFAULT_COMPANY,
    ) -> None:
        """link_prefixes: the scoped name of the link each prefix leads to."""
        self._company = company
        self._ranges = sorted(ranges, key=lambda each: each.key)
        self._keys = [each.key for each in self._ranges]
        self.lines = frozenset(lines)
        self._prefixes = sorted((link_prefixes or {}).items(), key=lambda each: -len(each[0]))

    def resolve(self, dialled: str) -> Target | None:
        """What answers ``dialled``: an automate, else a line, else the link with the longest prefix, else nothing."""
        number = clean_number(dialled)
        if number is None:
            return None
        return self._automate(number) or self._line(number) or self._link(number)

    def _automate(self, number: str) -> AutomateTarget | None:
        if not number.isdigit():
            return None
        key = len(number), int(number)
        at = bisect.bisect_right(self._keys, key) - 1
        if at < 0:
            return None
        found = self._ranges[at]
        if len(found.first) != key[0] or key[1] >= int(found.first) + found.count:
            return None
        return AutomateTarget(number, found.range_id, found.application, found.parameters, self._company)

    def _line(self, number: str) -> LineTarget | None:
        return LineTarget(number, self._company) if number in self.lines else None

    def _link(self, number: str) -> LinkTarget | None:
        for prefix, link in self._prefixes:
            if number.startswith(prefix):
                return LinkTarget(number, link)
        return None


def clean_number(dialled: str) -> str | None:
    """Drop the visual separators of RFC 3966 section 5.1.1; None when the rest is no number or name of ours."""
    number = dialled.translate(_SEPARATORS)
    if not number or len(number) > MAX_DIGITS or not number.isascii():
        return None
    return number if all(each.isalnum() or each in "+*#_" for each in number) else None


_SEPARATORS = str.maketrans("", "", "-.()")
