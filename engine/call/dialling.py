"""The dial plan a call's numbers go through: its line's domain's, else that of its company's first domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from twisted.logger import Logger

from engine.domain.dial_plan import DialPlan, DialPlanError, DialRule, DialSettings
from engine.domain.dial_plan.plan import UNCHANGED, compile_rule
from engine.store.domain.dial_plans import StoredPlan

log = Logger()


class Dialling:
    """All dial plans, replaced as a whole when one changes. A plan that changes nothing costs a call nothing."""

    def __init__(
        self,
        plans: Mapping[int, DialPlan] | None = None,
        first_domains: Mapping[int, int] | None = None,
        line_domains: Mapping[str, int] | None = None,
    ) -> None:
        """plans: by domain. first_domains: of each company. line_domains: by the scoped number of the line."""
        self._plans = {domain: plan for domain, plan in (plans or {}).items() if not plan.is_neutral}
        self._first_domains = dict(first_domains or {})
        self._line_domains = dict(line_domains or {})

    @classmethod
    def of(cls, stored: Iterable[StoredPlan], line_domains: Mapping[str, int] | None = None) -> Dialling:
        """What the store says; the first of a company's domains is the one that was made first."""
        plans: dict[int, DialPlan] = {}
        first: dict[int, int] = {}
        for each in sorted(stored, key=lambda one: one.domain_id):
            plans[each.domain_id] = usable_plan(each.settings, each.rules)
            first.setdefault(each.company_id, each.domain_id)
        return cls(plans, first, line_domains)

    def outgoing(self, number: str, company: int, identity: str | None) -> str:
        """What to dial for ``number``; empty when there is nothing in it to dial."""
        plan = self._plan(company, identity)
        return number if plan is None else plan.outgoing(number).number

    def incoming(self, number: str, company: int) -> str:
        """What a number from a PBX, the caller's or the called one, is for us; empty when there is nothing in it."""
        plan = self._plan(company, None)
        return number if plan is None else plan.incoming(number).number

    def _plan(self, company: int, identity: str | None) -> DialPlan | None:
        if not self._plans:
            return None
        domain = None if identity is None else self._line_domains.get(identity)
        return self._plans.get(self._first_domains.get(company, 0) if domain is None else domain)


def usable_plan(settings: DialSettings, rules: Iterable[DialRule]) -> DialPlan:
    """The plan of a domain; calls go on without what this version, or its RE2, cannot use."""
    usable = []
    for each in rules:
        try:
            compile_rule(each, settings)
        except DialPlanError as error:
            log.warn("dial rule {uid} is left out: {error}", uid=each.uid, error=str(error))
        else:
            usable.append(each)
    try:
        return DialPlan.of(settings, usable)
    except DialPlanError as error:
        log.warn("a dial plan is left out: {error}", error=str(error))
        return UNCHANGED
