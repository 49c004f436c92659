"""The pool and its supervisor, on a virtual clock with processes that are not there."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from media import control
from media.control import LegSpec
from media.leg import Leg
from media.pool import START_SECONDS, MediaError, WorkerPool
from media.settings import MediaSettings
from media.supervisor import FIRST_BACK_OFF, STEADY_SECONDS, STOP_SECONDS

SPEC = LegSpec(local_host="127.0.0.1", codec="PCMU")


class FakeProcess:
    """One start of a worker, seen from the system's side: it holds the other end of the channel."""

    def __init__(self, watcher: Any, pid: int, channel_fd: int) -> None:
        self.watcher = watcher
        self.pid = pid
        self.end = socket.socket(fileno=os.dup(channel_fd))
        self.end.setblocking(False)
        self.channel: Any = None
        self.signals: list[str] = []
        self._reader = control.FrameReader()
        self._gone = False

    def signalProcess(self, name: str) -> None:
        if self._gone:
            raise ProcessExitedAlready
        self.signals.append(name)

    def says(self, *events: control.Event) -> None:
        self.writes(b"".join(map(control.encode_frame, events)))

    def writes(self, data: bytes) -> None:
        self.end.sendall(data)
        self.channel.doRead()

    def heard(self) -> list[control.Command]:
        """The commands since the last call."""
        commands: list[control.Command] = []
        while True:
            try:
                data = self.end.recv(1 << 20)
            except OSError:  # nothing more, or it died
                return commands
            commands += [control.decode_command(frame) for frame in self._reader.receive(data)]

    def dies(self, *, process_first: bool = False) -> None:
        """Its channel closes and its parent is told, in the order the system chose."""
        self._gone = process_first
        if process_first:
            self.watcher.processEnded(Failure(ProcessDone(9)))
        self.end.close()
        self.channel.doRead()
        if not process_first:
            self.watcher.processEnded(Failure(ProcessDone(9)))
        self._gone = True


class FakeReactor(Clock):
    """Starts nothing, and remembers what it was asked to start and to watch."""

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[FakeProcess] = []
        self.readers: set[Any] = set()
        self.writers: set[Any] = set()

    def spawnProcess(
        self, watcher: Any, program: str, args: list[str], env: dict[str, str], **how: Any
    ) -> FakeProcess:
        assert args[1:] == ["-m", "media.worker", "3"]
        assert set(how["childFDs"]) == {0, 1, 2, 3}
        pid = 1000 + len(self.processes)
        self.processes.append(FakeProcess(watcher, pid, how["childFDs"][3]))
        return self.processes[-1]

    def addReader(self, reader: Any) -> None:
        self.readers.add(reader)
        self.processes[-1].channel = reader

    def addWriter(self, writer: Any) -> None:
        self.writers.add(writer)

    def removeReader(self, reader: Any) -> None:
        self.readers.discard(reader)

    def removeWriter(self, writer: Any) -> None:
        self.writers.discard(writer)


class Engine:
    """A pool that is up, with everything it told us."""

    def __init__(self, workers: int = 1) -> None:
        self.reactor = FakeReactor()
        self.lost: list[tuple[int, list[Leg]]] = []
        self.pool = WorkerPool(
            self.reactor,  # type: ignore[arg-type]
            MediaSettings(workers=workers, port_first=40000, port_last=40099),
            on_worker_lost=lambda worker, legs: self.lost.append((worker.index, legs)),
        )
        self.started = Deferred.fromCoroutine(self.pool.start())
        for process in self.reactor.processes:
            process.says(control.Started(process.pid))
        self.reactor.advance(0)

    @property
    def process(self) -> FakeProcess:
        return self.reactor.processes[-1]

    def open(self, near: Leg | None = None, room: str | None = None) -> Leg:
        legs: list[Leg] = []
        self.pool.open_leg(SPEC, near, room).addCallback(legs.append)
        for process in self.reactor.processes:
            for command in process.heard():
                if isinstance(command, control.OpenLeg):
                    process.says(control.LegOpened(command.leg, 40000 + 2 * command.leg))
        (leg,) = legs
        return leg


def failure_of(deferred: Deferred[Any]) -> str:
    found: list[Failure] = []
    deferred.addErrback(found.append)
    (failure,) = found
    assert isinstance(failure.value, MediaError)
    return failure.value.reason


class TestSettings:
    def test_each_worker_has_ports_of_its_own(self) -> None:
        """The shares are even, do not overlap and stay in the range."""
        settings = MediaSettings(workers=3, port_first=40001, port_last=40020)
        shares = [settings.ports_of(i) for i in range(3)]
        assert shares == [(40002, 40007), (40008, 40013), (40014, 40019)]

    def test_a_worker_per_core_by_default(self) -> None:
        """Of the cores this process may use."""
        assert MediaSettings().worker_count == len(os.sched_getaffinity(0))


class TestStarting:
    def test_ready_when_every_worker_answers(self) -> None:
        """start() waits for all of them, and leaves no timer."""
        engine = Engine(workers=2)
        assert engine.started.called
        assert engine.pool.pids == [1000, 1001]
        assert engine.reactor.processes[1].heard() == [control.Configure(40050, 40099)]
        assert engine.reactor.getDelayedCalls() == []

    def test_workers_that_do_not_start(self) -> None:
        """An installation that is broken is told, not waited for."""
        reactor = FakeReactor()
        pool = WorkerPool(reactor, MediaSettings(workers=1))  # type: ignore[arg-type]
        started = Deferred.fromCoroutine(pool.start())
        reactor.advance(START_SECONDS)
        assert failure_of(started) == "workers_do_not_start"


class TestLegs:
    def test_commands_arrive_in_order(self) -> None:
        """Everything a leg can be told, as it was told; after close nothing more."""
        engine = Engine()
        leg, other = engine.open(), engine.open()
        assert (leg.local_host, leg.local_port) == ("127.0.0.1", 40002)
        leg.modify(remote_host="192.0.2.1", remote_port=6000, local_host="ignored")
        leg.play(["a"], loop=True, tag=4)
        leg.stop_playing()
        leg.echo(True)
        leg.record("/r.wav")
        leg.pause_recording("cut")
        leg.resume_recording()
        leg.stop_recording()
        leg.bridge(other)
        leg.bridge(None)
        leg.send_digits("1")
        leg.watch(True)
        leg.close()
        leg.echo(True)
        settled = LegSpec(local_host="127.0.0.1", codec="PCMU", remote_host="192.0.2.1", remote_port=6000)
        assert engine.process.heard() == [
            control.ModifyLeg(leg.id, settled),
            control.Play(leg.id, ["a"], loop=True, tag=4),
            control.StopPlaying(leg.id),
            control.Echo(leg.id, on=True),
            control.Record(leg.id, "/r.wav"),
            control.PauseRecording(leg.id, "cut"),
            control.ResumeRecording(leg.id),
            control.StopRecording(leg.id),
            control.Bridge(leg.id, other.id),
            control.Bridge(leg.id, None),
            control.SendDigits(leg.id, "1"),
            control.WatchLeg(leg.id, on=True),
            control.CloseLeg(leg.id),
        ]
        assert engine.pool.legs == 1

    def test_events_reach_their_leg_even_after_close(self) -> None:
        """A recording's file is told after the call; an event nobody waits for is dropped."""
        engine = Engine()
        leg = engine.open()
        heard: list[control.LegEvent] = []
        engine.process.says(control.DigitReceived(leg.id, "1", 80))  # nobody listens yet
        leg.on_event = heard.append
        leg.close()
        closed = control.RecordingClosed(leg.id, "/r.wav", 8000, None)
        engine.process.says(closed, control.LegClosed(leg.id), closed, control.LegClosed(leg.id))
        assert heard == [closed]

    def test_the_least_loaded_worker_is_chosen(self) -> None:
        """Legs spread; one that is asked to be near another is; across workers there is no bridge."""
        engine = Engine(workers=2)
        first, second, third = engine.open(), engine.open(), engine.open()
        near = engine.open(near=second)
        assert [leg.worker.index for leg in (first, second, third, near)] == [0, 1, 0, 1]
        with pytest.raises(ValueError, match="different workers"):
            first.bridge(second)
        for leg in (second, near):
            leg.close()
            engine.reactor.processes[1].says(control.LegClosed(leg.id))
        assert engine.open().worker.index == 1

    def test_a_refused_leg(self) -> None:
        """The caller hears why."""
        engine = Engine()
        opening = engine.pool.open_leg(SPEC)
        engine.process.says(control.LegRefused(1, "ports_exhausted"))
        assert failure_of(opening) == "ports_exhausted"
        assert engine.pool.counters["legs_refused_ports_exhausted"] == 1

    def test_an_opening_nobody_waits_for_any_more(self) -> None:
        """Cancelled: the leg is closed as soon as it is there, and a refusal is nobody's."""
        engine = Engine()
        for answer in (control.LegOpened(1, 40000), control.LegRefused(2, "x")):
            opening = engine.pool.open_leg(SPEC)
            opening.addErrback(lambda _: None)
            opening.cancel()
            engine.process.says(answer)
        assert control.CloseLeg(1) in engine.process.heard()


class TestPrompts:
    def test_every_worker_knows_them_and_so_does_its_successor(self) -> None:
        """Loaded once by the engine, known after a restart too; a refused one is counted."""
        engine = Engine(workers=2)
        engine.pool.load_prompt("a", "/a.wav")
        assert all(p.heard()[-1] == control.LoadPrompt("a", "/a.wav") for p in engine.reactor.processes)
        engine.process.says(control.PromptLoaded("a", 50), control.PromptRefused("b", "unreadable"))
        assert engine.pool.counters == {"prompts_loaded": 1, "prompts_refused": 1}
        engine.process.dies()
        assert engine.process.heard() == [
            control.Configure(40050, 40099),
            control.LoadPrompt("a", "/a.wav"),
        ]


class TestDying:
    def test_a_dead_worker_is_replaced_at_once(self) -> None:
        """Its legs are opened again on their ports, before anything else; whoever waits for one gets it from the
        new process, and the ports of ended calls rest."""
        engine = Engine()
        leg, closed = engine.open(), engine.open()
        closed.close()
        events: list[control.LegEvent] = []
        leg.on_event = events.append
        waiting = engine.pool.open_leg(SPEC)
        engine.process.dies()
        assert engine.pool.pids == [1001]
        engine.reactor.advance(0)
        assert engine.lost == [(0, [leg])]
        configured, first, second = engine.process.heard()
        assert configured == control.Configure(40000, 40099, [closed.local_port], [leg.local_port])
        assert isinstance(first, control.OpenLeg)
        assert isinstance(second, control.OpenLeg)
        assert (first.leg, first.port) == (leg.id, leg.local_port)
        engine.process.says(control.LegOpened(first.leg, 40002), control.LegOpened(second.leg, 40010))
        assert events == [control.LegMoved(leg.id, 40002)]
        assert leg.alive
        assert waiting.called
        assert engine.pool.counters["workers_lost"] == 1
        assert engine.pool.counters["legs_lost"] == 0
        assert engine.reactor.readers == {engine.process.channel}

    def test_an_opening_that_moves(self) -> None:
        """To another worker, once; one that is bound to a leg of the dead worker waits for its successor."""
        engine = Engine(workers=2)
        home = engine.open()
        moving, bound = engine.pool.open_leg(SPEC), engine.pool.open_leg(SPEC, near=home)
        cancelled = engine.pool.open_leg(SPEC)
        cancelled.addErrback(lambda _: None)
        cancelled.cancel()
        first, second = engine.reactor.processes
        first.heard(), second.heard()
        first.dies()
        engine.reactor.advance(0)
        successor = engine.process
        _, again, opening = successor.heard()
        assert isinstance(again, control.OpenLeg)
        assert isinstance(opening, control.OpenLeg)
        assert (again.leg, opening.port) == (home.id, None)
        successor.says(control.LegOpened(again.leg, 40002), control.LegOpened(opening.leg, 40004))
        assert bound.called
        assert engine.pool.counters["openings_moved"] == 1
        second.dies()
        engine.reactor.advance(0)
        assert engine.pool.counters["openings_moved"] == 2
        assert not moving.called
        for process in list(engine.reactor.processes[2:]):
            process.dies()
        engine.reactor.advance(0)
        assert failure_of(moving) == "worker_lost"

    def test_in_either_order(self) -> None:
        """Whether the process or its channel is seen to end first, it is replaced once."""
        engine = Engine()
        engine.process.dies(process_first=True)
        assert len(engine.reactor.processes) == 2
        assert engine.pool.counters["workers_lost"] == 1

    def test_one_that_keeps_dying_waits_longer(self) -> None:
        """Immediate, then 0.5 s, 1 s, 2 s ... 30 s; one that lived a minute is replaced at once again."""
        engine = Engine()
        engine.process.dies()
        assert len(engine.reactor.processes) == 2
        for delay in (FIRST_BACK_OFF, 1, 2, 4, 8, 16, 30, 30):
            count = len(engine.reactor.processes)
            engine.process.dies()
            engine.reactor.advance(delay - 0.01)
            assert len(engine.reactor.processes) == count
            assert failure_of(engine.pool.open_leg(SPEC)) == "worker_lost"
            engine.reactor.advance(0.02)
            assert len(engine.reactor.processes) == count + 1
        engine.reactor.advance(STEADY_SECONDS + 1)
        engine.process.dies()
        assert len(engine.reactor.processes) == 11

    def test_a_channel_that_carries_nonsense(self) -> None:
        """The process behind it is killed."""
        engine = Engine()
        engine.process.writes(b"\xff" * 8)
        assert engine.process.signals == ["KILL"]


class TestChannel:
    def test_a_worker_that_reads_slowly(self) -> None:
        """What its socket does not take waits, and arrives later whole and in order."""
        engine = Engine()
        names = [f"{number}{'x' * 1000}" for number in range(1000)]
        for name in names:
            engine.pool.load_prompt(name, "/p.wav")
        assert engine.reactor.writers == {engine.process.channel}
        heard = engine.process.heard()
        while engine.reactor.writers:
            engine.process.channel.doWrite()
            heard += engine.process.heard()
        assert [command.name for command in heard if isinstance(command, control.LoadPrompt)] == names

    def test_it_dies_while_something_waits_for_it(self) -> None:
        """What was to be written is dropped, and the reactor watches nothing of it any more."""
        engine = Engine()
        old = engine.process
        for _ in range(1000):
            engine.pool.load_prompt("x" * 1000, "/p.wav")
        old.end.close()
        old.channel.doWrite()
        assert engine.reactor.writers == set()
        old.channel.doRead()
        assert engine.reactor.readers == {engine.process.channel}
        assert engine.process is not old
        old.channel.write(b"late")
        old.channel.connectionLost(Failure(ProcessDone(0)))
        assert len(engine.reactor.processes) == 2

    def test_nothing_to_read(self) -> None:
        """A reactor that wakes it for nothing does no harm."""
        engine = Engine()
        engine.process.channel.doRead()
        assert engine.pool.pids == [1000]

    def test_a_fault_in_one_call_stays_there(self) -> None:
        """An event whose hearer raises is logged and counted; the worker and the other legs go on."""
        engine = Engine()
        one, two = engine.open(), engine.open()
        heard: list[control.LegEvent] = []

        def fails(_event: control.LegEvent) -> None:
            raise ZeroDivisionError

        one.on_event, two.on_event = fails, heard.append
        engine.process.says(control.DigitsSent(one.id, ok=True), control.DigitsSent(two.id, ok=True))
        assert heard == [control.DigitsSent(two.id, ok=True)]
        assert engine.pool.counters["event_faults"] == 1
        assert engine.pool.pids == [1000]


class TestStopping:
    def test_recordings_first(self) -> None:
        """Each worker is asked to end; stop() is done when its process is gone, and nothing is left."""
        engine = Engine(workers=2)
        stopped = Deferred.fromCoroutine(engine.pool.stop())
        for process in engine.reactor.processes:
            assert process.heard()[-1] == control.Shutdown()
            process.says(control.Stopped())
            assert not stopped.called
            process.dies()
        assert stopped.called
        assert len(engine.reactor.processes) == 2
        assert engine.reactor.getDelayedCalls() == []

    def test_one_that_does_not_end_is_killed(self) -> None:
        """After three seconds, so that the engine ends within five."""
        engine = Engine()
        stopped = Deferred.fromCoroutine(engine.pool.stop())
        engine.reactor.advance(STOP_SECONDS)
        assert engine.process.signals == ["KILL"]
        engine.process.dies()
        assert stopped.called

    def test_while_a_restart_is_waiting(self) -> None:
        """No process, no wait, no restart."""
        engine = Engine()
        engine.process.dies()
        engine.process.dies()
        stopped = Deferred.fromCoroutine(engine.pool.stop())
        assert stopped.called
        engine.reactor.advance(100)
        assert len(engine.reactor.processes) == 2


def test_totals_of_the_workers() -> None:
    """The last ones each worker sent can be asked for, and are told in one with what the pool has counted."""
    engine = Engine(workers=2)
    totals = control.WorkerStatistics(
        ticks=250, late_ticks=1, skipped_ticks=0, legs=3, cpu_seconds=0.1, counters={"no_route": 1}
    )
    for process in engine.reactor.processes:
        process.says(totals, control.PromptLoaded("tone/beep", 10))
    assert engine.pool.statistics == {0: totals, 1: totals}
    assert engine.pool.totals == {"no_route": 2, "ticks_late": 2, "prompts_loaded": 2}


class TestRooms:
    def test_a_room_is_on_one_worker(self) -> None:
        """Its legs come to that of its first, whatever the load, until the last has gone."""
        engine = Engine(workers=2)
        first = engine.open(room="8000")
        others = [engine.open(room="8000") for _ in range(3)]
        elsewhere = engine.open(room="8001")
        assert {leg.worker.index for leg in others} == {first.worker.index}
        assert elsewhere.worker is not first.worker
        for leg in (first, *others):
            leg.close()
            engine.reactor.processes[first.worker.index].says(control.LegClosed(leg.id))
        engine.open()
        engine.open(near=elsewhere)
        assert (
            engine.open(room="8000").worker is first.worker
        )  # the least loaded, no longer because of its past

    def test_what_is_set_for_a_room_goes_to_its_worker(self) -> None:
        """Participants and rooms are set where the room is; of a room that is nowhere nothing is kept."""
        engine = Engine()
        engine.pool.set_room("8000", loudest=3)
        leg = engine.open(room="8000")
        leg.join_room("8000")
        leg.set_participant(muted=True)
        leg.leave_room()
        engine.pool.set_room("8000", loudest=0, levels=True)
        assert engine.process.heard() == [
            control.JoinRoom(leg.id, "8000"),
            control.SetParticipant(leg=leg.id, muted=True),
            control.LeaveRoom(leg.id),
            control.SetRoom(room="8000", loudest=0, levels=True),
        ]

    def test_the_talkers_of_a_room_are_told(self) -> None:
        """To whoever asked; one who fails costs nobody else anything."""
        engine = Engine()
        told: list[control.Talkers] = []
        event = control.Talkers("8000", [(1, 20)])
        engine.process.says(event)
        engine.pool.on_talkers = told.append
        engine.process.says(event)
        engine.pool.on_talkers = lambda event: 1 / 0  # type: ignore[assignment,return-value]
        engine.process.says(event)
        assert told == [event]
        assert engine.pool.counters["event_faults"] == 1


def test_legs_go_where_the_load_is_least() -> None:
    """Not where the legs are fewest: what a worker has measured counts first."""
    engine = Engine(workers=2)
    busy, idle = engine.reactor.processes
    busy.says(control.WorkerLoad(0.6, 0.0))
    assert {engine.open().worker.index for _ in range(5)} == {1}
    assert engine.pool.shares == {busy.pid: 0.6, idle.pid: 0.0}


def test_a_worker_without_headroom_takes_no_new_legs() -> None:
    """They are refused and counted; those it has stay, and below the line it takes some again."""
    engine = Engine()
    kept = engine.open()
    engine.process.says(control.WorkerLoad(0.9, 0.0))
    assert [failure_of(engine.pool.open_leg(SPEC, room="8000")) for _ in range(3)] == ["overloaded"] * 3
    assert failure_of(engine.pool.open_leg(SPEC, near=kept)) == "overloaded"
    assert engine.pool.totals["legs_refused_overloaded"] == 4
    assert (engine.pool.legs, engine.process.heard()) == (1, [])
    engine.pool.limit_load(0.95)
    assert engine.open().alive
