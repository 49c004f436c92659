"""All meetings of this engine: which rooms there are, which are live, who may come in."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from twisted.logger import Logger

from conference import commands as c
from conference.attendance import LeaveReason
from conference.definition import Lobby, RoomKind, Sound
from conference.outputs import DialResult
from conference.participant import Caller, Participant, ParticipantKind
from conference.refusals import Reason, Refused
from conference.role import Role
from conference.room import Room
from conference.schedule import Agenda
from engine.conferences.calls_out import CallsOut
from engine.conferences.limits import ConferenceLimits, Occupancy
from engine.conferences.live_room import LiveRoom, Surroundings
from engine.conferences.prompts import entry_prompt, spoken_language
from engine.conferences.seat import Seat
from engine.domain.scope import DEFAULT_COMPANY, scoped

if TYPE_CHECKING:
    from datetime import datetime

    from conference import outputs as o
    from conference.attendance import MeetingReport
    from conference.definition import RoomDefinition
    from conference.events import Actor, Event
    from engine.call.party import Party
    from engine.call.services import CallServices
    from engine.conferences.event_store import EventStore
    from engine.conferences.meeting_journal import LeftMeeting, MeetingFiles
    from engine.conferences.seat import SeatListener
    from media.control import RoomPlayFinished, RoomRecordingClosed, Talkers

log = Logger()

Watcher = Callable[[LiveRoom, "Sequence[Event]"], None]


class Conferences(Surroundings):
    """The live rooms by ``RoomDefinition.key``, and everything that concerns more than one of them."""

    def __init__(self, services: CallServices) -> None:
        self.limits = ConferenceLimits()
        self.definitions: Mapping[str, RoomDefinition] = {}
        self.agenda = Agenda()
        self.live: dict[str, LiveRoom] = {}
        self.on_report: Callable[[MeetingReport], None] = _unread
        """Called with the closing report of a meeting, for the organiser's mail."""
        self._services = services
        self._watchers: list[Watcher] = []
        self._files: MeetingFiles | None = None
        self._store: EventStore | None = None
        self._left: dict[str, tuple[LiveRoom, LeftMeeting]] = {}
        self._seats: dict[int, Seat] = {}  # by leg
        self._calls_out = CallsOut(services, self)
        services.media.on_talkers = self._talkers
        services.media.on_room_played = self._played

    def keep_in(self, store: EventStore | None, files: MeetingFiles) -> None:
        """Keep journals from now on."""
        self._store, self._files = store, files

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Have ``watcher`` told of every event; returns what ends that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    # ---- rooms

    def define(self, definitions: Iterable[RoomDefinition], agenda: Agenda | None = None) -> None:
        """The rooms there are, their organisers' policies in them, and when those are open that have their times.

        Live meetings keep what they began with.
        """
        self.definitions = {each.key: each for each in definitions}
        self.agenda = Agenda() if agenda is None else agenda

    def lets_straight_in(self, key: str) -> bool:
        """Whether whoever calls a room is in it at once: nothing is asked, said before, or waited for."""
        room = self.find(key)
        if room is None or room.lobby is not Lobby.OFF or Sound.NAME in (room.entry_sound, room.exit_sound):
            return False
        return room.host_pin is None and room.guest_pin is None and not room.record_automatically

    def is_open(self, key: str, now: datetime) -> bool:
        """Whether it is the room's time, if it has its times: one that meets now may go on."""
        definition = self.find(key)
        scheduled = definition is not None and definition.kind is RoomKind.SCHEDULED
        return not scheduled or key in self.live or self.agenda.open(key, now) is not None

    def find(self, key: str) -> RoomDefinition | None:
        """A room."""
        live = self.live.get(key)
        return self.definitions.get(key) if live is None else live.room.definition

    def open(self, key: str) -> LiveRoom:
        """The meeting in a room, begun if there is none. Raises Refused."""
        live = self.live.get(key)
        if live is not None:
            return live
        definition = self.definitions.get(key)
        if definition is None:
            raise Refused(Reason.UNKNOWN_ROOM)
        Occupancy(each.room for each in self.live.values()).check(self.limits, definition, opens=True, more=0)
        return self._begin(definition)

    def open_ad_hoc(self, definition: RoomDefinition) -> LiveRoom:
        """Begin a meeting in a room that is in no store, until it is over. Raises Refused: the number is in use."""
        if definition.key in self.live or definition.key in self.definitions:
            raise Refused(Reason.SAME_ROOM)
        Occupancy(each.room for each in self.live.values()).check(self.limits, definition, opens=True, more=0)
        return self._begin(definition)

    def _begin(self, definition: RoomDefinition) -> LiveRoom:
        clock = self._services.clock
        epoch = time.time() - clock.seconds()
        room = Room(definition, f"{definition.number}-{secrets.token_hex(8)}", clock.seconds(), epoch)
        assert self._files is not None, "there is a folder for journals"
        file = self._files.begin(room, epoch)
        live = self.live[definition.key] = LiveRoom(self._services, self, room, file, epoch)
        live.flush()
        return live

    # ---- coming in

    def join(
        self,
        key: str,
        caller: Caller,
        party: Party,
        listener: SeatListener,
        name_prompt: str | None = None,
    ) -> Seat:
        """Bring a call to a room's door: into the room, or its lobby.

        The application passes its leg's events and its call's end on to the seat. ``name_prompt``: what the caller
        said its name is. Raises Refused.
        """
        seat = self._door(key).join(caller, party, listener, name_prompt)
        self._seated(seat)
        return seat

    def join_called(
        self,
        parameters: Mapping[str, object],
        party: Party,
        listener: SeatListener,
        company: int = DEFAULT_COMPANY,
    ) -> Seat:
        """Bring in who answered a call of the room's own; parameters: of its application. Raises Refused."""
        key = scoped(str(parameters["room"]), company)
        dial = int(str(parameters["dial"]))
        caller = Caller(
            kind=ParticipantKind(str(parameters.get("kind", ParticipantKind.PHONE))),
            name=str(parameters.get("name", "")),
            number=party.number,
            identity=party.identity,
            role=Role(str(parameters["role"])),
            dial=dial,
        )
        try:
            return self.join(key, caller, party, listener)
        except Refused as refused:
            live = self.live.get(key)
            if live is not None:
                live.dialled(dial, DialResult.REFUSED)
            self._services.count(f"conference_refused_{refused.reason.value}")
            raise

    def _door(self, key: str) -> LiveRoom:
        definition = self.find(key)
        if definition is None:
            raise Refused(Reason.UNKNOWN_ROOM)
        occupancy = Occupancy(each.room for each in self.live.values())
        occupancy.check(self.limits, definition, opens=key not in self.live)
        return self.open(key)

    def _seated(self, seat: Seat) -> None:
        if seat.party.leg is not None:
            self._seats[seat.party.leg.id] = seat
            seat.party.leg.watch(True)

    def unseated(self, seat: Seat) -> None:
        """It is in no meeting any more."""
        if seat.party.leg is not None:
            self._seats.pop(seat.party.leg.id, None)

    # ---- what rooms ask

    def happened(self, live: LiveRoom, events: Sequence[Event]) -> None:
        """Store them, tell whoever watches."""
        if self._store is not None:
            self._store.note(live.room.meeting, live.room.definition.key, events)
        for watcher in tuple(self._watchers):
            watcher(live, events)

    def closed(self, live: LiveRoom, report: MeetingReport) -> None:
        """Forget it; its report goes to store and organiser."""
        key = live.room.definition.key
        if self.live.get(key) is live:
            del self.live[key]
        self._services.count("conference_meetings")
        if self._store is not None:
            # after the events of this very moment, which are told next
            self._services.clock.callLater(0, self._store.close, report, live.forget_journal)
        self.on_report(report)

    def check(self, live: LiveRoom, command: c.Command, by: Actor) -> None:
        """Merging needs a host's rights in the other room as well, and place there; the room must be there."""
        scope = live.room.definition.scope
        if isinstance(command, c.Transfer) and command.room and self.find(command.number + scope) is None:
            raise Refused(Reason.UNKNOWN_ROOM)
        if not isinstance(command, c.Merge):
            return
        into = self.find(command.into + scope)
        if into is None:
            raise Refused(Reason.UNKNOWN_ROOM)
        if isinstance(by, int):
            one = live.find(by)
            owner = into.owner
            its_own = one is not None and one.identity is not None and one.identity == owner
            if not its_own and (owner is None or owner != live.room.definition.owner):
                raise Refused(Reason.NOT_HOST)
        other = self.live.get(into.key)
        there = 0 if other is None else len(other.room.state.participants)
        if there + len(live.room.state.participants) > into.capacity:
            raise Refused(Reason.FULL)

    def dial(self, live: LiveRoom, dial: o.Dial) -> None:
        """Call somebody into a room."""
        self._calls_out.dial(live, dial)

    def cancel_dial(self, live: LiveRoom, dial: int) -> None:
        """Do not call any more."""
        self._calls_out.cancel(live, dial)

    def transfer(self, seat: Seat, transfer: o.TransferTo) -> None:
        """Connect a participant with a number, or have it back."""
        self._calls_out.transfer(seat, transfer)

    def give_back(self, seat: Seat, room: str, caller: Caller) -> None:
        """After a transfer that came to nothing; where it is not let in again, its call ends."""
        if not seat.party.ended:
            self._place(seat, room, caller)

    def move(self, seat: Seat, move: o.Move) -> None:
        """From one room into another; where it is not let in, it is told so and its call ends."""
        was = move.participant
        caller = caller_of(was if move.keeps else replace(was, role=Role.GUEST))
        self._place(
            seat,
            move.room + seat.live.room.definition.scope,
            replace(caller, was=was if move.keeps else None),
        )

    def _place(self, seat: Seat, room: str, caller: Caller) -> None:
        try:
            self._door(room).place(seat, caller)
        except Refused as refused:
            self._services.count(f"conference_refused_{refused.reason.value}")
            seat.say(
                [entry_prompt(refused.reason, spoken_language(caller.language, self._services.language))]
            )
            seat.hang_up()
            seat.listener.seat_left(LeaveReason.MOVED)

    # ---- what the media plane tells

    def _talkers(self, event: Talkers) -> None:
        live = self._of_media_room(event.room)
        if live is not None:
            live.talkers(event, self._seats.get)

    def _played(self, event: RoomPlayFinished) -> None:
        live = self._of_media_room(event.room)
        if live is not None:
            live.played(event)

    def recorded(self, event: RoomRecordingClosed) -> None:
        """A room's recording is closed."""
        live = self._of_media_room(event.room)
        if live is not None:
            live.recorded(event)

    def _of_media_room(self, name: str) -> LiveRoom | None:
        kind, _, rest = name.partition(" ")
        return self.live.get(rest.partition(" ")[0]) if kind == "conference" else None

    # ---- another process

    def take_up(self, left: Iterable[LeftMeeting]) -> None:
        """Make the meetings of a process that was killed; their calls come to ``resume``, then ``go_on``."""
        assert self._files is not None, "there is a folder with journals"
        clock = self._services.clock
        for each in left:
            opened = each.opened
            try:
                room = Room.restored(
                    opened.definition, opened.meeting, each.events, clock.seconds(), opened.epoch
                )
            except (ValueError, KeyError) as error:
                self._services.count("meetings_not_adopted")
                log.warn(
                    "the meeting {meeting} cannot be taken up: {error}", meeting=opened.meeting, error=error
                )
                each.path.unlink(missing_ok=True)
                continue
            live = LiveRoom(self._services, self, room, self._files.file(opened.meeting), opened.epoch)
            self.live[opened.definition.key] = live
            self._left[opened.meeting] = (live, each)

    def resume(self, meeting: str, participant: int, party: Party, listener: SeatListener) -> Seat:
        """A call that was adopted sits where it sat. Raises Refused: that meeting, or entry, is no more."""
        live, left = self._left.get(meeting, (None, None))
        if live is None or left is None or live.find(participant) is None:
            raise Refused(Reason.UNKNOWN_PARTICIPANT)
        seat = Seat(live, participant, party, listener)
        live.resume(seat, left.names.get(participant))
        self._seated(seat)
        return seat

    def go_on(self) -> None:
        """All calls that could be adopted are; who is missing is lost."""
        taken, self._left = self._left, {}
        for live, left in taken.values():
            report = live.room.report
            if report is not None:  # over, and killed before the store had it
                del self.live[live.room.definition.key]
                self._store_report(live, report, left)
                continue
            self._services.count("meetings_adopted")
            if self._store is not None:
                self._store.catch_up(live.room.meeting, live.room.definition.key, left.events)
            live.go_on(left.recording)

    def _store_report(self, live: LiveRoom, report: MeetingReport, left: LeftMeeting) -> None:
        if self._store is not None:
            self._store.catch_up(report.meeting, live.room.definition.key, left.events)
            self._store.close(report, live.forget_journal)

    def stop(self) -> None:
        """The engine stops: every meeting ends."""
        for live in list(self.live.values()):
            live.stop()
        if self._store is not None:
            self._store.flush()


def caller_of(one: Participant) -> Caller:
    """Somebody on a list, as it comes to another."""
    return Caller(
        kind=one.kind,
        name=one.name,
        number=one.number,
        identity=one.identity,
        role=one.role,
        codec=one.codec,
        language=one.language,
        has_recorded_name=one.has_recorded_name,
    )


def _unread(_report: MeetingReport) -> None:
    """Where reports go before anybody sends them."""
