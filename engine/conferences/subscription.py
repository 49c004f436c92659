"""What happens in meetings, told from any event on to whoever asks, without a gap or a repetition.

What is past comes from the store, page by page; what happens meanwhile waits here. Every reading of the store first
has everything written that has happened so far, so what waits from then on is what follows the page.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twisted.logger import Logger

from engine.store.conferences.records import JournalEntry
from engine.store.errors import NotFound

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from conference.events import Event
    from engine.conferences.conferences import Conferences
    from engine.conferences.event_store import EventStore
    from engine.conferences.live_room import LiveRoom

log = Logger()

MOST_WAITING = 2000
"""Events that wait for a reader; of one that is slower the subscription ends. It can go on where it was."""
PAGE = 500
_POSITION = re.compile(r"([0-9A-Za-z-]{1,64}):([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Position:
    """An event that is known already: the next one follows it. sequence 0: before a meeting's first."""

    meeting: str
    sequence: int

    @classmethod
    def parse(cls, text: str) -> Position | None:
        """``MEETING:SEQUENCE``; None for anything else."""
        found = _POSITION.fullmatch(text)
        return None if found is None else cls(found[1], int(found[2]))


class Subscription:
    """One reader. ``on_ready`` is called whenever there may be something to take, or it is ``over``."""

    def __init__(
        self, conferences: Conferences, store: EventStore, number: str | None, on_ready: Callable[[], None]
    ) -> None:
        self.over = False
        self._store = store
        self._number = number
        self._on_ready = on_ready
        self._position: Position | None = None  # of the last page; None: the past is all told
        self._reading = False
        self._dropped = False
        self._page: deque[JournalEntry] = deque()
        self._waiting: deque[JournalEntry] = deque()
        self._unwatch = conferences.watch(self._happened)

    def catch_up(self, after: Position) -> Deferred[None]:
        """Begin with what follows an event. Fails with NotFound: the store does not know that one (any more)."""
        self._position = after
        return self._read(after)

    def take(self, count: int = 100) -> list[JournalEntry]:
        """The next events, none if there are none now."""
        if not self._page and self._position is not None:
            if not self._reading and not self.over:
                self._read(self._position).addErrback(self._lost)
            return []
        queue = self._page or self._waiting
        return [queue.popleft() for _ in range(min(count, len(queue)))]

    def close(self) -> None:
        """Nobody reads any more."""
        if not self.over:
            self.over = True
            self._unwatch()
            self._page.clear()
            self._waiting.clear()

    def _happened(self, live: LiveRoom, events: Sequence[Event]) -> None:
        number = live.room.definition.key
        if self._number not in (None, number):
            return
        self._waiting.extend(JournalEntry(live.room.meeting, number, each) for each in events)
        if len(self._waiting) > MOST_WAITING:
            if self._position is None:
                self.close()
            else:
                self._waiting.clear()  # the page that is being read may not have them: there is to be another
                self._dropped = True
        self._on_ready()

    def _read(self, after: Position) -> Deferred[None]:
        self._reading = True
        self._waiting.clear()  # the page, or one that follows it, has them
        self._dropped = False
        found = self._store.following(after.meeting, after.sequence, self._number, PAGE)
        return found.addCallback(self._paged)

    def _paged(self, page: list[JournalEntry]) -> None:
        self._reading = False
        if self.over:
            return
        self._page.extend(page)
        if page:
            self._position = Position(page[-1].meeting, page[-1].event.sequence)
        if len(page) < PAGE and not self._dropped:
            self._position = None
        self._on_ready()

    def _lost(self, failure: Failure) -> None:
        """The store forgot meanwhile where we were, or cannot be read: the reader has to begin anew."""
        if not failure.check(NotFound):
            log.failure("reading events of meetings failed", failure=failure)
        self.close()
        self._on_ready()
