"""Live rooms on paper: parties and a media plane that write down what they are told, and a clock turned by hand."""

from __future__ import annotations

from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from conference.attendance import LeaveReason, MeetingReport
from conference.definition import RoomDefinition
from conference.events import Event, EventKind
from conference.participant import Caller
from engine.conferences.conferences import Conferences
from engine.conferences.live_room import LiveRoom
from engine.conferences.meeting_journal import MeetingFiles
from engine.conferences.seat import Seat
from media.control import PlayFinished, RoomPlayFinished, Talkers

Told = tuple[Any, ...]


class PaperLeg:
    """A leg that writes down what it is told."""

    def __init__(self, number: int) -> None:
        self.id = number
        self.told: list[Told] = []
        self.room: str | None = None
        self.playing: tuple[list[str], int] | None = None

    def join_room(self, room: str, label: str) -> None:
        self.room = room

    def leave_room(self) -> None:
        self.room = None

    def play(self, items: list[str], loop: bool = False, tag: int = 0, under: bool = False) -> None:
        self.playing = (items, tag)
        self.told.append(("play", *items))

    def stop_playing(self) -> None:
        self.playing = None
        self.told.append(("stop",))

    def set_participant(self, **mix: Any) -> None:
        self.told.append(("mix", mix["muted"], mix["gain_db"], mix["volume_db"]))

    def watch(self, on: bool) -> None:
        """Nothing is measured here."""

    def state(self) -> PaperLeg:
        return self


class PaperParty:
    """A call."""

    def __init__(self, hall: Hall, number: int) -> None:
        self.services = hall.services
        self.leg = PaperLeg(number)
        self.audio = None
        self.ended = False
        self.number = str(1000 + number)
        self.seat: Seat | None = None

    def hang_up(self) -> None:
        if not self.ended:
            self.ended = True
            if self.seat is not None:
                self.seat.ended()

    def changed(self) -> None:
        """Nobody keeps a journal of calls here."""


class PaperMedia:
    """The media plane's rooms."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.missing: set[str] = set()
        self._tags = count(1)
        self.playing: list[tuple[str, int, list[str]]] = []

    def has_prompt(self, name: str) -> bool:
        return name not in self.missing

    def play_in_room(self, room: str, items: list[str]) -> int:
        tag = next(self._tags)
        self.playing.append((room, tag, items))
        return tag

    def record_room(self, room: str, path: str, kind: str) -> bool:
        self.told.append(("record", room, kind))
        return True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *arguments, **named: self.told.append((name, *arguments, *named.values()))


class PaperRecordings:
    """A folder."""

    def begin(self, number: str, caller: str, *, tracks: bool, company: int = 1) -> Path:
        return Path("/recordings/one.json" if tracks else "/recordings/one.wav")


class Services:
    """What live rooms ask of a call's services."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000.0)
        self.media = PaperMedia()
        self.recordings = PaperRecordings()
        self.counted: Counter[str] = Counter()

    def count(self, label: str) -> None:
        self.counted[label] += 1


class PaperApplication:
    """Whoever answers the phone for the room."""

    def __init__(self) -> None:
        self.left: list[LeaveReason] = []

    def seat_left(self, reason: LeaveReason) -> None:
        self.left.append(reason)


class Hall:
    """Rooms, and people on the phone."""

    def __init__(self, folder: Path, *definitions: RoomDefinition, boot: str = "boot") -> None:
        self.services: Any = Services()
        self.clock: Clock = self.services.clock
        self.media: PaperMedia = self.services.media
        self.files = MeetingFiles(folder, boot)
        self.conferences = Conferences(self.services)
        self.conferences.keep_in(None, self.files)
        self.conferences.define(definitions or (RoomDefinition(number="9001", music=False),))
        self.events: list[Event] = []
        self.reports: list[MeetingReport] = []
        self.conferences.watch(lambda _live, events: self.events.extend(events))
        self.conferences.on_report = self.reports.append
        self._people = count(1)

    def call(self, number: str = "9001", **caller: Any) -> Seat:
        """Somebody comes to a room. Raises Refused."""
        party: Any = PaperParty(self, next(self._people))
        told = {"number": party.number, **caller}
        party.seat = self.conferences.join(number, Caller(**told), party, PaperApplication())
        seat: Seat = party.seat
        return seat

    def live(self, number: str = "9001") -> LiveRoom:
        """The meeting in a room."""
        return self.conferences.live[number]

    def kinds(self) -> list[EventKind]:
        """What has happened since the last call."""
        events, self.events = self.events, []
        return [each.kind for each in events]

    def said(self, seat: Seat, *, interrupted: bool = False) -> None:
        """What is being played to somebody is over."""
        leg: Any = seat.party.leg
        _, tag = leg.playing
        leg.playing = None
        seat.leg_event(PlayFinished(leg.id, tag, interrupted))

    def said_in_room(self, *, interrupted: bool = False) -> None:
        """All that is played into rooms is over."""
        playing, self.media.playing = self.media.playing, []
        for room, tag, _ in playing:
            self.conferences._played(RoomPlayFinished(room, tag, interrupted))

    def talk(self, *seats: Seat, room: str = "conference 9001") -> None:
        """These talk now, and nobody else."""
        self.conferences._talkers(
            Talkers(room, [(each.party.leg.id, 20) for each in seats if each.party.leg])
        )
