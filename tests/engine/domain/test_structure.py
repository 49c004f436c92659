"""Who is in what, through groups in groups; nothing crosses a company."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given

from engine.domain.structure import Node, Structure
from tests.engine.domain.structures import COMPANY_OF, memberships, reached, structure, uids


@given(uids, memberships)
def test_groups_in_groups(uid: str, pairs: list[tuple[str, str]]) -> None:
    """Everything reached by memberships of the company is found, rings or not, and nothing else."""
    assert set(structure(*pairs).groups_of(uid)) == reached(uid, pairs)


@given(uids, memberships)
def test_ways_are_real_and_shortest(uid: str, pairs: list[tuple[str, str]]) -> None:
    """Each way begins with the member, ends with the group, is made of memberships, and comes nearest first."""
    found = structure(*pairs).groups_of(uid)
    lengths = []
    for group, way in found.items():
        assert (way[0], way[-1]) == (uid, group)
        assert set(pairwise(way)) <= set(pairs)
        assert all(step == uid or found[step] == way[: at + 1] for at, step in enumerate(way))
        lengths.append((len(way), group))
    assert lengths == sorted(lengths)


@given(uids, memberships)
def test_nothing_of_another_company_is_above(uid: str, pairs: list[tuple[str, str]]) -> None:
    """Whatever memberships the store holds, what is above a node is of its company."""
    assert {COMPANY_OF[each] for each in structure(*pairs).above(uid)} == {COMPANY_OF[uid]}


def test_above_a_user() -> None:
    """Herself, her groups, her domain, her company."""
    found = structure(("usr_a1_0", "grp_a1_0"), ("grp_a1_0", "grp_a1_1")).above("usr_a1_0")
    assert found == {
        "usr_a1_0": ("usr_a1_0",),
        "grp_a1_0": ("usr_a1_0", "grp_a1_0"),
        "grp_a1_1": ("usr_a1_0", "grp_a1_0", "grp_a1_1"),
        "dom_a1": ("usr_a1_0", "dom_a1"),
        "cmp_a": ("usr_a1_0", "cmp_a"),
    }


def test_above_a_domain_and_a_company() -> None:
    """A domain is in its company; a company in nothing; nothing is above what there is not."""
    assert structure().above("dom_a1") == {"dom_a1": ("dom_a1",), "cmp_a": ("dom_a1", "cmp_a")}
    assert structure().above("cmp_a") == {"cmp_a": ("cmp_a",)}
    assert structure().above("usr_nobody") == {}


def test_unknown_members_are_left_out() -> None:
    """A membership of something that is gone means nothing."""
    found = Structure([Node("usr_a", "cmp_a", "dom_a")], [("usr_a", "grp_gone"), ("usr_gone", "usr_a")])
    assert found.groups_of("usr_a") == {}
    assert found.find("usr_a") == Node("usr_a", "cmp_a", "dom_a")
    assert found.find("grp_gone") is None
