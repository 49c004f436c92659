"""Dial plans in the store: a domain's settings and rules, as the rest of the engine reads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.domain.dial_plan import DialRule, DialSettings, Direction, starting_rules
from engine.domain.dial_plan.settings import SETTINGS
from engine.domain.identity import new_uid
from engine.store.database import Database
from engine.store.domain.tables import DialRuleRow, DomainRow


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A domain's dial plan as it is kept."""

    domain_id: int
    company_id: int
    settings: DialSettings
    rules: tuple[DialRule, ...]


class DialPlans:
    """The dial plans of all domains."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[StoredPlan]:
        """Every domain's, each with its rules in the order in which they are tried."""
        row = DialRuleRow
        with self._database.reading() as session:
            rules: dict[int, list[DialRule]] = {}
            for each in session.scalars(select(row).order_by(row.domain_id, row.priority, row.id)):
                rules.setdefault(each.domain_id, []).append(rule_of(each))
            return [
                StoredPlan(each.id, each.company_id, settings_of(each), tuple(rules.get(each.id, ())))
                for each in session.scalars(select(DomainRow).order_by(DomainRow.id))
            ]


def settings_of(domain: DomainRow) -> DialSettings:
    """The settings that stand in a domain's row."""
    return DialSettings(**{name: getattr(domain, name) for name in SETTINGS})


def rule_of(row: DialRuleRow) -> DialRule:
    """The rule a row holds."""
    return DialRule(
        Direction(row.direction), row.priority, row.pattern, row.result, row.enabled, row.note, row.uid
    )


def rows_of(session: Session, domain_id: int) -> list[DialRuleRow]:
    """A domain's rules in the order in which they are tried, outgoing ones after incoming."""
    row = DialRuleRow
    wanted = select(row).where(row.domain_id == domain_id).order_by(row.direction, row.priority, row.id)
    return list(session.scalars(wanted))


def rules_of(rows: Iterable[DialRuleRow]) -> list[DialRule]:
    """What several rows hold."""
    return [rule_of(each) for each in rows]


def starting_rows(domain: DomainRow) -> list[DialRuleRow]:
    """The rules a new domain starts with, to be added in their order."""
    return [
        DialRuleRow(
            uid=new_uid("rul"),
            version=1,
            company_id=domain.company_id,
            domain_id=domain.id,
            direction=each.direction.value,
            priority=each.priority,
            pattern=each.pattern,
            result=each.result,
            enabled=each.enabled,
            note=each.note,
        )
        for each in starting_rules(domain.country_prefix)
    ]
