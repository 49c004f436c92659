"""Events reach the store gathered, in order, and all of them, whatever process wrote them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, execute
from twisted.internet.task import Clock

from conference.attendance import CloseReason
from conference.definition import RoomDefinition
from conference.events import Event
from conference.participant import Caller
from conference.room import Room
from engine.conferences.event_store import EventStore
from engine.conferences.meeting_journal import Happened
from engine.store import Store
from tests.engine.conferences.hall import Hall


class OneThread:
    """The store's thread, which here is this one."""

    def call(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        return execute(function, *arguments)

    def later(self, what: str, function: Callable[..., Any], *arguments: Any) -> None:
        function(*arguments)


def event_store(store: Store, clock: Clock) -> EventStore:
    thread: Any = OneThread()
    return EventStore(store, thread, clock)


def stored(store: Store, meeting: str) -> list[int]:
    """The numbers of a meeting's stored events."""
    return [each.event.sequence for each in store.conference_journal.events(meeting)]


def test_events_and_the_report_of_a_meeting(store: Store, tmp_path: Path) -> None:
    """Its file goes when the store has it all."""
    hall = Hall(tmp_path)
    hall.conferences.keep_in(event_store(store, hall.clock), hall.files)
    seat = hall.call(name="Zoé")
    meeting = seat.live.room.meeting
    assert stored(store, meeting) == []
    hall.clock.advance(0.5)
    assert stored(store, meeting) == [1, 2, 3]
    seat.party.hang_up()
    hall.clock.advance(0.5)
    assert stored(store, meeting) == [1, 2, 3, 4, 5]
    (held,) = store.conference_journal.held()
    assert (held.meeting, held.reason, held.events) == (meeting, str(CloseReason.EMPTY), 5)
    (attendance,) = store.conference_journal.attendances(meeting)
    assert attendance.name == "Zoé"
    assert list(tmp_path.glob("*.meeting")) == []


def test_what_a_killed_process_did_not_store(store: Store, tmp_path: Path) -> None:
    """The next one stores the rest, once."""
    before = Hall(tmp_path)
    before.conferences.keep_in(event_store(store, before.clock), before.files)
    meeting = before.call().live.room.meeting
    before.clock.advance(0.5)
    before.call()
    assert stored(store, meeting) == [1, 2, 3]

    after = Hall(tmp_path)
    after.conferences.keep_in(event_store(store, after.clock), after.files)
    after.conferences.take_up(after.files.left())
    after.conferences.go_on()
    after.clock.advance(1.0)
    (held,) = store.conference_journal.held()
    assert stored(store, meeting) == list(range(1, held.events + 1))
    assert len(store.conference_journal.attendances(meeting)) == 2


def test_over_and_killed_before_it_was_stored(store: Store, tmp_path: Path) -> None:
    """The file has its end: the report is made of it."""
    hall = Hall(tmp_path)
    room = Room(RoomDefinition(number="9001"), "9001-x", 10.0, 1_800_000_000.0)
    file = hall.files.begin(room, 1_800_000_000.0)
    participant = room.join(Caller(number="1001"), 11.0)
    room.leave(participant, 12.0)
    file.write([Happened(each) for each in room.take_outputs() if isinstance(each, Event)])
    file.close()
    hall.conferences.keep_in(event_store(store, hall.clock), hall.files)
    hall.conferences.take_up(hall.files.left())
    hall.conferences.go_on()
    (held,) = store.conference_journal.held()
    assert held.meeting == "9001-x"
    assert hall.conferences.live == {}
    assert list(tmp_path.glob("*.meeting")) == []
