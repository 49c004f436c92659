"""When planned meetings are held: recurrence on the wall clock, clock changes, early entry, what a room is open for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.schedule import MOST_EARLY_MINUTES, Agenda, PlannedMeeting


def wall(*when: int) -> datetime:
    """On a wall clock."""
    return datetime(*when)  # type: ignore[arg-type]  # noqa: DTZ001  # mypy cannot count the star's values


PARIS = ZoneInfo("Europe/Paris")
ONCE = PlannedMeeting(
    uid="a@example.com",
    room="9010",
    title="Weekly",
    start=wall(2026, 10, 19, 10),
    end=wall(2026, 10, 19, 11, 30),
    time_zone="Europe/Paris",
)
WEEKLY = replace(ONCE, recurrence="FREQ=WEEKLY;BYDAY=MO")


def utc(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[arg-type]  # mypy cannot count the star's values


def starts(meeting: PlannedMeeting, count: int, after: datetime | None = None) -> list[str]:
    """The first starts after ``after``, in UTC."""
    found = islice(meeting.occurrences(after or utc(2026, 1, 1)), count)
    return [each.start.astimezone(UTC).strftime("%m-%d %H:%M") for each in found]


def test_a_meeting_held_once() -> None:
    """It opens some minutes early, and after its end there is none."""
    only = ONCE.next(utc(2026, 10, 1))
    assert only is not None
    assert (only.opens.isoformat(), only.start.isoformat(), only.end.isoformat()) == (
        "2026-10-19T09:45:00+02:00",
        "2026-10-19T10:00:00+02:00",
        "2026-10-19T11:30:00+02:00",
    )
    assert ONCE.next(utc(2026, 10, 19, 9, 29, 59)) == only
    assert ONCE.next(utc(2026, 10, 19, 9, 30)) is None


def test_ten_o_clock_stays_ten_o_clock() -> None:
    """When the clocks change, a weekly meeting keeps its wall-clock time and its length."""
    assert starts(WEEKLY, 3) == ["10-19 08:00", "10-26 09:00", "11-02 09:00"]
    for each in islice(WEEKLY.occurrences(utc(2026, 1, 1)), 30):
        assert each.start.hour == 10
        assert each.end.astimezone(UTC) - each.start.astimezone(UTC) == timedelta(minutes=90)


def test_a_time_the_clocks_skip() -> None:
    """02:30 does not exist on 28 March 2027 in Paris: it is 03:30, by the offset before."""
    daily = replace(
        ONCE,
        start=wall(2027, 3, 27, 2, 30),
        end=wall(2027, 3, 27, 3),
        recurrence="FREQ=DAILY;COUNT=3",
    )
    assert starts(daily, 5) == ["03-27 01:30", "03-28 01:30", "03-29 00:30"]
    second = list(daily.occurrences(utc(2027, 1, 1)))[1]
    assert (second.start.hour, second.start.minute) == (3, 30)


def test_a_time_the_clocks_have_twice() -> None:
    """Of the two 02:30 of 25 October 2026 it is the first."""
    twice = replace(ONCE, start=wall(2026, 10, 25, 2, 30), end=wall(2026, 10, 25, 4))
    assert starts(twice, 2) == ["10-25 00:30"]
    assert twice.duration == timedelta(hours=2, minutes=30), "an hour is had twice"


def test_the_end_of_a_rule_is_an_instant() -> None:
    """UNTIL is in UTC and included; COUNT counts the excluded ones."""
    until = replace(WEEKLY, recurrence="FREQ=WEEKLY;UNTIL=20261102T090000Z")
    assert starts(until, 9) == ["10-19 08:00", "10-26 09:00", "11-02 09:00"]
    assert starts(replace(until, recurrence="FREQ=WEEKLY;UNTIL=20261102T085959Z"), 9) == starts(until, 2)
    counted = replace(WEEKLY, recurrence="FREQ=WEEKLY;COUNT=3", excluded=(wall(2026, 10, 26, 10),))
    assert starts(counted, 9) == ["10-19 08:00", "11-02 09:00"]


def test_rules_by_the_month() -> None:
    """The second Tuesday, the last working day, the 31st where there is one."""
    second = replace(
        ONCE,
        start=wall(2026, 10, 13, 10),
        end=wall(2026, 10, 13, 11),
        recurrence="FREQ=MONTHLY;BYDAY=2TU",
    )
    assert starts(second, 3) == ["10-13 08:00", "11-10 09:00", "12-08 09:00"]
    last = replace(
        ONCE,
        start=wall(2026, 10, 30, 10),
        end=wall(2026, 10, 30, 11),
        recurrence="FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    )
    assert starts(last, 2) == ["10-30 09:00", "11-30 09:00"]
    longest = replace(
        ONCE,
        start=wall(2026, 10, 31, 10),
        end=wall(2026, 10, 31, 11),
        recurrence="FREQ=MONTHLY;BYMONTHDAY=31",
    )
    assert starts(longest, 2) == ["10-31 09:00", "12-31 09:00"]


def test_a_cancelled_meeting_is_never_held() -> None:
    assert replace(WEEKLY, cancelled=True).next(utc(2026, 1, 1)) is None


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("start", {"start": datetime(2026, 1, 1, tzinfo=UTC)}),
        ("end", {"end": ONCE.start}),
        ("end", {"end": ONCE.start + timedelta(hours=25)}),
        ("start", {"start": wall(1999, 1, 1)}),
        ("time_zone", {"time_zone": "Paris"}),
        ("time_zone", {"time_zone": "../etc/passwd"}),
        ("time_zone", {"time_zone": "Europe"}),
        ("time_zone", {"time_zone": ""}),
        ("early_minutes", {"early_minutes": -1}),
        ("early_minutes", {"early_minutes": MOST_EARLY_MINUTES + 1}),
        ("excluded", {"excluded": (datetime(2026, 1, 1, tzinfo=UTC),)}),
        ("recurrence", {"recurrence": "FREQ=HOURLY"}),
        ("recurrence", {"recurrence": "RRULE:FREQ=DAILY"}),
        ("recurrence", {"recurrence": "INTERVAL=2"}),
        ("recurrence", {"recurrence": "FREQ=DAILY;FREQ=DAILY"}),
        ("recurrence", {"recurrence": "FREQ=DAILY;COUNT=2;UNTIL=20270101T000000Z"}),
        ("recurrence", {"recurrence": "FREQ=DAILY;COUNT=0"}),
        ("recurrence", {"recurrence": "FREQ=DAILY;COUNT=1001"}),
        ("recurrence", {"recurrence": "FREQ=DAILY;INTERVAL=0"}),
        ("recurrence", {"recurrence": "FREQ=DAILY;UNTIL=20270101"}),
        ("recurrence", {"recurrence": "FREQ=DAILY;UNTIL=20271301T000000Z"}),
        ("recurrence", {"recurrence": "FREQ=DAILY;UNTIL=20260101T000000Z"}),
        ("recurrence", {"recurrence": "FREQ=DAILY;BYHOUR=1,2"}),
        ("recurrence", {"recurrence": "FREQ=WEEKLY;BYDAY=TU"}),
        ("recurrence", {"recurrence": "FREQ=WEEKLY;BYDAY=1MO"}),
        ("recurrence", {"recurrence": "FREQ=WEEKLY;BYMONTHDAY=19"}),
        ("recurrence", {"recurrence": "FREQ=MONTHLY;BYDAY=0MO"}),
        ("recurrence", {"recurrence": "FREQ=MONTHLY;BYDAY=9MO"}),
        ("recurrence", {"recurrence": "FREQ=MONTHLY;BYDAY=3MO;BYMONTHDAY=19"}),
        ("recurrence", {"recurrence": "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=3"}),
        ("recurrence", {"recurrence": "FREQ=MONTHLY;BYMONTHDAY=19;BYSETPOS=2"}),
        ("recurrence", {"recurrence": "FREQ=MONTHLY;BYDAY=2MO"}),
        ("recurrence", {"recurrence": "FREQ=MONTHLY;BYMONTHDAY=20"}),
        ("recurrence", {"recurrence": "FREQ=YEARLY;BYMONTH=9"}),
        ("recurrence", {"recurrence": "FREQ=DAILY;" + "BYDAY=MO" * 60}),
    ],
)
def test_what_cannot_be_planned(field: str, change: dict[str, Any]) -> None:
    """The field's name comes first, then what was expected."""
    with pytest.raises(ValueError, match=rf"^{field}: "):
        replace(ONCE, **change)


def test_which_meeting_a_room_is_open_for() -> None:
    """The one that is held; before it the one that is soon; else none."""
    first = replace(ONCE, early_minutes=0)
    after = replace(
        ONCE, uid="b", start=wall(2026, 10, 19, 11, 30), end=wall(2026, 10, 19, 12), early_minutes=30
    )
    agenda = Agenda([after, first])

    def at(hour: int, minute: int) -> str | None:
        found = agenda.open("9010", datetime(2026, 10, 19, hour, minute, tzinfo=PARIS))
        return None if found is None else found[0].uid

    coming = agenda.coming("9010", datetime(2026, 10, 19, 9, tzinfo=PARIS))
    assert coming is not None
    assert coming[0] == first
    assert at(9, 59) is None
    assert at(10, 0) == "a@example.com"
    assert at(11, 15) == "a@example.com", "the early entry of the next does not take the room away"
    assert at(11, 30) == "b"
    assert at(12, 0) is None
    assert agenda.coming("9010", utc(2027, 1, 1)) is None
    assert agenda.open("9011", utc(2026, 10, 19)) is None
    assert (agenda.planned("9010"), agenda.planned("9011")) == (True, False)


def test_an_old_daily_meeting() -> None:
    """What began years ago is found as if it had just begun, with and without an interval that counts."""
    for recurrence in ("FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;WKST=SU"):
        old = replace(ONCE, start=wall(2026, 10, 19, 10), recurrence=recurrence)
        every = list(islice(old.occurrences(utc(2026, 1, 1)), 400))
        assert list(islice(old.occurrences(every[300].start), 100)) == every[300:]


@given(
    st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]),
    st.datetimes(wall(2026, 1, 1), wall(2028, 1, 1)),
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 5),
    st.integers(0, 400),
)
def test_occurrences_are_in_order_and_alike(
    zone: str, start: datetime, frequency: str, interval: int, days: int
) -> None:
    """Whatever the zone and the rule: in order, none over yet, each exactly as long as the first."""
    start = start.replace(microsecond=0)
    meeting = PlannedMeeting(
        uid="u",
        room="1",
        title="t",
        start=start,
        end=start + timedelta(hours=3),
        time_zone=zone,
        recurrence=f"FREQ={frequency};INTERVAL={interval}",
    )
    after = start.replace(tzinfo=UTC) + timedelta(days=days)
    found = list(islice(meeting.occurrences(after), 6))
    instants = [each.start.astimezone(UTC) for each in found]
    assert instants == sorted(set(instants))
    assert all(each.end > after for each in found)
    assert {each.end.astimezone(UTC) - each.start.astimezone(UTC) for each in found} == {meeting.duration}
    assert meeting.last_start(instants[-1]) == instants[-1]


@given(st.text(alphabet="FREQ=DAILYWKMONTH;BCU0123456789,-+SETP", max_size=60))
def test_any_text_is_a_rule_or_refused(text: str) -> None:
    """A rule from outside never fails otherwise."""
    refusal = ""
    try:
        replace(ONCE, recurrence=text)
    except ValueError as error:
        refusal = str(error)
    assert refusal == "" or refusal.startswith("recurrence: ")
