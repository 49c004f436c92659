"""A domain's dial plan as a whole: trying a number, and its rules as CSV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from typing import Annotated, Any, Literal, Protocol

import msgspec
from msgspec import Meta
from sqlalchemy.orm import Session

from engine.administration.action import Action
from engine.administration.dial_rules import (
    DialRuleDraft,
    DialRules,
    DialRuleView,
    locked_domain,
)
from engine.administration.dial_settings import check_plan
from engine.administration.notes import Notes
from engine.administration.places import domain_for
from engine.domain.actor import Actor
from engine.domain.dial_plan import DialPlanError, DialRule, Direction
from engine.domain.dial_plan.csv_format import read_rules, write_rules
from engine.store.database import Database
from engine.store.domain.dial_plans import rows_of, rule_of, rules_of, settings_of
from engine.store.domain.tables import DialRuleRow
from engine.store.errors import Invalid


class NumberToTry(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A number as somebody writes it, or as a PBX presents it."""

    number: Annotated[
        str, Meta(max_length=320, description="The number.", examples=["+33 (0) 1 23 45 67 89"])
    ]
    direction: Annotated[Literal["outgoing", "incoming"], Meta(description="Dialled, or coming in.")] = (
        "outgoing"
    )


class StepTaken(msgspec.Struct, frozen=True, kw_only=True):
    """One step that was taken."""

    kind: Annotated[str, Meta(description="What was done.")]
    number: Annotated[str, Meta(description="The number after it.")]
    detail: Annotated[str, Meta(description="What was found, removed or put in.")]
    text: Annotated[str, Meta(description="The step in words, in the language of who asks.")]


class NumberTried(msgspec.Struct, frozen=True, kw_only=True):
    """What the dial plan made of it."""

    number: Annotated[str, Meta(description="The number to dial, or to show; empty when there is none.")]
    rule: Annotated[DialRuleView | None, Meta(description="The rule that applied; null when none did.")]
    steps: Annotated[list[StepTaken], Meta(description="Each step, from the first to the last.")]


class RulesToReplace(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The rules of a domain, all of them."""

    csv: Annotated[
        str,
        Meta(
            description="A CSV file with the columns direction, priority, pattern, result, enabled and note.",
            examples=["direction,priority,pattern,result\noutgoing,5,03611,03611\n"],
        ),
    ]


class RulesReplaced(msgspec.Struct, frozen=True, kw_only=True):
    """What an import has changed."""

    kept: Annotated[int, Meta(description="Rules that were there already, and stay.")]
    added: Annotated[int, Meta(description="Rules that are new.")]
    removed: Annotated[int, Meta(description="Rules that are gone.")]


class _Together(DialRules):
    """Rules of which many are written in one transaction: the plan is checked once, at its end."""

    def written(self, session: Session, actor: Actor, row: DialRuleRow, given: Mapping[str, Any]) -> None:
        """See ``TableNoun``; the rule itself was checked."""


class DialPlans:
    """The dial plans of the domains. Reading takes the right to read ``dial-rules``, an import that to write them."""

    def __init__(self, database: Database, notes: Notes) -> None:
        self._database = database
        self._rules = _Together(database, notes)

    def try_number(self, actor: Actor, domain: str, wanted: NumberToTry) -> NumberTried:
        """What the plan of ``domain`` makes of a number. Raises Forbidden, NotFound."""
        self._rules.require_read(actor)
        with self._database.reading() as session:
            plan = check_plan(session, domain_for(session, actor, domain))
            way = plan.outgoing if Direction(wanted.direction) is Direction.OUTGOING else plan.incoming
            tried = way(wanted.number)
            rule = None if tried.rule is None else self._rules.view_within(session, actor, tried.rule.uid)
        steps = [
            StepTaken(
                kind=each.kind.value, number=each.number, detail=each.detail, text=each.text(actor.language)
            )
            for each in tried.steps
        ]
        return NumberTried(number=tried.number, rule=rule, steps=steps)

    def export(self, actor: Actor, domain: str) -> str:
        """The rules of ``domain`` as CSV, as they are tried. Raises Forbidden, NotFound."""
        self._rules.require_read(actor)
        with self._database.reading() as session:
            return write_rules(rules_of(rows_of(session, domain_for(session, actor, domain).id)))

    def replace(self, actor: Actor, domain: str, text: str) -> RulesReplaced:
        """Make the rules of ``domain`` those of a CSV file, or change nothing.

        Raises Forbidden, NotFound, and Invalid naming row and column.
        """
        self._rules.require_write(actor)
        with self._database.writing() as session:
            row = locked_domain(session, domain_for(session, actor, domain).id)
            try:
                wanted = read_rules(text, settings_of(row))
            except DialPlanError as error:
                place = error.field if error.row is None else f"row {error.row}, {error.field}"
                raise Invalid(place, error.expected) from error
            there = rows_of(session, row.id)
            result = self._exchange(session, actor, domain, there, wanted)
            check_plan(session, row)
            return result

    def _exchange(
        self, session: Session, actor: Actor, domain: str, there: list[DialRuleRow], wanted: list[DialRule]
    ) -> RulesReplaced:
        """Priority by priority: where the file has the same rules in the same order, they stay as they are."""
        old = {
            key: list(rows) for key, rows in groupby(there, key=lambda each: (each.direction, each.priority))
        }
        new: dict[tuple[str, int], list[DialRule]] = {}
        for each in wanted:
            new.setdefault((each.direction.value, each.priority), []).append(each)
        same = {key for key, rules in new.items() if [_bare(row) for row in old.get(key, [])] == rules}
        gone = [row for key, rows in old.items() if key not in same for row in rows]
        for row in gone:
            self._rules.remove_within(session, actor, row.uid)
        added = [rule for key, rules in sorted(new.items()) if key not in same for rule in rules]
        for rule in added:
            self._rules.add_within(session, actor, _draft(domain, rule))
        return RulesReplaced(kept=len(there) - len(gone), added=len(added), removed=len(gone))


class HasDialPlans(Protocol):
    """The domains, as an action is given them."""

    dial_plans: DialPlans


def _try(domains: HasDialPlans, actor: Actor, uid: str, body: NumberToTry) -> NumberTried:
    return domains.dial_plans.try_number(actor, uid, body)


def _export(domains: HasDialPlans, actor: Actor, uid: str, body: None) -> bytes:
    return domains.dial_plans.export(actor, uid).encode()


def _import(domains: HasDialPlans, actor: Actor, uid: str, body: RulesToReplace) -> RulesReplaced:
    return domains.dial_plans.replace(actor, uid, body.csv)


ACTIONS = (
    Action(
        "dial-plan/try",
        "POST",
        "Says what the dial plan makes of a number, by which rule, and each step.",
        _try,
        body=NumberToTry,
        answer=NumberTried,
        changes=False,
    ),
    Action(
        "dial-plan/rules",
        "GET",
        "Exports the rules of the dial plan as CSV.",
        _export,
        answer=str,
        media_type="text/csv",
    ),
    Action(
        "dial-plan/rules",
        "PUT",
        "Makes the rules of the dial plan those of a CSV file, all of them or, where one is wrong, none.",
        _import,
        body=RulesToReplace,
        answer=RulesReplaced,
    ),
)
"""What can be done to a domain's plan."""


def _bare(row: DialRuleRow) -> DialRule:
    """The rule of a row as a file has it: without an identity."""
    return replace(rule_of(row), uid="")


def _draft(domain: str, rule: DialRule) -> DialRuleDraft:
    return DialRuleDraft(
        domain=domain,
        direction="outgoing" if rule.direction is Direction.OUTGOING else "incoming",
        priority=rule.priority,
        pattern=rule.pattern,
        result=rule.result,
        enabled=rule.enabled,
        note=rule.note,
    )
