"""9000 in the demonstration, and each room's own number: the way into a conference, and its keys."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from conference import entry as way
from conference import menu as keys
from conference.definition import Consent, Sound
from conference.participant import Caller
from conference.refusals import Reason, Refused
from engine.conferences.prompts import BEEP, entry_prompt, menu_prompt, spoken_language, unnamed
from engine.domain.scope import scoped
from media.control import LegFailed, PlayFinished, RecordingClosed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twisted.internet.interfaces import IDelayedCall

    from conference.attendance import LeaveReason
    from conference.definition import RoomDefinition
    from engine.automates.application import AutomateContext
    from engine.conferences.seat import Seat
    from media.control import LegEvent

LAST_WORD_SECONDS = 10.0
"""How long after a call a name may still be said: its owner has just left."""
SHORTEST_NAME = 0.3
_REASONS = {403: "Forbidden", 404: "Not Found", 408: "Request Timeout", 433: "Anonymity Disallowed"}
_REASONS |= {480: "Temporarily Unavailable", 486: "Busy Here", 503: "Service Unavailable"}
log = Logger()


class Conference:
    """Bring the caller into a room, and do what its keys say. Parameters: ``room``, the number of the room it leads to
    (without it the caller is asked); ``language`` (default: the room's). ``dial`` and ``role`` are of a call that the
    room has placed itself."""

    def __init__(self, context: AutomateContext) -> None:
        self._context = context
        room = context.parameters.get("room")
        self._entry = way.Entry(None if room is None else str(room))
        wanted = context.parameters.get("language")
        self._wanted_language = str(wanted) if wanted else None
        self._language = spoken_language(self._wanted_language, context.services.language)
        self._seat: Seat | None = None
        self._menu = keys.Menu(self._view)
        self._timer: IDelayedCall | None = None
        self._tag = 0
        self._name_file: Path | None = None
        self._name: str | None = None

    # ---- the call

    def answered(self) -> None:
        """Ask, or let in at once who was called by the room."""
        if "dial" not in self._context.parameters:
            self._entry.start(self._now())
            self._go_on()
            return
        try:
            self._seat = self._context.services.conferences.join_called(
                self._context.parameters, self._context.party, self, self._context.company
            )
        except Refused:
            self._context.hang_up()

    def digit(self, digit: str) -> None:
        """For the way in, or for the menu."""
        if self._seat is None:
            self._entry.digit(digit, self._now())
        elif self._seat.live.find(self._seat.id) is not None:
            self._menu.digit(digit, self._now())
        self._go_on()

    def leg_event(self, event: LegEvent) -> None:
        """The end of words, of a name; all else is for the seat."""
        match event:
            case PlayFinished(tag=tag) if self._seat is None and tag == self._tag:
                self._entry.spoken(self._now())
            case RecordingClosed(path=path) if self._name_file is not None and path == str(self._name_file):
                self._named(self._name_file, event.samples / event.rate)
            case LegFailed() if self._seat is None and self._name_file is not None:
                self._named(self._name_file, 0.0)
            case _:
                if self._seat is not None:
                    self._seat.leg_event(event)
        self._go_on()

    def ended(self) -> None:
        """The seat is free; the name goes when nobody can be told any more who left."""
        self._disarm()
        if self._seat is not None:
            self._seat.ended()
        names = self._context.services.names
        if self._name is not None and names is not None:
            self._context.services.clock.callLater(LAST_WORD_SECONDS, names.forget, self._name)

    def seat_left(self, reason: LeaveReason) -> None:
        """Off the list: keys mean nothing any more."""
        self._menu = keys.Menu(self._view)
        self._disarm()

    # ---- another process

    def remember(self) -> dict[str, Any]:
        """Where it sits, and its name."""
        if self._seat is None:
            return {}
        return {
            "meeting": self._seat.live.room.meeting,
            "participant": self._seat.id,
            "name": self._name,
        }

    def resume(self, memory: Mapping[str, Any]) -> None:
        """Sit there again; who was still on the way in is asked from the beginning."""
        if "meeting" not in memory:
            self.answered()
            return
        services = self._context.services
        self._name = memory.get("name")
        if self._name is not None and services.names is not None:
            services.names.again(self._name)
        try:
            self._seat = services.conferences.resume(
                str(memory["meeting"]), int(memory["participant"]), self._context.party, self
            )
        except Refused:
            self._context.hang_up()

    # ---- what the cores want

    def _now(self) -> float:
        return self._context.services.clock.seconds()

    def _go_on(self) -> None:
        """Carry out what is wanted, and come back when something is due."""
        if self._context.party.ended:
            return
        if self._seat is None:
            while outputs := self._entry.take_outputs():
                for output in outputs:
                    self._enter(output)
        while self._seat is not None and (wanted := self._menu.take_outputs()):
            for each in wanted:
                self._choose(self._seat, each)
        self._arm(self._entry.deadline if self._seat is None else self._menu.deadline)

    def _arm(self, due: float | None) -> None:
        self._disarm()
        if due is not None and not self._context.party.ended:
            self._timer = self._context.services.clock.callLater(max(0.0, due - self._now()), self._due)

    def _disarm(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _due(self) -> None:
        self._timer = None
        if self._seat is None:
            self._entry.handle_timer(self._now())
        else:
            self._menu.handle_timer(self._now())
        self._go_on()

    # ---- the way in

    def _enter(self, output: way.Output) -> None:
        services, leg = self._context.services, self._context.party.leg
        match output:
            case way.Tell(words=words):
                self._play([entry_prompt(each, self._language) for each in words])
            case way.Quiet():
                if leg is not None:
                    leg.stop_playing()
            case way.FindRoom(number=number):
                self._entry.found(self._room(services.conferences.find(self._key(number))), self._now())
            case way.RecordName():
                self._record_name()
            case way.StopName():
                if leg is not None:
                    leg.stop_recording()
            case way.Join():
                self._join(output)
            case way.Count(label=label):
                services.count(label)
                log.info("{call_id} {label}", call_id=self._context.party.call_id, label=label)
            case way.HangUp(status=status):
                self._context.party.hang_up(f'SIP;cause={status};text="{_REASONS[status]}"')

    def _play(self, prompts: list[str]) -> None:
        self._tag += 1
        if self._context.party.leg is not None:
            self._context.party.leg.play(prompts, tag=self._tag)

    def _key(self, number: str) -> str:
        """How the engine knows a room of the automate's company."""
        return scoped(number, self._context.company)

    def _room(self, definition: RoomDefinition | None) -> way.EntryRoom | None:
        if definition is None:
            return None
        self._language = spoken_language(self._wanted_language or definition.language, self._language)
        identity = self._context.party.identity
        return way.EntryRoom(
            number=definition.number,
            host_pin=definition.host_pin,
            guest_pin=definition.guest_pin,
            is_host=identity is not None and identity == definition.owner,
            asks_name=Sound.NAME in (definition.entry_sound, definition.exit_sound),
            open=self._context.services.conferences.is_open(definition.key, datetime.now(UTC)),
        )

    def _record_name(self) -> None:
        names, leg = self._context.services.names, self._context.party.leg
        self._name_file = None if names is None else names.begin()
        if self._name_file is None or leg is None:
            self._entry.named(False)
            return
        leg.record(str(self._name_file))
        self._play([BEEP])

    def _named(self, path: Path, seconds: float) -> None:
        names, self._name_file = self._context.services.names, None
        assert names is not None
        if self._context.party.ended or seconds < SHORTEST_NAME:
            names.discard(path)
        else:
            self._name = names.keep(path)
        self._entry.named(self._name is not None)

    def _join(self, join: way.Join) -> None:
        party = self._context.party
        caller = Caller(
            number=self._context.caller,
            identity=party.identity,
            role=join.role,
            language=None if self._wanted_language is None else self._language,
            has_recorded_name=join.has_name,
        )
        try:
            self._seat = self._context.services.conferences.join(
                self._key(join.number), caller, party, self, self._name
            )
        except Refused as refused:
            self._entry.refused(refused.reason, self._now())

    # ---- the menus

    def _view(self) -> keys.View:
        """The room as the caller is to see it. Raises Refused: it is in none."""
        assert self._seat is not None
        room, me = self._seat.live.room, self._seat.me
        state = room.state
        asks = room.definition.consent is Consent.ASKED and state.recording is not None
        return keys.View(
            me=me,
            people=room.participants,
            locked=state.locked,
            guests_muted=state.guests_muted,
            recording=state.recording is not None,
            recording_paused=state.paused,
            consent_asked=asks and not me.consents,
        )

    def _choose(self, seat: Seat, output: keys.Output) -> None:
        match output:
            case keys.Act(command=command):
                try:
                    seat.act(command)
                except Refused as refused:
                    self._menu.refused(refused.reason, self._now())
            case keys.Quiet():
                seat.hush()
            case keys.Tell(what=what):
                me = seat.live.find(seat.id)
                language = spoken_language(None if me is None else me.language, self._language)
                prompts = [prompt for each in what for prompt in self._said(seat, each, language)]
                seat.play(prompts, self._menu_spoken)

    def _menu_spoken(self, _heard: bool) -> None:
        self._menu.spoken(self._now())
        self._go_on()

    @staticmethod
    def _said(seat: Seat, what: object, language: str) -> list[str]:
        if isinstance(what, keys.Named):
            name = seat.live.name_prompt(what.participant)
            one = seat.live.find(what.participant)
            if name is not None:
                return [name]
            return [] if one is None else unnamed(one.number, one.id, language)
        assert isinstance(what, keys.MenuWords | Reason)
        return [menu_prompt(what, language)]
