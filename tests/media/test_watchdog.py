"""Workers that say nothing are killed; those that start, are held on purpose, or were not listened to are not."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from twisted.internet.task import Clock

from media import control
from media.settings import MediaSettings
from media.supervisor import START_SECONDS, WATCH_SECONDS, Supervisor, WorkerProcess

HANG = 5.0
WORD = control.WorkerLoad(share=0.0, late=0.0)


class Transport:
    """The process as the reactor would hold it; notes the signals it is sent."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.signals: list[str] = []

    def signalProcess(self, name: str) -> None:
        """Note it."""
        self.signals.append(name)


class FakeReactor(Clock):
    """Starts one process that sleeps in the place of a worker, and reads no descriptor."""

    def __init__(self, pid: int) -> None:
        super().__init__()
        self.transport = Transport(pid)

    def spawnProcess(self, *_arguments: object, **_more: object) -> Transport:
        """It runs already."""
        return self.transport

    def addReader(self, _reader: object) -> None:
        """Nothing is ever read."""

    removeReader = addWriter = removeWriter = addReader


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def reactor(sleeper: subprocess.Popen[bytes]) -> FakeReactor:
    """A clock that has started it."""
    return FakeReactor(sleeper.pid)


@pytest.fixture
def worker(reactor: FakeReactor) -> WorkerProcess:
    """The one worker of a supervisor that watches it."""
    supervisor = Supervisor(
        cast(Any, reactor),
        MediaSettings(workers=1, hang_seconds=HANG),
        on_event=lambda _worker, _event: None,
        on_lost=lambda _worker, _seconds: None,
        on_restarted=lambda _worker: None,
    )
    supervisor.start()
    return supervisor.workers[0]


def pass_time(reactor: FakeReactor, seconds: float) -> None:
    """As it passes for a reactor that is never late."""
    reactor.pump([WATCH_SECONDS / 2] * round(2 * seconds / WATCH_SECONDS))


def test_silence_kills(reactor: FakeReactor, worker: WorkerProcess) -> None:
    """Not before its time is over, and once."""
    worker.event_received(WORD)
    pass_time(reactor, HANG)
    assert reactor.transport.signals == []
    pass_time(reactor, 2 * WATCH_SECONDS)
    assert reactor.transport.signals == ["KILL"]


def test_every_word_is_a_sign_of_life(reactor: FakeReactor, worker: WorkerProcess) -> None:
    """Then it may be silent anew."""
    for _ in range(4):
        worker.event_received(WORD)
        pass_time(reactor, HANG)
    assert reactor.transport.signals == []


def test_who_starts_has_longer(reactor: FakeReactor, worker: WorkerProcess) -> None:
    """The first word may take as long as imports do on a busy machine, not for ever."""
    pass_time(reactor, START_SECONDS)
    assert reactor.transport.signals == []
    pass_time(reactor, 2 * WATCH_SECONDS)
    assert reactor.transport.signals == ["KILL"]


def test_who_is_held_is_left_alone(
    reactor: FakeReactor, worker: WorkerProcess, sleeper: subprocess.Popen[bytes]
) -> None:
    """A debugger, or somebody who has stopped it, knows what he does."""
    worker.event_received(WORD)
    sleeper.send_signal(signal.SIGSTOP)
    while "T" not in state_of(sleeper.pid):
        pass
    pass_time(reactor, 2 * HANG)
    assert reactor.transport.signals == []
    sleeper.send_signal(signal.SIGCONT)
    while "T" in state_of(sleeper.pid):
        pass
    pass_time(reactor, 2 * WATCH_SECONDS)
    assert reactor.transport.signals == ["KILL"]


def test_our_own_standing_still_is_not_its_silence(reactor: FakeReactor, worker: WorkerProcess) -> None:
    """An engine that was stopped itself has heard nothing, whoever spoke."""
    worker.event_received(WORD)
    reactor.advance(10 * HANG)
    assert reactor.transport.signals == []
    pass_time(reactor, HANG + 2 * WATCH_SECONDS)
    assert reactor.transport.signals == ["KILL"]


def state_of(pid: int) -> str:
    """As the system names it: R, S, T, ..."""
    return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
