"""The one way to run a reactor in a test: ``run(coroutine)``, as trial does, several times in one process."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

from twisted.internet.defer import Deferred, ensureDeferred
from twisted.python.failure import Failure

from sip.transport.reactor import Reactor

T = TypeVar("T")
PATIENCE = 15.0
"""Seconds a test may take; far more than it needs, on a slow machine too."""


def the_reactor() -> Reactor:
    """Give the process's reactor, whichever is installed."""
    from twisted.internet import reactor

    return cast(Reactor, reactor)


def run(work: Callable[[], Coroutine[Deferred[Any], Any, T]]) -> T:
    """Run the reactor until ``work`` is done; fails when a timer or a socket is left behind (rule H4)."""
    reactor: Any = the_reactor()
    found: list[Any] = []
    before = set(reactor.getReaders()) | set(reactor.getWriters())

    def finish(result: Any) -> None:
        found.append(result)
        # Closed sockets leave the reactor in its next turns.
        reactor.callLater(0.05, reactor.crash)

    def start() -> None:
        working = ensureDeferred(work())
        working.addTimeout(PATIENCE, reactor)
        working.addBoth(finish)

    reactor.callWhenRunning(start)
    reactor.run(installSignalHandlers=False)
    if isinstance(found[0], Failure):
        found[0].raiseException()
    waker = getattr(reactor, "waker", None)
    left = (set(reactor.getReaders()) | set(reactor.getWriters())) - before - {waker}
    assert reactor.getDelayedCalls() == []
    assert {one for one in left if "Waker" not in type(one).__name__} == set()
    return cast(T, found[0])


def later(seconds: float) -> Deferred[None]:
    """Let the reactor turn for a while."""
    waiting: Deferred[None] = Deferred()
    the_reactor().callLater(seconds, waiting.callback, None)
    return waiting


async def until(condition: Callable[[], bool]) -> None:
    """Let the reactor turn until something is true; ``run`` ends those who wait for ever."""
    while not condition():
        await later(0.005)
