"""Recording a meeting: nobody is recorded who was not told, nor, where that is asked, who did not agree.

It fails closed. Asked for, a recording begins when everybody in the room has heard that it is recorded (and agreed).
Whoever comes later is told before it enters the mix. If somebody is in the room all the same who could not be told, or
does not agree, nothing is kept of what is said until that one has agreed or left.
"""

from __future__ import annotations

from collections.abc import Callable

from conference.announcements import Phrase, Words
from conference.commands import (
    GiveConsent,
    PauseRecording,
    ResumeRecording,
    StartRecording,
    StopRecording,
)
from conference.definition import Consent, RecordKind
from conference.events import ROOM, Actor, Detail, EventKind
from conference.meeting import Meeting
from conference.outputs import HoldRecording, Record, Say, SayInRoom
from conference.participant import Participant, ParticipantState
from conference.refusals import Reason, Refused

ANNOUNCEMENT_SECONDS = 20.0
"""An announcement that was not heard to its end by then was not heard."""
ANSWER_SECONDS = 20.0
"""Who is asked, and does not answer so long, does not agree (yet)."""


class MeetingRecording:
    """What is recorded of a meeting, and who has to be told. enter: lets somebody in who was at the door."""

    def __init__(self, meeting: Meeting, enter: Callable[[int], None]) -> None:
        self._meeting = meeting
        self._enter = enter
        self._round = 0  # which recording was announced: an older announcement's end concerns it no more
        self._at_door: dict[int, float | None] = {}
        """Who is being told before it comes in; once asked to agree, until when."""
        self._room_until: float | None = None  # until when those in the room may answer

    @property
    def _words(self) -> Phrase:
        return Phrase(Words.CONSENT if self._asks else Words.RECORDED)

    @property
    def _asks(self) -> bool:
        return self._meeting.definition.consent is Consent.ASKED

    @property
    def deadline(self) -> float | None:
        """When somebody has had time enough to answer."""
        asked = [each for each in self._at_door.values() if each is not None]
        return min([*asked, *([] if self._room_until is None else [self._room_until])], default=None)

    def handle_timer(self) -> None:
        """Who has not answered does not agree."""
        now = self._meeting.now
        for participant, until in list(self._at_door.items()):
            if until is not None and until <= now:
                self._meeting.note(EventKind.CONSENT, participant, agrees=False)
                self._let_in(participant)
        if self._room_until is not None and self._room_until <= now:
            self._room_until = None
            if self._meeting.state.not_agreed:
                self._meeting.say_to_hosts(Words.CONSENT_REFUSED)

    def open(self) -> None:
        """A room may be recorded from its first participant on."""
        definition = self._meeting.definition
        if definition.record_automatically and definition.policy.recording:
            kind = RecordKind.MIX if definition.record is RecordKind.OFF else definition.record
            self._meeting.note(EventKind.RECORDING_ASKED, kind=kind.value)

    # ---- verbs

    def start(self, command: StartRecording, by: Actor) -> None:
        """Tell everybody, then begin."""
        meeting = self._meeting
        if not meeting.definition.policy.recording:
            raise Refused(Reason.RECORDING_FORBIDDEN)
        if meeting.state.recording is not None:
            raise Refused(Reason.RECORDING)
        kind = command.kind
        if kind is RecordKind.OFF:
            kind = meeting.definition.record
        if kind is RecordKind.OFF:
            kind = RecordKind.MIX
        meeting.note(EventKind.RECORDING_ASKED, None, by, kind=kind.value)
        self._tell_room(by)

    def stop(self, _command: StopRecording, by: Actor) -> None:
        """Close it."""
        meeting = self._meeting
        if meeting.state.recording is None:
            raise Refused(Reason.NOT_RECORDING)
        was_on = meeting.state.recording_on
        self._over(EventKind.RECORDING_STOPPED, by)
        if was_on:
            meeting.say_in_room(Phrase(Words.RECORDING_STOPPED))

    def pause(self, _command: PauseRecording, by: Actor) -> None:
        """Keep nothing until resumed."""
        self._pause(by, True)

    def resume(self, _command: ResumeRecording, by: Actor) -> None:
        """Go on."""
        self._pause(by, False)

    def _pause(self, by: Actor, on: bool) -> None:
        meeting = self._meeting
        state = meeting.state
        if not state.recording_on:
            raise Refused(Reason.NOT_RECORDING)
        if state.paused is not on:
            kind = EventKind.RECORDING_PAUSED if on else EventKind.RECORDING_RESUMED
            self._hold(kind, "host", by)
            meeting.say_in_room(Phrase(Words.RECORDING_PAUSED if on else Words.RECORDED))

    def consent(self, command: GiveConsent, by: Actor) -> None:
        """The answer of who was asked; it may be changed later."""
        meeting = self._meeting
        one = meeting.one(command.participant)
        if one.state is ParticipantState.LOBBY or meeting.state.recording is None:
            raise Refused(Reason.NOT_RECORDING)
        if one.consents is not command.agrees or not command.agrees:
            meeting.note(EventKind.CONSENT, one.id, by, agrees=command.agrees)
        if not command.agrees:
            meeting.say_to_hosts(Words.CONSENT_REFUSED, but=one.id)
        self._let_in(one.id)

    # ---- who is told

    def admits(self, one: Participant) -> bool:
        """Whether somebody may enter at once; else it is told first, and let in after that."""
        if self._meeting.state.recording is None or one.consents:
            return True
        if one.id not in self._at_door:
            self._at_door[one.id] = None
            token = self._meeting.token(lambda heard: self._told(one.id, heard), ANNOUNCEMENT_SECONDS)
            self._meeting.put_out(Say(one.id, self._words, token))
        return False

    def forget(self, participant: int) -> None:
        """It is gone."""
        self._at_door.pop(participant, None)

    def _told(self, participant: int, heard: bool) -> None:
        """Heard: agrees, or is waited for. Not heard: comes in all the same, and nothing is kept."""
        meeting = self._meeting
        if participant not in self._at_door:
            return
        if heard and self._asks:
            self._at_door[participant] = meeting.now + ANSWER_SECONDS
            return
        meeting.note(EventKind.CONSENT, participant, agrees=heard)
        self._let_in(participant)

    def _let_in(self, participant: int) -> None:
        if participant in self._at_door:
            del self._at_door[participant]
            self._enter(participant)

    def _tell_room(self, by: Actor) -> None:
        """Tell all who are in. Whoever asks for a recording agrees to it."""
        meeting = self._meeting
        self._round += 1
        told, recording = set(meeting.state.present), self._round
        if not told:
            return
        if self._asks and isinstance(by, int) and by in told:
            meeting.note(EventKind.CONSENT, by, by, agrees=True)
        token = meeting.token(lambda heard: self._room_told(recording, told, heard), ANNOUNCEMENT_SECONDS)
        meeting.put_out(SayInRoom(self._words, token))

    def _room_told(self, recording: int, told: set[int], heard: bool) -> None:
        """Who heard it from its beginning to its end was told; who came between was told at the door."""
        meeting = self._meeting
        if recording != self._round or meeting.state.recording is None:
            return
        if not heard:
            self._over(EventKind.RECORDING_FAILED, ROOM, cause="announcement")
        elif self._asks:
            self._room_until = meeting.now + ANSWER_SECONDS
        else:
            for each in sorted(told & meeting.state.not_agreed):
                meeting.note(EventKind.CONSENT, each, agrees=True)

    # ---- what follows

    def review(self) -> None:
        """Begin, hold or go on, as those who are in the room allow. After every change."""
        meeting = self._meeting
        state = meeting.state
        if state.recording is None:
            return
        if not state.recording_on:
            if state.present and not state.not_agreed:
                self._room_until = None
                meeting.note(EventKind.RECORDING_STARTED, kind=state.recording.value)
                meeting.put_out(Record(state.recording))
        elif bool(state.not_agreed) is not state.held:
            kind = EventKind.RECORDING_RESUMED if state.held else EventKind.RECORDING_PAUSED
            self._hold(kind, "consent", ROOM)

    def failed(self) -> None:
        """The file cannot be written."""
        if self._meeting.state.recording is not None:
            self._over(EventKind.RECORDING_FAILED, ROOM, cause="file")

    def close(self) -> None:
        """The meeting is over."""
        if self._meeting.state.recording is not None:
            self._over(EventKind.RECORDING_STOPPED, ROOM)

    def _hold(self, kind: EventKind, cause: str, by: Actor) -> None:
        state = self._meeting.state
        before = state.paused or state.held
        self._meeting.note(kind, None, by, cause=cause)
        if (state.paused or state.held) is not before:
            self._meeting.put_out(HoldRecording(not before))

    def _over(self, kind: EventKind, by: Actor, **details: Detail) -> None:
        """Nothing more is recorded, and who waited to be told need not be."""
        meeting = self._meeting
        self._round += 1
        self._room_until = None
        if meeting.state.recording_on:
            meeting.put_out(Record(None))
        meeting.note(kind, None, by, **details)
        for each in list(self._at_door):
            self._let_in(each)
