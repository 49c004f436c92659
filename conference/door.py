"""The door: who comes in, who waits in the lobby, and what happens when the last host leaves."""

from __future__ import annotations

from dataclasses import replace

from conference.announcements import Phrase, RecordedName, Tone, Words
from conference.attendance import LeaveReason
from conference.commands import Admit, Deny, Expel, Lock, SetRole, StepAside, StepBack, Unlock
from conference.definition import HostLeaves, Lobby, Sound
from conference.events import ROOM, Actor, EventKind
from conference.floor import clean_name
from conference.meeting import Meeting
from conference.meeting_state import newcomer
from conference.outputs import Enter, Leave, Music
from conference.participant import Caller, Participant, ParticipantKind, ParticipantState
from conference.recording import MeetingRecording
from conference.refusals import Reason, Refused
from conference.role import Role


class Door:
    """Coming, waiting and going."""

    def __init__(self, meeting: Meeting) -> None:
        self._meeting = meeting
        self.recording = MeetingRecording(meeting, self._enter)
        self._alone: int | None = None  # who hears music since nobody else is there

    # ---- coming

    def join(self, caller: Caller) -> int:
        """Somebody is on the list from now on, or refused."""
        meeting = self._meeting
        one = self._newcomer(caller)
        self._check(caller, one)
        if caller.dial is not None and caller.dial in meeting.state.dials:
            number = meeting.state.dials[caller.dial].number
            meeting.note(EventKind.DIAL_ENDED, dial=caller.dial, number=number, result="answered", status=200)
        meeting.note(EventKind.JOINED, one.id, one.id, **newcomer(one))
        if one.state is ParticipantState.LOBBY:
            self._have_wait(one.id)
            if meeting.definition.lobby is Lobby.ADMIT and not one.admitted:
                meeting.say_to_hosts(Words.SOMEBODY_WAITS)
        else:
            self._come_in(one.id)
        return one.id

    def _newcomer(self, caller: Caller) -> Participant:
        meeting = self._meeting
        definition, was = meeting.definition, caller.was
        owner = caller.identity is not None and caller.identity == definition.owner
        role = Role.HOST if owner else caller.role
        guest = role is Role.GUEST
        one = Participant(
            id=meeting.state.last_id + 1,
            kind=caller.kind,
            name=clean_name(caller.name),
            number=caller.number,
            identity=caller.identity,
            role=role,
            state=ParticipantState.ENTERING,
            joined_at=0.0,
            language=caller.language or definition.language,
            codec=caller.codec,
            has_recorded_name=caller.has_recorded_name,
            admitted=was is not None or caller.dial in meeting.state.dials,
            muted=guest and definition.start_muted if was is None else was.muted,
            muted_by_host=(guest and meeting.state.guests_muted) or (was is not None and was.muted_by_host),
            listen_only=caller.listen_only if was is None else was.listen_only,
            listen_only_by_host=was is not None and was.listen_only_by_host,
            gain_db=0.0 if was is None else was.gain_db,
            volume_db=0.0 if was is None else was.volume_db,
        )
        return one if not self._must_wait(one) else _in_lobby(one)

    def _check(self, caller: Caller, one: Participant) -> None:
        """Raises Refused: the room is closed to this one."""
        meeting = self._meeting
        state, policy = meeting.state, meeting.definition.policy
        guest = one.role is Role.GUEST and not one.admitted
        if state.closed is not None:
            raise Refused(Reason.ENDED)
        if not policy.audio and caller.kind is not ParticipantKind.BROWSER:
            raise Refused(Reason.AUDIO_FORBIDDEN)
        if guest and caller.anonymous and not policy.anonymous_guests:
            raise Refused(Reason.ANONYMOUS)
        if guest and state.locked:
            raise Refused(Reason.LOCKED)
        if len(state.participants) >= meeting.definition.capacity:
            raise Refused(Reason.FULL)

    def _must_wait(self, one: Participant) -> bool:
        meeting = self._meeting
        if one.role is Role.HOST:
            return False
        if meeting.state.host_awaited and meeting.state.awaited_until is None:
            return True
        if one.admitted or meeting.definition.lobby is Lobby.OFF:
            return False
        return meeting.definition.lobby is Lobby.ADMIT or not meeting.state.hosts

    def _have_wait(self, participant: int) -> None:
        meeting = self._meeting
        admit = meeting.definition.lobby is Lobby.ADMIT and bool(meeting.state.hosts)
        meeting.say(participant, Words.WAIT_TO_BE_ADMITTED if admit else Words.WAIT_FOR_HOST)
        meeting.put_out(Music(participant, True))

    def _admit(self, participant: int, by: Actor) -> None:
        meeting = self._meeting
        meeting.note(EventKind.ADMITTED, participant, by)
        meeting.put_out(Music(participant, False))
        meeting.say(participant, Words.ADMITTED)
        self._come_in(participant)

    def _come_in(self, participant: int) -> None:
        """Into the room, at once or when it was told what is to be told."""
        if self.recording.admits(self._meeting.state.participants[participant]):
            self._enter(participant)

    def _enter(self, participant: int) -> None:
        meeting = self._meeting
        state = meeting.state
        one = state.participants[participant]
        first = one.entered_at is None
        if first and state.present:
            self._sound(meeting.definition.entry_sound, Tone.ENTRY, one)
        meeting.note(EventKind.ENTERED, participant)
        if not one.consents:
            self.recording.review()  # before it is mixed: not a word of it is kept
        meeting.mix(participant)
        meeting.put_out(Enter(participant, meeting.media_room))
        if first and one.silent:
            meeting.say(participant, _silent_words(one))
        others = len(state.taking_part)
        if first and meeting.definition.announce_count and others > 1:
            meeting.say(participant, Words.COUNT, others)

    def _sound(self, sound: Sound, tone: Tone, one: Participant) -> None:
        if sound is Sound.NAME and one.has_recorded_name:
            self._meeting.say_in_room(RecordedName(one.id))
        elif sound is not Sound.NONE:
            self._meeting.say_in_room(tone)

    # ---- verbs

    def admit(self, command: Admit, by: Actor) -> None:
        """From the lobby into the room."""
        state = self._meeting.state
        if command.participant is None:
            for each in sorted(state.lobby):
                self._admit(each, by)
        elif _waits(self._meeting.one(command.participant)):
            self._admit(command.participant, by)
        else:
            raise Refused(Reason.NOT_WAITING)

    def deny(self, command: Deny, by: Actor) -> None:
        """Not into the room."""
        one = self._meeting.one(command.participant)
        if not _waits(one):
            raise Refused(Reason.NOT_WAITING)
        self._meeting.put_out(Music(one.id, False))
        self._send_away(one, LeaveReason.DENIED, by, Words.DENIED)

    def expel(self, command: Expel, by: Actor) -> None:
        """Out."""
        self._send_away(self._meeting.one(command.participant), LeaveReason.EXPELLED, by, Words.EXPELLED)

    def set_role(self, command: SetRole, by: Actor) -> None:
        """Another role; a host comes out of the lobby."""
        meeting = self._meeting
        one = meeting.one(command.participant)
        if one.role is command.role:
            return
        meeting.note(EventKind.ROLE, one.id, by, role=command.role.value)
        host = command.role is Role.HOST
        meeting.say(one.id, Words.NOW_HOST if host else Words.NOW_GUEST)
        if host and _waits(one):
            self._admit(one.id, by)

    def lock(self, _command: Lock, by: Actor) -> None:
        """Closed to newcomers."""
        if not self._meeting.state.locked:
            self._meeting.note(EventKind.LOCKED, None, by)
            self._meeting.say_in_room(Phrase(Words.LOCKED))

    def unlock(self, _command: Unlock, by: Actor) -> None:
        """Open again."""
        if self._meeting.state.locked:
            self._meeting.note(EventKind.UNLOCKED, None, by)
            self._meeting.say_in_room(Phrase(Words.UNLOCKED))

    def step_aside(self, command: StepAside, by: Actor) -> None:
        """Some leave the room's mix for one of their own."""
        meeting = self._meeting
        state = meeting.state
        if not command.participants:
            raise Refused(Reason.UNKNOWN_PARTICIPANT)
        people = [meeting.one_in(each) for each in dict.fromkeys(command.participants)]
        number = command.aside
        if number is None:
            number = state.last_aside + 1
        elif all(each.aside != number for each in state.participants.values()):
            raise Refused(Reason.NOT_ASIDE)
        for one in people:
            if one.aside != number:
                meeting.note(EventKind.ASIDE, one.id, by, aside=number)
                meeting.put_out(Enter(one.id, meeting.side_room(number)))
                meeting.say(one.id, Words.ASIDE)

    def step_back(self, command: StepBack, by: Actor) -> None:
        """Back into the room."""
        meeting = self._meeting
        one = meeting.one(command.participant)
        if one.state is not ParticipantState.ASIDE:
            raise Refused(Reason.NOT_ASIDE)
        meeting.note(EventKind.BACK, one.id, by, state=ParticipantState.ENTERING.value)
        meeting.put_out(Leave(one.id))
        meeting.say(one.id, Words.BACK)
        self._come_in(one.id)

    # ---- going

    def leave(self, participant: int, reason: LeaveReason) -> None:
        """It has hung up, or was lost."""
        one = self._meeting.state.participants.get(participant)
        if one is not None:
            self._gone(one, reason, one.id if reason is LeaveReason.HUNG_UP else ROOM)

    def take_out(self, one: Participant, reason: LeaveReason, by: Actor) -> None:
        """Off the list, to go on elsewhere: its call stays."""
        self._gone(one, reason, by)
        self._meeting.put_out(Leave(one.id))

    def _send_away(self, one: Participant, reason: LeaveReason, by: Actor, words: Words) -> None:
        self.recording.forget(one.id)
        self._meeting.send_away(one.id, reason, by, words)
        self._tell_gone(one)

    def _gone(self, one: Participant, reason: LeaveReason, by: Actor) -> None:
        self.recording.forget(one.id)
        self._meeting.note(EventKind.LEFT, one.id, by, reason=reason.value)
        self._tell_gone(one)

    def _tell_gone(self, one: Participant) -> None:
        if one.state is ParticipantState.IN:
            self._sound(self._meeting.definition.exit_sound, Tone.EXIT, one)

    def resume(self) -> None:
        """In another process: who was on the way in is told again, who is alone has its music, maybe anew."""
        for one in list(self._meeting.state.participants.values()):
            if one.state is ParticipantState.ENTERING:
                self._come_in(one.id)
            elif _waits(one):
                self._meeting.put_out(Music(one.id, True))

    # ---- what follows

    def review(self) -> None:
        """Hosts gone or back, somebody alone. After every change."""
        self._review_hosts()
        self._review_solitude()

    def _review_hosts(self) -> None:
        meeting = self._meeting
        state = meeting.state
        if state.hosts:
            if state.host_awaited:
                meeting.note(EventKind.HOST_BACK)
            for each in sorted(state.lobby):
                if not self._must_wait(state.participants[each]):
                    self._admit(each, ROOM)
        elif state.had_host and state.participants and not state.host_awaited:
            self._last_host_left()

    def _last_host_left(self) -> None:
        meeting = self._meeting
        rule = meeting.definition.host_leaves
        if rule is HostLeaves.WAIT:
            meeting.note(EventKind.HOST_AWAITED, until=None)
            for one in list(meeting.state.participants.values()):
                if one.takes_part or one.state is ParticipantState.ENTERING:
                    self.recording.forget(one.id)
                    meeting.note(EventKind.WAITING, one.id)
                    meeting.put_out(Leave(one.id))
                    self._have_wait(one.id)
        elif rule is HostLeaves.END:
            grace = meeting.definition.host_grace
            meeting.note(EventKind.HOST_AWAITED, until=meeting.epoch + meeting.now + grace)
            meeting.say_in_room(Phrase(Words.HOST_LEFT))

    def _review_solitude(self) -> None:
        """The only one who is in hears that, and music, until somebody comes."""
        meeting = self._meeting
        present = meeting.state.present
        alone = next(iter(present)) if len(meeting.state.taking_part) == len(present) == 1 else None
        if alone == self._alone:
            return
        if self._alone in present:
            meeting.put_out(Music(self._alone, False))
        self._alone = alone
        if alone is not None and meeting.definition.music:
            meeting.say(alone, Words.ALONE)
            meeting.put_out(Music(alone, True))


def _waits(one: Participant) -> bool:
    return one.state is ParticipantState.LOBBY


def _in_lobby(one: Participant) -> Participant:
    return replace(one, state=ParticipantState.LOBBY)


def _silent_words(one: Participant) -> Words:
    if one.listen_only or one.listen_only_by_host:
        return Words.LISTENING_ONLY
    return Words.MUTED_BY_HOST if one.muted_by_host else Words.MUTED
