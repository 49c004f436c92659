"""Rules to CSV and back."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.dial_plan import DialPlanError, DialRule, DialSettings, Direction, starting_rules
from engine.domain.dial_plan.csv_format import read_rules, write_rules

HEAD = "direction,priority,pattern,result,enabled,note\n"


def test_the_starting_rules_come_back() -> None:
    """Quotes, commas, brackets and a lone + included."""
    rules = list(starting_rules("33"))
    assert read_rules(write_rules(rules), DialSettings()) == rules


note = st.text(max_size=20).filter(lambda each: each.isprintable() and not each.startswith("'"))


@given(
    st.lists(
        st.builds(
            DialRule,
            st.sampled_from(Direction),
            st.integers(0, 9999),
            st.text("0123+*#", min_size=1),
            st.text("0123+*#"),
            st.booleans(),
            note,
        ),
        max_size=5,
    )
)
def test_any_rules_come_back(rules: list[DialRule]) -> None:
    """And no cell begins like a formula."""
    text = write_rules(rules)
    assert read_rules(text, DialSettings()) == rules
    for line in text.splitlines():
        assert not any(cell.strip('"').startswith(("=", "+", "@")) for cell in line.split(","))


def test_as_a_spreadsheet_writes_it() -> None:
    """With a byte order mark, semicolons, other words for yes and no, columns in another order, empty lines."""
    head = "\ufeffPattern;Result;Priority;Direction;Enabled\r\n"
    text = head + "03611;03611;5;OUTGOING;oui\r\n\r\n;;;;\r\n12;1;6;incoming;non\r\n"
    assert read_rules(text, DialSettings()) == [
        DialRule(Direction.OUTGOING, 5, "03611", "03611"),
        DialRule(Direction.INCOMING, 6, "12", "1", enabled=False),
    ]


@pytest.mark.parametrize(
    ("text", "row", "field"),
    [
        ("", 1, "column names"),
        ("direction,priority\n", 1, "column names"),
        ("direction,priority,pattern,result,colour\n", 1, "column names"),
        ("direction,priority,pattern,result,result\n", 1, "column names"),
        (HEAD + "outgoing,5,1,1,true\n", 2, "row"),
        (HEAD + "outgoing,5,1,1,true,\nout,5,1,1,true,\n", 3, "direction"),
        (HEAD + "outgoing,first,1,1,true,\n", 2, "priority"),
        (HEAD + "outgoing,٥,1,1,true,\n", 2, "priority"),
        (HEAD + "outgoing,5,1,1,maybe,\n", 2, "enabled"),
        (HEAD + "outgoing,5,[(1],1,true,\n", 2, "pattern"),
        (HEAD + "outgoing,5,1,$1,true,\n", 2, "result"),
        (HEAD + "outgoing,5,1,1,true," + "x" * 2000 + "\n", 2, "note"),
        (HEAD + 'outgoing,5,1,1,true,"never closed\n', 2, "row"),
    ],
)
def test_mistakes_are_named_by_row_and_column(text: str, row: int, field: str) -> None:
    """As they are seen in the spreadsheet."""
    with pytest.raises(DialPlanError, match=f"^row {row}, {field}: expected ") as refused:
        read_rules(text, DialSettings())
    assert (refused.value.row, refused.value.field) == (row, field)


def test_too_many_rows_are_refused() -> None:
    """Long before they are all compiled."""
    with pytest.raises(DialPlanError, match="at most 200"):
        read_rules(HEAD + "outgoing,5,1,1,true,\n" * 401, DialSettings())


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    """By name."""
    for each in (text, HEAD + text):
        with contextlib.suppress(DialPlanError):
            read_rules(each, DialSettings())
