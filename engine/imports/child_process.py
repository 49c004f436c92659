"""The process one run is carried out in, as its parent sees it."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol

if TYPE_CHECKING:
    from twisted.internet.interfaces import IProcessTransport, IReactorProcess
    from twisted.python.failure import Failure

ROOT = Path(__file__).resolve().parent.parent.parent


class ImportChild(ProcessProtocol):
    """Started once. ``ended`` fires when it is gone, however that came about; what came of the run is in the store."""

    def __init__(self, reactor: IReactorProcess, run: int, url: str) -> None:
        self._reactor = reactor
        self._run = run
        self._url = url
        self._process: IProcessTransport | None = None
        self.ended: Deferred[None] = Deferred()

    def start(self) -> None:
        """Begin."""
        command = [sys.executable, "-m", "engine.imports.child", str(self._run)]
        self._process = self._reactor.spawnProcess(
            self, sys.executable, command, env=_environment(), childFDs={0: "w", 1: 2, 2: 2}
        )

    def kill(self) -> None:
        """End it, wherever it is."""
        if self._process is not None:
            with contextlib.suppress(ProcessExitedAlready):
                self._process.signalProcess("KILL")

    def connectionMade(self) -> None:
        """Tell it where the store is: a command line is for everybody to read, and the URL may have a password."""
        assert self.transport is not None
        self.transport.write(self._url.encode())
        self.transport.closeStdin()

    def processEnded(self, reason: Failure) -> None:
        """It is gone."""
        self.ended.callback(None)


def _environment() -> dict[str, str]:
    """Ours, with the packages found wherever the engine was started from."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
