"""Whose a request is: its line's company, else its link's, else that of the SIP domain it calls."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.call.number_plans import OURSELVES, NumberPlans
from engine.call.numbers import AutomateTarget, LineTarget, LinkTarget, NumberPlan, NumberRange
from engine.domain.scope import DEFAULT_COMPANY, scoped
from sip.message import Request
from tests.sip.wire import as_request, written

A, B = 2, 3
PLANS = NumberPlans(
    {
        DEFAULT_COMPANY: NumberPlan((), ("100",)),
        A: NumberPlan((NumberRange(1, "5000", 1, "echo"),), ("200", "201"), {"0": "pbx@2"}, A),
        B: NumberPlan((), ("200", "300"), {"0": "pbx@3"}, B),
    },
    {"a.example": A, "b.example": B},
)


def request(uri: str = "sip:200@192.0.2.1", caller: str = "sip:200@192.0.2.1") -> Request:
    """An INVITE."""
    message = written("INVITE", uri=uri)
    return as_request(message.replace(b"<sip:peer@192.0.2.9>;tag", f"<{caller}>;tag".encode()))


def test_numbers_of_another_company_are_none() -> None:
    """The same number is one thing here, another there, and nothing at a third place."""
    assert PLANS.of(A).resolve("200") == LineTarget("200", A)
    assert PLANS.of(B).resolve("200") == LineTarget("200", B)
    assert PLANS.of(B).resolve("201") is None
    assert PLANS.of(DEFAULT_COMPANY).resolve("200") is None
    assert PLANS.of(A).resolve("5000") == AutomateTarget("5000", 1, "echo", {}, A)
    assert PLANS.of(B).resolve("5000") is None
    assert PLANS.of(A).resolve("0612") == LinkTarget("0612", "pbx@2")
    assert PLANS.of(B).resolve("0612") == LinkTarget("0612", "pbx@3")
    assert PLANS.of(99).resolve("200") is None
    assert PLANS.lines == {"100", "200@2", "201@2", "200@3", "300@3"}


@pytest.mark.parametrize(
    ("identity", "peer_class", "uri", "company"),
    [
        ("200@2", "registered", "sip:200@b.example", A),
        ("100", "loopback", "sip:200@b.example", DEFAULT_COMPANY),
        (None, "link:pbx@3", "sip:200@a.example", B),
        (None, "link:pbx", "sip:200@a.example", DEFAULT_COMPANY),
        (None, "loopback", "sip:200@a.example", A),
        (None, "loopback", "sip:200@A.Example:5080;transport=tcp", A),
        (None, "loopback", "sip:200@192.0.2.1", DEFAULT_COMPANY),
        (None, "loopback", "sip:200@192.0.2.1;company=2", DEFAULT_COMPANY),
        (None, OURSELVES, "sip:200@192.0.2.1;company=2", A),
        (None, OURSELVES, "sip:200@192.0.2.1", DEFAULT_COMPANY),
        (None, None, "sip:200@b.example", B),
    ],
)
def test_whose_call(identity: str | None, peer_class: str | None, uri: str, company: int) -> None:
    """A line or a link never leaves its company, whatever it calls."""
    assert PLANS.company_of_call(identity, peer_class, request(uri)) == company


@pytest.mark.parametrize(
    ("uri", "link"),
    [
        ("sip:5100@192.0.2.1", "pbx"),
        ("sip:5100@192.0.2.1;company=3", "pbx@3"),
        ("sip:5100@a.example", "pbx@2"),
        ("sip:5100@a.example;company=3", "pbx@3"),
        ("sip:5100@192.0.2.1;company=99", "pbx"),
        ("sip:5100@192.0.2.1;company=b", "pbx"),
        ("sip:5100@192.0.2.1;company", "pbx"),
    ],
)
def test_whose_call_of_a_shared_pbx(uri: str, link: str) -> None:
    """What the automate's own contact said, else the domain; never a company that has no link there."""
    assert (
        PLANS.link_of(("pbx", "pbx@2", "pbx@3"), as_request(written("INVITE", uri=uri)).request_uri) == link
    )


@pytest.mark.parametrize(
    ("uri", "caller", "names"),
    [
        ("sip:5000@a.example", "sip:200@a.example", True),
        ("sip:5000@a.example", "sip:2-0.0@192.0.2.9", True),
        ("sip:5000@a.example", "sip:300@192.0.2.9", False),
        ("sip:5000@a.example", "sip:300@b.example", True),
        ("sip:5000@b.example", "sip:201@a.example", True),
        ("sip:5000@192.0.2.1", "sip:200@192.0.2.1", False),
        ("sip:5000@192.0.2.1", "sip:100@192.0.2.1", True),
        ("sip:5000@a.example", "sip:100@192.0.2.1", False),
        ("sip:5000@a.example", "sip:192.0.2.1", False),
    ],
)
def test_who_gives_a_line_for_its_own(uri: str, caller: str, names: bool) -> None:
    """Where it says it comes from, or where it calls: in neither company may it pass for a line without a password."""
    assert PLANS.names_a_line(request(uri, caller)) is names


@given(st.sampled_from([1, 2, 3, 99]), st.text("0123456789+*#", min_size=1, max_size=6))
def test_what_is_found_is_of_that_company(company: int, number: str) -> None:
    """No number leads out of a company."""
    target = PLANS.of(company).resolve(number)
    assert target is None or target.company == company
    if isinstance(target, LineTarget):
        assert scoped(number, company) in PLANS.lines
