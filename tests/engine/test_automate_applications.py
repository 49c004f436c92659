"""What each automate application does with a call, on a virtual clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.task import Clock

from engine.automates.announcement import Announcement
from engine.automates.application import AutomateContext
from engine.automates.catalogue import APPLICATIONS
from engine.automates.echo import Echo
from engine.automates.parameters import PAUSE
from engine.automates.readback import Readback
from engine.automates.recorder import Recorder
from engine.automates.room import Room, room_of
from engine.call.numbers import AutomateTarget
from engine.cli.automates import APPLICATIONS as OFFERED
from engine.recordings import recording_name
from media.control import LegFailed, PlayFinished, RecordingClosed

SILENCE = float(PAUSE.default)


@dataclass
class LegLog:
    """A leg that writes down what it is told."""

    told: list[tuple[Any, ...]] = field(default_factory=list)

    def play(self, items: list[str], loop: bool = False, tag: int = 0) -> None:
        self.told.append(("play", items, loop))

    def stop_playing(self) -> None:
        self.told.append(("stop_playing",))

    def echo(self, on: bool) -> None:
        self.told.append(("echo", on))

    def join_room(self, room: str, label: str) -> None:
        self.told.append(("join_room", room, label))

    def record(self, path: str, kind: str, *, coded: bool) -> None:
        self.told.append(("record", path, kind, coded))


@dataclass
class RecordingsLog:
    """A journal of recordings that writes down what it is told."""

    told: list[tuple[Any, ...]] = field(default_factory=list)
    format: str = "wav"

    def begin(
        self, number: str, caller: str, form: str | None = None, *, tracks: bool = False, company: int = 1
    ) -> Path:
        self.told.append(("begin", number, caller, "tracks" if tracks else form))
        return Path("/recordings/one.json" if tracks else "/recordings/one.wav")

    def closed(self, path: Path, samples: int, reason: str | None) -> None:
        self.told.append(("closed", path, samples, reason))

    def lost(self, path: Path) -> None:
        self.told.append(("lost", path))


class Stage:
    """One application, its leg and its clock."""

    def __init__(self, caller: str = "0612", **parameters: object) -> None:
        self.clock = Clock()
        self.leg = LegLog()
        self.hung_up = 0
        self.recordings = RecordingsLog()
        self.rooms: list[tuple[str, int]] = []
        services = SimpleNamespace(
            clock=self.clock,
            recordings=self.recordings,
            prompts=frozenset({"hello"}),
            media=SimpleNamespace(
                set_room=lambda room, loudest: self.rooms.append((room, loudest)),
                is_recorded=lambda room: room == "taped",
                record_room=lambda *told: self.leg.told.append(("record_room", *told)),
            ),
        )
        self.party = SimpleNamespace(leg=self.leg, ended=False)
        self.context = AutomateContext(
            services=services,  # type: ignore[arg-type]  # what an application may touch of it
            party=self.party,  # type: ignore[arg-type]
            number="6999",
            caller=caller,
            language="fr",
            parameters=parameters,
            hang_up=self._hang_up,
        )

    def _hang_up(self) -> None:
        self.hung_up += 1


def test_the_command_offers_what_there_is() -> None:
    """The command's list, kept apart so that it loads fast, is the catalogue."""
    assert set(OFFERED) == set(APPLICATIONS)


def test_echo_echoes() -> None:
    """The leg does it all."""
    stage = Stage()
    Echo(stage.context).answered()
    assert stage.leg.told == [("echo", True)]


@pytest.mark.parametrize(
    ("prompt", "played"), [("welcome", "fr/welcome"), ("en/welcome", "en/welcome"), ("hello", "hello")]
)
def test_an_announcement_is_in_the_language_of_its_call(prompt: str, played: str) -> None:
    """A shipped prompt's name without a language gets the automate's; an imported prompt has none."""
    stage = Stage(prompt=prompt, loop=True)
    Announcement(stage.context).answered()
    assert stage.leg.told == [("play", [played], True)]


def test_an_announcement_hangs_up_after_its_last_word_only() -> None:
    """Interrupted is not finished."""
    stage = Stage(prompt="welcome")
    application = Announcement(stage.context)
    application.leg_event(PlayFinished(leg=1, tag=0, interrupted=True))
    assert stage.hung_up == 0
    application.leg_event(PlayFinished(leg=1, tag=0, interrupted=False))
    assert stage.hung_up == 1


def test_readback_speaks_the_caller_then_its_keys() -> None:
    """Keys are repeated together after a pause; speech stops at the first of them."""
    stage = Stage(caller="07")
    application = Readback(stage.context)
    application.answered()
    application.digit("4")
    stage.clock.advance(SILENCE - 0.1)
    application.digit("#")
    stage.clock.advance(SILENCE - 0.1)
    assert stage.leg.told == [
        ("play", ["fr/your-number-is", "fr/digit-0", "fr/digit-7", "fr/press-keys"], False),
        ("stop_playing",),
        ("stop_playing",),
    ]
    stage.clock.advance(0.2)
    assert stage.leg.told[3:] == [("play", ["fr/you-pressed", "fr/digit-4", "fr/hash"], False)]
    application.digit("1")
    stage.clock.advance(SILENCE)
    assert stage.leg.told[-1] == ("play", ["fr/you-pressed", "fr/digit-1"], False)


def test_readback_leaves_no_timer() -> None:
    """A caller that hangs up while typing takes the timer with it."""
    stage = Stage()
    application = Readback(stage.context)
    application.digit("1")
    application.ended()
    application.ended()
    assert stage.clock.getDelayedCalls() == []


def test_the_recorder_announces_before_it_records() -> None:
    """Nobody is recorded without knowing; the closed file is reported with its caller."""
    stage = Stage(caller="0612")
    application = Recorder(stage.context)
    application.answered()
    assert stage.leg.told == [("play", ["fr/record-after-tone", "tone/beep"], False)]
    application.leg_event(PlayFinished(leg=1, tag=0, interrupted=False))
    assert stage.leg.told[1:] == [("record", "/recordings/one.wav", "leg", False)]
    application.leg_event(RecordingClosed(leg=1, path="/recordings/one.wav", samples=8000, reason=None))
    path = Path("/recordings/one.wav")
    assert stage.recordings.told == [("begin", "6999", "0612", "wav"), ("closed", path, 1.0, None)]


def test_a_recording_whose_worker_died_is_reported() -> None:
    """Nobody else will say that it is closed."""
    stage = Stage(announce=False)
    application = Recorder(stage.context)
    application.leg_event(LegFailed(leg=1, reason="worker_lost"))
    assert stage.recordings.told == []
    application.answered()
    application.leg_event(LegFailed(leg=1, reason="worker_lost"))
    assert stage.recordings.told[1:] == [("lost", Path("/recordings/one.wav"))]


def test_a_recorder_told_so_does_not_announce() -> None:
    """Parameter ``announce``; and after the end nothing is begun."""
    stage = Stage(announce=False)
    Recorder(stage.context).answered()
    assert stage.leg.told[0][0] == "record"
    late = Stage()
    application = Recorder(late.context)
    late.party.ended = True
    application.leg_event(PlayFinished(leg=1, tag=0, interrupted=True))
    assert late.leg.told == []


def test_a_recorder_may_keep_both_directions_and_another_format() -> None:
    """By its parameters; a format there is not is the engine's."""
    stage = Stage(announce=False, both=True, format="g711")
    Recorder(stage.context).answered()
    assert stage.recordings.told == [("begin", "6999", "0612", "g711")]
    assert stage.leg.told == [("record", "/recordings/one.wav", "both", True)]
    other = Stage(announce=False, format="mp3")
    Recorder(other.context).answered()
    assert other.recordings.told == [("begin", "6999", "0612", "wav")]


def test_a_recorder_may_remind_the_caller() -> None:
    """A tone every so often, until the recording or the call is over; less than two seconds is no reminder."""
    stage = Stage(announce=False, beep=15)
    application = Recorder(stage.context)
    application.answered()
    stage.clock.pump([5.0] * 7)
    assert stage.leg.told[1:] == [("play", ["tone/beep"], False)] * 2
    application.leg_event(PlayFinished(leg=1, tag=0, interrupted=False))
    application.leg_event(
        RecordingClosed(leg=1, path="/recordings/one.wav", samples=8000, reason="disk_full")
    )
    assert stage.clock.getDelayedCalls() == []
    for parameters in ({"beep": 1}, {}):
        quiet = Stage(announce=False, **parameters)
        Recorder(quiet.context).answered()
        assert quiet.clock.getDelayedCalls() == []
    hanging_up = Stage(announce=False, beep=15)
    application = Recorder(hanging_up.context)
    application.answered()
    application.ended()
    assert hanging_up.clock.getDelayedCalls() == []


def test_recording_names_cannot_collide() -> None:
    """Same second, different names; nothing of the caller's in them."""
    from datetime import UTC, datetime

    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    names = {recording_name(now) for _ in range(1000)}
    assert len(names) == 1000
    assert all(name.startswith("20260102T030405-") and name.endswith(".wav") for name in names)


def test_a_room_mixes_whoever_calls_its_number() -> None:
    """The room is called as the number, unless it was given a name; a number of talkers is set when given."""
    stage = Stage()
    Room(stage.context).answered()
    assert (stage.leg.told, stage.rooms) == ([("join_room", "6999", "0612")], [])
    stage = Stage(room="board", loudest=0)
    Room(stage.context).answered()
    assert (stage.leg.told, stage.rooms) == ([("join_room", "board", "0612")], [("board", 0)])


@pytest.mark.parametrize(
    ("record", "path", "kind"),
    [("mix", "/recordings/one.wav", "room"), ("tracks", "/recordings/one.json", "tracks")],
)
def test_a_room_may_be_recorded(record: str, path: str, kind: str) -> None:
    """From before the first caller is in it; by those after it no second time."""
    stage = Stage(record=record)
    Room(stage.context).answered()
    assert stage.leg.told == [("record_room", "6999", path, kind), ("join_room", "6999", "0612")]
    later = Stage(record=record, room="taped")
    Room(later.context).answered()
    assert later.leg.told == [("join_room", "taped", "0612")]
    assert later.recordings.told == []


def test_which_numbers_are_rooms() -> None:
    """A leg is placed by the room before the application runs, so both must name it alike."""
    assert room_of(AutomateTarget("8000", 1, "room", {})) == "8000"
    assert room_of(AutomateTarget("8000", 1, "room", {"room": "board"})) == "board"
    assert room_of(AutomateTarget("5000", 1, "echo", {"room": "board"})) is None


@pytest.mark.parametrize("room", ["board", "company 2 room board", "conference 9001", "board@2"])
def test_no_name_leads_into_another_companys_room(room: str) -> None:
    """Whatever an administrator calls a room, it is none of another company, nor a conference."""
    mixes = [room_of(AutomateTarget("8000", 1, "room", {"room": room}, company)) for company in (1, 2, 3)]
    others = {room_of(AutomateTarget("8000", 1, "room", {"room": "board"}, company)) for company in (1, 2, 3)}
    others.add(room_of(AutomateTarget("9001", 0, "conference", {"room": "9001"})))
    assert len({*mixes}) == 3
    assert room == "board" or not others & {*mixes}
