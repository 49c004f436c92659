"""What calendars are told: golden objects, time zones that agree with the database, text that cannot break a line."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from conference.invitation import CalendarEntry, Method, calendar_object
from conference.schedule import PlannedMeeting
from conference.vtimezone import changes, vtimezone


def wall(*when: int) -> datetime:
    """On a wall clock."""
    return datetime(*when)  # type: ignore[arg-type]  # noqa: DTZ001  # mypy cannot count the star's values


GOLDEN = Path(__file__).parent.parent / "golden" / "letters"
MEETING = PlannedMeeting(
    uid="0123456789abcdef@example.com",
    room="9010",
    title="Réunion, hebdomadaire; équipe",
    start=wall(2026, 10, 19, 10),
    end=wall(2026, 10, 19, 11),
    time_zone="Europe/Paris",
    recurrence="FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20270601T000000Z",
    excluded=(wall(2026, 10, 21, 10),),
    sequence=2,
)
ENTRY = CalendarEntry(
    method=Method.REQUEST,
    organiser=('Zoé "Z" Durand', "zoe@example.com"),
    attendee=("Bob, Jr", "bob@example.com"),
    description="Numéro de la salle: 9010\nCode: 123456",
    location="+33 1 23 45 67 89, salle 9010",
    link="https://meet.example.com/9010",
    language="fr",
    stamp=datetime(2026, 10, 1, 8, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("name", "meeting", "entry"),
    [
        ("request.ics", MEETING, ENTRY),
        ("cancel.ics", replace(MEETING, sequence=3), replace(ENTRY, method=Method.CANCEL)),
        (
            "once.ics",
            replace(MEETING, recurrence="", excluded=(), time_zone="Asia/Tokyo"),
            replace(ENTRY, organiser=("", "zoe@example.com"), link=""),
        ),
    ],
)
def test_golden_objects(name: str, meeting: PlannedMeeting, entry: CalendarEntry) -> None:
    """To the octet."""
    assert calendar_object(meeting, entry) == (GOLDEN / name).read_bytes()


def test_lines_are_folded() -> None:
    """No line is longer than 75 octets, and unfolding gives the text back (RFC 5545 section 3.1)."""
    entry = replace(ENTRY, description="é" * 200 + "\n" + "x, y; z\\n" * 30)
    wire = calendar_object(MEETING, entry)
    assert max(map(len, wire.split(b"\r\n"))) <= 75
    assert b"\n" not in wire.replace(b"\r\n", b"")
    event = Calendar.from_ical(wire).walk("VEVENT")[0]
    assert event["DESCRIPTION"] == entry.description


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_text_adds_a_property(title: str, name: str) -> None:
    """Whatever a title or a name holds, the object has the properties it should have and no other."""
    title, name = (each.replace("\0", "").encode("utf-8", "ignore").decode() for each in (title, name))
    printable = "".join(each for each in name if each.isprintable())
    wire = calendar_object(
        replace(MEETING, title=title), replace(ENTRY, attendee=(printable, "bob@example.com"))
    )
    (event,) = Calendar.from_ical(wire).walk("VEVENT")
    assert len(event.property_items(recursive=False)) == len(
        Calendar.from_ical((GOLDEN / "request.ics").read_bytes())
        .walk("VEVENT")[0]
        .property_items(recursive=False)
    )
    assert event["ATTENDEE"] == "mailto:bob@example.com"


@pytest.mark.parametrize(
    "key", ["Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca"]
)
def test_zones_agree_with_the_database(key: str) -> None:
    """Another library, reading our VTIMEZONE, finds the offset of every half hour, but where a clock shows it twice."""
    zone, first = ZoneInfo(key), datetime(2026, 1, 2, tzinfo=UTC)
    last = first + timedelta(days=800)
    component = vtimezone(zone, first, last).to_ical().decode().replace("\r\n", "\n")
    read = tzical(io.StringIO(f"BEGIN:VCALENDAR\n{component}END:VCALENDAR\n")).get()
    onsets = [each.at for each in changes(zone, first, last)]
    at = first
    while at < last:
        if not any(abs(at - onset) < timedelta(hours=3) for onset in onsets):
            local = at.astimezone(zone).replace(tzinfo=None)
            assert local.replace(tzinfo=read).utcoffset() == at.astimezone(zone).utcoffset(), at
        at += timedelta(minutes=360)


def test_when_the_clocks_change() -> None:
    """The onset is on the clock that ends: 02:00 into summer, 03:00 out of it."""
    found = changes(
        ZoneInfo("Europe/Paris"), datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    )
    assert [(each.onset.isoformat(), each.name, each.is_summer) for each in found] == [
        ("2026-03-29T02:00:00", "CEST", True),
        ("2026-10-25T03:00:00", "CET", False),
    ]
