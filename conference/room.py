"""One meeting in one room: who is where, who may do what, and what follows from it. Does no I/O.

After each call carry out what ``take_outputs`` returns, in its order, and call ``handle_timer`` at ``deadline``.
``now``: monotonic seconds. Every change is one event among the outputs, and ``Room.restored`` makes the same meeting
of its events in another process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from conference import commands as c
from conference.announcements import Words
from conference.attendance import CloseReason, LeaveReason, MeetingReport
from conference.calling import Calling
from conference.definition import RoomDefinition
from conference.door import Door
from conference.events import ROOM, Actor, Event, EventKind
from conference.floor import Floor
from conference.meeting import Meeting
from conference.meeting_state import MeetingState
from conference.outputs import Closed, DialResult, Music, Output
from conference.participant import Caller, Participant, ParticipantKind, ParticipantState
from conference.refusals import Reason, Refused
from conference.role import RIGHTS, Right, Verb, may

EMPTY_SECONDS = 60.0
"""A meeting that was opened, and that nobody has come to, is over after that time."""

Handler = Callable[[Any, Actor], None]


class Room:
    """The state machine. ``act`` and ``join`` raise :class:`conference.refusals.Refused`, having changed nothing."""

    def __init__(self, definition: RoomDefinition, meeting: str, now: float, epoch: float) -> None:
        """meeting: its id, for journal and report. epoch: Unix seconds at ``now`` 0."""
        self._meeting = Meeting(definition, meeting, epoch, now)
        self._begin()
        self._meeting.note(
            EventKind.OPENED, number=definition.number, name=definition.name, owner=definition.owner
        )
        self._door.recording.open()

    def _begin(self) -> None:
        meeting = self._meeting
        self._floor = Floor(meeting)
        self._door = Door(meeting)
        self._calling = Calling(meeting, self._door)
        self._opened = meeting.now
        self._handlers = self._table()

    @classmethod
    def restored(
        cls,
        definition: RoomDefinition,
        meeting: str,
        events: Iterable[Event],
        now: float,
        epoch: float,
    ) -> Room:
        """The meeting that made these events, in another process. Raises ValueError, KeyError: they are not all."""
        room = cls.__new__(cls)
        room._meeting = Meeting(definition, meeting, epoch, now)
        for each in events:
            room._meeting.state.apply(each)
        room._begin()
        return room

    def go_on(self, lost: Iterable[int], now: float) -> None:
        """After ``restored``: take off the list who was lost, and say again what may not have been heard."""
        meeting = self._meeting
        meeting.now = now
        for dial in list(meeting.state.dials):
            self._calling.dialled(dial, DialResult.CANCELLED, 0)
        for participant in lost:
            self._door.leave(participant, LeaveReason.LOST)
        self._door.resume()
        self._settle()

    # ---- what is known

    @property
    def definition(self) -> RoomDefinition:
        """The room's."""
        return self._meeting.definition

    @property
    def meeting(self) -> str:
        """Its id."""
        return self._meeting.id

    @property
    def media_room(self) -> str:
        """The name of the room the media plane mixes."""
        return self._meeting.media_room

    def media_room_of(self, one: Participant) -> str | None:
        """Where a participant is mixed; None: nowhere."""
        if one.aside is not None:
            return self._meeting.side_room(one.aside)
        return self.media_room if one.state is ParticipantState.IN else None

    @property
    def state(self) -> MeetingState:
        """To be read."""
        return self._meeting.state

    @property
    def participants(self) -> tuple[Participant, ...]:
        """The list, those who wait included, in the order they came."""
        return tuple(self._meeting.state.participants.values())

    @property
    def report(self) -> MeetingReport | None:
        """The closing report, once the meeting is over."""
        reason = self.state.closed
        return None if reason is None else self._report(reason)

    @property
    def deadline(self) -> float | None:
        """When ``handle_timer`` is due."""
        meeting = self._meeting
        state = meeting.state
        if state.closed is not None:
            return None
        due = [each.until for each in meeting.waiting.values()]
        if state.awaited_until is not None:
            due.append(state.awaited_until - meeting.epoch)
        if not state.participants and not state.dials:
            due.append(self._opened + EMPTY_SECONDS)
        if self._door.recording.deadline is not None:
            due.append(self._door.recording.deadline)
        return min(due, default=None)

    def take_outputs(self) -> list[Output]:
        """What is to be done now."""
        outputs, self._meeting.outputs = self._meeting.outputs, []
        return outputs

    # ---- what happens

    def join(self, caller: Caller, now: float) -> int:
        """Somebody is at the door, past the PIN; returns its id. Raises Refused."""
        self._meeting.now = now
        joined = self._door.join(caller)
        self._settle()
        return joined

    def leave(self, participant: int, now: float, reason: LeaveReason = LeaveReason.HUNG_UP) -> None:
        """It has hung up. Who is not on the list (any more) is no news."""
        self._meeting.now = now
        self._door.leave(participant, reason)
        self._settle()

    def act(self, command: c.Command, by: Actor, now: float) -> None:
        """Do a verb, in the name of a participant (int) or of an administrator (str). Raises Refused."""
        self._meeting.now = now
        self._check_rights(command, by)
        self._handlers[command.verb](command, by)
        self._settle()

    def talking(self, participant: int, on: bool, level: float, now: float) -> None:
        """Somebody begins, or ceases, to talk. level: dBov."""
        self._meeting.now = now
        if self._meeting.state.closed is None:
            self._floor.talking(participant, on, level)

    def measured(self, participant: int, *, codec: str | None = None, mos: float | None = None) -> None:
        """What is known of its stream; no change anybody is told of."""
        found = self._meeting.state.participants.get(participant)
        if found is not None:
            self._meeting.state.put(
                replace(
                    found,
                    codec=found.codec if codec is None else codec,
                    mos=found.mos if mos is None else mos,
                )
            )

    def said(self, token: int, spoken: bool, now: float) -> None:
        """What ``Say`` or ``SayInRoom`` asked for was heard to its end, or could not be played."""
        self._meeting.now = now
        waiting = self._meeting.waiting.pop(token, None)
        if waiting is not None and self._meeting.state.closed is None:
            waiting.then(spoken)
            self._settle()

    def dialled(self, dial: int, result: DialResult, now: float, status: int = 0) -> None:
        """A call has come to nothing; who answers joins with ``Caller.dial``. status: SIP's, 0 for none."""
        self._meeting.now = now
        self._calling.dialled(dial, result, status)
        self._settle()

    def recording_failed(self, now: float) -> None:
        """The recording's file cannot be written."""
        self._meeting.now = now
        self._door.recording.failed()
        self._settle()

    def stop(self, now: float) -> None:
        """The engine stops: everybody is sent away."""
        self._meeting.now = now
        if self._meeting.state.closed is None:
            self._end(CloseReason.STOPPED, ROOM, None)

    def handle_timer(self, now: float) -> None:
        """Something is due."""
        meeting = self._meeting
        meeting.now = now
        state = meeting.state
        if state.closed is not None:
            return
        for token, each in list(meeting.waiting.items()):
            if each.until <= now and meeting.waiting.pop(token, None) is not None:
                each.then(False)
        self._door.recording.handle_timer()
        if state.awaited_until is not None and state.awaited_until - meeting.epoch <= now:
            self._end(CloseReason.HOST_LEFT, ROOM, Words.ENDED)
        elif not state.participants and not state.dials and now >= self._opened + EMPTY_SECONDS:
            self._close(CloseReason.EMPTY)
        self._settle()

    # ---- verbs

    def _table(self) -> dict[Verb, Handler]:
        floor, door, calling = self._floor, self._door, self._calling
        return {
            Verb.MUTE: floor.mute,
            Verb.UNMUTE: floor.unmute,
            Verb.MUTE_ALL: floor.mute_all,
            Verb.UNMUTE_ALL: floor.unmute_all,
            Verb.RAISE_HAND: floor.raise_hand,
            Verb.LOWER_HAND: floor.lower_hand,
            Verb.SET_VOLUME: floor.set_volume,
            Verb.SET_GAIN: floor.set_gain,
            Verb.LISTEN_ONLY: floor.listen_only,
            Verb.RENAME: floor.rename,
            Verb.ANNOUNCE_COUNT: floor.announce_count,
            Verb.ADMIT: door.admit,
            Verb.DENY: door.deny,
            Verb.EXPEL: door.expel,
            Verb.SET_ROLE: door.set_role,
            Verb.LOCK: door.lock,
            Verb.UNLOCK: door.unlock,
            Verb.STEP_ASIDE: door.step_aside,
            Verb.STEP_BACK: door.step_back,
            Verb.CONSENT: door.recording.consent,
            Verb.START_RECORDING: door.recording.start,
            Verb.STOP_RECORDING: door.recording.stop,
            Verb.PAUSE_RECORDING: door.recording.pause,
            Verb.RESUME_RECORDING: door.recording.resume,
            Verb.DIAL_OUT: calling.dial_out,
            Verb.TRANSFER: calling.transfer,
            Verb.MERGE: self._merge,
            Verb.END: self._end_for_all,
        }

    def _check_rights(self, command: c.Command, by: Actor) -> None:
        """Raises Refused. An administrator has a host's rights; who waits has none but to consent."""
        meeting = self._meeting
        if meeting.state.closed is not None:
            raise Refused(Reason.ENDED)
        only_self = RIGHTS[command.verb] is Right.ONLY_SELF
        if isinstance(by, str):
            if only_self:
                raise Refused(Reason.NOT_YOURS)
            return
        one = meeting.one(by)
        if not one.takes_part and not (
            command.verb is Verb.CONSENT and one.state is ParticipantState.ENTERING
        ):
            raise Refused(Reason.NOT_IN_ROOM)
        on_self = getattr(command, "participant", None) == by
        if not may(one.role, command.verb, on_self=on_self):
            raise Refused(Reason.NOT_YOURS if only_self else Reason.NOT_HOST)

    def _merge(self, command: c.Merge, by: Actor) -> None:
        reason = self._calling.merge(command, by)
        self._close(reason, by)

    def _end_for_all(self, _command: c.End, by: Actor) -> None:
        self._end(CloseReason.ENDED, by, Words.ENDED)

    # ---- what follows

    def _settle(self) -> None:
        """After every change: what the rules make of it."""
        meeting = self._meeting
        state = meeting.state
        if state.closed is not None:
            return
        if not state.participants and not state.dials and state.last_id:
            self._close(CloseReason.EMPTY)
            return
        if self._only_bots_are_left():
            self._end(CloseReason.EMPTY, ROOM, None)
            return
        self._door.review()
        self._door.recording.review()

    def _only_bots_are_left(self) -> bool:
        """Whether people were here and none is left, nor called: a bot does not hang up by itself."""
        state = self._meeting.state
        return (
            bool(state.participants)
            and not state.dials
            and all(each.kind is ParticipantKind.BOT for each in state.participants.values())
            and any(each.kind is not ParticipantKind.BOT for each in state.gone)
        )

    def _end(self, reason: CloseReason, by: Actor, words: Words | None) -> None:
        """Everybody is told, and sent away."""
        meeting = self._meeting
        for one in list(meeting.state.participants.values()):
            self._door.recording.forget(one.id)
            if one.state is ParticipantState.LOBBY:
                meeting.put_out(Music(one.id, False))
            meeting.send_away(one.id, LeaveReason.ENDED, by, words)
        self._close(reason, by)

    def _close(self, reason: CloseReason, by: Actor = ROOM) -> None:
        meeting = self._meeting
        meeting.waiting.clear()
        self._calling.cancel_all()
        self._door.recording.close()
        meeting.note(EventKind.CLOSED, None, by, reason=reason.value)
        meeting.put_out(Closed(self._report(reason)))

    def _report(self, reason: CloseReason) -> MeetingReport:
        meeting = self._meeting
        definition, state = meeting.definition, meeting.state
        return MeetingReport(
            meeting=meeting.id,
            number=definition.key,
            name=definition.name,
            owner=definition.owner,
            language=definition.language,
            opened_at=state.opened_at,
            closed_at=state.closed_at,
            reason=reason,
            attendances=tuple(state.gone),
            talks=tuple(state.talks),
            most=state.most,
            recorded=state.recorded,
            events=state.sequence,
        )
