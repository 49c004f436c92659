"""Planned meetings, who is invited, and what happened: in the store, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from conference.attendance import Attendance, CloseReason, LeaveReason, MeetingReport, Talk
from conference.definition import RoomDefinition
from conference.events import Event, EventKind
from conference.participant import ParticipantKind
from conference.role import Role
from conference.schedule import PlannedMeeting
from engine.store import InUse, Invalid, NotFound, Store, Taken
from engine.store.conferences.records import ConferenceRoom, Invitee, JournalEntry
from engine.store.conferences.rules import check_invitees, check_meeting, planned_meeting

START = datetime.fromisoformat("2026-10-19T10:00:00")
MEETING = PlannedMeeting(
    uid="a@example.com",
    room="9010",
    title="Réunion",
    description="Deux\nlignes",
    start=START,
    end=START + timedelta(hours=1),
    time_zone="Europe/Paris",
    recurrence="FREQ=WEEKLY",
    excluded=(START + timedelta(days=7),),
    early_minutes=5,
    organiser_name="Zoé",
    organiser_address="zoe@example.com",
    language="fr",
)
GUEST = Invitee(address="bob@example.com", name="Bob")
HOST = Invitee(address="eve@example.com", language="fr", role=Role.HOST)
REPORT = MeetingReport(
    meeting="m1",
    number="9010",
    name="Réunion",
    owner=None,
    language="fr",
    opened_at=100.0,
    closed_at=200.0,
    reason=CloseReason.HOST_LEFT,
    attendances=(
        Attendance(
            participant=1,
            kind=ParticipantKind.PHONE,
            name="Bob",
            number="101",
            role=Role.GUEST,
            joined_at=101.0,
            entered_at=None,
            left_at=110.0,
            reason=LeaveReason.DENIED,
            talk_seconds=0.0,
            codec="PCMU/8000",
            mos=None,
        ),
        Attendance(
            participant=2,
            kind=ParticipantKind.BOT,
            name="",
            number="",
            role=Role.HOST,
            joined_at=102.0,
            entered_at=103.0,
            left_at=200.0,
            reason=LeaveReason.ENDED,
            talk_seconds=12.5,
            codec="opus/48000",
            mos=4.2,
        ),
    ),
    talks=(Talk(participant=2, began=110.0, ended=122.5),),
    most=1,
    recorded=True,
    events=7,
)


def test_every_field_of_a_meeting_comes_back(store: Store) -> None:
    """Times as they stand on the wall clock; a room that is renumbered keeps its meetings; it cannot be removed."""
    room = store.rooms.add(ConferenceRoom(definition=RoomDefinition(number="9010")))
    added = store.planned_meetings.add(MEETING)
    assert store.planned_meetings.get("a@example.com") == added == replace(MEETING, id=added.id)
    assert store.planned_meetings.of_room("9010") == store.planned_meetings.all() == [added]
    with pytest.raises(InUse, match="a@example"):
        store.rooms.remove("9010")
    store.rooms.update(replace(room, definition=replace(room.definition, number="9011")))
    moved = store.planned_meetings.get("a@example.com")
    assert moved is not None
    assert moved.room == "9011"
    with pytest.raises(NotFound, match="room 9010"):
        store.planned_meetings.update(replace(moved, room="9010"))
    with pytest.raises(Taken):
        store.planned_meetings.add(replace(MEETING, room="9011"))
    store.planned_meetings.remove("a@example.com")
    store.rooms.remove("9011")


def test_who_is_invited(store: Store) -> None:
    """The list is replaced as a whole; who stays on it is known to have been told; it goes with the meeting."""
    store.rooms.add(ConferenceRoom(definition=RoomDefinition(number="9010")))
    store.planned_meetings.add(MEETING)
    meetings = store.planned_meetings
    meetings.invite(MEETING.uid, [GUEST, HOST])
    assert meetings.invitees(MEETING.uid) == [GUEST, HOST]
    meetings.told(MEETING.uid, [HOST.address], 3)
    meetings.invite(MEETING.uid, [HOST])
    assert meetings.invitees(MEETING.uid) == [replace(HOST, told=3)]
    meetings.remove(MEETING.uid)
    with pytest.raises(NotFound):
        meetings.invitees(MEETING.uid)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("uid", {"uid": "a\nb"}),
        ("title", {"title": " "}),
        ("title", {"title": "a\r\nBcc: b@c"}),
        ("description", {"description": "a\x00"}),
        ("description", {"description": "a" * 4001}),
        ("organiser_name", {"organiser_name": "\n"}),
        ("organiser_address", {"organiser_address": "zoe"}),
        ("language", {"language": "de"}),
        ("recurrence", {"recurrence": "FREQ=HOURLY"}),
        ("time_zone", {"time_zone": "Mars/Olympus"}),
    ],
)
def test_bad_meetings(field: str, change: dict[str, Any]) -> None:
    """What could not be held, or would break a message, is refused by the field's name."""
    values = {name: getattr(MEETING, name) for name in MEETING.__dataclass_fields__}
    with pytest.raises(Invalid) as error:
        check_meeting(planned_meeting(**values | change))
    assert error.value.field == field


@pytest.mark.parametrize(
    "invitees",
    [
        (replace(GUEST, address="bob"),),
        (GUEST, replace(GUEST, address="BOB@example.com")),
        (replace(GUEST, name="a\nb"),),
        tuple(replace(GUEST, address=f"a{index}@b") for index in range(1001)),
    ],
)
def test_bad_invitees(invitees: tuple[Invitee, ...]) -> None:
    """Nobody twice, not too many, and only addresses."""
    with pytest.raises(Invalid) as error:
        check_invitees(invitees)
    assert error.value.field == "invitees"


def test_a_meeting_that_is_over(store: Store) -> None:
    """Who was there, and who talked when, comes back; a second report takes the place of the first."""
    journal = store.conference_journal
    journal.close(replace(REPORT, attendances=(), talks=()))
    journal.close(REPORT)
    (held,) = journal.held()
    assert (held.meeting, held.reason, held.most, held.recorded) == ("m1", "host_left", 1, True)
    assert journal.held(number="9011") == []
    assert journal.attendances("m1") == list(REPORT.attendances)
    assert journal.talks("m1") == list(REPORT.talks)
    assert journal.talks("m2") == []


def test_events_in_their_order(store: Store) -> None:
    """They can be read on from any number, and old ones are forgotten with their meetings."""
    journal = store.conference_journal
    events = [
        Event(1, 100.0, EventKind.OPENED),
        Event(2, 101.0, EventKind.JOINED, 1, "", {"name": "Zoé", "state": "in"}),
        Event(3, 150.0, EventKind.MUTED, 1, 2, {"by_host": True}),
        Event(4, 160.0, EventKind.CLOSED, None, "admin", {}),
    ]
    entries = [JournalEntry("m1", "9010", each) for each in events]
    journal.write(entries)
    journal.write([])
    assert journal.events("m1") == entries
    assert journal.events("m1", after=2, count=1) == entries[2:3]
    assert (journal.last_event("m1"), journal.last_event("m2")) == (4, 0)
    journal.close(REPORT)
    assert journal.forget_before(155.0) == 3
    assert journal.events("m1") == entries[3:]
    assert journal.forget_before(201.0) == 2
    assert journal.held() == []
    assert journal.attendances("m1") == []
