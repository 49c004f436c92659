"""When imports run: daily, also where the clock is moved, and every so long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.imports.schedule import ScheduleError, parse_schedule

PARIS = ZoneInfo("Europe/Paris")


def at(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "after", "due"),
    [
        ("daily 03:30", "2026-01-10T02:29:59", "2026-01-10T02:30"),
        ("daily 03:30", "2026-01-10T02:30", "2026-01-11T02:30"),
        ("daily 02:30", "2026-03-28T12:00", "2026-03-29T01:30"),  # there is no 02:30: it is 03:30
        ("daily 02:30", "2026-10-24T12:00", "2026-10-25T00:30"),  # the first of two
        ("daily 02:30", "2026-10-25T00:30", "2026-10-26T01:30"),
        ("every 15 minutes", "2026-01-10T02:00", "2026-01-10T02:15"),
        ("every 2 hours", "2026-03-29T00:30", "2026-03-29T02:30"),
    ],
)
def test_next(schedule: str, after: str, due: str) -> None:
    """The first time after a moment, in the zone of the import."""
    found = parse_schedule(schedule)
    assert found is not None
    assert found.next_after(at(after), PARIS) == at(due)


@pytest.mark.parametrize("text", ["daily 03:30", "every 5 minutes", "every 24 hours", "every 1 hour"])
def test_written_as_read(text: str) -> None:
    """What is shown can be typed again."""
    assert str(parse_schedule(text)) == text


def test_by_hand() -> None:
    """Nothing is no schedule."""
    assert parse_schedule("") is None


@pytest.mark.parametrize(
    "text",
    [
        "daily",
        "daily 24:00",
        "daily 3:30",
        "every 0 minutes",
        "every 8 days",
        "every 200 hours",
        "x",
        "daily 0٣:30",
    ],
)
def test_what_is_no_schedule(text: str) -> None:
    """The error says what is one."""
    with pytest.raises(ScheduleError, match="every n minutes"):
        parse_schedule(text)


@given(
    st.sampled_from(["daily 02:30", "daily 00:00", "daily 23:59", "every 7 minutes"]),
    st.integers(0, 10**9).map(lambda seconds: at("2020-01-01") + timedelta(seconds=seconds)),
)
def test_it_comes_and_it_moves_on(text: str, moment: datetime) -> None:
    """Always later than the moment, and at most a day and an hour later."""
    schedule = parse_schedule(text)
    assert schedule is not None
    assert moment < schedule.next_after(moment, PARIS) <= moment + timedelta(hours=25)
