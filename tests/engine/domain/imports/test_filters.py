"""Search filters: what a person typed, groups, disabled accounts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.utils.conv import escape_filter_chars

from engine.domain.imports.filters import Kind, account_enabled, escaped, of_members, whole


def test_nested_groups_by_the_matching_rule() -> None:
    """The DN of the group is a value: none of its characters has a meaning."""
    assert of_members("(objectClass=user)", "cn=a (b)*,dc=x") == (
        "(&(objectClass=user)(memberOf:1.2.840.113556.1.4.1941:=cn=a \\28b\\29\\2a,dc=x))"
    )
    assert of_members("(objectClass=user)", "") == "(objectClass=user)"


def test_what_a_person_types() -> None:
    """Nothing is the usual filter; brackets may be left out."""
    assert whole("", Kind.LDAP) == "(objectClass=person)"
    assert whole("department=Sales", Kind.LDAP) == "(department=Sales)"
    assert whole(" (cn=a) ", Kind.LDAP) == "(cn=a)"


@given(st.text(max_size=20))
def test_escaping_is_the_librarys(text: str) -> None:
    """RFC 4515 section 3."""
    assert escaped(text) == escape_filter_chars(text)


@pytest.mark.parametrize(
    ("flags", "enabled"), [("512", True), ("514", False), ("66050", False), ("", None), ("x", None)]
)
def test_accounts(flags: str, enabled: bool | None) -> None:
    """The bit of disabled accounts among the others."""
    assert account_enabled(flags) is enabled
