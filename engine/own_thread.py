"""Work that blocks for long, in a thread of its own that does not hold up the end of the process."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorFromThreads

R = TypeVar("R")


def in_own_thread(reactor: IReactorFromThreads, name: str, function: Callable[[], R]) -> Deferred[R]:
    """Run ``function`` there; fires with its result or its exception. For what is rare: each call is a thread."""
    done: Deferred[R] = Deferred()

    def run() -> None:
        try:
            result = function()
        except Exception:  # whatever it was is the Deferred's to tell
            reactor.callFromThread(done.errback, Failure())
        else:
            reactor.callFromThread(done.callback, result)

    Thread(target=run, name=name, daemon=True).start()
    return done
