"""Followers of a log: everything once, in order, whatever comes when."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from twisted.internet.defer import Deferred

from engine.events.feed import KEPT, Feed, Follower
from engine.events.kinds import Kinds
from engine.store.event_log import PAGE, LoggedEvent, UnknownCursor


class Log:
    """A log in memory whose readings are answered when the test says so."""

    def __init__(self) -> None:
        self.events: list[LoggedEvent] = []
        self.oldest = 1
        self.pending: list[tuple[int, Deferred[list[LoggedEvent]]]] = []
        self.readings = 0

    def append(self, count: int = 1, kind: str = "users.added") -> None:
        for _ in range(count):
            self.events.append(LoggedEvent(len(self.events) + 1, 0.0, kind, "usr_a", b"{}"))

    def read(self, sequence: int) -> Deferred[list[LoggedEvent]]:
        done: Deferred[list[LoggedEvent]] = Deferred()
        self.pending.append((sequence, done))
        return done

    def answer(self) -> None:
        sequence, done = self.pending.pop(0)
        self.readings += 1
        if not self.oldest - 1 <= sequence <= len(self.events):
            done.errback(UnknownCursor(self.oldest))
        else:
            done.callback(self.events[sequence : sequence + PAGE])

    def answer_all(self) -> None:
        while self.pending:
            self.answer()


class Reader:
    """Takes whatever there is when it is told to."""

    def __init__(self, feed: Feed, cursor: int, kinds: Kinds | None = None) -> None:
        self.got: list[int] = []
        self.follower = Follower(feed, cursor, kinds or Kinds(), self.take)

    def take(self) -> None:
        while events := self.follower.take(7):
            self.got += [each.sequence for each in events]


def test_who_keeps_up_is_served_from_memory() -> None:
    """One reading of the store is for all."""
    log = Log()
    feed = Feed(log.read, 0)
    readers = [Reader(feed, 0) for _ in range(20)]
    log.append(3)
    feed.wake()
    log.answer_all()
    assert [reader.got for reader in readers] == [[1, 2, 3]] * 20
    assert log.readings == 1


def test_who_begins_further_back_reads_until_it_is_here() -> None:
    log = Log()
    log.append(PAGE * 2 + 10)
    feed = Feed(log.read, PAGE * 2 + 10)
    reader = Reader(feed, 5)
    reader.take()
    log.append(4)
    feed.wake()
    log.answer_all()
    assert reader.got == list(range(6, PAGE * 2 + 15))


def test_a_choice_moves_the_cursor_over_the_others() -> None:
    """Else a reader of rare events would read all the others again when it comes back."""
    log = Log()
    feed = Feed(log.read, 0)
    reader = Reader(feed, 0, Kinds.parse("calls.*"))
    log.append(50)
    log.append(1, "calls.ended")
    log.append(50)
    feed.wake()
    log.answer_all()
    assert (reader.got, reader.follower.cursor) == ([51], 101)


def test_a_cursor_that_is_not_known() -> None:
    """Neither one before what is kept, nor one of another log."""
    for cursor in (3, 21):
        log = Log()
        log.append(20)
        log.oldest = 10
        reader = Reader(Feed(log.read, 20), cursor)
        reader.take()
        log.answer_all()
        assert reader.follower.over
        assert reader.follower.lost is not None
        assert reader.follower.lost.oldest == 10


def test_a_log_cut_beyond_what_was_read() -> None:
    """Who was at the end is told that something is missing, and others begin anew."""
    log = Log()
    feed = Feed(log.read, 0)
    reader = Reader(feed, 0)
    log.append(30)
    log.oldest = 20
    feed.wake()
    log.answer_all()
    assert reader.follower.lost is not None
    other = Reader(feed, 19)
    feed.wake()
    log.answer_all()
    assert other.got == list(range(20, 31))


def test_a_store_that_cannot_be_read_for_a_moment() -> None:
    """The feed tries again at the next wake; a follower in its own past has to come again."""
    log = Log()
    log.append(5)
    feed = Feed(log.read, 5)
    here, behind = Reader(feed, 5), Reader(feed, 0)
    behind.take()
    log.pending.pop()[1].errback(OSError())
    assert behind.follower.over
    assert behind.follower.lost is None
    log.append()
    feed.wake()
    log.pending.pop()[1].errback(OSError())
    feed.wake()
    log.answer_all()
    assert here.got == [6]


def test_nothing_after_the_end() -> None:
    """What is read for one that is gone is dropped."""
    log = Log()
    log.append(5)
    feed = Feed(log.read, 5)
    reader = Reader(feed, 0)
    reader.take()
    reader.follower.close()
    log.answer_all()
    assert reader.got == []
    assert len(feed) == 0


def test_memory_is_bounded() -> None:
    log = Log()
    feed = Feed(log.read, 0)
    reader = Reader(feed, 0)
    log.append(KEPT * 3)
    feed.wake()
    log.answer_all()
    assert len(reader.got) == KEPT * 3
    assert feed.since(KEPT // 2, 1) is None
    assert feed.since(KEPT * 2, 1) == [log.events[KEPT * 2]]


class Following(RuleBasedStateMachine):
    """Appends, wakes, readings and readers in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.log = Log()
        self.feed = Feed(self.log.read, 0)
        self.readers: list[tuple[int, Reader]] = []

    @rule(count=st.integers(1, PAGE + 50))
    def append(self, count: int) -> None:
        self.log.append(count)

    @rule()
    def wake(self) -> None:
        self.feed.wake()

    @precondition(lambda self: self.log.pending)
    @rule()
    def answer(self) -> None:
        self.log.answer()

    @rule(back=st.integers(0, 3 * KEPT))
    def begin(self, back: int) -> None:
        cursor = max(0, self.feed.newest - back)
        self.readers.append((cursor, Reader(self.feed, cursor)))

    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        if self.readers:
            data.draw(st.sampled_from(self.readers))[1].take()

    @invariant()
    def nothing_is_lost_or_comes_twice(self) -> None:
        for begun, reader in self.readers:
            assert reader.got == list(range(begun + 1, begun + 1 + len(reader.got)))

    def teardown(self) -> None:
        """In the end everybody has everything."""
        self.feed.wake()
        for _, reader in self.readers:
            reader.take()
        self.log.answer_all()
        for begun, reader in self.readers:
            assert begun + len(reader.got) == len(self.log.events)


Following.TestCase.settings = settings(max_examples=50, stateful_step_count=30)
TestFollowing: Callable[..., object] = Following.TestCase
