"""Users of CSV files as spreadsheets write them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.imports.csv_source import LARGEST, read_csv
from engine.domain.imports.entry import Entry, SourceError


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_separators_letters_and_line_ends(separator: str, encoding: str, end: str) -> None:
    """Those of every country's spreadsheets; blank rows are none."""
    rows = [["Login", "Prénom"], ["ann", "Hélène"], ["", ""], ["bob", '"B, o;b"']]
    content = end.join(separator.join(row) for row in rows).encode(encoding)
    assert read_csv(content) == [
        Entry("2", "", {"login": ("ann",), "prénom": ("Hélène",)}),
        Entry("4", "", {"login": ("bob",), "prénom": ("B, o;b",)}),
    ]


def test_key_and_state() -> None:
    """Columns of their own, found without regard to case; a word that is neither yes nor no is an error."""
    content = b"id,login,active\n1,ann,oui\n2,bob,0\n3,cy,\n4,di,perhaps\n"
    found = read_csv(content, key="ID", enabled="Active")
    assert [(each.key, each.enabled, each.error) for each in found] == [
        ("1", True, ""),
        ("2", False, ""),
        ("3", None, ""),
        ("4", None, "enabled"),
    ]


def test_a_row_of_another_width() -> None:
    """It is one bad entry, nobody's; the others stand."""
    found = read_csv(b"login,name\nann\nbob,Bob\n")
    assert [(each.reference, each.error, each.first("login")) for each in found] == [
        ("2", "row", ""),
        ("3", "", "bob"),
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "text"),
        (b"\n\n", "text"),
        (b"a,a\n1,2\n", "columns"),
        (b"\xff\xfe\0\0", "text"),
        (b'a,active\n"open', "text"),
        (b"login\nann\n", "column"),
        (b"x" * (LARGEST + 1), "text"),
    ],
)
def test_what_is_no_file_of_users(content: bytes, reason: str) -> None:
    """The whole file is refused: who knows what it lacks."""
    with pytest.raises(SourceError) as refused:
        read_csv(content, enabled="active")
    assert refused.value.reason == reason


@given(st.binary(max_size=200) | st.text(alphabet='a,;\t"\n\r é', max_size=60).map(str.encode))
def test_any_file_is_read_or_refused(content: bytes) -> None:
    """Nothing else happens."""
    with contextlib.suppress(SourceError):
        assert all(each.reference.isdigit() for each in read_csv(content))
