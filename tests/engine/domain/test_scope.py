"""Names that several companies may each have."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.scope import DEFAULT_COMPANY, company_of, plain, scoped

NAMES = st.text("0123456789abcXYZ*#+._-", min_size=1, max_size=64)
COMPANIES = st.integers(1, 2**31)


@given(NAMES, COMPANIES)
def test_a_name_and_its_company_come_back(name: str, company: int) -> None:
    """Whatever a number or the name of a link may be."""
    assert plain(scoped(name, company)) == name
    assert company_of(scoped(name, company)) == company


@given(NAMES, COMPANIES, NAMES, COMPANIES)
def test_no_two_are_the_same(one: str, of: int, other: str, of_other: int) -> None:
    """Unless name and company are."""
    assert (scoped(one, of) == scoped(other, of_other)) == ((one, of) == (other, of_other))


def test_the_default_company_is_not_named() -> None:
    """What an earlier version stored means the same now."""
    assert scoped("200", DEFAULT_COMPANY) == "200"
