"""The events of all companies: where whatever happens is published, and whoever wants to follow begins."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from engine.events.feed import Feed, Follower
from engine.store.event_log import FORGOTTEN_AT_ONCE, PAGE, LoggedEvent, NewEvent

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall, IReactorFromThreads, IReactorTime
    from twisted.python.failure import Failure

    from engine.config.events_section import EventsSection
    from engine.events.kinds import Kinds
    from engine.store.event_log import Bounds, EventLog
    from engine.store.store import Store
    from engine.store_thread import StoreThread

    class EventsReactor(IReactorTime, IReactorFromThreads):
        """What this asks of the reactor."""


log = Logger()

GATHER_SECONDS = 0.1
"""What is published waits so long for more: a transaction costs more than an event."""
RETRY_SECONDS = 1.0
MOST_UNWRITTEN = 100_000
"""Events that wait for a store that cannot be written; more are lost, and counted."""
LOOK_SECONDS = 1.0
"""How often those who are followed are looked at: another node, or a command of its own, may have written."""
FORGET_SECONDS = 60.0
MOST_PAGES = 20
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events of a log, and the number reading goes on after: that of the last one looked at."""

    events: list[LoggedEvent]
    cursor: int


class Events:
    """Publishes and follows. Everything else about events is a reader of the log."""

    def __init__(
        self, store: Store, thread: StoreThread, reactor: EventsReactor, settings: EventsSection
    ) -> None:
        self.settings = settings
        self.counters: Counter[str] = Counter(events_published=0, events_lost=0)
        self._store = store
        self._thread = thread
        self._reactor = reactor
        self._feeds: dict[int, Feed] = {}
        self._gathered: list[tuple[int, NewEvent]] = []
        self._due: IDelayedCall | None = None
        self._watchers: list[Callable[[frozenset[int]], None]] = []
        self._look = LoopingCall(self._wake_all)
        self._forget = LoopingCall(self._forget_old)
        self._look.clock = self._forget.clock = reactor

    def start(self) -> None:
        """Follow what others write too, and keep the logs within their bounds; the store is open."""
        self._log.on_appended = partial(self._reactor.callFromThread, self._appended)
        self._look.start(LOOK_SECONDS, now=False)
        self._forget.start(FORGET_SECONDS, now=False)

    def stop(self) -> None:
        """Write what waits; before the store's thread ends."""
        if not self._look.running:
            return
        self._look.stop()
        self._forget.stop()
        self.flush()
        self._log.on_appended = _nobody

    @property
    def _log(self) -> EventLog:
        return self._store.events

    # ---- publishing

    def publish(self, company_id: int, kind: str, subject: str, data: Mapping[str, object]) -> None:
        """Append an event soon; it counts as having happened when it is in the log."""
        if len(self._gathered) >= MOST_UNWRITTEN:
            self.counters["events_lost"] += 1
            return
        self._gathered.append((company_id, NewEvent(kind, subject, data)))
        if self._due is None:
            self._due = self._reactor.callLater(GATHER_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what has gathered."""
        if self._due is not None and self._due.active():
            self._due.cancel()
        self._due = None
        gathered, self._gathered = self._gathered, []
        if gathered:
            self._thread.call(self._write, gathered).addCallbacks(
                self._written, self._unwritten, callbackArgs=(len(gathered),), errbackArgs=(gathered,)
            )

    def _write(self, gathered: list[tuple[int, NewEvent]]) -> None:
        """In the store's thread."""
        by_company: defaultdict[int, list[NewEvent]] = defaultdict(list)
        for company_id, each in gathered:
            by_company[company_id].append(each)
        with self._store.database.writing() as session:
            for company_id in sorted(
                by_company
            ):  # in one order on all nodes, or two could wait for each other
                self._log.extend(session, company_id, by_company[company_id])

    def _written(self, _result: None, count: int) -> None:
        self.counters["events_published"] += count

    def _unwritten(self, failure: Failure, gathered: list[tuple[int, NewEvent]]) -> None:
        """Before those that came meanwhile, and not at once."""
        log.failure("writing {count} events failed", count=len(gathered), failure=failure)
        self._gathered[:0] = gathered
        if self._due is None:
            self._due = self._reactor.callLater(RETRY_SECONDS, self.flush)

    # ---- following

    def follow(
        self, company_id: int, after: int | None, kinds: Kinds, on_ready: Callable[[], None]
    ) -> Deferred[Follower]:
        """Begin after a number; None: with what happens from now on. An unknown one is told by ``Follower.lost``."""
        return self._thread.call(self._log.bounds, company_id).addCallback(
            self._begin, company_id, after, kinds, on_ready
        )

    def page(self, company_id: int, after: int | None, kinds: Kinds, count: int) -> Deferred[EventPage]:
        """The events after a number; None: none, and the number of the newest. Fails with UnknownCursor."""
        return self._thread.call(self._page, company_id, after, kinds, count)

    def _page(self, company_id: int, after: int | None, kinds: Kinds, count: int) -> EventPage:
        """In the store's thread, which others wait for: not more than some pages are looked through."""
        if after is None:
            return EventPage([], self._log.bounds(company_id).newest)
        found: list[LoggedEvent] = []
        cursor = after
        for _ in range(MOST_PAGES):
            for each in (page := self._log.after(company_id, cursor)):
                cursor = each.sequence
                if each.kind in kinds:
                    found.append(each)
                    if len(found) == count:
                        return EventPage(found, cursor)
            if len(page) < PAGE:
                break
        return EventPage(found, cursor)

    def watch(self, watcher: Callable[[frozenset[int]], None]) -> None:
        """Tell ``watcher`` whose logs have grown by what this process wrote."""
        self._watchers.append(watcher)

    def _begin(
        self, bounds: Bounds, company_id: int, after: int | None, kinds: Kinds, on_ready: Callable[[], None]
    ) -> Follower:
        self._feeds = {company: feed for company, feed in self._feeds.items() if len(feed)}
        feed = self._feeds.get(company_id)
        if feed is None:

            def read(sequence: int) -> Deferred[list[LoggedEvent]]:
                return self._thread.call(self._log.after, company_id, sequence)

            feed = self._feeds[company_id] = Feed(read, bounds.newest)
        elif feed.newest < bounds.newest:
            feed.wake()
        return Follower(feed, bounds.newest if after is None else after, kinds, on_ready)

    def _appended(self, companies: frozenset[int]) -> None:
        for company_id in companies:
            if company_id in self._feeds:
                self._feeds[company_id].wake()
        for watcher in self._watchers:
            watcher(companies)

    def _wake_all(self) -> None:
        for feed in self._feeds.values():
            feed.wake()

    # ---- bounds

    def _forget_old(self) -> None:
        self._thread.call(self._forget_some).addCallbacks(
            self._forgotten, lambda failure: log.failure("trimming the event logs failed", failure=failure)
        )

    def _forget_some(self) -> bool:
        """In the store's thread: whether there may be more to forget."""
        now, settings = time.time(), self.settings
        before = now - settings.days * _DAY
        most = [
            self._log.forget(each, settings.most, before) == FORGOTTEN_AT_ONCE
            for each in self._log.companies()
        ]
        self._store.audit.forget_before(now - settings.audit_days * _DAY)
        return any(most)

    def _forgotten(self, more: bool) -> None:
        if more:
            self._forget_old()  # behind whatever else waits for the thread


def _nobody(_companies: frozenset[int]) -> None:
    """After the end."""
