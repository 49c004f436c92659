"""Nobody is recorded who was not told, nor, where that is asked, who did not agree."""

from __future__ import annotations

import pytest

from conference import commands as c
from conference.announcements import Phrase, Words
from conference.definition import Consent, RecordKind
from conference.events import EventKind
from conference.outputs import Enter, HoldRecording, Record, Say, SayInRoom
from conference.participant import ParticipantState
from conference.refusals import Refused
from tests.conference.people import GUEST, HOST, OTHER, Meeting


def recorded(**rules: object) -> Meeting:
    """A host and a guest, recorded."""
    meeting = Meeting(**rules)
    host, guest = meeting.join(HOST), meeting.join(GUEST)
    meeting.room.act(c.StartRecording(RecordKind.TRACKS), host, meeting.now)
    (token,) = meeting.tokens()
    meeting.room.said(token, True, meeting.now)
    if meeting.definition.consent is Consent.ASKED:
        meeting.room.act(c.GiveConsent(guest, True), guest, meeting.now)
    assert meeting.told(Record) == [Record(RecordKind.TRACKS)]
    return meeting


def test_begins_when_all_have_heard_it() -> None:
    meeting = Meeting()
    host = meeting.join(HOST)
    meeting.join()
    meeting.outputs()
    meeting.room.act(c.StartRecording(), host, meeting.now)
    outputs = meeting.outputs()
    assert SayInRoom(Phrase(Words.RECORDED), 1) in outputs
    assert not any(isinstance(each, Record) for each in outputs)
    meeting.room.said(1, True, meeting.now)
    assert meeting.told(Record) == [Record(RecordKind.MIX)]


def test_not_at_all_when_it_cannot_be_said() -> None:
    """Neither when playing fails nor when nothing is heard of it."""
    for wait in (False, True):
        meeting = Meeting()
        host = meeting.join(HOST)
        meeting.room.act(c.StartRecording(), host, meeting.now)
        (token,) = meeting.tokens()
        if wait:
            meeting.wait(21.0)
        else:
            meeting.room.said(token, False, meeting.now)
        outputs = meeting.outputs()
        assert not any(isinstance(each, Record) for each in outputs)
        assert meeting.room.state.recording is None


def test_newcomers_are_told_before_they_are_mixed() -> None:
    meeting = recorded()
    late = meeting.join(OTHER)
    assert meeting.one(late).state is ParticipantState.ENTERING
    (said,) = meeting.told(Say)
    assert said.what == Phrase(Words.RECORDED)
    meeting.room.said(said.token, True, meeting.now)
    outputs = meeting.outputs()
    assert Enter(late, "conference 9001") in outputs
    assert not any(isinstance(each, HoldRecording) for each in outputs)


def test_held_before_somebody_enters_who_could_not_be_told() -> None:
    meeting = recorded()
    late = meeting.join(OTHER)
    (token,) = meeting.tokens()
    meeting.room.said(token, False, meeting.now)
    outputs = meeting.outputs()
    assert outputs.index(HoldRecording(True)) < outputs.index(Enter(late, "conference 9001"))
    meeting.room.leave(late, meeting.now)
    assert meeting.told(HoldRecording) == [HoldRecording(False)]


def test_who_is_asked_agrees_by_key() -> None:
    """Without an answer nothing is kept, until one is given."""
    meeting = recorded(consent=Consent.ASKED)
    late = meeting.join(OTHER)
    (said,) = meeting.told(Say)
    assert said.what == Phrase(Words.CONSENT)
    meeting.room.said(said.token, True, meeting.now)
    meeting.wait(21.0)
    outputs = meeting.outputs()
    assert outputs.index(HoldRecording(True)) < outputs.index(Enter(late, "conference 9001"))
    meeting.room.act(c.GiveConsent(late, True), late, meeting.now)
    assert meeting.told(HoldRecording) == [HoldRecording(False)]


def test_a_refusal_is_told_to_the_hosts_and_holds() -> None:
    meeting = recorded(consent=Consent.ASKED)
    meeting.room.act(c.GiveConsent(2, False), 2, meeting.now)
    outputs = meeting.outputs()
    assert Say(1, Phrase(Words.CONSENT_REFUSED)) in outputs
    assert HoldRecording(True) in outputs


def test_hosts_hear_of_silence_in_the_room() -> None:
    meeting = Meeting(consent=Consent.ASKED)
    host = meeting.join(HOST)
    meeting.join()
    meeting.room.act(c.StartRecording(), host, meeting.now)
    (token,) = meeting.tokens()
    meeting.room.said(token, True, meeting.now)
    meeting.wait(21.0)
    outputs = meeting.outputs()
    assert Say(host, Phrase(Words.CONSENT_REFUSED)) in outputs
    assert not any(isinstance(each, Record) for each in outputs)


def test_from_the_first_on() -> None:
    """The file is begun when the first is in, who was told before."""
    meeting = Meeting(record_automatically=True, record=RecordKind.TRACKS)
    first = meeting.join(HOST)
    (token,) = meeting.tokens()
    meeting.room.said(token, True, meeting.now)
    assert Record(RecordKind.TRACKS) in meeting.outputs()
    meeting.room.leave(first, meeting.now)
    assert Record(None) in meeting.outputs()


def test_paused_resumed_stopped_and_anew() -> None:
    """A new recording is announced anew."""
    meeting = recorded()
    meeting.room.act(c.PauseRecording(), 1, meeting.now)
    meeting.room.act(c.PauseRecording(), 1, meeting.now)
    assert meeting.told(HoldRecording) == [HoldRecording(True)]
    meeting.room.act(c.ResumeRecording(), 1, meeting.now)
    assert meeting.told(HoldRecording) == [HoldRecording(False)]
    with pytest.raises(Refused, match="recording"):
        meeting.room.act(c.StartRecording(), 1, meeting.now)
    meeting.room.act(c.StopRecording(), 1, meeting.now)
    assert Record(None) in meeting.outputs()
    with pytest.raises(Refused, match="not_recording"):
        meeting.room.act(c.StopRecording(), 1, meeting.now)
    meeting.room.act(c.StartRecording(), 1, meeting.now)
    assert len(meeting.tokens()) == 1
    assert not meeting.room.state.recording_on


def test_stopped_while_it_is_announced() -> None:
    """The old announcement's end begins nothing."""
    meeting = Meeting()
    host = meeting.join(HOST)
    meeting.room.act(c.StartRecording(), host, meeting.now)
    (token,) = meeting.tokens()
    meeting.room.act(c.StopRecording(), host, meeting.now)
    meeting.room.said(token, True, meeting.now)
    assert meeting.told(Record) == []


def test_back_from_a_side_talk_is_told_first() -> None:
    """Who was aside when it was announced has not heard it."""
    meeting = Meeting()
    host, guest = meeting.join(HOST), meeting.join()
    meeting.room.act(c.StepAside((guest,)), host, meeting.now)
    meeting.room.act(c.StartRecording(), host, meeting.now)
    (token,) = meeting.tokens()
    meeting.room.said(token, True, meeting.now)
    assert meeting.told(Record) == [Record(RecordKind.MIX)]
    meeting.room.act(c.StepBack(guest), guest, meeting.now)
    assert meeting.one(guest).state is ParticipantState.ENTERING


def test_a_file_that_cannot_be_written() -> None:
    meeting = recorded()
    meeting.room.recording_failed(meeting.now)
    assert EventKind.RECORDING_FAILED in meeting.kinds()
    assert meeting.room.state.recording is None
