"""What the pool remembers of sounds played into rooms, with workers that are not there."""

from __future__ import annotations

from media import control
from media.leg import Leg
from media.room_plays import RoomPlays
from tests.media.test_pool import SPEC, Engine

ROOM = "9001"


def entered(engine: Engine) -> int:
    """A leg in the room; its id."""
    leg = engine.open(room=ROOM)
    leg.join_room(ROOM)
    for process in engine.reactor.processes:
        process.heard()
    return leg.id


class TestPool:
    def test_from_its_beginning_to_its_end(self) -> None:
        """The room's worker plays it, and its end is told once; of a tag nobody gave, nothing."""
        engine, told = Engine(), list[control.RoomPlayFinished]()
        engine.pool.on_room_played = told.append
        assert engine.pool.play_in_room(ROOM, ["tone/entry"]) is None
        entered(engine)
        tag = engine.pool.play_in_room(ROOM, ["tone/entry"], gain_db=-6)
        assert tag is not None
        assert engine.process.heard() == [
            control.PlayInRoom(room=ROOM, items=["tone/entry"], tag=tag, gain_db=-6)
        ]
        over = control.RoomPlayFinished(ROOM, tag, interrupted=False)
        engine.process.says(over, over, control.RoomPlayFinished(ROOM, tag + 5, interrupted=False))
        assert told == [over]

    def test_stopping(self) -> None:
        """What is said, or the music."""
        engine = Engine()
        engine.pool.stop_playing_in_room(ROOM)
        entered(engine)
        engine.pool.stop_playing_in_room(ROOM)
        engine.pool.stop_playing_in_room(ROOM, music=True)
        assert engine.process.heard() == [
            control.StopPlayingInRoom(ROOM),
            control.StopPlayingInRoom(ROOM, music=True),
        ]

    def test_whoever_hears_of_the_end_may_fail(self) -> None:
        """It costs the worker nothing."""
        engine = Engine()
        entered(engine)
        engine.pool.on_room_played = lambda event: 1 / 0  # type: ignore[assignment,return-value]
        tag = engine.pool.play_in_room(ROOM, ["tone/entry"]) or 0
        engine.process.says(control.RoomPlayFinished(ROOM, tag, interrupted=False))
        assert engine.pool.counters["event_faults"] == 1

    def test_a_worker_is_lost(self) -> None:
        """Its successor, once the legs are in the room again, plays the music and says again what was cut short."""
        engine = Engine()
        leg = entered(engine)
        engine.pool.load_prompt("en/x", "x.wav")
        engine.pool.play_in_room(ROOM, ["tone/music"], music=True, loop=True)
        done = engine.pool.play_in_room(ROOM, ["tone/entry"]) or 0
        cut = engine.pool.play_in_room(ROOM, ["en/x"]) or 0
        engine.process.says(control.RoomPlayFinished(ROOM, done, interrupted=False))
        engine.process.heard()
        engine.process.dies()
        engine.reactor.advance(0.5)
        engine.process.says(control.Started(engine.process.pid))
        told = [each for each in engine.process.heard() if not isinstance(each, control.Configure)]
        assert [type(each).__name__ for each in told] == [
            "OpenLeg",
            "JoinRoom",
            "LoadPrompt",
            "PlayInRoom",
            "PlayInRoom",
        ]
        music, again = told[-2:]
        assert isinstance(music, control.PlayInRoom)
        assert music.music
        assert isinstance(again, control.PlayInRoom)
        assert again.tag == cut
        engine.process.says(control.LegClosed(leg))
        assert engine.pool.play_in_room(ROOM, ["tone/entry"]) is None

    def test_who_may_join_later_is_not_there_yet(self) -> None:
        """Its leg is where the room is, or anywhere; nothing is played to a room nobody has entered."""
        engine, legs = Engine(workers=2), list[Leg]()
        for _ in range(2):
            engine.pool.open_leg(SPEC, towards=ROOM).addCallback(legs.append)
        for process in engine.reactor.processes:
            for command in process.heard():
                if isinstance(command, control.OpenLeg):
                    process.says(control.LegOpened(command.leg, 40000 + 2 * command.leg))
        waiting, joining = legs
        assert waiting.worker is not joining.worker
        assert engine.pool.play_in_room(ROOM, ["tone/entry"]) is None
        joining.join_room(ROOM)
        tag = engine.pool.play_in_room(ROOM, ["tone/entry"])
        played = control.PlayInRoom(room=ROOM, items=["tone/entry"], tag=tag or 0)
        assert played in engine.reactor.processes[joining.worker.index].heard()


class TestManyWorkers:
    def test_over_when_all_are_through(self) -> None:
        """And heard when one of them played it to its end."""
        plays = RoomPlays()
        plays.begin(control.PlayInRoom(room=ROOM, items=["p"], tag=7), [0, 1])
        assert plays.ended(0, control.RoomPlayFinished(ROOM, 7, interrupted=True)) is None
        assert plays.ended(1, control.RoomPlayFinished(ROOM, 7, interrupted=False)) == (
            control.RoomPlayFinished(ROOM, 7, interrupted=False)
        )

    def test_one_is_lost_for_good(self) -> None:
        """The others decide; when there are none, it is over."""
        plays = RoomPlays()
        plays.begin(control.PlayInRoom(room=ROOM, items=["p"], tag=7), [0, 1])
        plays.begin(control.PlayInRoom(room=ROOM, items=["p"], tag=8), [0])
        assert plays.lost(0) == [control.RoomPlayFinished(ROOM, 8, interrupted=True)]
        assert plays.lost(1) == [control.RoomPlayFinished(ROOM, 7, interrupted=True)]
        assert plays.lost(1) == []

    def test_music_is_remembered_as_long_as_the_room_is_there(self) -> None:
        """For workers the room spreads to."""
        plays = RoomPlays()
        music = control.PlayInRoom(room=ROOM, items=["m"], tag=1, music=True)
        plays.begin(music, [0])
        assert plays.music(ROOM) == music
        assert plays.again(1, [ROOM]) == [music]
        plays.empty(ROOM)
        assert plays.music(ROOM) is None
        plays.begin(music, [0])
        plays.stop_music(ROOM)
        assert plays.again(0, [ROOM]) == []
