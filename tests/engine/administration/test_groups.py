"""Groups, and who is in them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from engine.domain.actor import LOCAL
from engine.domain.identity import new_uid
from engine.store import Invalid, NotFound, Taken
from tests.engine.administration.town import Town


def put(town: Town, group: str, member: str) -> str:
    uid: str = town.add("memberships", group=group, member=member).uid
    return uid


def test_groups_have_users_and_groups(town: Town) -> None:
    sales, all_of_us = town.add("groups", name="sales"), town.add("groups", name="all")
    jane = town.add("users", login="jane")
    put(town, sales.uid, jane.uid)
    put(town, all_of_us.uid, sales.uid)
    assert [(each.name, each.members) for each in town.list("groups")] == [("all", 1), ("sales", 1)]
    assert [each.member for each in town.list("memberships", group=all_of_us.uid)] == [sales.uid]
    assert [each.group for each in town.list("memberships", member=jane.uid)] == [sales.uid]
    assert [each.group for each in town.list("memberships", member=sales.uid)] == [all_of_us.uid]
    assert town.list("groups", q="SÁLES", domain=town.ours.domain)[0].uid == sales.uid


def test_nobody_is_in_a_group_twice(town: Town) -> None:
    group, inner = town.add("groups", name="sales"), town.add("groups", name="inner")
    jane = town.add("users", login="jane")
    for member in (jane.uid, inner.uid):
        put(town, group.uid, member)
        with pytest.raises(Taken):
            put(town, group.uid, member)


def test_groups_are_not_in_one_another_in_a_ring(town: Town) -> None:
    groups = [town.add("groups", name=f"g{index}").uid for index in range(5)]
    for outer, inner in pairwise(groups):
        put(town, outer, inner)
    for inner in groups:
        with pytest.raises(Invalid, match="member"):
            put(town, groups[-1], inner)
    put(town, groups[0], groups[2])


def test_a_membership_can_be_turned_to_another(town: Town) -> None:
    one, two = town.add("groups", name="one"), town.add("groups", name="two")
    jane, jim = town.add("users", login="jane"), town.add("users", login="jim")
    uid = put(town, one.uid, jane.uid)
    changed = town.change("memberships", uid, group=two.uid, member=jim.uid)
    assert (changed.group, changed.member) == (two.uid, jim.uid)
    assert town.change("memberships", uid, member=one.uid).member == one.uid
    with pytest.raises(Invalid, match="member"):
        town.change("memberships", uid, group=one.uid)


def test_memberships_end_with_either_side(town: Town) -> None:
    sales, outer = town.add("groups", name="sales"), town.add("groups", name="outer")
    jane, jim = town.add("users", login="jane"), town.add("users", login="jim")
    for group, member in ((sales, jane), (sales, jim), (outer, sales)):
        put(town, group.uid, member.uid)
    town.remove("users", jane.uid)
    assert len(town.list("memberships")) == 2
    town.remove("groups", sales.uid)
    assert town.list("memberships") == []
    assert [each.login for each in town.list("users")] == ["jim"]


def test_memberships_do_not_cross_companies(town: Town) -> None:
    ours, theirs = town.add("groups", name="g"), town.add("groups", town.theirs.administrator, name="g")
    jane, john = town.add("users", login="j"), town.add("users", town.theirs.administrator, login="j")
    membership = put(town, ours.uid, jane.uid)
    for group, member in ((theirs.uid, jane.uid), (ours.uid, john.uid), (ours.uid, theirs.uid)):
        with pytest.raises(NotFound):
            put(town, group, member)
        with pytest.raises(Invalid):
            town.add("memberships", LOCAL, group=group, member=member)
    with pytest.raises(Invalid, match="group"):
        town.change("memberships", membership, LOCAL, group=theirs.uid)
    for nobody in (new_uid("usr"), new_uid("grp"), "x", ""):
        with pytest.raises(NotFound):
            put(town, ours.uid, nobody)


def test_group_names_stand_once_in_a_domain(town: Town) -> None:
    group = town.add("groups", name="Équipe")
    with pytest.raises(Taken):
        town.add("groups", name="equipe")
    with pytest.raises(Invalid, match="name"):
        town.add("groups", name=" ")
    second = town.add("domains", name="second")
    town.add("groups", name="équipe", domain=second.uid)
    with pytest.raises(Taken):
        town.change("groups", group.uid, domain=second.uid)
    assert town.change("groups", group.uid, description="All of us").description == "All of us"
