"""A domain's dial plan at work: from a number as people write it to the one its PBX takes, and back.

How it goes, step by step, is told in docs/dial_plan.md. Whatever text comes in, something comes out: nothing is
raised, and at most one rule applies.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.domain.dial_plan.errors import DialPlanError
from engine.domain.dial_plan.pattern import Expression, Found, Pattern, parse_pattern
from engine.domain.dial_plan.result import Result, parse_result
from engine.domain.dial_plan.rule import DialRule, Direction
from engine.domain.dial_plan.settings import NEUTRAL, DialSettings
from engine.domain.dial_plan.translation import Step, StepKind, Translation

LONGEST_READ = 40
"""Characters of a number without its separators: 15 digits of E.164, prefixes, a trunk prefix in parentheses, codes."""

MOST_RULES = 200
"""Rules of a domain in one direction."""

MOST_EXPRESSIONS = 100
"""Of them with an expression: each costs two microseconds, however short it is."""

MOST_STEPS = 1500
"""Sum of what all expressions of a domain in one direction may take a character; with ``LONGEST_READ`` characters this
keeps the worst number under a millisecond (`bench/dial_plan.py`)."""

DIGITS = frozenset("0123456789")
_DROPPED = str.maketrans("", "", " \t\r\n\f\v.-/")
_DIALLED = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+*#_")


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with the domain's values in it."""

    rule: DialRule
    pattern: Pattern
    result: Result


def compile_rule(rule: DialRule, settings: DialSettings) -> CompiledRule:
    """The rule ready for use. Raises DialPlanError, naming the field."""
    rule.check()
    pattern = parse_pattern(rule.pattern, settings)
    return CompiledRule(rule, pattern, parse_result(rule.result, settings, pattern.groups))


@dataclass(frozen=True, slots=True)
class DialPlan:
    """The settings of a domain and its enabled rules, in the order in which they are tried."""

    settings: DialSettings
    outgoing_rules: tuple[CompiledRule, ...] = field(default=())
    incoming_rules: tuple[CompiledRule, ...] = field(default=())

    @classmethod
    def of(cls, settings: DialSettings, rules: Iterable[DialRule] = ()) -> DialPlan:
        """Compile the enabled ``rules``; of equal priorities the one that comes first here is tried first.

        Raises DialPlanError for a rule or a setting that cannot be, and for more than one number may take.
        """
        settings.check()
        wanted = sorted((each for each in rules if each.enabled), key=lambda each: each.priority)
        compiled = [compile_rule(each, settings) for each in wanted]
        return cls(
            settings,
            _bounded(compiled, Direction.OUTGOING),
            _bounded(compiled, Direction.INCOMING),
        )

    @property
    def is_neutral(self) -> bool:
        """Whether it leaves numbers as they stand."""
        own = self.settings
        added = own.external_prefix or own.incoming_add or own.incoming_remove
        return not (added or self.outgoing_rules or self.incoming_rules)

    def outgoing(self, number: str) -> Translation:
        """What to dial on the PBX for ``number``, as a person or a directory writes it."""
        read, steps = _read(number)
        found = _first(self.outgoing_rules, read)
        if found is None:
            return self._without_rule(read, steps)
        rule, matched = found
        text = rule.result.expand(matched) + read[matched.length :]
        if not read.startswith("+"):
            number = _dialled(text)
            steps.append(Step(StepKind.RULE, number, matched.groups[0]))
        else:
            number = _digits(text)
            steps.append(Step(StepKind.RULE, number, matched.groups[0]))
            if rule.result.has_external:
                steps.append(Step(StepKind.HAS_EXTERNAL_PREFIX, number))
            else:
                number = self._with_external(number, steps)
        return Translation(number, rule.rule, tuple(steps))

    def incoming(self, number: str) -> Translation:
        """What a number that comes in from the PBX, the caller's or the called one, is for us."""
        read, steps = _read(number)
        found = _first(self.incoming_rules, read)
        if found is not None:
            rule, matched = found
            number = _dialled(rule.result.expand(matched) + read[matched.length :])
            steps.append(Step(StepKind.RULE, number, matched.groups[0]))
            return Translation(number, rule.rule, tuple(steps))
        number = _digits(read)
        if number[:1] in ("*", "#"):
            steps.append(Step(StepKind.SERVICE_CODE, number))
            return Translation(number, None, tuple(steps))
        steps.append(Step(StepKind.NO_RULE, number))
        return Translation(self._from_outside(number, steps), None, tuple(steps))

    def _without_rule(self, read: str, steps: list[Step]) -> Translation:
        number = _digits(read)
        if number[:1] in ("*", "#"):
            steps.append(Step(StepKind.SERVICE_CODE, number))
        else:
            steps.append(Step(StepKind.NO_RULE, number))
            number = self._with_external(number, steps)
        return Translation(number, None, tuple(steps))

    def _with_external(self, number: str, steps: list[Step]) -> str:
        """``number`` with the external prefix, if it is one of outside; a + cannot stand behind a prefix."""
        own = self.settings
        if number[:1] in ("*", "#") or not self._is_outside(number):
            steps.append(Step(StepKind.INTERNAL, number))
            return number
        if not own.external_prefix:
            return number
        if number.startswith("+"):
            number = own.international_prefix + number[1:]
            steps.append(Step(StepKind.INTERNATIONAL_PREFIX, number, own.international_prefix))
        number = own.external_prefix + number
        steps.append(Step(StepKind.EXTERNAL_PREFIX, number, own.external_prefix))
        return number

    def _from_outside(self, number: str, steps: list[Step]) -> str:
        """Remove and add what the domain says; numbers of its own PBX are left alone."""
        own = self.settings
        if not self._is_outside(number):
            steps.append(Step(StepKind.INTERNAL, number))
            return number
        if own.incoming_remove and number.startswith(own.incoming_remove):
            number = number.removeprefix(own.incoming_remove)
            steps.append(Step(StepKind.REMOVED, number, own.incoming_remove))
        if own.incoming_add:
            if number.startswith("+"):
                number = own.international_prefix + number[1:]
                steps.append(Step(StepKind.INTERNATIONAL_PREFIX, number, own.international_prefix))
            number = own.incoming_add + number
            steps.append(Step(StepKind.ADDED, number, own.incoming_add))
        return number

    def _is_outside(self, number: str) -> bool:
        """Whether it has more digits than a number of the PBX's own."""
        return len(number) - number.startswith("+") > self.settings.internal_length


UNCHANGED = DialPlan(NEUTRAL)
"""The plan of who has none."""


def _read(number: str) -> tuple[str, list[Step]]:
    """``number`` as the rules see it: ASCII without separators; parentheses and letters stay for them to find.

    Full-width digits become ASCII ones (NFKC); no-break spaces and typographic hyphens go, with all else that no
    number has.
    """
    if len(number) > 8 * LONGEST_READ:  # nobody's number; do not even look at it
        return "", [Step(StepKind.TOO_LONG, "")]
    if not number.isascii():
        number = unicodedata.normalize("NFKC", number).encode("ascii", "ignore").decode("ascii")
    read = "".join(each for each in number.translate(_DROPPED) if each.isprintable())
    if read.startswith("("):  # (+33)1... and (01)... begin as if the parentheses were not there
        read = read[1:].replace(")", "", 1)
    if len(read) > LONGEST_READ:
        return "", [Step(StepKind.TOO_LONG, "")]
    return read, [Step(StepKind.READ, read)]


def _first(rules: Iterable[CompiledRule], read: str) -> tuple[CompiledRule, Found] | None:
    """The rule that applies, and what it found; nothing is looked for in nothing."""
    if read:
        for each in rules:
            found = each.pattern.match(read)
            if found is not None:
                return each, found
    return None


def _digits(text: str) -> str:
    """Drop every non-digit except a leading +, # or *; a service code, which begins with # or *, keeps all of those."""
    kept = DIGITS | {"#", "*"} if text[:1] in ("#", "*") else DIGITS
    rest = "".join(each for each in text[1:] if each in kept)
    return text[0] + rest if text[:1] in ("+", "#", "*") or text[:1] in DIGITS else rest


def _dialled(text: str) -> str:
    """Drop what can stand in no number, and nothing else: only the rule applies."""
    return "".join(each for each in text if each in _DIALLED)


def _bounded(rules: Iterable[CompiledRule], direction: Direction) -> tuple[CompiledRule, ...]:
    found = tuple(each for each in rules if each.rule.direction is direction)
    if len(found) > MOST_RULES:
        raise DialPlanError("rules", f"at most {MOST_RULES} {direction.value} rules in a domain")
    expressions = [each.pattern for each in found if isinstance(each.pattern, Expression)]
    if len(expressions) > MOST_EXPRESSIONS:
        raise DialPlanError("rules", f"at most {MOST_EXPRESSIONS} {direction.value} expressions in a domain")
    if sum(each.steps for each in expressions) > MOST_STEPS:
        raise DialPlanError(
            "rules", f"fewer or shorter {direction.value} expressions: together they take too many steps"
        )
    return found
