"""Starting media workers, starting them again when they die or hang, taking over those of an engine that died."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IDelayedCall, IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from media import control
from media.command_channel import CommandChannel
from media.run_folder import RunFolder
from media.settings import MediaSettings

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorFDSet, IReactorProcess, IReactorTime

    class Reactor(IReactorFDSet, IReactorProcess, IReactorTime):
        """What the supervisor needs of a reactor."""


CONTROL_FD = 3
STOP_SECONDS = 3.0
"""A worker that has not ended so long after ``Shutdown`` is killed."""
FIRST_BACK_OFF, MOST_BACK_OFF = 0.5, 30.0
CLAIM_SECONDS = 2.0
"""A worker of an earlier engine that has not said who it is so long after we connected to it is given up."""
WATCH_SECONDS = 1.0
START_SECONDS = 30.0
"""A worker that has not said a word yet is importing; on a machine that is very busy that takes its time."""
STEADY_SECONDS = 60.0
"""A worker that lived so long is started again at once."""

_log = Logger()


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
        self._channel: CommandChannel | None = None
        self._process: IProcessTransport | None = None
        self._ended: Deferred[None] | None = None
        self._started_at = 0.0
        self._back_off = 0.0
        self._restart: IDelayedCall | None = None
        self._stopping = False
        self._heard_at = 0.0
        self._has_spoken = False
        self._claiming: IDelayedCall | None = None
        self._pidfd: int | None = None  # of a process that is not our child

    # ---- a process of an earlier engine

    def begin(self) -> None:
        """Go on with the process that waits in this place since its engine died; without one, start it."""
        folder = self._supervisor.folder
        end = None if folder is None else folder.connect(self.index)
        if end is None:
            self.start()
            return
        reactor = self._supervisor.reactor
        self._started_at = self._heard_at = reactor.seconds()
        self._channel = CommandChannel(reactor, end, self)
        self._claiming = reactor.callLater(CLAIM_SECONDS, self._refuse, "it says nothing", None)

    def begin_to_end(self) -> None:
        """End the process that waits here, for there is no such place any more."""
        folder = self._supervisor.folder
        end = None if folder is None else folder.connect(self.index)
        if end is not None:
            self._channel = CommandChannel(self._supervisor.reactor, end, self)
            self._claiming = self._supervisor.reactor.callLater(
                CLAIM_SECONDS, self._refuse, "it says nothing", None
            )

    def _greeted(self, greeting: control.Event) -> bool:
        """Whether the first words of a process that was there before us are such that it can stay."""
        if not isinstance(greeting, control.Started):
            self._refuse("it does not say who it is", None)
        elif greeting.version != control.VERSION:
            self._refuse("it is of another version", greeting.pid)
        elif self.index >= self._supervisor.settings.worker_count:
            self._refuse("there are fewer workers now", greeting.pid)
        elif greeting.ports != self._supervisor.settings.ports_of(self.index):
            self._refuse("it has other ports than it should", greeting.pid)
        else:
            self._stop_claiming()
            self._pidfd = os.pidfd_open(greeting.pid)
            self.pid, self.running = greeting.pid, True
            _log.info("media worker {index} (pid {pid}) is taken over", index=self.index, pid=self.pid)
            return True
        return False

    def _stop_claiming(self) -> None:
        if self._claiming is not None and self._claiming.active():
            self._claiming.cancel()
        self._claiming = None

    def _refuse(self, why: str, pid: int | None) -> None:
        """End the process that was there before us, and start our own in its place."""
        self._stop_claiming()
        _log.warn(
            "media worker {index} (pid {pid}) is not taken over: {why}", index=self.index, pid=pid, why=why
        )
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()
        if self.index < self._supervisor.settings.worker_count:
            self.start()
        elif self._supervisor.folder is not None:
            self._supervisor.folder.remove(self.index)

    def garbled(self, frame: bytes) -> None:
        """What came cannot be read: it is broken, or another version's."""
        if self._claiming is not None:
            self._refuse("it cannot be understood", control.pid_in(frame))
        else:
            self.kill()

    # ---- a process of ours

    def start(self) -> None:
        """Start the process. Commands may be sent at once; it reads them when it is up."""
        reactor = self._supervisor.reactor
        self._restart = None
        self._forget_adopted()
        self._started_at = self._heard_at = reactor.seconds()
        self._has_spoken = False
        ours, theirs = self._channel_ends()
        with theirs, Path(os.devnull).open("rb") as nothing:
            # its output goes to our standard error: standard output carries the "ready" line
            fds = {0: nothing.fileno(), 1: 2, 2: 2, CONTROL_FD: theirs.fileno()}
            command = [sys.executable, "-m", "media.worker", str(CONTROL_FD)]
            self._process = reactor.spawnProcess(
                _Process(self._process_ended), sys.executable, command, env=_environment(), childFDs=fds
            )
        self._channel = CommandChannel(reactor, ours, self)
        self.pid = cast(Any, self._process).pid
        self.running = True
        first, last = self._supervisor.settings.ports_of(self.index)
        settings = self._supervisor.settings
        plugins, budget = list(settings.plugins), settings.plugin_budget_ms
        waits = settings.orphan_seconds
        self.send(control.Configure(first, last, self.resting, self.kept, plugins, budget, waits))
        self.resting, self.kept = [], []

    def _channel_ends(self) -> tuple[socket.socket, socket.socket]:
        """Ours and the worker's: a pair, or where engines can come and go, our connection and its listening socket."""
        folder = self._supervisor.folder
        if folder is None:
            return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        theirs = folder.listen(self.index)
        ours = folder.connect(self.index)
        if ours is None:
            theirs.close()
            raise OSError(errno.ECONNREFUSED, "the run folder takes no sockets")
        return ours, theirs

    def _forget_adopted(self) -> None:
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None

    def send(self, command: control.Command) -> None:
        """Send a command; to a worker that has just died it is lost, as the worker's legs are."""
        if self._channel is not None:
            self._channel.write(control.encode_frame(command))

    @property
    def is_gathering(self) -> bool:
        """Whether commands wait for the end of the reactor's turn."""
        return self._supervisor.is_gathering

    def flush(self) -> None:
        """Write the commands that waited."""
        if self._channel is not None:
            self._channel.flush()

    def seconds(self) -> float:
        """Monotonic time."""
        return self._supervisor.reactor.seconds()

    def event_received(self, event: control.Event) -> None:
        """Pass on what the worker says."""
        self._heard_at, self._has_spoken = self._supervisor.reactor.seconds(), True
        if self._claiming is None or self._greeted(event):
            self._supervisor.on_event(self, event)

    @property
    def hangs(self) -> bool:
        """Whether it has said nothing for longer than it may."""
        patience = self._supervisor.settings.hang_seconds
        if not self._has_spoken:
            patience = max(patience, START_SECONDS)
        return self.running and self._supervisor.reactor.seconds() - self._heard_at > patience

    def forgive_silence(self) -> None:
        """It was we who did not listen."""
        self._heard_at = self._supervisor.reactor.seconds()

    def kill(self) -> None:
        """End the process the hard way."""
        if self._pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        elif self._process is not None:
            with contextlib.suppress(ProcessExitedAlready):
                self._process.signalProcess("KILL")

    def channel_closed(self, channel: CommandChannel) -> None:
        """The first sign that a process is gone: everything on it is lost."""
        if channel is not self._channel:
            return
        self._channel = None
        self.running = False
        if self._claiming is not None:
            self._refuse("it is gone", None)
            return
        if self._stopping:
            if self._pidfd is not None:  # nobody else tells us
                self._forget_adopted()
                self._has_ended()
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
        self._has_ended()

    def _has_ended(self) -> None:
        if self._ended is not None:
            ended, self._ended = self._ended, None
            ended.callback(None)

    def stop(self) -> Deferred[None]:
        """Have the worker close its recordings and end; fires when the process is gone."""
        self._stopping = True
        self._stop_claiming()
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
        self.folder: RunFolder | None = None
        self.workers = [WorkerProcess(self, index) for index in range(settings.worker_count)]
        self.hung = 0
        """Workers killed because they said nothing."""
        self.is_gathering = False
        self._watching: IDelayedCall | None = None
        self._watched_at = 0.0

    def begin_turn(self) -> None:
        """Let commands gather: a worker reads them at its tick, and one write costs less than many."""
        self.is_gathering = True

    def end_turn(self) -> None:
        """Write what has gathered."""
        self.is_gathering = False
        for worker in self.workers:
            worker.flush()

    def start(self) -> None:
        """Start every worker, or go on with those an earlier engine left. Raises OSError: the run folder."""
        if self.settings.run_folder is not None:
            self.folder = RunFolder(self.settings.run_folder)
        for worker in self.workers:
            worker.begin()
        if self.folder is not None:
            for index in self.folder.workers():
                if index >= len(self.workers):
                    WorkerProcess(self, index).begin_to_end()
        if self.settings.hang_seconds:
            self._watched_at = self.reactor.seconds()
            self._watching = self.reactor.callLater(WATCH_SECONDS, self._watch)

    def _watch(self) -> None:
        """Kill workers that hang; not those somebody holds on purpose, nor when it was we who stood still."""
        now = self.reactor.seconds()
        late, self._watched_at = now - self._watched_at - WATCH_SECONDS, now
        for worker in self.workers:
            if late > WATCH_SECONDS:
                worker.forgive_silence()
            elif worker.hangs and not _is_held(worker.pid):
                self.hung += 1
                worker.forgive_silence()
                _log.error(
                    "media worker {index} (pid {pid}) hangs; killing it", index=worker.index, pid=worker.pid
                )
                worker.kill()
        self._watching = self.reactor.callLater(WATCH_SECONDS, self._watch)

    async def stop(self) -> None:
        """Stop every worker, recordings closed."""
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        for ended in [worker.stop() for worker in self.workers]:
            await ended
        if self.folder is not None:
            self.folder.close()
            self.folder = None


def _is_held(pid: int | None) -> bool:
    """Whether a process is stopped by a signal or a debugger, rather than hanging by itself."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state in ("T", "t")


def _environment() -> dict[str, str]:
    """Ours, with this package found by the worker wherever it was started from."""
    root = str(Path(__file__).resolve().parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    # one thread: the arrays are small, and the cores belong to other workers
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **threads}
