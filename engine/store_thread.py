"""The store off the reactor: its methods block, so they run in one thread, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.threadpool import ThreadPool

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorFromThreads

P = ParamSpec("P")
R = TypeVar("R")
log = Logger()


class StoreThread:
    """One thread for everything that touches the store: writes keep their order, the reactor never waits."""

    def __init__(self, reactor: IReactorFromThreads) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(1, 1, name="store")

    def start(self) -> None:
        """Start the thread."""
        self._pool.start()

    def stop(self) -> None:
        """Finish what was asked for, then end the thread."""
        self._pool.stop()

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Deferred[R]:
        """Run ``function`` there; fires with its result or its exception."""
        return deferToThreadPool(self._reactor, self._pool, function, *args, **kwargs)

    def later(self, what: str, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> None:
        """Run ``function`` there; a failure is logged as ``what`` and nothing waits for it."""
        self.call(function, *args, **kwargs).addErrback(
            lambda failure: log.failure("{what} failed", what=what, failure=failure)
        )
