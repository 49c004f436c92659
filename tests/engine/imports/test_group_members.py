"""Groups in groups, and distinguished names as they are compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.imports.group_members import Groups, canonical, common_base


def test_groups_in_groups_and_in_each_other() -> None:
    """Everybody once; a circle ends."""
    groups = Groups()
    groups.add("cn=all,dc=x", ["cn=Sales, dc=x", "cn=ann,dc=x"])
    groups.add("cn=sales,dc=x", ["cn=bob,dc=x", "CN=ALL,DC=x"])
    groups.add("cn=others,dc=x", ["cn=cy,dc=x"])
    assert groups.members("CN=All,dc=x") == {"cn=sales,dc=x", "cn=ann,dc=x", "cn=bob,dc=x", "cn=all,dc=x"}
    assert groups.members("cn=none,dc=x") == frozenset()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CN=Ann , DC=x", "cn=ann,dc=X"),
        ("cn=Doe\\, Ann,dc=x", "CN=doe\\2C ann,dc=x"),
        ("cn=a+uid=b,dc=x", "CN=A+UID=b, dc=x"),
    ],
)
def test_names_that_are_the_same(one: str, other: str) -> None:
    """Case and blanks make no difference, nor does the way a comma is escaped."""
    assert canonical(one) == canonical(other)


def test_names_that_are_not() -> None:
    """A comma in a value is none between parts."""
    assert canonical("cn=Doe\\, Ann,dc=x") != canonical("cn=Doe,cn=Ann,dc=x")


@given(st.text(max_size=40))
def test_any_text_is_a_name_of_some_kind(text: str) -> None:
    """Nothing a directory says raises."""
    assert isinstance(canonical(text), str)


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ("ou=people,dc=x,dc=y", "cn=g,ou=groups,dc=X,dc=y", "dc=X,dc=y"),
        ("dc=x", "cn=g,dc=x", "dc=x"),
        ("dc=x", "cn=g,dc=z", "dc=z"),
        ("dc=x", "dc=z", "dc=z"),
    ],
)
def test_where_groups_are_looked_for(one: str, other: str, common: str) -> None:
    """Below what the people and the group share."""
    assert common_base(one, other) == common
