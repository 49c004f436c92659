"""Columns grow, are cleared, and take no more memory than is written to."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from media.columns import WIDE, Columns, pages


class Table(Columns):
    """A narrow column, a wide one, and one of records."""

    def __init__(self, capacity: int) -> None:
        self.number = np.zeros(capacity, np.int64)
        self.sound = np.zeros((capacity, WIDE), np.int16)
        self.record = np.zeros(capacity, np.dtype([("a", "u1"), ("b", "V160")]))


def test_rows_stay_and_new_ones_are_zero() -> None:
    """Growing step by step, in place where there is room and where there is none any more."""
    table = Table(4)
    table.number[:], table.sound[:] = np.arange(4), np.arange(4)[:, None]
    table.record["a"] = 7
    for capacity in (8, 16, 32, 64, 1024):
        table.grow(capacity)
        assert {len(each) for each in table.columns().values()} == {capacity}
        assert table.number[:4].tolist() == [0, 1, 2, 3]
        assert (table.sound[:4] == np.arange(4)[:, None]).all()
        assert not table.number[4:].any()
        assert not table.sound[4:].any()
        assert table.record["a"].sum() == 4 * 7
        table.sound[capacity - 1] = 1
        table.clear(capacity - 1)


def test_what_was_written_in_a_wide_column_is_cleared() -> None:
    """Also after it has grown, where it lies elsewhere."""
    table = Table(2)
    for capacity in (4, 64):
        table.sound[1], table.number[1] = 5, 5
        table.clear(1)
        assert not table.sound[1].any()
        assert not table.number[1]
        table.grow(capacity)


def test_a_wide_column_in_use_grows_where_it_is() -> None:
    """So that a table of some megabytes leaves no hole behind each time."""
    table = Table(4)
    table.grow(8)
    before = table.sound.ctypes.data
    table.grow(16)
    assert table.sound.ctypes.data == before


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel tells no sizes here")
def test_pages_cost_nothing_until_they_are_written_to() -> None:
    """64 MB of them; reading is free as well, and so is clearing what is zero."""

    def resident_kb() -> int:
        found = re.search(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text())
        assert found is not None
        return int(found[1])

    before = resident_kb()
    column = pages(1 << 16, np.zeros((1, 1024), np.uint8))
    assert column.shape == (1 << 16, 1024)
    assert not column[::4096].any()
    assert resident_kb() - before < 8192
