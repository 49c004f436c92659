"""What a rule looks for at the start of a number: a prefix, or a regular expression in square brackets.

Expressions are RE2's: they are matched in time linear in the number, whatever they are, so none can hold up a call.
What RE2 does not have (references back, looking around) is refused when the rule is written. How many steps an
expression may take a character is its program's size, which is bounded too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from engine.domain.dial_plan.errors import DialPlanError
from engine.domain.dial_plan.placeholders import filled

if TYPE_CHECKING:
    from engine.domain.dial_plan.settings import DialSettings

LONGEST_PATTERN = 255
MOST_GROUPS = 9
"""As many as ``$1`` to ``$9`` can name."""

MOST_STEPS = 500
"""Size of an expression's program, the most RE2 does for one character. A rule people write has 10 to 60."""

_MEMORY = 1 << 18
"""Octets RE2 may take for an expression: repetitions of repetitions fail to compile, instead of filling memory."""

_PREFIX = re.compile(r"[0-9A-Za-z+*#_()]*")


class _Match(Protocol):
    """What RE2 found."""

    def group(self) -> bytes:
        """All of it."""

    def groups(self) -> tuple[bytes | None, ...]:
        """Each group; None for one that took no part."""


class _Compiled(Protocol):
    """An expression of RE2."""

    def match(self, text: bytes) -> _Match | None:
        """What it finds at the start."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a pattern found: the text of all of it, then of each group; a group that took no part is empty."""

    groups: tuple[str, ...]

    @property
    def length(self) -> int:
        """How many characters of the number it covers."""
        return len(self.groups[0])


@dataclass(frozen=True, slots=True)
class Prefix:
    """The number begins with these characters. An empty one, as a placeholder may leave it, finds nothing."""

    text: str
    groups: int = 0
    steps: int = 0

    def match(self, number: str) -> Found | None:
        """What it finds at the start of ``number``."""
        return Found((self.text,)) if self.text and number.startswith(self.text) else None


@dataclass(frozen=True, slots=True)
class Expression:
    """A regular expression, matched at the start; it need not reach the end."""

    text: str
    compiled: _Compiled = field(repr=False, compare=False)
    groups: int
    steps: int

    def match(self, number: str) -> Found | None:
        """What it finds at the start of ``number``, which is ASCII."""
        found = self.compiled.match(number.encode("ascii"))
        if found is None:
            return None
        return Found(tuple((each or b"").decode("ascii") for each in (found.group(), *found.groups())))


Pattern = Prefix | Expression


def parse_pattern(text: str, settings: DialSettings) -> Pattern:
    """The pattern as the domain's values make it. Raises DialPlanError saying why it cannot be one."""
    if not text or len(text) > LONGEST_PATTERN:
        raise DialPlanError("pattern", f"1 to {LONGEST_PATTERN} characters")
    if not text.isascii() or not text.isprintable():
        raise DialPlanError("pattern", "printable ASCII characters only")
    plain = filled(text, settings, "pattern")
    if not (plain.startswith("[") and plain.endswith("]")):
        if _PREFIX.fullmatch(plain) is None:
            raise DialPlanError("pattern", "digits, letters or +*#_() to begin with, or an expression in [ ]")
        return Prefix(plain)
    return _expression(filled(text, settings, "pattern", re.escape)[1:-1])


def _expression(text: str) -> Expression:
    import re2  # here, so that an engine without such a rule does without the library

    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    if not text:
        raise DialPlanError("pattern", "an expression between the brackets")
    try:
        compiled = re2.compile(text.encode("ascii"), options)
    except re2.error as error:
        raise DialPlanError("pattern", f"an expression RE2 knows: {_reason(error)}") from error
    if compiled.groups > MOST_GROUPS:
        raise DialPlanError("pattern", f"at most {MOST_GROUPS} groups; (?:...) is not counted")
    if compiled.programsize > MOST_STEPS:
        raise DialPlanError("pattern", "a shorter expression: its repetitions take too many steps")
    return Expression(text, compiled, compiled.groups, compiled.programsize)


def _reason(error: Exception) -> str:
    """RE2's own words; it gives them as octets."""
    told = error.args[0] if error.args else ""
    return told.decode("ascii", "replace") if isinstance(told, bytes) else str(told)
