"""Domains."""

from __future__ import annotations

import msgspec
import pytest

from engine.administration.dial_plans import DialPlans, NumberToTry
from engine.domain.actor import LOCAL
from engine.store import Forbidden, InUse, Invalid, NotFound, Taken
from tests.engine.administration.town import Town


def test_a_domain_belongs_to_its_company(town: Town) -> None:
    made = town.add("domains", name="PBX of Lyon", culture="fr")
    assert made.company == town.ours.company
    assert [each.name for each in town.list("domains")] == ["main", "PBX of Lyon"]
    assert [each.company for each in town.list("domains", town.theirs.administrator)] == [town.theirs.company]
    assert town.list("domains", company=town.theirs.company) == []
    with pytest.raises(NotFound):
        town.change("domains", made.uid, town.theirs.administrator, name="Mine")


def test_names_stand_once_in_a_company(town: Town) -> None:
    town.add("domains", name="Lyon")
    with pytest.raises(Taken):
        town.add("domains", name="LYON")
    town.add("domains", town.theirs.administrator, name="Lyon")


def test_where_a_domain_is_made(town: Town) -> None:
    with pytest.raises(Invalid, match="company"):
        town.add("domains", LOCAL, name="Nowhere")
    with pytest.raises(NotFound):
        town.add("domains", name="There", company=town.theirs.company)
    domain = town.add("domains", LOCAL, name="There", company=town.theirs.company)
    with pytest.raises(Invalid, match="company"):
        town.change("domains", domain.uid, LOCAL, company=town.ours.company)
    assert town.change("domains", domain.uid, LOCAL, company=town.theirs.company) == domain


def test_only_the_super_user_gives_a_sip_domain(town: Town) -> None:
    """Else a refusal would tell one company what another is called."""
    theirs = town.change("domains", town.theirs.domain, LOCAL, sip_domain="SIP.example.com")
    assert theirs.sip_domain == "sip.example.com"
    for host in ("sip.example.com", "free.example.com"):
        with pytest.raises(Forbidden):
            town.change("domains", town.ours.domain, sip_domain=host)
        with pytest.raises(Forbidden):
            town.add("domains", name="x", sip_domain=host)
    with pytest.raises(Taken):
        town.change("domains", town.ours.domain, LOCAL, sip_domain="sip.EXAMPLE.com")
    renamed = town.change(
        "domains", town.theirs.domain, town.theirs.administrator, name="head", sip_domain="sip.example.com"
    )
    assert (renamed.name, renamed.sip_domain) == ("head", "sip.example.com")
    assert [each.uid for each in town.list("domains", LOCAL, sip_domain="Sip.Example.Com")] == [theirs.uid]


def test_what_has_something_in_it_stays(town: Town) -> None:
    town.add("users", login="jane")
    with pytest.raises(InUse, match="1 users"):
        town.remove("domains", town.ours.domain)
    with pytest.raises(InUse, match="domain main"):
        town.remove("companies", town.ours.company, LOCAL)
    town.remove("domains", town.theirs.domain, town.theirs.administrator)
    town.remove("companies", town.theirs.company, LOCAL)
    default = town.list("domains", LOCAL)[0]
    assert default.name == "default"
    with pytest.raises(InUse, match="the engine"):
        town.remove("domains", default.uid, LOCAL)


def test_a_new_domain_has_a_dial_plan(town: Town) -> None:
    """Its settings are those of a PBX in France, and its rules those of its country."""
    made = town.add("domains", name="Madrid", country_prefix="34", external_prefix="9")
    assert (made.international_prefix, made.internal_length, made.reverse_length) == ("00", 4, 9)
    rules = town.list("dial-rules", domain=made.uid)
    assert [each.priority for each in rules] == [10, 20, 30, 40]
    assert {each.company for each in rules} == {town.ours.company}
    plans = DialPlans(town.store.database, town.notebook)
    tried = plans.try_number(town.ours.administrator, made.uid, NumberToTry(number="+34 912 345 678"))
    assert tried.number == "9912345678"
    assert len(town.list("dial-rules", domain=town.ours.domain)) == 5
    assert town.list("dial-rules", domain=town.theirs.domain) == []
    with pytest.raises(NotFound):
        plans.try_number(town.ours.administrator, town.theirs.domain, NumberToTry(number="1"))
    town.remove("domains", made.uid)
    assert len(town.list("dial-rules")) == 5


def test_settings_of_the_dial_plan(town: Town) -> None:
    """They change what the rules do at once; what cannot be is refused, and changes nothing."""
    changed = town.change("domains", town.ours.domain, external_prefix="#", internal_length=3)
    assert (changed.external_prefix, changed.internal_length) == ("#", 3)
    plans = DialPlans(town.store.database, town.notebook)
    tried = plans.try_number(town.ours.administrator, town.ours.domain, NumberToTry(number="+33155171889"))
    assert tried.number == "#0155171889"
    for fields in ({"external_prefix": "x"}, {"internal_length": 16}, {"country_prefix": "033"}):
        with pytest.raises(msgspec.ValidationError):
            town.change("domains", town.ours.domain, **fields)
    with pytest.raises(Invalid, match="incoming_add"):
        town.change("domains", town.ours.domain, incoming_add="1" * 17)
    assert town.list("domains", sip_domain="x") == []
    assert town.nouns["domains"].get(LOCAL, town.ours.domain).view == changed
