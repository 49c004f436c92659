"""Live rooms: what a room's core wants is done on legs, in the media plane and on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conference import commands as c
from conference.attendance import CloseReason, LeaveReason
from conference.definition import Lobby, RecordKind, RoomDefinition
from conference.events import EventKind
from conference.refusals import Reason, Refused
from conference.role import Role
from engine.conferences.limits import ConferenceLimits
from media.control import LegFailed, RoomRecordingClosed
from tests.engine.conferences.hall import Hall, PaperLeg

MAIN = "conference 9001"


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    return Hall(tmp_path / "meetings")


def leg(seat: Any) -> PaperLeg:
    found: PaperLeg = seat.party.leg
    return found


def test_in_the_mix_muted_and_out_again(hall: Hall) -> None:
    host, guest = hall.call(role=Role.HOST), hall.call()
    assert leg(guest).room == MAIN
    host.act(c.Mute(guest.id))
    assert leg(guest).told[-2] == ("mix", True, 0.0, 0.0)
    host.act(c.Expel(guest.id))
    assert leg(guest).room is None
    assert not guest.party.ended, "it is still told so"
    while leg(guest).playing is not None:
        hall.said(guest)
    assert guest.party.ended
    assert guest.listener.left == [LeaveReason.EXPELLED]  # type: ignore[attr-defined]  # it is on paper


def test_hung_up_at_last_though_nothing_tells_that_it_was_said(hall: Hall) -> None:
    host, guest = hall.call(role=Role.HOST), hall.call()
    host.act(c.Expel(guest.id))
    hall.clock.advance(16.0)
    assert guest.party.ended


def test_who_hangs_up_leaves_and_the_last_one_ends_the_meeting(hall: Hall) -> None:
    first, second = hall.call(), hall.call()
    meeting = hall.live()
    second.party.hang_up()
    assert [each.id for each in meeting.room.participants] == [first.id]
    first.party.hang_up()
    assert hall.conferences.live == {}
    assert [each.reason for each in hall.reports] == [CloseReason.EMPTY]
    assert hall.clock.getDelayedCalls() == []
    assert hall.conferences._seats == {}


def test_one_thing_is_said_at_a_time_and_music_in_between(tmp_path: Path) -> None:
    hall = Hall(tmp_path, RoomDefinition(number="9001"))
    alone = hall.call()
    assert leg(alone).told[-1] == ("play", "en/conference-alone")
    alone.play(["en/welcome"])
    assert leg(alone).told[-1] == ("play", "en/conference-alone")
    hall.said(alone)
    assert leg(alone).told[-1] == ("play", "en/welcome")
    alone.hush()
    assert "music" in leg(alone).told[-1][1]
    hall.call()
    assert leg(alone).told[-1] == ("stop",)


def test_talkers_are_told_at_once(hall: Hall) -> None:
    first, second = hall.call(), hall.call()
    hall.kinds()
    hall.talk(first)
    hall.talk(first, second)
    hall.talk(second)
    hall.talk()
    assert hall.kinds() == [EventKind.TALKING, EventKind.TALKING, EventKind.SILENT, EventKind.SILENT]


def test_recorded_once_everybody_has_heard_it(hall: Hall) -> None:
    host = hall.call(role=Role.HOST)
    hall.call()
    hall.said_in_room()
    host.act(c.StartRecording(RecordKind.TRACKS))
    assert not any(told[0] == "record" for told in hall.media.told)
    hall.said_in_room()
    assert ("record", MAIN, "tracks") in hall.media.told
    late = hall.call()
    assert leg(late).room is None, "told before it is mixed"
    hall.said(late)
    assert leg(late).room == MAIN
    host.act(c.PauseRecording())
    assert hall.media.told[-1] == ("pause_recording_room", MAIN, "silence")
    host.act(c.StopRecording())
    assert ("stop_recording_room", MAIN) in hall.media.told
    assert sum(told[0] == "record" for told in hall.media.told) == 1


def test_recorded_from_the_first_on_in_one_file(tmp_path: Path) -> None:
    """And again in another when it was stopped and begun anew."""
    hall = Hall(tmp_path, RoomDefinition(number="9001", record_automatically=True))
    host = hall.call(role=Role.HOST)
    hall.said(host)
    assert hall.media.told[-1] == ("record", MAIN, "room")
    host.act(c.StopRecording())
    host.act(c.StartRecording())
    hall.said_in_room()
    assert sum(told[0] == "record" for told in hall.media.told) == 2


@pytest.mark.parametrize("way", ["no prompt", "interrupted", "never told"])
def test_not_recorded_when_it_cannot_be_said(hall: Hall, way: str) -> None:
    host = hall.call(role=Role.HOST)
    if way == "no prompt":
        hall.media.missing.add("en/conference-recorded")
    host.act(c.StartRecording())
    if way == "interrupted":
        hall.said_in_room(interrupted=True)
    hall.clock.advance(25.0)
    assert not any(told[0] == "record" for told in hall.media.told)
    assert EventKind.RECORDING_FAILED in hall.kinds()


def test_a_newcomer_who_cannot_be_told_holds_the_recording(hall: Hall) -> None:
    host = hall.call(role=Role.HOST)
    host.act(c.StartRecording())
    hall.said_in_room()
    hall.media.missing.add("en/conference-recorded")
    late = hall.call()
    assert ("pause_recording_room", MAIN, "silence") in hall.media.told
    assert leg(late).room == MAIN


def test_a_disk_that_is_full_ends_the_recording(hall: Hall) -> None:
    host = hall.call(role=Role.HOST)
    host.act(c.StartRecording())
    hall.said_in_room()
    hall.conferences.recorded(RoomRecordingClosed(MAIN, "/recordings/one.wav", 8000, "disk_full"))
    assert EventKind.RECORDING_FAILED in hall.kinds()


def test_a_side_talk_is_another_media_room(hall: Hall) -> None:
    host, guest = hall.call(role=Role.HOST), hall.call()
    host.act(c.StepAside((host.id, guest.id)))
    assert {leg(host).room, leg(guest).room} == {f"{MAIN} aside 1"}
    hall.kinds()
    hall.talk(guest, room=f"{MAIN} aside 1")
    assert hall.kinds() == [EventKind.TALKING]
    guest.act(c.StepBack(guest.id))
    assert leg(guest).room == MAIN


LIMITED = [
    (ConferenceLimits(rooms=1), "9002", Reason.SERVER_FULL),
    (ConferenceLimits(participants=2), "9001", Reason.SERVER_FULL),
    (ConferenceLimits(per_domain=2), "9001", Reason.DOMAIN_FULL),
    (ConferenceLimits(per_user=2), "9001", Reason.USER_FULL),
    (ConferenceLimits(), "9001", Reason.FULL),
    (ConferenceLimits(), "9009", Reason.UNKNOWN_ROOM),
]


@pytest.mark.parametrize(("limits", "number", "reason"), LIMITED)
def test_limits(tmp_path: Path, limits: ConferenceLimits, number: str, reason: Reason) -> None:
    """Of server, domain, organiser and room; who is refused changes nothing."""
    most = 2 if reason is Reason.FULL else 500
    rooms = [
        RoomDefinition(number=each, owner="1000", domain="a", max_participants=most)
        for each in ("9001", "9002")
    ]
    hall = Hall(tmp_path, *rooms)
    hall.conferences.limits = limits
    hall.call()
    hall.call()
    hall.kinds()
    with pytest.raises(Refused) as caught:
        hall.call(number)
    assert caught.value.reason is reason
    assert hall.kinds() == []
    assert list(hall.conferences.live) == ["9001"]


ROOMS = (
    RoomDefinition(number="9001", owner="1000", music=False),
    RoomDefinition(number="9002", owner="1000", music=False, lobby=Lobby.ADMIT, max_participants=2),
    RoomDefinition(number="9003", owner="2000"),
)


def test_two_rooms_become_one(tmp_path: Path) -> None:
    """With role and mute, past the lobby; only where its host is the other room's as well, and where there is place."""
    hall = Hall(tmp_path, *ROOMS)
    host, guest = hall.call(role=Role.HOST), hall.call()
    host.act(c.Mute(guest.id))
    for into, reason in (("9003", Reason.NOT_HOST), ("9009", Reason.UNKNOWN_ROOM)):
        with pytest.raises(Refused) as caught:
            host.act(c.Merge(into))
        assert caught.value.reason is reason
    other = hall.call("9002", role=Role.HOST)
    with pytest.raises(Refused, match="full"):
        host.act(c.Merge("9002"))
    other.party.hang_up()
    host.act(c.Merge("9002"))
    assert list(hall.conferences.live) == ["9002"]
    assert [each.role for each in hall.live("9002").room.participants] == [Role.HOST, Role.GUEST]
    assert guest.me.muted_by_host
    assert leg(guest).room == "conference 9002"
    host.act(c.Unmute(guest.id))


def test_moved_into_a_room_as_a_guest_like_any(tmp_path: Path) -> None:
    hall = Hall(tmp_path, *ROOMS)
    host, guest = hall.call(role=Role.HOST), hall.call(role=Role.HOST)
    host.act(c.Transfer(guest.id, "9002", room=True))
    assert guest.live is hall.live("9002")
    assert guest.me.role is Role.GUEST
    assert leg(guest).room is None, "it waits to be admitted"


def test_another_process_goes_on(tmp_path: Path) -> None:
    """After kill -9: the list, the roles and mutes, the recording; who was lost has left."""
    hall = Hall(tmp_path, *ROOMS)
    host, guest, lost = hall.call(role=Role.HOST), hall.call(name="Eve"), hall.call()
    host.act(c.Mute(guest.id))
    host.act(c.StartRecording())
    hall.said_in_room()
    sequence = hall.live().room.state.sequence

    after = Hall(tmp_path, *ROOMS)
    after.conferences.take_up(after.files.left())
    people: list[Any] = []
    for seat in (host, guest):
        party: Any = seat.party
        party.services = after.services
        meeting = seat.live.room.meeting
        people.append(after.conferences.resume(meeting, seat.id, party, seat.listener))
        party.seat = people[-1]
    after.conferences.go_on()
    live = after.live()
    assert [each.id for each in live.room.participants] == [host.id, guest.id]
    assert live.room.state.participants[guest.id].muted_by_host
    assert [each.sequence for each in after.events] == [sequence + 1]
    assert after.events[0].details == {"reason": "lost"}
    assert after.events[0].participant == lost.id
    assert any(told[0] == "goes_on_recording" for told in after.media.told)
    people[0].act(c.Unmute(guest.id))
    people[0].act(c.StopRecording())
    assert ("stop_recording_room", MAIN) in after.media.told
    after.talk(people[1])
    assert EventKind.TALKING in after.kinds()
    for seat in people:
        seat.party.hang_up()
    assert len(after.reports) == 1


def test_what_a_killed_process_had_no_time_to_say(tmp_path: Path) -> None:
    """The journal is ahead of the legs: they are made what it says."""
    hall = Hall(tmp_path, *ROOMS)
    host, guest, aside = hall.call(role=Role.HOST), hall.call(), hall.call()
    host.act(c.Mute(guest.id))
    host.act(c.StepAside((aside.id,)))
    leg(guest).room = None
    leg(aside).room = MAIN
    after = Hall(tmp_path, *ROOMS)
    after.conferences.take_up(after.files.left())
    for seat in (host, guest, aside):
        party: Any = seat.party
        after.conferences.resume(seat.live.room.meeting, seat.id, party, seat.listener)
    after.conferences.go_on()
    assert [leg(each).room for each in (host, guest, aside)] == [MAIN, MAIN, f"{MAIN} aside 1"]
    assert ("mix", True, 0.0, 0.0) in leg(guest).told


def test_a_worker_is_lost_for_good(hall: Hall) -> None:
    """Who goes with it is lost; the others stay."""
    hall.call()
    lost = hall.call()
    lost.leg_event(LegFailed(leg(lost).id, "worker_lost"))
    lost.party.hang_up()
    assert {"reason": "lost"} in [each.details for each in hall.events]


def test_a_call_of_a_meeting_that_is_no_more_sits_nowhere(hall: Hall) -> None:
    party: Any = None
    with pytest.raises(Refused):
        hall.conferences.resume("9001-none", 1, party, party)


def test_of_another_boot_nothing_is_taken_up(tmp_path: Path) -> None:
    Hall(tmp_path, boot="before").call()
    later = Hall(tmp_path, boot="after")
    assert later.files.left() == []
    assert list(tmp_path.glob("*.meeting")) == []


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_a_journal_that_was_cut_is_read_up_to_there(tmp_path: Path, cut: int) -> None:
    hall = Hall(tmp_path)
    hall.call()
    (path,) = tmp_path.glob("*.meeting")
    path.write_bytes(path.read_bytes()[:-cut])
    (left,) = Hall(tmp_path).files.left()
    assert [each.sequence for each in left.events] == list(range(1, len(left.events) + 1))


def test_journals_are_the_owners_alone(hall: Hall, tmp_path: Path) -> None:
    """PINs stand in them."""
    hall.call()
    (path,) = (tmp_path / "meetings").glob("*.meeting")
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_engine_stops(hall: Hall) -> None:
    seat = hall.call()
    hall.conferences.stop()
    assert seat.party.ended
    assert [each.reason for each in hall.reports] == [CloseReason.STOPPED]
