"""Starting media workers and starting them again when they die (design decision 3)."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall, IProcessTransport, IReadWriteDescriptor
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from media import control
from media.settings import MediaSettings

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorFDSet, IReactorProcess, IReactorTime

    class Reactor(IReactorFDSet, IReactorProcess, IReactorTime):
        """What the supervisor needs of a reactor."""


CONTROL_FD = 3
STOP_SECONDS = 3.0
"""A worker that has not ended so long after ``Shutdown`` is killed."""
FIRST_BACK_OFF, MOST_BACK_OFF = 0.5, 30.0
STEADY_SECONDS = 60.0
"""A worker that lived so long is started again at once."""

_READ = 65536

_log = Logger()


@implementer(IReadWriteDescriptor)
class _Channel:
    """The engine's end of a worker's control channel.

    Its own descriptor rather than a Twisted transport: a command is written at once, where a transport waits
    for the next turn of the reactor and asks the kernel three times; a call has four of them.
    """

    raises_nothing = True
    """The reactor may call ``doRead`` without a safety net."""

    def __init__(self, reactor: Reactor, end: socket.socket, worker: WorkerProcess) -> None:
        end.setblocking(False)
        self._reactor = reactor
        self._socket = end
        self._worker = worker
        self._reader = control.FrameReader()
        self._unsent = bytearray()
        self._open = True
        reactor.addReader(self)

    def fileno(self) -> int:
        """The socket's number, for the reactor."""
        return self._socket.fileno()

    def logPrefix(self) -> str:  # noqa: N802
        """Who failed, in the reactor's log."""
        return "media channel"

    def write(self, data: bytes) -> None:
        """Write now what the socket takes, and the rest when it takes more."""
        if not self._open:
            return
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # the reader hears of the end, too
        if sent < len(data):
            self._unsent += data[sent:]
            self._reactor.addWriter(self)

    def doWrite(self) -> None:  # noqa: N802
        """Go on with what could not be written."""
        try:
            del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            return
        except OSError:
            self._unsent.clear()
        if not self._unsent:
            self._reactor.removeWriter(self)

    def doRead(self) -> None:  # noqa: N802
        """Take what the worker says."""
        try:
            data = self._socket.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        try:
            for frame in self._reader.receive(data):
                self._worker.event_received(control.decode_event(frame))
        except control.ControlError as error:
            _log.error("worker {index}: broken channel: {error}", index=self._worker.index, error=error)
            self._worker.kill()
        except (
            Exception
        ):  # the driver's last line: what was said cannot be taken in, so the worker is of no use
            _log.failure("worker {index}: its event was not handled", index=self._worker.index)
            self._worker.kill()

    def connectionLost(self, reason: Failure) -> None:
        """The reactor gave the descriptor up."""
        self.close()

    def close(self) -> None:
        """Close our end and say so, once."""
        if not self._open:
            return
        self._open = False
        self._reactor.removeReader(self)
        self._reactor.removeWriter(self)
        self._socket.close()
        self._worker.channel_closed(self)


class _Process(ProcessProtocol):
    """Tells when the process itself is gone."""

    def __init__(self, ended: Callable[[Failure], None]) -> None:
        self._ended = ended

    def processEnded(self, reason: Failure) -> None:
        self._ended(reason)


class WorkerProcess:
    """One place in the pool: the process that fills it now, and how often it had to be filled again."""

    def __init__(self, supervisor: Supervisor, index: int) -> None:
        self.index = index
        self.pid: int | None = None
        self.restarts = 0
        self.running = False
        self.resting: list[int] = []
        """Ports of the legs that died with the last process; they rest before they are used again."""
        self.kept: list[int] = []
        """Ports of the legs that its successor opens again."""
        self._supervisor = supervisor
        self._channel: _Channel | None = None
        self._process: IProcessTransport | None = None
        self._ended: Deferred[None] | None = None
        self._started_at = 0.0
        self._back_off = 0.0
        self._restart: IDelayedCall | None = None
        self._stopping = False

    def start(self) -> None:
        """Start the process. Commands may be sent at once; it reads them when it is up."""
        reactor = self._supervisor.reactor
        self._restart = None
        self._started_at = reactor.seconds()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs, Path(os.devnull).open("rb") as nothing:
            # its output goes to our standard error: standard output carries the "ready" line
            fds = {0: nothing.fileno(), 1: 2, 2: 2, CONTROL_FD: theirs.fileno()}
            command = [sys.executable, "-m", "media.worker", str(CONTROL_FD)]
            self._process = reactor.spawnProcess(
                _Process(self._process_ended), sys.executable, command, env=_environment(), childFDs=fds
            )
        self._channel = _Channel(reactor, ours, self)
        self.pid = cast(Any, self._process).pid
        self.running = True
        first, last = self._supervisor.settings.ports_of(self.index)
        settings = self._supervisor.settings
        plugins, budget = list(settings.plugins), settings.plugin_budget_ms
        self.send(control.Configure(first, last, self.resting, self.kept, plugins, budget))
        self.resting, self.kept = [], []

    def send(self, command: control.Command) -> None:
        """Send a command; to a worker that has just died it is lost, as the worker's legs are."""
        if self._channel is not None:
            self._channel.write(control.encode_frame(command))

    def seconds(self) -> float:
        """Monotonic time."""
        return self._supervisor.reactor.seconds()

    def event_received(self, event: control.Event) -> None:
        """Pass on what the worker says."""
        self._supervisor.on_event(self, event)

    def kill(self) -> None:
        """End the process the hard way."""
        if self._process is not None:
            with contextlib.suppress(ProcessExitedAlready):
                self._process.signalProcess("KILL")

    def channel_closed(self, channel: _Channel) -> None:
        """The first sign that a process is gone: everything on it is lost."""
        if channel is not self._channel:
            return
        self._channel = None
        self.running = False
        if self._stopping:
            return
        self.kill()  # it may be alive with a broken channel
        self.restarts += 1
        lived = self._supervisor.reactor.seconds() - self._started_at
        delay = self._next_delay(lived)
        _log.error(
            "media worker {index} (pid {pid}) is gone after {lived:.1f} s; starting it again in {delay} s",
            index=self.index,
            pid=self.pid,
            lived=lived,
            delay=delay,
        )
        self._supervisor.on_lost(self, delay)
        if delay:
            self._restart = self._supervisor.reactor.callLater(delay, self._start_again)
        else:
            self._start_again()

    def _start_again(self) -> None:
        self.start()
        self._supervisor.on_restarted(self)

    def _next_delay(self, lived: float) -> float:
        """The first restart is immediate, those of a worker that keeps dying wait longer each time."""
        if self.restarts == 1 or lived >= STEADY_SECONDS:
            self._back_off = 0.0
        else:
            self._back_off = min(max(2 * self._back_off, FIRST_BACK_OFF), MOST_BACK_OFF)
        return self._back_off

    def _process_ended(self, reason: Failure) -> None:
        _log.debug("media worker {index} ended: {reason}", index=self.index, reason=reason.value)
        if self._ended is not None:
            ended, self._ended = self._ended, None
            ended.callback(None)

    def stop(self) -> Deferred[None]:
        """Have the worker close its recordings and end; fires when the process is gone."""
        self._stopping = True
        if self._restart is not None:
            self._restart.cancel()
            self._restart = None
        ended: Deferred[None] = Deferred()
        if not self.running:
            ended.callback(None)
            return ended
        self._ended = ended
        self.send(control.Shutdown())
        patience = self._supervisor.reactor.callLater(STOP_SECONDS, self._out_of_patience)

        def cancel(_result: None) -> None:
            if patience.active():
                patience.cancel()

        return ended.addCallback(cancel)

    def _out_of_patience(self) -> None:
        _log.error("media worker {index} does not end; killing it", index=self.index)
        self.kill()


class Supervisor:
    """All worker processes. The three callbacks come from the pool."""

    def __init__(
        self,
        reactor: Reactor,
        settings: MediaSettings,
        *,
        on_event: Callable[[WorkerProcess, control.Event], None],
        on_lost: Callable[[WorkerProcess, float], None],
        on_restarted: Callable[[WorkerProcess], None],
    ) -> None:
        self.reactor = reactor
        self.settings = settings
        self.on_event = on_event
        self.on_lost = on_lost
        self.on_restarted = on_restarted
        self.workers = [WorkerProcess(self, index) for index in range(settings.worker_count)]

    def start(self) -> None:
        """Start every worker."""
        for worker in self.workers:
            worker.start()

    async def stop(self) -> None:
        """Stop every worker, recordings closed."""
        for ended in [worker.stop() for worker in self.workers]:
            await ended


def _environment() -> dict[str, str]:
    """Ours, with this package found by the worker wherever it was started from."""
    root = str(Path(__file__).resolve().parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    # one thread: the arrays are small, and the cores belong to other workers
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **threads}
