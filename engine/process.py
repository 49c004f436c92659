"""The running process: start, the ready line, the signals, the orderly end."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from twisted.internet import defer
from twisted.logger import Logger
from twisted.python.failure import Failure

from engine.config import Config, ConfigError, load
from engine.data_directory import DataDirectory
from engine.language import say
from engine.logs import Logging
from engine.memory import MemoryKeeper, OwnMemory
from engine.notify import READY, STOPPING, notify, reloading
from engine.server import Server, StartError
from media import huge_pages

if TYPE_CHECKING:
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor

log = Logger()

COLLECTOR = (20_000, 20, 50)
"""Thresholds of the garbage collector: a call makes some hundred objects that die by themselves, few in cycles."""


class EngineProcess:
    """Runs one :class:`engine.server.Server` under a reactor until SIGTERM or SIGINT."""

    def __init__(
        self,
        reactor: AsyncioSelectorReactor,
        directory: DataDirectory,
        config: Config,
        file: Path | None,
        overrides: tuple[str, ...],
    ) -> None:
        self._reactor = reactor
        self._directory = directory
        self._config = config
        self._file = file
        self._overrides = overrides
        self._logging = Logging(config.log)
        self._server = Server(reactor, directory, config)
        self._memory = MemoryKeeper(reactor, OwnMemory())
        self._stopping = False
        self._exit_code = 0

    def run(self) -> int:
        """Run; returns the exit status: 0 after SIGTERM, 1 when the engine could not start."""
        try:
            self._logging.begin()
        except OSError as error:
            click.echo(f"polyphony: {error}", err=True)
            return 1
        self._reactor.callWhenRunning(self._start)
        self._reactor.run()  # with its own handlers too: the supervisor lives on SIGCHLD
        return self._exit_code

    def _start(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._reactor.callFromThread(self._stop))
        signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self._reload))
        defer.ensureDeferred(self._server.start()).addCallbacks(self._ready, self._failed)

    def _ready(self, first_password: str | None) -> None:
        """Say so on standard output; what was made so far is there to stay, the collector need not look at it."""
        if first_password is not None:
            language = self._config.engine.language
            click.echo(say("serve.first_start", language, name="admin", password=first_password))
        click.echo("ready " + json.dumps({"pid": os.getpid(), **self._server.ready()}))
        sys.stdout.flush()
        notify(READY)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECTOR)
        log.debug("{count} huge pages", count=huge_pages.collapse())
        self._memory.start()

    def _failed(self, failure: Failure) -> None:
        self._exit_code = 1
        if failure.check(StartError, ConfigError, OSError):
            click.echo(f"polyphony: {failure.getErrorMessage()}", err=True)
        else:
            log.failure("the engine could not start", failure=failure)
        self._stop()

    def _reload(self) -> None:
        """SIGHUP: take up what the configuration file says now; a bad file changes nothing."""
        try:
            config = load(self._file, self._overrides)
        except ConfigError as error:
            log.error("the configuration was not taken up: {error}", error=error)
            return
        self._config = config
        self._logging.set_level(config.log.level)
        notify(reloading())
        taken = defer.ensureDeferred(self._server.reload(config))
        taken.addErrback(lambda failure: log.failure("reloading failed", failure=failure))
        taken.addBoth(lambda _: notify(READY))

    def _stop(self) -> None:
        if self._stopping:
            return
        self._stopping = True
        notify(STOPPING)
        self._memory.stop()
        stopping = defer.ensureDeferred(self._server.stop())
        stopping.addErrback(lambda failure: log.failure("stopping failed", failure=failure))
        stopping.addBoth(lambda _: self._reactor.stop())
