"""The rules of dial plans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.administration.fields import CompanyUid, Uid
from engine.administration.noun import patch_of
from engine.administration.query import Filter
from engine.administration.table_noun import TableNoun
from engine.domain.actor import Actor
from engine.domain.dial_plan import DialPlan, DialPlanError
from engine.domain.dial_plan.plan import compile_rule
from engine.domain.identity import LONGEST, is_uid
from engine.store.domain.dial_plans import rows_of, rule_of, rules_of, settings_of
from engine.store.domain.tables import CompanyRow, DialRuleRow, DomainRow
from engine.store.errors import Invalid, NotFound
from engine.store.rules import printable

DomainUid = Annotated[str, Meta(max_length=32, description="The domain whose dial plan it is in.")]
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

    domain: DomainUid
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
        return DomainRow.uid == value if name == "domain" else super().condition(actor, name, value)

    def view_within(self, session: Session, actor: Actor, uid: str) -> DialRuleView:
        """``get`` in a transaction that is open."""
        return self._shown(session, actor, uid).view

    def write(self, session: Session, actor: Actor, row: DialRuleRow, given: Mapping[str, Any]) -> None:
        """A rule stays in the domain it was made in."""
        for name, value in given.items():
            if name != "domain":
                setattr(row, name, value)
            elif not row.domain_id:  # a new one
                domain = domain_row(session, actor, value, to_write=True)
                row.domain_id, row.company_id = domain.id, domain.company_id
            elif domain_row(session, actor, value).id != row.domain_id:
                raise Invalid("domain", "the domain the rule was made in")

    def check(self, session: Session, row: DialRuleRow) -> None:
        """Refuse a rule that cannot be in its domain."""
        domain = _locked_domain(session, row.domain_id)
        try:
            compile_rule(rule_of(row), settings_of(domain))
        except DialPlanError as error:
            raise Invalid(error.field, error.expected) from error

    def written(self, session: Session, actor: Actor, row: DialRuleRow, given: Mapping[str, Any]) -> None:
        """Refuse what would be one rule, or one expression, too many."""
        check_plan(session, _locked_domain(session, row.domain_id))


def check_plan(session: Session, domain: DomainRow) -> DialPlan:
    """The plan of a domain as it stands in this transaction. Raises Invalid for one that cannot be."""
    try:
        return DialPlan.of(settings_of(domain), rules_of(rows_of(session, domain.id)))
    except DialPlanError as error:
        raise Invalid("pattern" if error.field == "rules" else error.field, error.expected) from error


def domain_row(session: Session, actor: Actor, uid: str, *, to_write: bool = False) -> DomainRow:
    """The domain of that identity, if it exists for her; ``to_write``: nobody else changes its plan meanwhile."""
    wanted = select(DomainRow).where(DomainRow.uid == (uid if is_uid(uid, "dom") else ""))
    if actor.companies is not None:
        wanted = wanted.where(DomainRow.company_id.in_(sorted(actor.companies)))
    row = session.scalars(wanted.with_for_update() if to_write else wanted).one_or_none()
    if row is None:
        raise NotFound("domain", printable(uid, LONGEST))
    return row


def _locked_domain(session: Session, key: int) -> DomainRow:
    return session.scalars(select(DomainRow).where(DomainRow.id == key).with_for_update()).one()
