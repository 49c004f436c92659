"""One meeting that is held: the room's core, and what it wants done on calls, media plane and disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from twisted.logger import Logger

from conference import outputs as o
from conference.announcements import Phrase, RecordedName, Tone
from conference.events import Event
from engine.conferences.live_recording import LiveRecording
from engine.conferences.meeting_journal import Happened, Names
from engine.conferences.prompts import TONES, prompts_of
from engine.conferences.seat import Seat, SeatListener

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from conference.attendance import LeaveReason, MeetingReport
    from conference.commands import Command
    from conference.events import Actor
    from conference.participant import Caller, Participant
    from conference.room import Room
    from engine.call.party import Party
    from engine.call.services import CallServices
    from engine.conferences.meeting_journal import MeetingFile
    from media.control import RoomPlayFinished, RoomRecordingClosed, Talkers

log = Logger()


class Surroundings(Protocol):
    """What a live room asks of whoever holds it (:class:`engine.conferences.conferences.Conferences`)."""

    def happened(self, live: LiveRoom, events: Sequence[Event]) -> None:
        """These events, in order."""

    def closed(self, live: LiveRoom, report: MeetingReport) -> None:
        """The meeting is over."""

    def unseated(self, seat: Seat) -> None:
        """A seat's call is over."""

    def dial(self, live: LiveRoom, dial: o.Dial) -> None:
        """Call somebody into the room."""

    def cancel_dial(self, live: LiveRoom, dial: int) -> None:
        """Do not call any more."""

    def transfer(self, seat: Seat, transfer: o.TransferTo) -> None:
        """Connect a call with a number."""

    def move(self, seat: Seat, move: o.Move) -> None:
        """Have it join another room."""

    def check(self, live: LiveRoom, command: Command, by: Actor) -> None:
        """What the room itself cannot know. Raises Refused."""


class LiveRoom:
    """A room and its seats. All methods are called on the reactor's thread."""

    def __init__(
        self, services: CallServices, around: Surroundings, room: Room, file: MeetingFile, epoch: float
    ) -> None:
        self.room = room
        self.epoch = epoch
        self.seats: dict[int, Seat] = {}
        self._services = services
        self._around = around
        self._file = file
        self._names: dict[int, str] = {}
        self._timer: IDelayedCall | None = None
        self._timer_at: float | None = None
        self._busy = False
        self._known_rooms: set[str] = set()
        self._talking: dict[str, set[int]] = {}
        self._saying: dict[int, int] = {}  # tags of what is played into the room, and the tokens they are for
        self._sounding: set[int] = set()  # tags of tones and names
        self._recording = LiveRecording(services, room, file)

    # ---- what is asked of it

    def join(
        self, caller: Caller, party: Party, listener: SeatListener, name_prompt: str | None = None
    ) -> Seat:
        """Let somebody in, or into the lobby. Raises Refused."""
        participant = self.room.join(caller, self._now())
        seat = Seat(self, participant, party, listener)
        self._place(seat, name_prompt)
        return seat

    def place(self, seat: Seat, caller: Caller) -> None:
        """Let somebody in who has a seat already, in another meeting or in none. Raises Refused."""
        participant = self.room.join(caller, self._now())
        seat.live, seat.id = self, participant
        self._place(seat, seat.name_prompt)

    def _place(self, seat: Seat, name_prompt: str | None) -> None:
        self.seats[seat.id] = seat
        if name_prompt is not None:
            seat.name_prompt = self._names[seat.id] = name_prompt
            self._file.write([Names(seat.id, name_prompt)])
        self._describe(seat)
        self.flush()
        seat.party.changed()

    def act(self, command: Command, by: Actor) -> None:
        """Do a verb. Raises Refused."""
        self._around.check(self, command, by)
        self.room.act(command, by, self._now())
        self.flush()

    def left(self, seat: Seat, reason: LeaveReason) -> None:
        """A seat's call is over."""
        self._around.unseated(seat)
        if self.seats.get(seat.id) is seat:
            del self.seats[seat.id]
            self._describe(seat)
            self.room.leave(seat.id, self._now(), reason)
            self.flush()

    def dialled(self, dial: int, result: o.DialResult, status: int = 0) -> None:
        """What came of a call."""
        self.room.dialled(dial, result, self._now(), status)
        self.flush()

    def stop(self) -> None:
        """The engine stops."""
        self.room.stop(self._now())
        self.flush()

    def resume(self, seat: Seat, left_name: str | None) -> None:
        """A call of another process sits where it sat there."""
        self.seats[seat.id] = seat
        if left_name is not None:
            seat.name_prompt = self._names[seat.id] = left_name
        leg, one = seat.party.leg, seat.me
        if leg is None:
            return
        seat.media_room = leg.state().room
        wanted = self.room.media_room_of(
            one
        )  # the last word of the other process may not have reached the leg
        if wanted is None:
            seat.leave()
        elif wanted != seat.media_room:
            seat.enter(wanted, _label(one))
        seat.mix(o.Mix(one.id, one.silent, one.gain_db, one.volume_db))

    def go_on(self, recording: str | None) -> None:
        """In another process: what was lost is lost."""
        lost = set(self.room.state.participants) - set(self.seats)
        self._known_rooms = {each.media_room for each in self.seats.values() if each.media_room}
        if self.room.state.recording_on and recording is not None:
            self._recording.go_on(recording)
        elif self.room.state.recording_on:  # killed before it was begun
            self._record()
        self.room.go_on(sorted(lost), self._now())
        self.flush()

    # ---- what the media plane tells

    def talkers(self, event: Talkers, seat_of: Callable[[int], Seat | None]) -> None:
        """Others talk in one of its media rooms than before."""
        levels: dict[int, int] = {}
        for leg, level in event.talkers:
            seat = seat_of(leg)
            if seat is not None and seat.live is self and seat.media_room == event.room:
                levels[seat.id] = level
        now, before = self._now(), self._talking.get(event.room, set())
        for one in before - levels.keys():
            self.room.talking(one, False, 0.0, now)
        for one, level in levels.items():
            self.room.talking(one, True, float(level), now)
        self._talking[event.room] = set(levels)
        self.flush()

    def played(self, event: RoomPlayFinished) -> bool:
        """Something was played into its room; False when it was nothing of its own."""
        if event.tag in self._sounding:
            self._sounding.discard(event.tag)
            return True
        token = self._saying.pop(event.tag, None)
        if token is None:
            return False
        if token:
            self.room.said(token, not event.interrupted, self._now())
            self.flush()
        return True

    def recorded(self, event: RoomRecordingClosed) -> None:
        """A recording's file is closed; one that nobody asked to close is begun anew when somebody enters."""
        if self._recording.closed(event):
            self.room.recording_failed(self._now())
            self.flush()

    # ---- what follows

    def _now(self) -> float:
        return self._services.clock.seconds()

    def flush(self) -> None:
        """Carry out what the room wants, the journal first."""
        if self._busy:
            return  # whoever is at it goes on until there is nothing left
        self._busy = True
        try:
            while outputs := self.room.take_outputs():
                events = [each for each in outputs if isinstance(each, Event)]
                self._file.write([Happened(each) for each in events])
                for output in outputs:
                    self._carry_out(output)
                if events:
                    self._around.happened(self, events)
        finally:
            self._busy = False
        self._arm()

    def _arm(self) -> None:
        due = self.room.deadline
        if due == self._timer_at and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = None, due
        if due is not None:
            self._timer = self._services.clock.callLater(max(0.0, due - self._now()), self._due)

    def _due(self) -> None:
        self._timer = self._timer_at = None
        self.room.handle_timer(self._now())
        self.flush()

    def _carry_out(self, output: o.Output) -> None:
        match output:
            case Event() | o.Closed() | o.Dial() | o.CancelDial() | o.Record() | o.HoldRecording():
                self._carry_out_of_room(output)
            case o.SayInRoom(what=what, token=token):
                self._say_in_room(what, token)
            case o.TransferTo() | o.Move():
                self._hand_over(output)
            case _:
                seat = self.seats.get(output.participant)
                if seat is not None:
                    self._carry_out_at(seat, output)

    def _carry_out_at(
        self, seat: Seat, output: o.Enter | o.Leave | o.Mix | o.Say | o.Music | o.HangUp
    ) -> None:
        match output:
            case o.Enter(media_room=media_room):
                self._enter(seat, media_room)
            case o.Leave():
                seat.leave()
            case o.Mix():
                seat.mix(output)
            case o.Say(what=what, token=token):
                prompts = self._prompts(what, seat.me.language if self._listed(seat) else self._language)
                seat.say(prompts, lambda heard: self._said(token, heard))
            case o.Music(on=on):
                seat.music(on)
            case o.HangUp(reason=reason):
                del self.seats[seat.id]
                seat.hang_up()
                seat.listener.seat_left(reason)

    def _carry_out_of_room(
        self, output: Event | o.Closed | o.Dial | o.CancelDial | o.Record | o.HoldRecording
    ) -> None:
        match output:
            case o.Dial():
                self._around.dial(self, output)
            case o.CancelDial(dial=dial):
                self._around.cancel_dial(self, dial)
            case o.Record(kind=None):
                self._recording.end()
            case o.Record():
                self._record()
            case o.HoldRecording(on=on):
                self._recording.hold(on)
            case o.Closed(report=report):
                self._arm()
                self._file.close()
                self._around.closed(self, report)
            case Event():
                pass  # written and told together with those beside it

    def forget_journal(self) -> None:
        """The store has all of it."""
        self._file.remove()

    def _listed(self, seat: Seat) -> bool:
        return seat.id in self.room.state.participants

    @property
    def _language(self) -> str:
        return self.room.definition.language

    def _enter(self, seat: Seat, media_room: str) -> None:
        one = seat.me
        seat.enter(media_room, _label(one))
        if media_room not in self._known_rooms:
            self._known_rooms.add(media_room)
            self._services.media.set_room(media_room, loudest=self.room.definition.loudest)
        if media_room == self.room.media_room and self.room.state.recording_on:
            self._record()

    def _record(self) -> None:
        """Begin a file; where nobody is in yet that is done when somebody enters."""
        if self.room.media_room in self._known_rooms and not self._recording.begin():
            self.room.recording_failed(self._now())

    def _said(self, token: int, heard: bool) -> None:
        if token:
            self.room.said(token, heard, self._now())
            self.flush()

    def _say_in_room(self, what: Phrase | Tone | RecordedName, token: int) -> None:
        """Of sounds one at a time: with many coming at once, nobody would hear anything else."""
        sound = not isinstance(what, Phrase)
        if sound and self._sounding:
            return
        media = self._services.media
        prompts = self._prompts(what, self._language)
        tag = None
        if all(map(media.has_prompt, prompts)):
            tag = media.play_in_room(self.room.media_room, prompts)
        else:
            self._services.count("conference_prompt_unknown")
        if tag is None:
            self._said(token, False)
        elif sound:
            self._sounding.add(tag)
        else:
            self._saying[tag] = token

    def _prompts(self, what: Phrase | Tone | RecordedName, language: str) -> list[str]:
        match what:
            case Phrase():
                return prompts_of(what, language)
            case RecordedName(participant=participant):
                name = self._names.get(participant)
                return [TONES[Tone.ENTRY]] if name is None else [name]
            case Tone():
                return [TONES[what]]

    def _hand_over(self, output: o.TransferTo | o.Move) -> None:
        seat = self.seats.pop(output.participant.id, None)
        if seat is None:
            return
        seat.leave()
        if isinstance(output, o.Move):
            self._around.move(seat, output)
        else:
            self._around.transfer(seat, output)

    def _describe(self, seat: Seat) -> None:
        """What is known of its stream."""
        audio = seat.party.audio
        if audio is not None:
            self.room.measured(seat.id, codec=f"{audio.codec.name}/{audio.codec.rate}")

    def name_prompt(self, participant: int) -> str | None:
        """The prompt that says somebody's name, if it recorded one."""
        return self._names.get(participant)

    def find(self, participant: int) -> Participant | None:
        """An entry of the list."""
        return self.room.state.participants.get(participant)


def _label(one: Participant) -> str:
    """What its track is called."""
    return one.name or one.number or str(one.id)
