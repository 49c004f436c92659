"""What a dial plan made of a number, and how."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.domain.dial_plan.texts import say

if TYPE_CHECKING:
    from engine.domain.dial_plan.rule import DialRule
    from engine.language import Language


class StepKind(enum.StrEnum):
    """What was done to the number."""

    READ = "read"
    TOO_LONG = "too_long"
    RULE = "rule"
    NO_RULE = "no_rule"
    SERVICE_CODE = "service_code"
    INTERNAL = "internal"
    EXTERNAL_PREFIX = "external_prefix"
    HAS_EXTERNAL_PREFIX = "has_external_prefix"
    INTERNATIONAL_PREFIX = "international_prefix"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Step:
    """One step. number: after it. detail: what was found, removed or put in, where that is not seen in the number."""

    kind: StepKind
    number: str
    detail: str = ""

    def text(self, language: Language) -> str:
        """The step, said to a person."""
        return say(f"dial_plan.{self.kind.value}", language, number=self.number, detail=self.detail)


@dataclass(frozen=True, slots=True)
class Translation:
    """The number to dial or to show, the rule that fired, and each step. number: empty when nothing can be dialled."""

    number: str
    rule: DialRule | None
    steps: tuple[Step, ...]
