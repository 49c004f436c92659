"""Turning finished recordings into the format that was asked for, one child process at a time.

The child has the lowest priority, so the calls do not notice (decision 0012); what cannot be converted stays a WAV
file that can be heard.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.internet.error import ProcessDone, ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger

if TYPE_CHECKING:
    from twisted.internet.interfaces import IProcessTransport, IReactorProcess
    from twisted.python.failure import Failure

    Done = Callable[[Path, Path], None]

log = Logger()


class Converter:
    """The queue of conversions. ``done`` is called with source and target of each that succeeded."""

    def __init__(self, reactor: IReactorProcess, done: Done) -> None:
        self._reactor = reactor
        self._done = done
        self._waiting: deque[tuple[Path, Path]] = deque()
        self._running: IProcessTransport | None = None
        self._stopped = False
        self.counters: Counter[str] = Counter()

    def add(self, source: Path, target: Path) -> None:
        """Convert a recording when those before it are done."""
        self._waiting.append((source, target))
        self._next()

    def stop(self) -> None:
        """Start no more, and end what runs: the next start of the engine takes it up again."""
        self._stopped = True
        if self._running is not None:
            with contextlib.suppress(ProcessExitedAlready):
                self._running.signalProcess("KILL")

    def _next(self) -> None:
        if self._running is not None or self._stopped or not self._waiting:
            return
        source, target = self._waiting.popleft()
        command = [sys.executable, "-m", "media.recording.conversion", str(source), str(target)]
        child = _Child(lambda reason: self._ended(source, target, reason))
        self._running = self._reactor.spawnProcess(
            child, sys.executable, command, env=_environment(), childFDs={0: "w", 1: "r", 2: 2}
        )

    def _ended(self, source: Path, target: Path, reason: Failure) -> None:
        self._running = None
        if reason.check(ProcessDone):
            self.counters["recordings_converted"] += 1
            self._done(source, target)
        elif not self._stopped:
            self.counters["recordings_not_converted"] += 1
            log.error("the recording {path} stays as it is: {why}", path=str(source), why=reason.value)
        self._next()


class _Child(ProcessProtocol):
    """Tells when the process is gone."""

    def __init__(self, ended: Callable[[Failure], None]) -> None:
        self._ended = ended

    def processEnded(self, reason: Failure) -> None:
        self._ended(reason)


def _environment() -> dict[str, str]:
    """Ours, with the packages found wherever the engine was started from."""
    root = str(Path(__file__).resolve().parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
