"""A webhook's deliveries on a virtual clock: whatever the receiver does, all of it, in order."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from engine.events.courier import (
    BATCH,
    LONGEST_RETRY,
    REFUSALS,
    Courier,
    Outcome,
    Result,
)
from engine.events.feed import Feed, Follower
from engine.events.kinds import Kinds
from engine.store.event_log import LoggedEvent
from tests.engine.events.test_feed import Log

TAKEN = Outcome(Result.TAKEN)
FAILED = Outcome(Result.FAILED, "down")
REFUSED = Outcome(Result.REFUSED, "what?")


class Receiver:
    """The other side, and the store."""

    def __init__(self, kinds: Kinds | None = None) -> None:
        self.clock = Clock()
        self.log = Log()
        self.feed = Feed(self.log.read, 0)
        self.says: Callable[[list[int]], Outcome] = lambda _numbers: TAKEN
        self.got: list[int] = []
        self.attempts: list[tuple[float, int]] = []
        self.cursor = 0
        self.dead: list[int] = []
        self.error = ""
        self.broken_store = False
        follower = Follower(self.feed, 0, kinds or Kinds(), lambda: self.courier.go_on())
        self.courier = Courier(follower, self, self.clock, lambda: 0.5)

    def happen(self, count: int = 1, kind: str = "users.added") -> None:
        self.log.append(count, kind)
        self.feed.wake()
        self.log.answer_all()

    def post(self, events: list[LoggedEvent]) -> Deferred[Outcome]:
        numbers = [each.sequence for each in events]
        self.attempts.append((self.clock.seconds(), len(numbers)))
        outcome = self.says(numbers)
        if outcome.result is Result.TAKEN:
            self.got += numbers
        return succeed(outcome)

    def delivered(self, cursor: int) -> Deferred[None]:
        if self.broken_store:
            return fail(OSError())
        self.cursor, self.error = cursor, ""
        return succeed(None)

    def failed(self, error: str) -> Deferred[None]:
        self.error = error
        return succeed(None)

    def put_aside(self, event: LoggedEvent, error: str) -> Deferred[None]:
        self.dead.append(event.sequence)
        self.cursor = event.sequence
        return succeed(None)

    def wait(self, seconds: float) -> None:
        self.clock.pump([1.0] * int(seconds))


def test_in_order_and_in_batches() -> None:
    receiver = Receiver()
    receiver.happen(BATCH * 2 + 5)
    receiver.happen(1)
    assert receiver.got == list(range(1, BATCH * 2 + 7))
    assert receiver.cursor == BATCH * 2 + 6


def test_down_for_ten_minutes() -> None:
    """It gets everything, in order; it is asked ever less often, and what happens meanwhile waits its turn."""
    receiver = Receiver()
    receiver.says = lambda _numbers: FAILED
    for _ in range(600):
        receiver.happen(2)
        receiver.wait(1)
    assert (receiver.got, receiver.cursor, receiver.error) == ([], 0, "down")
    assert len(receiver.attempts) < 12
    receiver.says = lambda _numbers: TAKEN
    receiver.wait(LONGEST_RETRY)
    assert receiver.got == list(range(1, 1201))
    assert (receiver.cursor, receiver.error) == (1200, "")


def test_it_says_when_to_come_again() -> None:
    receiver = Receiver()
    receiver.says = lambda _numbers: Outcome(Result.FAILED, "429", 30.0)
    receiver.happen()
    receiver.wait(29)
    assert len(receiver.attempts) == 1
    receiver.wait(2)
    assert len(receiver.attempts) == 2


def test_one_that_is_not_understood() -> None:
    """It alone is put aside, after some attempts; those around it arrive."""
    receiver = Receiver()
    receiver.says = lambda numbers: REFUSED if 7 in numbers else TAKEN
    receiver.happen(20)
    receiver.wait(300)
    assert receiver.got == [n for n in range(1, 21) if n != 7]
    assert (receiver.dead, receiver.cursor) == ([7], 20)
    assert sum(1 for _, count in receiver.attempts if count == 1) == 6 + REFUSALS + 13


def test_what_is_not_wanted_moves_the_cursor() -> None:
    receiver = Receiver(Kinds.parse("calls.*"))
    receiver.happen(500)
    assert (receiver.attempts, receiver.cursor) == ([], 500)


def test_a_store_that_cannot_be_written() -> None:
    """Nothing more is sent until it is known how far it is."""
    receiver = Receiver()
    receiver.broken_store = True
    receiver.happen()
    receiver.happen()
    assert receiver.got == [1]
    receiver.broken_store = False
    receiver.wait(10)
    assert (receiver.got, receiver.cursor) == ([1, 2], 2)


def test_the_end() -> None:
    receiver = Receiver()
    receiver.says = lambda _numbers: FAILED
    receiver.happen()
    receiver.courier.stop()
    receiver.happen()
    assert len(receiver.attempts) == 1
    assert receiver.clock.getDelayedCalls() == []


def test_events_that_are_gone() -> None:
    """Whoever made the courier learns where the log begins now."""
    receiver = Receiver()
    receiver.log.append(50)
    receiver.log.oldest = 40
    receiver.feed.wake()
    receiver.log.answer_all()
    receiver.courier.go_on()
    receiver.log.answer_all()
    assert receiver.courier.over
    assert receiver.courier.lost == 40


@settings(max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("happen"), st.integers(1, 250)),
            st.tuples(st.just("wait"), st.integers(1, 400)),
            st.tuples(st.just("down"), st.booleans()),
        ),
        max_size=25,
    ),
    st.sets(st.integers(1, 300), max_size=3),
)
def test_whatever_comes(steps: list[tuple[str, int]], bad: set[int]) -> None:
    """In the end each event has arrived once, in order, or is a dead letter."""
    receiver = Receiver()
    down = False

    def says(numbers: list[int]) -> Outcome:
        return FAILED if down else REFUSED if bad.intersection(numbers) else TAKEN

    receiver.says = says
    for what, value in steps:
        match what:
            case "happen":
                receiver.happen(value)
            case "wait":
                receiver.wait(value)
            case "down":
                down = bool(value)
        assert receiver.got == sorted(set(receiver.got))
    down = False
    for _ in range(100):
        receiver.clock.advance(LONGEST_RETRY * 1.3)
    count = len(receiver.log.events)
    assert receiver.got == [n for n in range(1, count + 1) if n not in bad]
    assert set(receiver.dead) == {n for n in bad if n <= count}
