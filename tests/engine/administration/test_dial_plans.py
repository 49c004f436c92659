"""A dial plan as a whole: try-it, and CSV in and out."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import select

from engine.administration.dial_plans import DialPlans, NumberToTry
from engine.administration.dial_rules import DialRules
from engine.administration.query import Query
from engine.domain.actor import LOCAL, Actor, Role
from engine.domain.dial_plan import starting_rules
from engine.domain.dial_plan.csv_format import write_rules
from engine.store import Forbidden, Invalid, NotFound, Store
from engine.store.domain.tables import DomainRow
from tests.engine.administration.notebook import Notebook, administrator

STARTING = write_rules(starting_rules("33"))


@pytest.fixture
def plans(store: Store, notebook: Notebook) -> DialPlans:
    return DialPlans(store.database, notebook)


@pytest.fixture
def domain(store: Store) -> str:
    """The default domain, with an external prefix."""
    with store.database.writing() as session:
        row = session.scalars(select(DomainRow)).one()
        row.external_prefix = "0"
        return row.uid


def test_a_number_is_tried(plans: DialPlans, domain: str) -> None:
    """The rule that fired and each step, in the language of who asks."""
    plans.replace(LOCAL, domain, STARTING)
    tried = plans.try_number(LOCAL, domain, NumberToTry(number="+33 (0) 1 23 45 67 89"))
    assert tried.number == "00123456789"
    assert tried.rule is not None
    assert (tried.rule.priority, tried.rule.domain) == (10, domain)
    assert [each.kind for each in tried.steps] == ["read", "rule", "has_external_prefix"]
    french = Actor("admin:jeanne", Role.READ_ONLY, frozenset({1}), language="fr")
    tried = plans.try_number(french, domain, NumberToTry(number="#31#"))
    assert (tried.number, tried.rule) == ("#31#", None)
    assert tried.steps[-1].text == "aucune règle ne s'applique ; un code de service est conservé : #31#"
    assert plans.try_number(LOCAL, domain, NumberToTry(number="12", direction="incoming")).number == "12"


def test_csv_out_and_in(plans: DialPlans, store: Store, domain: str, notebook: Notebook) -> None:
    """What has not changed keeps its identity; what goes and comes is noted, each rule by itself."""
    plans.replace(LOCAL, domain, STARTING)
    assert plans.export(LOCAL, domain) == STARTING
    before = {each.uid for each in DialRules(store.database, notebook).page(LOCAL, Query()).items}
    assert notebook.kinds() == ["dial-rules.added"] * 5
    edited = STARTING + "incoming,1,0033,0,false,\n" + "outgoing,10,12,13,true,\n"
    done = plans.replace(LOCAL, domain, edited)
    assert msgspec.to_builtins(done) == {"kept": 4, "added": 3, "removed": 1}
    assert notebook.kinds() == ["dial-rules.removed"] + ["dial-rules.added"] * 3
    after = {each.uid for each in DialRules(store.database, notebook).page(LOCAL, Query()).items}
    assert len(before & after) == 4
    assert plans.export(LOCAL, domain).splitlines()[1] == "incoming,1,'0033,'0,false,"
    assert plans.export(LOCAL, domain).splitlines()[3] == "outgoing,10,12,13,true,"
    assert msgspec.to_builtins(plans.replace(LOCAL, domain, plans.export(LOCAL, domain)))["kept"] == 7


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("outgoing,1,[(1],2,true,", "row 7, pattern"),
        ("outgoing,1,1,$1,true,", "row 7, result"),
        (
            r"outgoing,1,[\d{400}x],,true," + "\n" + "\n".join([r"outgoing,1,[\d{400}x],,true,"] * 3),
            "pattern",
        ),
    ],
)
def test_a_bad_file_changes_nothing(plans: DialPlans, domain: str, row: str, field: str) -> None:
    plans.replace(LOCAL, domain, STARTING)
    with pytest.raises(Invalid) as refused:
        plans.replace(LOCAL, domain, STARTING + row + "\n")
    assert refused.value.field == field
    assert plans.export(LOCAL, domain) == STARTING


def test_many_rules_in_one_file(plans: DialPlans, domain: str) -> None:
    text = "direction,priority,pattern,result\n" + "".join(f"outgoing,{at},{at},\n" for at in range(1, 201))
    assert plans.replace(LOCAL, domain, text).added == 200
    assert plans.replace(LOCAL, domain, text).kept == 200
    with pytest.raises(Invalid, match="at most 200"):
        plans.replace(LOCAL, domain, text + "outgoing,500,1,\n")


def test_who_may(plans: DialPlans, domain: str) -> None:
    reader = Actor("admin:joe", Role.OPERATOR, frozenset({1}))
    assert plans.export(reader, domain).startswith("direction,")
    with pytest.raises(Forbidden):
        plans.replace(reader, domain, STARTING)
    nobody = Actor("user:usr_x", Role.USER, frozenset({1}))
    stranger = administrator(2)
    for actor, refusal in ((nobody, Forbidden), (stranger, NotFound)):
        with pytest.raises(refusal):
            plans.export(actor, domain)
        with pytest.raises(refusal):
            plans.replace(actor, domain, STARTING)
        with pytest.raises(refusal):
            plans.try_number(actor, domain, NumberToTry(number="1"))
