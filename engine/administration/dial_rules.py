"""The rules of dial plans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.dial_settings import check_plan
from engine.administration.fields import CompanyUid, DomainUid, OwnDomain, Uid
from engine.administration.noun import patch_of
from engine.administration.places import domain_for
from engine.administration.query import Filter
from engine.administration.table_noun import TableNoun, equal
from engine.domain.actor import Actor
from engine.domain.dial_plan import DialPlanError
from engine.domain.dial_plan.plan import compile_rule
from engine.store.domain.dial_plans import rule_of, settings_of
from engine.store.domain.tables import CompanyRow, DialRuleRow, DomainRow
from engine.store.errors import Invalid

Way = Annotated[
    Literal["outgoing", "incoming"],
    Meta(description="Whether it is for numbers that are dialled, or for those that come in."),
]
Priority = Annotated[
    int, Meta(ge=0, le=9999, description="The lowest number is tried first; of equals, the one made first.")
]
Pattern = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        description="What a number must begin with, or a regular expression of RE2 in square brackets; "
        "[-InternationalPrefix-], [-ExternalPrefix-] and [-CountryPrefix-] stand for the domain's values.",
        examples=[r"[(\+|[-InternationalPrefix-])?([^(]+)\([^)]+\)]"],
    ),
]
Result = Annotated[
    str,
    Meta(
        max_length=128,
        description="What is put in the place of what the pattern found; $1 to $9 are its groups.",
        examples=["[-ExternalPrefix-][-InternationalPrefix-]$2"],
    ),
]
Enabled = Annotated[bool, Meta(description="Whether it is tried at all.")]
Note = Annotated[str, Meta(max_length=128, description="What it is for.")]


class DialRuleView(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of a domain's dial plan. At most one rule applies to a number."""

    uid: Uid
    company: CompanyUid
    domain: DomainUid
    direction: Way
    priority: Priority
    pattern: Pattern
    result: Result
    enabled: Enabled
    note: Note


class DialRuleDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new rule."""

    domain: OwnDomain = None
    direction: Way = "outgoing"
    priority: Priority
    pattern: Pattern
    result: Result
    enabled: Enabled = True
    note: Note = ""


class DialRules(TableNoun[DialRuleView, DialRuleRow]):
    """Rules, in the order in which they are tried."""

    name = "dial-rules"
    singular = "dial-rule"
    prefix = "rul"
    row = DialRuleRow
    view = DialRuleView
    draft = DialRuleDraft
    patch = patch_of(DialRuleDraft)
    filters: ClassVar[Mapping[str, Filter]] = {
        "domain": Filter("Those of this domain."),
        "direction": Filter("Those for this direction.", Literal["outgoing", "incoming"]),
        "enabled": Filter("Those that are enabled, or are not.", bool),
    }
    orders = ("priority", "pattern")

    def columns(self) -> Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]:
        """See ``TableNoun``."""
        row = self.row
        own = ("uid", "direction", "priority", "pattern", "result", "enabled", "note")
        return {name: getattr(row, name) for name in own} | {
            "company": CompanyRow.uid,
            "domain": DomainRow.uid,
        }

    def joined(self, query: Select[Any]) -> Select[Any]:
        """See ``TableNoun``."""
        row = self.row
        with_domain = query.join(DomainRow, DomainRow.id == row.domain_id)
        return with_domain.join(CompanyRow, CompanyRow.id == row.company_id)

    def condition(self, actor: Actor, name: str, value: Any) -> ColumnElement[bool]:
        """See ``TableNoun``."""
        return equal(DomainRow.uid, value) if name == "domain" else super().condition(actor, name, value)

    def view_within(self, session: Session, actor: Actor, uid: str) -> DialRuleView:
        """``get`` in a transaction that is open."""
        return self._shown(session, actor, uid).view

    def write(self, session: Session, actor: Actor, row: DialRuleRow, given: Mapping[str, Any]) -> None:
        """A rule stays in the domain it was made in."""
        columns = dict(given)
        named = columns.pop("domain", None)
        if row.is_new:
            domain = domain_for(session, actor, named)
            row.domain_id, row.company_id = domain.id, domain.company_id
        elif named is not None and domain_for(session, actor, named).id != row.domain_id:
            raise Invalid("domain", "the domain the rule was made in")
        super().write(session, actor, row, columns)

    def check(self, session: Session, row: DialRuleRow) -> None:
        """Refuse a rule that cannot be in its domain."""
        domain = locked_domain(session, row.domain_id)
        try:
            compile_rule(rule_of(row), settings_of(domain))
        except DialPlanError as error:
            raise Invalid(error.field, error.expected) from error

    def written(self, session: Session, actor: Actor, row: DialRuleRow, given: Mapping[str, Any]) -> None:
        """Refuse what would be one rule, or one expression, too many."""
        check_plan(session, locked_domain(session, row.domain_id))


def locked_domain(session: Session, key: int) -> DomainRow:
    """The domain, whose plan nobody else changes until the transaction ends."""
    return session.scalars(select(DomainRow).where(DomainRow.id == key).with_for_update()).one()
