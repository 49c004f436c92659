"""Imports in a running engine: by the clock and when asked for, one at a time, each in a process of its own."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from engine.imports.child_process import ImportChild
from engine.imports.turns import Turns

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorFromThreads, IReactorProcess, IReactorTime
    from twisted.python.failure import Failure

    from engine.store.store import Store
    from engine.store_thread import StoreThread

    class ImportReactor(IReactorFromThreads, IReactorTime, IReactorProcess):
        """What is needed of the reactor."""


log = Logger()
LOOK_SECONDS = 20.0
"""How often schedules are looked at; they are written in minutes."""
LONGEST_SECONDS = 1800.0
"""A run that takes longer reads a directory that says a little now and then, for ever."""


class UserImportService:
    """Carries out runs. ``on_changed`` is told after each, for users are no longer what they were."""

    def __init__(
        self,
        reactor: ImportReactor,
        thread: StoreThread,
        store: Store,
        on_changed: Callable[[], Awaitable[None]],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._reactor = reactor
        self._thread = thread
        self._store = store
        self._on_changed = on_changed
        self._turns = Turns(store.database, store.events, store.audit, now)
        self._look = LoopingCall(self.wake, due=True)
        self._look.clock = reactor
        self._child: ImportChild | None = None
        self._round: Deferred[None] | None = None
        self._again = self._stopped = False
        self.counters: Counter[str] = Counter()

    def start(self) -> None:
        """Say of runs that a killed engine left that they were interrupted; then begin to look for work."""
        self._thread.later("ending the imports that were interrupted", self._turns.interrupt)
        self._look.start(LOOK_SECONDS)

    def stop(self) -> None:
        """Start no more, and end what runs: it has changed nothing yet, or is through."""
        self._stopped = True
        if self._look.running:
            self._look.stop()
        if self._child is not None:
            self._child.kill()

    def wake(self, *, due: bool = False) -> None:
        """Look for work: ``due``: at the schedules too."""
        if self._stopped:
            return
        if self._round is not None:
            self._again = True
            return
        self._round = ensureDeferred(self._work(due=due))
        self._round.addErrback(self._failed).addCallback(self._rest)

    async def _work(self, *, due: bool) -> None:
        if due:
            self.counters["user_imports_scheduled"] += await self._thread.call(self._turns.ask)
        while not self._stopped:
            run = await self._thread.call(self._turns.next)
            if run is None:
                return
            await self._carry_out(run)

    async def _carry_out(self, run: int) -> None:
        url = self._store.database.url.render_as_string(hide_password=False)
        self._child = child = ImportChild(self._reactor, run, url)
        child.start()
        limit = self._reactor.callLater(LONGEST_SECONDS, child.kill)
        self.counters["user_imports_run"] += 1
        try:
            await child.ended
        finally:
            self._child = None
            if limit.active():
                limit.cancel()
        company = await self._thread.call(self._turns.ended, run)
        if company is not None:
            self._store.events.on_appended(frozenset({company}))  # the child's commits told nobody here
        await self._on_changed()

    def _failed(self, failure: Failure) -> None:
        """The store is away: that must not end the imports."""
        log.failure("importing users", failure=failure)

    def _rest(self, _done: None) -> None:
        self._round = None
        if self._again:
            self._again = False
            self.wake()
