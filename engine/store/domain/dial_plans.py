"""Dial plans in the store: a domain's settings and rules, as the rest of the engine reads them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.domain.dial_plan import DialRule, DialSettings, Direction
from engine.domain.dial_plan.settings import SETTINGS
from engine.store.domain.tables import DialRuleRow, DomainRow


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
