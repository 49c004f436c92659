"""What each verb does, who may do it, and what a room does by its rules."""

from __future__ import annotations

import pytest

from conference import commands as c
from conference.announcements import Phrase, RecordedName, Tone, Words
from conference.attendance import CloseReason, LeaveReason
from conference.definition import HostLeaves, Lobby, Sound
from conference.events import Event, EventKind
from conference.outputs import (
    CancelDial,
    Closed,
    Dial,
    DialResult,
    Enter,
    HangUp,
    Leave,
    Mix,
    Move,
    Music,
    Say,
    SayInRoom,
    TransferTo,
)
from conference.participant import Caller, ParticipantKind, ParticipantState
from conference.policy import MeetingPolicy
from conference.refusals import Reason, Refused
from conference.role import RIGHTS, Right, Role, Verb
from tests.conference.people import EPOCH, GUEST, HOST, OTHER, Meeting

COMMANDS: list[c.Command] = [
    c.Mute(2),
    c.Unmute(2),
    c.MuteAll(),
    c.UnmuteAll(),
    c.RaiseHand(2),
    c.LowerHand(2),
    c.Admit(),
    c.Deny(2),
    c.Expel(2),
    c.SetRole(2, Role.HOST),
    c.Rename(2, "Eve"),
    c.SetVolume(2, 3.0),
    c.SetGain(2, 3.0),
    c.ListenOnly(2, True),
    c.StepAside((2,)),
    c.StepBack(2),
    c.GiveConsent(2, True),
    c.StartRecording(),
    c.StopRecording(),
    c.PauseRecording(),
    c.ResumeRecording(),
    c.AnnounceCount(2),
    c.Lock(),
    c.Unlock(),
    c.DialOut("1003"),
    c.Transfer(2, "1003"),
    c.Merge("9002"),
    c.End(),
]


def refused(meeting: Meeting, command: c.Command, by: int | str) -> Reason:
    """Why it is not done."""
    with pytest.raises(Refused) as caught:
        meeting.room.act(command, by, meeting.now)
    assert meeting.room.take_outputs() == []
    return caught.value.reason


@pytest.fixture
def three() -> Meeting:
    """A host (1) and two guests (2, 3) who talk."""
    meeting = Meeting()
    for each in (HOST, GUEST, OTHER):
        meeting.join(each)
    meeting.outputs()
    return meeting


def act(meeting: Meeting, command: c.Command, by: int | str = 1) -> None:
    meeting.room.act(command, by, meeting.now)


def test_every_verb_has_a_command_and_a_right() -> None:
    assert {each.verb for each in COMMANDS} == set(Verb) == set(RIGHTS)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.verb.value)
def test_a_guest_does_to_another_what_anybody_may(three: Meeting, command: c.Command) -> None:
    right = RIGHTS[command.verb]
    if right is Right.ANYBODY:
        act(three, command, by=3)
    else:
        expected = Reason.NOT_YOURS if right is Right.ONLY_SELF else Reason.NOT_HOST
        assert refused(three, command, by=3) is expected


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.verb.value)
def test_nobody_acts_from_the_lobby(command: c.Command) -> None:
    meeting = Meeting(lobby=Lobby.ADMIT)
    meeting.join(HOST)
    waiting = meeting.join()
    meeting.outputs()
    assert refused(meeting, command, by=waiting) is Reason.NOT_IN_ROOM
    assert refused(meeting, command, by=7) is Reason.UNKNOWN_PARTICIPANT


def test_muted_by_itself_and_by_a_host(three: Meeting) -> None:
    """Who mutes itself unmutes itself; what a host did, only a host undoes."""
    act(three, c.Mute(2), by=2)
    assert three.told(Mix) == [Mix(2, True, 0.0, 0.0)]
    act(three, c.Mute(2))
    three.outputs()
    assert refused(three, c.Unmute(2), by=2) is Reason.MUTED_BY_HOST
    act(three, c.Unmute(2))
    assert three.told(Mix) == [Mix(2, True, 0.0, 0.0)], "it still does not want to be heard"
    act(three, c.Unmute(2), by=2)
    assert three.told(Mix) == [Mix(2, False, 0.0, 0.0)]


def test_mute_all_holds_for_guests_that_come_later(three: Meeting) -> None:
    act(three, c.MuteAll())
    assert [each.participant for each in three.told(Mix)] == [2, 3]
    late = three.join(Caller(number="1004"))
    assert three.told(Mix) == [Mix(late, True, 0.0, 0.0)]
    act(three, c.UnmuteAll())
    assert three.told(Mix) == [Mix(each, False, 0.0, 0.0) for each in (2, 3, late)]
    act(three, c.UnmuteAll())
    assert three.outputs() == []


def test_a_raised_hand_is_lowered_by_the_host_who_gives_the_word(three: Meeting) -> None:
    act(three, c.MuteAll())
    act(three, c.RaiseHand(2), by=2)
    assert Say(1, Phrase(Words.SOMEBODY_ASKS_TO_SPEAK)) in three.outputs()
    act(three, c.Unmute(2))
    assert three.kinds() == [EventKind.UNMUTED, EventKind.HAND_LOWERED]


def test_volumes(three: Meeting) -> None:
    act(three, c.SetVolume(2, -6.0), by=2)
    act(three, c.SetGain(2, 4.0), by=1)
    assert three.told(Mix)[-1] == Mix(2, False, 4.0, -6.0)
    for wrong in (21.0, float("nan")):
        assert refused(three, c.SetGain(2, wrong), by=2) is Reason.OUT_OF_RANGE


def test_made_to_listen_only(three: Meeting) -> None:
    act(three, c.ListenOnly(2, True))
    assert three.told(Mix) == [Mix(2, True, 0.0, 0.0)]
    assert refused(three, c.ListenOnly(2, False), by=2) is Reason.LISTEN_ONLY
    assert refused(three, c.Unmute(2), by=2) is Reason.LISTEN_ONLY
    act(three, c.ListenOnly(2, False))
    assert three.told(Mix) == [Mix(2, False, 0.0, 0.0)]


def test_rename(three: Meeting) -> None:
    act(three, c.Rename(2, " Eve\n\u202eX "), by=2)
    assert three.one(2).name == "Eve X"
    three.outputs()
    assert refused(three, c.Rename(2, "\n"), by=2) is Reason.BAD_NAME


def test_a_side_talk_and_back(three: Meeting) -> None:
    act(three, c.StepAside((2, 3)))
    assert three.told(Enter) == [Enter(each, "conference 9001 aside 1") for each in (2, 3)]
    act(three, c.StepBack(3), by=3)
    outputs = three.outputs()
    assert outputs.index(Leave(3)) < outputs.index(Enter(3, "conference 9001"))
    assert refused(three, c.StepBack(3), by=3) is Reason.NOT_ASIDE
    act(three, c.StepAside((1,), aside=1))
    assert three.told(Enter) == [Enter(1, "conference 9001 aside 1")]
    assert refused(three, c.StepAside((3,), aside=9), by=1) is Reason.NOT_ASIDE


def test_expelled_is_told_and_hung_up(three: Meeting) -> None:
    act(three, c.Expel(2))
    outputs = three.outputs()
    said, gone = Say(2, Phrase(Words.EXPELLED)), HangUp(2, LeaveReason.EXPELLED)
    assert outputs.index(Leave(2)) < outputs.index(said) < outputs.index(gone)
    assert [each.id for each in three.room.participants] == [1, 3]


def test_until_a_host_is_there() -> None:
    """Who waits is not mixed; the host's coming lets it in."""
    meeting = Meeting(lobby=Lobby.UNTIL_HOST)
    waiting = meeting.join()
    outputs = meeting.outputs()
    assert Say(waiting, Phrase(Words.WAIT_FOR_HOST)) in outputs
    assert Music(waiting, True) in outputs
    assert not any(isinstance(each, Enter) for each in outputs)
    host = meeting.join(HOST)
    assert [each.participant for each in meeting.told(Enter)] == [host, waiting]


def test_until_a_host_admits() -> None:
    meeting = Meeting(lobby=Lobby.ADMIT)
    host, first, second = meeting.join(HOST), meeting.join(), meeting.join(OTHER)
    assert Say(host, Phrase(Words.SOMEBODY_WAITS)) in meeting.outputs()
    act(meeting, c.Deny(first), by=host)
    assert HangUp(first, LeaveReason.DENIED) in meeting.outputs()
    act(meeting, c.Admit(second), by=host)
    assert meeting.told(Enter) == [Enter(second, "conference 9001")]
    assert refused(meeting, c.Admit(second), by=host) is Reason.NOT_WAITING
    assert refused(meeting, c.Deny(second), by=host) is Reason.NOT_WAITING


def test_made_host_in_the_lobby_comes_in() -> None:
    meeting = Meeting(lobby=Lobby.ADMIT)
    waiting = meeting.join()
    act(meeting, c.SetRole(waiting, Role.HOST), by="admin")
    assert meeting.one(waiting).state is ParticipantState.IN
    act(meeting, c.SetRole(waiting, Role.GUEST), by=waiting)
    assert Say(waiting, Phrase(Words.NOW_GUEST)) in meeting.outputs()


def test_guests_wait_when_the_last_host_has_left() -> None:
    meeting = Meeting(host_leaves=HostLeaves.WAIT)
    host, guest = meeting.join(HOST), meeting.join()
    meeting.outputs()
    meeting.room.leave(host, meeting.now)
    assert Leave(guest) in meeting.outputs()
    late = meeting.join(OTHER)
    assert meeting.one(late).state is ParticipantState.LOBBY
    again = meeting.join(HOST)
    assert [each.participant for each in meeting.told(Enter)] == [again, guest, late]


def test_the_meeting_ends_when_no_host_comes_back() -> None:
    meeting = Meeting(host_leaves=HostLeaves.END, host_grace=30.0)
    host, guest = meeting.join(HOST), meeting.join()
    meeting.room.leave(host, meeting.now)
    meeting.wait(20.0)
    back = meeting.join(HOST)
    meeting.wait(20.0)
    assert EventKind.HOST_BACK in meeting.kinds()
    meeting.room.leave(back, meeting.now)
    meeting.wait(31.0)
    outputs = meeting.outputs()
    assert HangUp(guest, LeaveReason.ENDED) in outputs
    assert isinstance(outputs[-1], Closed)
    assert outputs[-1].report.reason is CloseReason.HOST_LEFT


def test_goes_on_without_a_host(three: Meeting) -> None:
    three.room.leave(1, three.now)
    assert three.kinds() == [EventKind.LEFT]


def test_locked_for_guests_only(three: Meeting) -> None:
    act(three, c.Lock())
    three.outputs()
    with pytest.raises(Refused, match="locked"):
        three.join(Caller(number="1005"))
    three.join(Caller(number="1006", role=Role.HOST))
    act(three, c.Unlock())
    three.join(Caller(number="1005"))


@pytest.mark.parametrize(
    ("policy", "caller", "reason"),
    [
        (MeetingPolicy(audio=False), GUEST, Reason.AUDIO_FORBIDDEN),
        (MeetingPolicy(anonymous_guests=False), Caller(), Reason.ANONYMOUS),
        (MeetingPolicy(max_participants=1), GUEST, Reason.FULL),
    ],
)
def test_the_policy_keeps_out(policy: MeetingPolicy, caller: Caller, reason: Reason) -> None:
    meeting = Meeting(policy=policy)
    if reason is Reason.FULL:
        meeting.join(HOST)
    with pytest.raises(Refused, match=reason.value):
        meeting.join(caller)


def test_the_policy_forbids_recording_and_dialling() -> None:
    meeting = Meeting(policy=MeetingPolicy(recording=False, dial_out=False), record_automatically=True)
    host = meeting.join(HOST)
    meeting.outputs()
    assert refused(meeting, c.StartRecording(), by=host) is Reason.RECORDING_FORBIDDEN
    assert refused(meeting, c.DialOut("1003"), by=host) is Reason.DIAL_OUT_FORBIDDEN


def test_the_owner_is_host_by_its_line() -> None:
    meeting = Meeting(owner="1000", lobby=Lobby.ADMIT)
    owner = meeting.join(Caller(number="1000", identity="1000"))
    forger = meeting.join(Caller(number="1000"))
    assert meeting.one(owner).role is Role.HOST
    assert meeting.one(forger).state is ParticipantState.LOBBY


def test_sounds_of_coming_and_going() -> None:
    meeting = Meeting(entry_sound=Sound.NAME, exit_sound=Sound.TONE, announce_count=True)
    meeting.join(HOST)
    assert meeting.told(SayInRoom) == []
    named = meeting.join(Caller(number="1001", has_recorded_name=True))
    outputs = meeting.outputs()
    assert SayInRoom(RecordedName(named)) in outputs
    assert Say(named, Phrase(Words.COUNT, 2)) in outputs
    meeting.join(OTHER)
    assert meeting.told(SayInRoom) == [SayInRoom(Tone.ENTRY)]
    meeting.room.leave(named, meeting.now)
    assert meeting.told(SayInRoom) == [SayInRoom(Tone.EXIT)]


def test_music_for_who_is_alone() -> None:
    meeting = Meeting()
    first = meeting.join(HOST)
    assert [Say(first, Phrase(Words.ALONE)), Music(first, True)] == meeting.outputs()[-2:]
    second = meeting.join()
    assert meeting.told(Music) == [Music(first, False)]
    meeting.room.leave(second, meeting.now)
    assert meeting.told(Music) == [Music(first, True)]


def test_the_count_is_said(three: Meeting) -> None:
    act(three, c.AnnounceCount(2), by=2)
    assert three.told(Say) == [Say(2, Phrase(Words.COUNT, 3))]
    act(three, c.AnnounceCount())
    assert three.told(SayInRoom) == [SayInRoom(Phrase(Words.COUNT, 3))]
    assert refused(three, c.AnnounceCount(), by=2) is Reason.NOT_HOST


def test_dialled_and_answered() -> None:
    """Who was called comes in past lobby and lock, in the role it was called in."""
    meeting = Meeting(lobby=Lobby.ADMIT, owner="1000")
    host = meeting.join(HOST)
    act(meeting, c.Lock(), by=host)
    act(meeting, c.DialOut("1003", "Carl"), by=host)
    assert meeting.told(Dial) == [Dial(1, "1003", "Carl", Role.GUEST, "1000")]
    called = meeting.join(Caller(number="1003", name="Carl", dial=1))
    assert meeting.one(called).state is ParticipantState.IN
    assert EventKind.DIAL_ENDED in meeting.kinds()


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (DialResult.BUSY, Words.CALLED_BUSY),
        (DialResult.NO_ANSWER, Words.CALLED_NO_ANSWER),
        (DialResult.REFUSED, Words.CALLED_REFUSED),
        (DialResult.UNREACHABLE, Words.CALLED_UNREACHABLE),
    ],
)
def test_dialled_in_vain(three: Meeting, result: DialResult, words: Words) -> None:
    act(three, c.DialOut("1003"))
    three.outputs()
    three.room.dialled(1, result, three.now, 486)
    outputs = three.outputs()
    assert Say(1, Phrase(words)) in outputs
    (event,) = [each for each in outputs if isinstance(each, Event)]
    assert event.details == {"dial": 1, "number": "1003", "result": result.value, "status": 486}
    three.room.dialled(1, result, three.now)
    assert three.outputs() == []


def test_what_is_no_number_is_not_dialled(three: Meeting) -> None:
    for wrong in ("", "sip:x", "1" * 42, "+", "12a34", " ", "1+2"):
        assert refused(three, c.DialOut(wrong), by=1) is Reason.BAD_NUMBER
        assert refused(three, c.Transfer(2, wrong), by=1) is Reason.BAD_NUMBER
    for _ in range(20):
        act(three, c.DialOut("1003"))
    three.outputs()
    assert refused(three, c.DialOut("1003"), by=1) is Reason.TOO_MANY_DIALS


def test_an_empty_meeting_waits_for_those_it_calls() -> None:
    """Opened by a program: over when nobody comes, but not as long as somebody is called."""
    meeting = Meeting()
    act(meeting, c.DialOut("1003"), by="admin")
    meeting.wait(100.0)
    meeting.room.dialled(1, DialResult.NO_ANSWER, meeting.now)
    meeting.wait(1.0)
    assert isinstance(meeting.outputs()[-1], Closed)


def test_nobody_comes() -> None:
    meeting = Meeting()
    meeting.wait(60.0)
    (closed,) = meeting.told(Closed)
    assert closed.report.reason is CloseReason.EMPTY
    with pytest.raises(Refused, match="ended"):
        meeting.join()


BOT = Caller(name="Echo", number="5000", kind=ParticipantKind.BOT)


def test_bots_do_not_stay_among_themselves() -> None:
    """Who called them in has hung up: they are sent away, and the meeting is over."""
    meeting = Meeting()
    person, bot = meeting.join(), meeting.join(BOT)
    meeting.outputs()
    meeting.room.leave(person, meeting.now)
    outputs = meeting.outputs()
    assert HangUp(bot, LeaveReason.ENDED) in outputs
    assert isinstance(outputs[-1], Closed)
    assert outputs[-1].report.reason is CloseReason.EMPTY


def test_bots_wait_for_people() -> None:
    """Called in before anybody is there, or while somebody else is still called."""
    meeting = Meeting()
    meeting.join(BOT)
    person = meeting.join()
    act(meeting, c.DialOut("1003"), by="admin")
    meeting.room.leave(person, meeting.now)
    assert meeting.room.state.closed is None
    meeting.room.dialled(1, DialResult.NO_ANSWER, meeting.now)
    assert meeting.room.state.closed is not None


def test_transferred_and_back_again(three: Meeting) -> None:
    """A transfer that comes to nothing brings the participant back as it was."""
    act(three, c.Mute(2))
    act(three, c.Transfer(2, "1003"))
    (transfer,) = three.told(TransferTo)
    assert (transfer.participant.id, transfer.number, transfer.identity) == (2, "1003", None)
    back = three.join(Caller(number="1001", name="Gaston", was=transfer.participant))
    assert three.one(back).muted_by_host
    assert three.one(back).state is ParticipantState.IN


def test_moved_to_another_room(three: Meeting) -> None:
    act(three, c.Transfer(2, "9002", room=True))
    (move,) = three.told(Move)
    assert (move.participant.id, move.room, move.keeps) == (2, "9002", False)
    assert refused(three, c.Transfer(3, "9001", room=True), by=1) is Reason.SAME_ROOM


def test_merged_into_another_room(three: Meeting) -> None:
    assert refused(three, c.Merge("9001"), by=1) is Reason.SAME_ROOM
    act(three, c.DialOut("1003"))
    three.outputs()
    act(three, c.Merge("9002"))
    outputs = three.outputs()
    moved = [(each.participant.id, each.keeps) for each in outputs if isinstance(each, Move)]
    assert moved == [(1, True), (2, True), (3, True)]
    assert CancelDial(1) in outputs
    assert isinstance(outputs[-1], Closed)
    assert outputs[-1].report.reason is CloseReason.MERGED


def test_ended_for_all(three: Meeting) -> None:
    act(three, c.End())
    outputs = three.outputs()
    assert [each.participant for each in outputs if isinstance(each, HangUp)] == [1, 2, 3]
    assert three.room.participants == ()
    assert refused(three, c.Lock(), by=1) is Reason.ENDED


def test_who_talks(three: Meeting) -> None:
    """Told once; who is muted does not talk."""
    three.room.talking(2, True, 21.04, three.now)
    three.room.talking(2, True, 20.0, three.now)
    three.now += 2.5
    act(three, c.Mute(2))
    assert three.kinds() == [EventKind.TALKING, EventKind.MUTED, EventKind.SILENT]
    three.room.talking(2, True, 20.0, three.now)
    assert three.kinds() == []
    assert three.one(2).talk_seconds == 2.5


def test_the_report_says_who_was_there_when() -> None:
    meeting = Meeting(lobby=Lobby.ADMIT)
    host = meeting.join(HOST)
    meeting.now += 1
    waiting = meeting.join()
    meeting.room.talking(host, True, 20.0, meeting.now)
    meeting.now += 4
    meeting.room.measured(host, codec="PCMA/8000", mos=4.2)
    meeting.room.leave(host, meeting.now)
    meeting.room.stop(meeting.now)
    (closed,) = meeting.told(Closed)
    report = closed.report
    first, second = report.attendances
    assert (first.name, first.codec, first.mos, first.talk_seconds) == ("Hanna", "PCMA/8000", 4.2, 4.0)
    assert (first.joined_at, first.left_at) == (EPOCH + 100, EPOCH + 105)
    assert (second.participant, second.entered_at, second.reason) == (waiting, None, LeaveReason.ENDED)
    assert [(each.participant, each.ended - each.began) for each in report.talks] == [(host, 4.0)]
    assert report.reason is CloseReason.STOPPED
