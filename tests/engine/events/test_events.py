"""Publishing, following and forgetting, over a real store with a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, execute
from twisted.internet.task import Clock

from engine.config.events_section import EventsSection
from engine.events.events import (
    FORGET_SECONDS,
    GATHER_SECONDS,
    LOOK_SECONDS,
    RETRY_SECONDS,
    Events,
)
from engine.events.feed import Follower
from engine.events.kinds import Kinds
from engine.store import Store
from engine.store.event_log import Bounds

A, B = 1, 2


class OneThread:
    """The store's thread, which here is this one; it may be broken."""

    broken = False

    def call(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        if self.broken:
            return execute(self._fail)
        return execute(function, *arguments)

    def _fail(self) -> None:
        raise OSError


class Reactor(Clock):
    """A clock to whose thread nothing has to come from another."""

    def callFromThread(self, function: Callable[..., object], *arguments: object) -> None:
        function(*arguments)


class Bench:
    """All of it."""

    def __init__(self, store: Store, settings: EventsSection | None = None) -> None:
        self.store, self.thread, self.reactor = store, OneThread(), Reactor()
        thread: Any = self.thread
        reactor: Any = self.reactor
        self.events = Events(store, thread, reactor, settings or EventsSection())
        self.events.start()

    def publish(self, count: int = 1, company: int = A) -> None:
        for n in range(count):
            self.events.publish(company, "calls.ended", f"call_{n}", {"n": n})

    def follow(self, got: list[int], after: int | None = None, company: int = A) -> Follower:
        found: list[Follower] = []

        def take() -> None:
            got.extend(each.sequence for each in found[0].take())

        self.events.follow(company, after, Kinds(), take).addCallback(found.append)
        take()
        return found[0]

    def write(self, count: int = 1, company: int = A) -> None:
        """As another process would: nobody here is told."""
        told, self.store.events.on_appended = self.store.events.on_appended, lambda _companies: None
        with self.store.database.writing() as session:
            for _ in range(count):
                self.store.events.append(session, company, "users.added", "usr_a", {})
        self.store.events.on_appended = told


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store)


def test_what_is_published_is_followed(bench: Bench) -> None:
    """After a moment, together, in order, by each company's own followers alone."""
    got, others, late = list[int](), list[int](), list[int]()
    bench.follow(got)
    bench.follow(others, company=B)
    bench.publish(3)
    assert got == []
    bench.reactor.advance(GATHER_SECONDS)
    bench.publish(2)
    bench.reactor.advance(GATHER_SECONDS)
    bench.follow(late, after=3)
    assert (got, others, late) == ([1, 2, 3, 4, 5], [], [4, 5])
    assert bench.events.counters["events_published"] == 5


def test_a_store_that_cannot_be_written(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What happened waits in its order, up to a measure; what is lost is counted."""
    monkeypatch.setattr("engine.events.events.MOST_UNWRITTEN", 5)
    bench.thread.broken = True
    bench.publish(2)
    bench.reactor.advance(GATHER_SECONDS)
    bench.publish(4)
    bench.thread.broken = False
    bench.reactor.advance(RETRY_SECONDS)
    events = bench.store.events.after(A, 0, 3)
    assert [each.subject for each in events] == ["call_0", "call_1", "call_0"]
    assert bench.events.counters == {"events_published": 5, "events_lost": 1}


def test_what_another_process_writes_is_found(bench: Bench) -> None:
    got: list[int] = []
    bench.follow(got)
    bench.write(3)
    assert got == []
    bench.reactor.advance(LOOK_SECONDS)
    assert got == [1, 2, 3]


def test_who_comes_back_misses_nothing(bench: Bench) -> None:
    """The last follower goes, others write, another comes from where it was."""
    got: list[int] = []
    follower = bench.follow(got)
    bench.publish(2)
    bench.events.flush()
    follower.close()
    bench.write(3)
    bench.follow(got, after=follower.cursor)
    bench.publish()
    bench.events.flush()
    assert got == [1, 2, 3, 4, 5, 6]


def test_old_events_go(store: Store) -> None:
    bench = Bench(store, EventsSection(most=1000))
    bench.publish(1500)
    bench.events.flush()
    bench.reactor.advance(FORGET_SECONDS)
    assert store.events.bounds(A) == Bounds(501, 1500)


def test_the_end_writes_what_waits(bench: Bench) -> None:
    bench.publish()
    bench.events.stop()
    assert bench.store.events.bounds(A) == Bounds(1, 1)
    assert bench.reactor.getDelayedCalls() == []
