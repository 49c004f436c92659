"""The end of one company's log in memory, and those who follow it.

Whoever keeps up is served from here: one reading of the store for all. Whoever begins further back, or falls behind,
reads the store page by page until it is here. A follower holds its cursor and at most a page, however slow it is;
what it has not taken stays in the log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from twisted.logger import Logger

from engine.store.event_log import PAGE, LoggedEvent, UnknownCursor

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from engine.events.kinds import Kinds

log = Logger()

KEPT = 2000
"""Events of a company in memory, at least so many once there were; twice as many at most."""


class Read(Protocol):
    """Reads a page of the company's log (``EventLog.after``), off the reactor."""

    def __call__(self, sequence: int) -> Deferred[list[LoggedEvent]]:
        """The events that follow that number."""


class Feed:
    """What the log has grown by since ``newest``, and its followers."""

    def __init__(self, read: Read, newest: int) -> None:
        self.newest = newest
        self.read = read
        self._events: list[LoggedEvent] = []  # the last of them is number ``newest``
        self._followers: dict[Follower, None] = {}  # in the order they came
        self._reading = False
        self._again = False

    def __len__(self) -> int:
        return len(self._followers)

    def add(self, follower: Follower) -> None:
        """Tell ``follower`` when there is more."""
        self._followers[follower] = None

    def remove(self, follower: Follower) -> None:
        """Do not tell it any more."""
        self._followers.pop(follower, None)

    def wake(self) -> None:
        """The log may have grown."""
        if self._reading:
            self._again = True
            return
        self._reading = True
        self._again = False
        self.read(self.newest).addCallbacks(self._grown, self._failed)

    def since(self, cursor: int, count: int) -> list[LoggedEvent] | None:
        """What follows number ``cursor``, none if it is the newest; None: it is not here, the store may know."""
        index = len(self._events) - (self.newest - cursor)
        if not 0 <= index <= len(self._events):
            return None
        return self._events[index : index + count]

    def _grown(self, page: list[LoggedEvent]) -> None:
        self._reading = False
        if page:
            self._events += page
            self.newest = page[-1].sequence
            if len(self._events) > 2 * KEPT:
                del self._events[:-KEPT]
            for each in tuple(self._followers):
                each.on_ready()
        if self._again or len(page) == PAGE:
            self.wake()

    def _failed(self, failure: Failure) -> None:
        """A later wake tries again. The log may have been cut beyond our end: then each follower is told by its own."""
        self._reading = False
        error = failure.value
        if not isinstance(error, UnknownCursor):
            log.failure("reading the event log failed", failure=failure)
            return
        self._events.clear()
        self.newest = error.oldest - 1
        for each in tuple(self._followers):
            each.on_ready()


class Follower:
    """One reader of a feed. ``on_ready`` is called when there may be something to take, or it is ``over``.

    cursor: the number of the last event taken, those it did not want included; reading can go on there, whenever.
    lost: why it cannot go on, when that is the log's doing.
    """

    def __init__(self, feed: Feed, cursor: int, kinds: Kinds, on_ready: Callable[[], None]) -> None:
        self.cursor = cursor
        self.over = False
        self.lost: UnknownCursor | None = None
        self.on_ready = on_ready
        self._feed = feed
        self._kinds = kinds
        self._page: list[LoggedEvent] = []
        self._reading = False
        feed.add(self)

    def take(self, count: int = 100) -> list[LoggedEvent]:
        """The next events that are wanted; none if there are none now."""
        taken: list[LoggedEvent] = []
        while len(taken) < count and (batch := self._next(count - len(taken))):
            self.cursor = batch[-1].sequence
            taken += [each for each in batch if each.kind in self._kinds]
        return taken

    def close(self) -> None:
        """Nobody reads any more."""
        self.over = True
        self._page.clear()
        self._feed.remove(self)

    def _next(self, count: int) -> list[LoggedEvent]:
        if self.over or self._reading:
            return []
        if self._page:
            batch, self._page = self._page[:count], self._page[count:]
            return batch
        here = self._feed.since(self.cursor, count)
        if here is None:
            self._reading = True
            self._feed.read(self.cursor).addCallbacks(self._read, self._failed)
            return []
        return here

    def _read(self, page: list[LoggedEvent]) -> None:
        self._reading = False
        if self.over:
            return
        self._page = page
        if page:
            self.on_ready()

    def _failed(self, failure: Failure) -> None:
        self._reading = False
        if self.over:
            return
        self.close()
        if isinstance(failure.value, UnknownCursor):
            self.lost = failure.value
        else:
            log.failure("reading the event log failed", failure=failure)
        self.on_ready()
