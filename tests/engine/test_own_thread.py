"""Work in a thread of its own: its result, or its exception, comes back to the reactor's."""

from __future__ import annotations

import threading
from queue import Queue
from typing import Any

from twisted.internet.defer import Deferred

from engine.own_thread import in_own_thread


class Loop:
    """A reactor that does one thing at a time, when it is told to."""

    def __init__(self) -> None:
        self._queue: Queue[tuple[Any, tuple[Any, ...]]] = Queue()

    def callFromThread(self, function: Any, *arguments: Any) -> None:
        self._queue.put((function, arguments))

    def turn(self) -> None:
        function, arguments = self._queue.get(timeout=60)
        function(*arguments)


def outcome(work: Any) -> Any:
    loop: Any = Loop()
    done: Deferred[Any] = in_own_thread(loop, "test", work)
    found: list[Any] = []
    done.addBoth(found.append)
    assert found == [], "nothing happens outside the reactor's thread"
    loop.turn()
    return found[0]


def test_the_result_comes_back() -> None:
    """From a thread that is not ours and does not hold up the end of the process."""
    name, daemon = outcome(lambda: (threading.current_thread().name, threading.current_thread().daemon))
    assert (name, daemon) == ("test", True)


def test_an_exception_comes_back() -> None:
    """Whatever it is."""
    failure = outcome(lambda: 1 // 0)
    assert failure.check(ZeroDivisionError)
