"""Rooms over several workers, as the pool has them: where legs come to, what workers are told, what is told of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from media import control
from media.control import RoomPart
from media.leg import Leg
from tests.media.test_pool import SPEC, Engine, FakeProcess, failure_of

ROOM = "8000"


class Rooms(Engine):
    """An engine whose workers share rooms as they are asked to."""

    def __init__(self, workers: int = 2, legs: int = 1) -> None:
        super().__init__(workers)
        self.pool.limit_rooms(legs)
        self.told: dict[int, list[control.Command]] = {}
        for process in self.reactor.processes:
            process.heard()

    def enter(self, count: int = 1) -> list[Leg]:
        """Legs that are opened for the room and join it."""
        legs = []
        for _ in range(count):
            opened: list[Leg] = []
            self.pool.open_leg(SPEC, room=ROOM).addCallback(opened.append)
            self.settle()
            opened[0].join_room(ROOM)
            legs += opened
        self.settle()
        return legs

    def settle(self) -> None:
        """Let the workers answer; what else they were told is in ``told``."""
        for _ in range(3):
            for process in self.reactor.processes:
                for command in process.heard():
                    self.told.setdefault(process.pid, []).append(command)
                    match command:
                        case control.OpenLeg(leg=leg):
                            process.says(control.LegOpened(leg, 40000 + 2 * leg))
                        case control.ShareRoom(room=room, token=token):
                            process.says(control.RoomShared(room, RoomPart(process.pid, 9, token)))

    def heard(self, process: FakeProcess, *kinds: type[control.Command]) -> list[control.Command]:
        """What a worker was told of these kinds since the last call."""
        self.settle()
        told = self.told.pop(process.pid, [])
        return [command for command in told if not kinds or isinstance(command, kinds)]


def parts_heard(told: Sequence[control.Command]) -> list[int]:
    """The processes whose parts a worker was last told to hear."""
    last = [each for each in told if isinstance(each, control.HearRoom)][-1]
    return [part.pid for part in last.parts]


class TestPlacement:
    def test_a_room_fills_its_first_worker_first(self) -> None:
        """Up to ``room_legs``, then the next; when all have so many, where the load is least."""
        engine = Rooms(workers=3, legs=2)
        assert [leg.worker.index for leg in engine.enter(9)] == [0, 0, 1, 1, 2, 2, 0, 1, 2]

    def test_a_worker_without_headroom_is_passed_over(self) -> None:
        """The room spreads; where no worker has headroom a leg is refused."""
        engine = Rooms(legs=100)
        engine.enter()
        busy, idle = engine.reactor.processes
        busy.says(control.WorkerLoad(0.9, 0.0))
        assert engine.enter()[0].worker.index == 1
        idle.says(control.WorkerLoad(0.9, 0.0))
        assert failure_of(engine.pool.open_leg(SPEC, room=ROOM)) == "overloaded"

    def test_small_rooms_stay_on_one_worker(self) -> None:
        """And nothing is shared."""
        engine = Rooms(legs=10)
        assert {leg.worker.index for leg in engine.enter(5)} == {0}
        assert not engine.heard(engine.reactor.processes[0], control.ShareRoom, control.HearRoom)


class TestSharing:
    def test_all_hear_all(self) -> None:
        """Each worker is asked for its part once, and all are told of all parts in one order, themselves among them."""
        engine = Rooms(workers=3)
        engine.enter(3)
        for process in engine.reactor.processes:
            told = engine.heard(process, control.ShareRoom, control.HearRoom)
            assert isinstance(told[0], control.ShareRoom)
            assert sum(isinstance(each, control.ShareRoom) for each in told) == 1
            assert parts_heard(told) == [1000, 1001, 1002]

    def test_a_leg_joins_whatever_room_it_likes(self) -> None:
        """Of another worker, and back again: the other room becomes one of several, its own goes on."""
        engine = Rooms(legs=10)
        one = engine.enter()[0]
        other = engine.open()
        assert (one.worker.index, other.worker.index) == (0, 1)
        other.join_room(ROOM)
        engine.settle()
        first, second = engine.reactor.processes
        assert parts_heard(engine.heard(first)) == parts_heard(engine.heard(second)) == [1000, 1001]
        other.join_room("aside")
        other.join_room(ROOM)
        other.join_room(ROOM)
        assert not engine.heard(first)
        assert engine.heard(second) == [
            control.JoinRoom(other.id, "aside"),
            control.JoinRoom(other.id, ROOM),
            control.JoinRoom(other.id, ROOM),
        ]

    def test_settings_come_to_every_worker(self) -> None:
        """Those it is on, and those it comes to later."""
        engine = Rooms(workers=3)
        engine.enter(2)
        engine.pool.set_room(ROOM, loudest=3)
        engine.enter()
        settings = control.SetRoom(room=ROOM, loudest=3)
        for process in engine.reactor.processes:
            assert engine.heard(process, control.SetRoom) == [settings]

    def test_a_room_that_is_over_is_shared_no_more(self) -> None:
        """When the last leg of all workers is gone, not before."""
        engine = Rooms()
        one, other = engine.enter(2)
        first, second = engine.reactor.processes
        engine.heard(first), engine.heard(second)
        other.close()
        second.says(control.LegClosed(other.id))
        assert engine.heard(second) == [control.CloseLeg(other.id)]
        one.close()
        first.says(control.LegClosed(one.id))
        for process in (first, second):
            assert engine.heard(process, control.UnshareRoom) == [control.UnshareRoom(ROOM)]

    def test_a_worker_that_has_no_memory_for_it(self) -> None:
        """Is logged and counted; the others go on without it."""
        engine = Rooms()
        engine.enter(2)
        first, second = engine.reactor.processes
        engine.heard(first)
        second.says(control.RoomShared(ROOM, None), control.RoomShared("unknown", None))
        assert parts_heard(engine.heard(first)) == [1000]
        assert engine.pool.counters["rooms_not_shared"] == 1


class TestLoss:
    def test_a_worker_that_dies_is_heard_again(self) -> None:
        """Its successor is asked for its part as its legs come back, and the others are told of it."""
        engine = Rooms()
        engine.enter(2)
        first, second = engine.reactor.processes
        engine.heard(first)
        second.dies()
        engine.reactor.advance(0)
        successor = engine.process
        told = engine.heard(successor)
        assert parts_heard(told) == parts_heard(engine.heard(first)) == [1000, successor.pid]
        kinds = [type(each) for each in told]
        assert kinds.index(control.ShareRoom) < kinds.index(control.JoinRoom)

    def test_a_leg_on_its_way_comes_to_another_worker(self) -> None:
        """The room is on both; whoever was calling need not wait for the successor."""
        engine = Rooms(legs=2)
        engine.enter(3)
        opening = engine.pool.open_leg(SPEC, room=ROOM)
        engine.reactor.processes[1].heard()
        engine.reactor.processes[1].dies()
        engine.reactor.advance(0)
        engine.settle()
        assert opening.called
        assert engine.pool.counters["openings_moved"] == 1

    def test_the_next_engine_finds_the_room_shared(self) -> None:
        """Workers that outlived it are asked again, which changes nothing; a room that is over by now is given up."""
        former = Rooms()
        legs = former.enter(2)
        states = [leg.state() for leg in legs]
        engine = Rooms()
        for index, process in enumerate(engine.reactor.processes):
            engine.pool._greetings[index] = control.Started(
                process.pid, ports=(40000, 40049), legs=[legs[index].id], shared=[ROOM, "over"]
            )
        adopted = engine.pool.adopt(states)
        assert set(adopted) == {leg.id for leg in legs}
        engine.reactor.advance(0)
        for process in engine.reactor.processes:
            told = engine.heard(process)
            assert sum(isinstance(each, control.ShareRoom) for each in told) == 1
            assert control.UnshareRoom("over") in told
            assert parts_heard(told) == [1000, 1001]
            assert not any(isinstance(each, control.OpenLeg) for each in told)


class TestTalkers:
    def test_those_of_all_workers_are_one(self) -> None:
        """The loudest first; a worker that dies or loses its last leg takes its own along."""
        engine = Rooms()
        one, other = engine.enter(2)
        told: list[list[tuple[int, int]]] = []
        engine.pool.on_talkers = lambda event: told.append(event.talkers)
        first, second = engine.reactor.processes
        first.says(control.Talkers(ROOM, [(one.id, 30)]))
        second.says(control.Talkers(ROOM, [(other.id, 20)]))
        other.close()
        second.says(control.LegClosed(other.id))
        first.dies()
        assert told == [[(one.id, 30)], [(other.id, 20), (one.id, 30)], [(one.id, 30)], []]


class TestRecording:
    def test_the_mix_is_recorded_once(self) -> None:
        """On one worker; when that has no leg of the room any more, another goes on with the file."""
        engine = Rooms()
        one, _ = engine.enter(2)
        first, second = engine.reactor.processes
        over: list[control.RoomRecordingClosed] = []
        engine.pool.on_room_recorded = over.append
        assert engine.pool.record_room(ROOM, "/mix.wav")
        assert engine.heard(first, control.RecordRoom) == [control.RecordRoom(ROOM, "/mix.wav")]
        assert not engine.heard(second, control.RecordRoom)
        one.close()
        first.says(control.LegClosed(one.id), control.RoomRecordingClosed(ROOM, "/mix.wav", 8000, None))
        (goes_on,) = engine.heard(second, control.RecordRoom)
        assert isinstance(goes_on, control.RecordRoom)
        assert goes_on.continues_from is not None
        assert engine.pool.is_recorded(ROOM)
        assert not over
        engine.pool.stop_recording_room(ROOM)
        assert not engine.pool.is_recorded(ROOM)
        second.says(control.RoomRecordingClosed(ROOM, "/mix.wav", 16000, None))
        assert over == [control.RoomRecordingClosed(ROOM, "/mix.wav", 16000, None)]

    @pytest.mark.parametrize("reason", [None, "disk_full"])
    def test_tracks_are_recorded_everywhere(self, reason: str | None) -> None:
        """On every worker, also one the room comes to later; over when all are through, as long as the longest."""
        engine = Rooms(workers=3)
        engine.enter(2)
        over: list[control.RoomRecordingClosed] = []
        engine.pool.on_room_recorded = over.append
        engine.pool.record_room(ROOM, "/a.json", "tracks")
        engine.pool.pause_recording_room(ROOM)
        engine.enter()
        commands = [engine.heard(process, control.RecordRoom) for process in engine.reactor.processes]
        told = [
            (each.worker, each.joins, each.paused)
            for (each,) in commands
            if isinstance(each, control.RecordRoom)
        ]
        assert told == [(0, False, None), (1, True, None), (2, True, "silence")]
        engine.pool.stop_recording_room(ROOM)
        for process, samples, why in zip(
            engine.reactor.processes, (8000, 24000, 16000), (reason, None, None), strict=True
        ):
            assert engine.heard(process, control.StopRoomRecording) == [control.StopRoomRecording(ROOM)]
            assert not over
            process.says(control.RoomRecordingClosed(ROOM, "/a.json", samples, why))
        assert over == [control.RoomRecordingClosed(ROOM, "/a.json", 24000, reason)]

    def test_it_goes_on_after_a_loss(self) -> None:
        """Its successor records what the dead worker did, and nothing else."""
        engine = Rooms()
        engine.enter(2)
        engine.pool.record_room(ROOM, "/a.json", "tracks")
        engine.pool.record_room(ROOM, "/mix.wav")
        engine.reactor.processes[1].dies()
        engine.reactor.advance(0)
        (again,) = engine.heard(engine.process, control.RecordRoom)
        assert isinstance(again, control.RecordRoom)
        assert (again.path, again.worker, again.joins) == ("/a.json", 1, True)

    def test_a_worker_that_does_not_come_back(self) -> None:
        """Its mix is recorded by another one."""
        engine = Rooms()
        engine.enter(2)
        engine.pool.record_room(ROOM, "/mix.wav")
        second = engine.reactor.processes[1]
        engine.heard(second)
        dying = engine.reactor.processes[0]
        for _ in range(4):  # the last of them waits longer than legs do
            dying.dies()
            engine.reactor.advance(1.5)
            dying = engine.process
        (goes_on,) = engine.heard(second, control.RecordRoom)
        assert isinstance(goes_on, control.RecordRoom)
        assert goes_on.joins


class TestPlaying:
    def test_what_is_played_is_played_once(self) -> None:
        """On one worker, which lets the others hear it; music goes on elsewhere when that has no leg any more."""
        engine = Rooms()
        one, _ = engine.enter(2)
        first, second = engine.reactor.processes
        engine.pool.play_in_room(ROOM, ["music"], loop=True, music=True)
        assert len(engine.heard(first, control.PlayInRoom)) == 1
        assert not engine.heard(second, control.PlayInRoom)
        one.close()
        first.says(control.LegClosed(one.id))
        assert len(engine.heard(second, control.PlayInRoom)) == 1
