"""The number plan: ranges, lines, prefixes and what is no number at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.call.numbers import (
    AutomateTarget,
    LineTarget,
    LinkTarget,
    NumberPlan,
    NumberRange,
    clean_number,
)

PLAN = NumberPlan(
    [NumberRange(1, "3000", 100, "echo"), NumberRange(2, "007", 3, "announcement", {"loop": True})],
    ["201", "alice"],
    {"0": "town", "00": "world"},
)


@pytest.mark.parametrize(
    ("dialled", "expected"),
    [
        ("3000", AutomateTarget("3000", 1, "echo", {})),
        ("3099", AutomateTarget("3099", 1, "echo", {})),
        ("009", AutomateTarget("009", 2, "announcement", {"loop": True})),
        ("201", LineTarget("201")),
        ("alice", LineTarget("alice")),
        ("0123", LinkTarget("0123", "town")),
        ("0044123", LinkTarget("0044123", "world")),
        ("3-0.0(0)", AutomateTarget("3000", 1, "echo", {})),
    ],
)
def test_a_number_leads_to_its_owner(dialled: str, expected: object) -> None:
    """An automate before a line, a line before a prefix, the longest prefix first."""
    assert PLAN.resolve(dialled) == expected


@pytest.mark.parametrize(
    "dialled",
    ["3100", "2999", "03000"[1:] + "0", "7", "010x".replace("0", "9"), "", "20 1", "x" * 33, "٣٠٠٠"],
)
def test_a_number_nobody_has_leads_nowhere(dialled: str) -> None:
    """Just beyond a range, too long, in other scripts: nothing answers."""
    assert PLAN.resolve(dialled) is None


def test_leading_zeros_make_another_number() -> None:
    """007 is in the range of three digits, 7 and 0007 are not."""
    plan = NumberPlan([NumberRange(1, "007", 3, "echo")])
    assert plan.resolve("007") is not None
    assert plan.resolve("7") is None
    assert plan.resolve("0007") is None


def test_numbers_of_a_range_keep_their_length() -> None:
    """The number at an index is what the phone must dial."""
    assert [NumberRange(1, "0098", 4, "echo").number(at) for at in range(4)] == [
        "0098",
        "0099",
        "0100",
        "0101",
    ]


@given(st.text(max_size=40))
def test_any_text_resolves_or_does_not(text: str) -> None:
    """No input raises, and what is cleaned stays clean."""
    PLAN.resolve(text)
    cleaned = clean_number(text)
    assert cleaned is None or clean_number(cleaned) == cleaned
