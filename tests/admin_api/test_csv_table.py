"""Tables: what is written can be read back, and no spreadsheet runs a cell."""

from __future__ import annotations

import contextlib
import csv
import io
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from admin_api.csv_table import BadTable, read, written

HINTS = {
    "name": str,
    "note": str | None,
    "count": int,
    "limit": int | None,
    "on": bool,
    "kind": Literal["a", "b"],
    "numbers": list[str],
    "share": float,
}


def back(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Through a table and out of it."""
    columns = list(rows[0])
    return list(read(written([columns, *([row[name] for name in columns] for row in rows)]), HINTS))


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@example(name="", note=None, count=-(10**17), limit=0, on=True, numbers=[], share=0.0)
@given(
    name=st.just("") | texts,
    note=st.none() | texts,
    count=st.integers(-(10**17), 10**17),
    limit=st.none() | st.integers(0, 99),
    on=st.booleans(),
    numbers=st.lists(texts),
    share=st.floats(allow_nan=False, allow_infinity=False),
)
def test_round_trip(**row: object) -> None:
    """Every value comes back as it was."""
    assert back([row]) == [row]


@given(st.text(st.sampled_from("'=+-@\t\r1a ,\"\n"), max_size=6))
def test_no_cell_is_a_formula(text: str) -> None:
    """A number with its sign is none; everything else that would be one is guarded, and reading undoes it."""
    cells = next(csv.reader(io.StringIO(written([[text]]), newline="")), [""])
    if cells[0][:1] in tuple("=@\t\r+-") and cells[0]:
        assert cells[0][0] in "+-"
        assert cells[0][1:].replace(" ", "").isdigit()
    if text:
        assert back([{"name": text}]) == [{"name": text}]


def test_a_number_with_plus_stays() -> None:
    assert written([["+33 1 23", "=1+1", "-", "O'Hara", "'s"]]) == "+33 1 23,'=1+1,'-,O'Hara,'s\r\n"


def test_what_is_not_of_its_type_stays_text() -> None:
    """Whoever checks the row can then name the field."""
    text = "name,count,on,numbers,limit\r\nx,many,perhaps,[,\r\n"
    assert list(read(text, HINTS)) == [
        {"name": "x", "count": "many", "on": "perhaps", "numbers": "[", "limit": None}
    ]


def test_empty_cells() -> None:
    """Of a text it is the empty text, where null may be it is null, else the field is not named."""
    text = "\ufeffname,note,count,other\n,,,\n\na,b,1,2\n"
    assert list(read(text, HINTS)) == [
        {"name": "", "note": None},
        {"name": "a", "note": "b", "count": 1, "other": "2"},
    ]


@pytest.mark.parametrize("text", ["a,a\n1,2\n", "a,\n1,2\n", "a,b\n1\n", 'a\n"', 'a\n"b"c\n'])
def test_no_table(text: str) -> None:
    with pytest.raises(BadTable):
        list(read(text, HINTS))


@given(st.text())
def test_junk_is_typed(text: str) -> None:
    with contextlib.suppress(BadTable):
        list(read(text, HINTS))
