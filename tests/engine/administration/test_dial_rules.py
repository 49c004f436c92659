"""Rules of dial plans, as nouns."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import select

from engine.administration.companies import Companies, CompanyDraft
from engine.administration.dial_rules import DialRuleDraft, DialRules, DialRuleView
from engine.administration.query import Query
from engine.domain.actor import LOCAL, Actor, Role
from engine.domain.dial_plan import DialPlan
from engine.domain.identity import new_uid
from engine.domain.scope import DEFAULT_COMPANY, DEFAULT_DOMAIN
from engine.store import Forbidden, Invalid, NotFound, Stale, Store
from engine.store.domain.dial_plans import rows_of, rules_of, settings_of
from engine.store.domain.tables import DialRuleRow, DomainRow
from tests.engine.administration.notebook import Notebook, administrator


@pytest.fixture
def rules(store: Store, notebook: Notebook) -> DialRules:
    return DialRules(store.database, notebook)


@pytest.fixture
def domain(store: Store) -> str:
    """The identity of the default domain."""
    with store.database.reading() as session:
        return session.scalars(select(DomainRow.uid)).one()


def patch(**fields: object) -> msgspec.Struct:
    return DialRules.patch(**fields)


def draft(domain: str, pattern: str, result: str = "", priority: int = 10, **fields: object) -> DialRuleDraft:
    values = {"domain": domain, "pattern": pattern, "result": result, "priority": priority, **fields}
    return msgspec.convert(values, DialRuleDraft)


def patterns(rules: DialRules, query: Query, actor: Actor = LOCAL) -> list[str]:
    return [each.pattern for each in rules.page(actor, query).items]


def plan(store: Store, key: int = DEFAULT_DOMAIN) -> DialPlan:
    """What the calls read."""
    with store.database.reading() as session:
        domain = session.get(DomainRow, key)
        assert domain is not None
        return DialPlan.of(settings_of(domain), rules_of(rows_of(session, key)))


def test_the_default_domain_dials_as_before(store: Store) -> None:
    assert plan(store).is_neutral


def test_from_its_making_to_its_end(rules: DialRules, domain: str, notebook: Notebook, store: Store) -> None:
    made = rules.add(LOCAL, draft(domain, "[0033(.)]", "0$1", note="home"))
    assert (made.view.domain, made.view.direction, made.view.enabled) == (domain, "outgoing", True)
    assert rules.get(LOCAL, made.view.uid) == made
    assert plan(store).outgoing("0033155").number == "0155"
    changed = rules.change(LOCAL, made.view.uid, patch(result="9$1", domain=domain), made.version)
    assert changed.version == 2
    assert plan(store).outgoing("0033155").number == "9155"
    with pytest.raises(Stale):
        rules.change(LOCAL, made.view.uid, patch(result="8"), 1)
    rules.remove(LOCAL, made.view.uid)
    assert plan(store).is_neutral
    assert notebook.changes[1].fields == {"result": ("0$1", "9$1")}
    assert {each.company_id for each in notebook.changes} == {DEFAULT_COMPANY}
    assert notebook.kinds() == ["dial-rules.added", "dial-rules.changed", "dial-rules.removed"]


def test_listed_as_they_are_tried(rules: DialRules, domain: str) -> None:
    for pattern, priority in (("3", 30), ("1", 10), ("2a", 20), ("2b", 20)):
        rules.add(LOCAL, draft(domain, pattern, priority=priority, enabled=pattern != "1"))
    rules.add(LOCAL, draft(domain, "4", priority=1, direction="incoming"))
    assert patterns(rules, Query()) == ["4", "1", "2a", "2b", "3"]
    assert patterns(rules, Query(filters={"direction": "outgoing", "enabled": "true"})) == ["2a", "2b", "3"]
    assert patterns(rules, Query(filters={"domain": domain}, limit=2)) == ["4", "1"]
    assert patterns(rules, Query(filters={"domain": new_uid("dom")})) == []
    with pytest.raises(Invalid, match="direction"):
        rules.page(LOCAL, Query(filters={"direction": "up"}))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"pattern": "[(1]"}, "pattern"),
        ({"pattern": "[-Country-]"}, "pattern"),
        ({"result": "$1"}, "result"),
        ({"note": "a\nb"}, "note"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_and_nothing_is_lost(
    rules: DialRules, domain: str, fields: dict[str, object], field: str
) -> None:
    made = rules.add(LOCAL, draft(domain, "1", "2")).view
    for attempt in (
        lambda: rules.add(LOCAL, msgspec.structs.replace(draft(domain, "1", "2"), **fields)),
        lambda: rules.change(LOCAL, made.uid, patch(**fields)),
    ):
        with pytest.raises(Invalid) as refused:
            attempt()
        assert refused.value.field == field
    assert rules.page(LOCAL, Query()).items == [made]


def test_rules_too_many_for_one_domain(rules: DialRules, domain: str) -> None:
    """The sum of what its expressions may take is bounded; disabled ones take nothing until they are enabled."""
    heavy = r"[\d{450}x]"
    for _ in range(3):
        rules.add(LOCAL, draft(domain, heavy))
    with pytest.raises(Invalid, match="pattern: expected fewer or shorter outgoing expressions"):
        rules.add(LOCAL, draft(domain, heavy))
    spare = rules.add(LOCAL, draft(domain, heavy, enabled=False)).view
    rules.add(LOCAL, draft(domain, heavy, direction="incoming"))
    with pytest.raises(Invalid, match="pattern"):
        rules.change(LOCAL, spare.uid, patch(enabled=True))


def test_outside_her_companies_nothing_exists(rules: DialRules, store: Store, domain: str) -> None:
    """Neither rules nor domains; and a rule stays where it was made."""
    Companies(store.database, Notebook()).add(LOCAL, CompanyDraft(name="Other"))
    with store.database.writing() as session:
        session.add(
            DomainRow(uid=new_uid("dom"), version=1, company_id=2, name="x", name_folded="x", culture="en")
        )
    with store.database.reading() as session:
        other = session.scalars(select(DomainRow.uid).where(DomainRow.company_id == 2)).one()
    ours = rules.add(LOCAL, draft(domain, "1")).view
    theirs = rules.add(LOCAL, draft(other, "2")).view
    jane = administrator(DEFAULT_COMPANY)
    assert rules.page(jane, Query()).items == [ours]
    assert rules.page(administrator(2), Query(filters={"domain": domain})).items == []
    for attempt in (
        lambda: rules.get(jane, theirs.uid),
        lambda: rules.change(jane, theirs.uid, patch(result="3")),
        lambda: rules.remove(jane, theirs.uid),
        lambda: rules.add(jane, draft(other, "1")),
        lambda: rules.add(jane, draft("dom_x", "1")),
        lambda: rules.change(jane, ours.uid, patch(domain=other)),
    ):
        with pytest.raises(NotFound):
            attempt()
    with pytest.raises(Invalid, match="domain"):
        rules.change(LOCAL, ours.uid, patch(domain=other))


def test_who_may(rules: DialRules, domain: str) -> None:
    """Whoever reads the company reads them; administrators write."""
    made = rules.add(LOCAL, draft(domain, "1")).view
    reader = Actor("admin:joe", Role.OPERATOR, frozenset({DEFAULT_COMPANY}))
    assert rules.get(reader, made.uid).view == made
    for attempt in (
        lambda: rules.add(reader, draft(domain, "1")),
        lambda: rules.change(reader, made.uid, patch(result="3")),
        lambda: rules.remove(reader, made.uid),
    ):
        with pytest.raises(Forbidden):
            attempt()
    with pytest.raises(Forbidden):
        rules.page(Actor("user:usr_x", Role.USER, frozenset({DEFAULT_COMPANY})), Query())


def test_a_domain_takes_its_rules_with_it(rules: DialRules, store: Store) -> None:
    with store.database.writing() as session:
        session.add(
            DomainRow(uid=new_uid("dom"), version=1, company_id=1, name="x", name_folded="x", culture="en")
        )
    with store.database.reading() as session:
        domain = session.scalars(select(DomainRow).where(DomainRow.name == "x")).one()
    made: DialRuleView = rules.add(LOCAL, draft(domain.uid, "1")).view
    assert made.domain == domain.uid
    assert plan(store, domain.id).outgoing("0155171889").number == "00155171889"
    with store.database.writing() as session:
        session.delete(session.get(DomainRow, domain.id))
    with store.database.reading() as session:
        assert list(session.scalars(select(DialRuleRow))) == []
