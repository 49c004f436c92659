"""Dial plans: how numbers as people write them become those a PBX takes, and back. See docs/dial_plan.md."""

from __future__ import annotations

from engine.domain.dial_plan.errors import DialPlanError
from engine.domain.dial_plan.plan import DialPlan
from engine.domain.dial_plan.rule import DialRule, Direction
from engine.domain.dial_plan.settings import DialSettings
from engine.domain.dial_plan.starting_rules import starting_rules
from engine.domain.dial_plan.translation import Step, StepKind, Translation

__all__ = [
    "DialPlan",
    "DialPlanError",
    "DialRule",
    "DialSettings",
    "Direction",
    "Step",
    "StepKind",
    "Translation",
    "starting_rules",
]
