"""The page on conferences against the tables of keys: every row is there, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from conference.entry import CAUSES, FORBIDDEN, NOT_FOUND, NOT_YET, TIMED_OUT
from conference.menu import HANDS, MENU, PEOPLE, WAITING

PAGE = (Path(__file__).parents[2] / "docs" / "conferences.md").read_text("utf-8")


def test_every_key_is_there() -> None:
    """With the words of the table, in its order."""
    rows = re.findall(r"^\| `([*#]?\d)` \| (.+) \|$", PAGE, re.MULTILINE)
    tables = [(each.keys, each.what) for each in MENU]
    tables += [(each.key, each.what) for table in (WAITING, HANDS, PEOPLE) for each in table]
    assert rows == tables


def test_every_cause_is_there() -> None:
    """And no other."""
    found = {int(each) for each in re.findall(r"^\| (\d{3}) \|", PAGE, re.MULTILINE)}
    assert found == {*CAUSES.values(), FORBIDDEN, NOT_FOUND, TIMED_OUT, NOT_YET}
