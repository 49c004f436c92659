"""The event log of each company, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import threading

import msgspec
import pytest

from engine.store import Store
from engine.store.database import Database
from engine.store.event_log import (
    FORGOTTEN_AT_ONCE,
    LARGEST_DATA,
    Bounds,
    EventLog,
    LoggedEvent,
    NewEvent,
    UnknownCursor,
)

A, B = 1, 2


@pytest.fixture
def database(store: Store, store_url: str) -> Database:
    """The database below an opened store."""
    return Database(store_url)


class Clock:
    """Unix seconds that a test says."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(database: Database, clock: Clock) -> EventLog:
    return EventLog(database, clock)


def append(log: EventLog, database: Database, company: int, count: int = 1) -> None:
    with database.writing() as session:
        log.extend(session, company, [NewEvent("users.added", f"usr_{n}", {"n": n}) for n in range(count)])


def numbers(events: list[LoggedEvent]) -> list[int]:
    return [each.sequence for each in events]


def test_an_event_comes_back(log: EventLog, database: Database) -> None:
    """What was appended is what is read, with its number and the time."""
    with database.writing() as session:
        assert log.append(session, A, "users.added", "usr_a", {"name": "Zoé", "lines": [1, None]}) == 1
    assert log.after(A, 0) == [
        LoggedEvent(1, 1000.0, "users.added", "usr_a", '{"name":"Zoé","lines":[1,null]}'.encode())
    ]


def test_each_company_counts_alone(log: EventLog, database: Database) -> None:
    """Numbers begin at 1 in each company and tell nothing of another."""
    append(log, database, A, 3)
    append(log, database, B, 2)
    append(log, database, A, 1)
    assert numbers(log.after(A, 0)) == [1, 2, 3, 4]
    assert numbers(log.after(B, 0)) == [1, 2]
    assert log.companies() == [A, B]


def test_what_is_rolled_back_leaves_no_gap(log: EventLog, database: Database) -> None:
    """A change that fails has no event, and no number is lost with it; nobody is told."""
    told: list[frozenset[int]] = []
    log.on_appended = told.append
    append(log, database, A)

    def append_and_fail() -> None:
        with database.writing() as session:
            log.append(session, A, "users.added", "usr_x", {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        append_and_fail()
    assert told == [frozenset({A})]
    append(log, database, A)
    assert numbers(log.after(A, 0)) == [1, 2]


def test_readers_are_told_once_and_after_the_commit(log: EventLog, database: Database) -> None:
    """Whoever is told finds the events there; one telling for all of a transaction."""
    seen: list[tuple[frozenset[int], int]] = []
    log.on_appended = lambda companies: seen.append((companies, len(log.after(A, 0))))
    with database.writing() as session:
        for company in (A, B, A):
            log.append(session, company, "users.added", "usr_a", {})
        assert seen == []
    assert seen == [(frozenset({A, B}), 2)]


def test_nothing_appended(log: EventLog, database: Database) -> None:
    """No events are no transaction's concern."""
    with database.writing() as session:
        assert log.extend(session, A, []) == 0
    assert log.bounds(A) == Bounds(1, 0)
    assert log.after(A, 0) == []


def test_pages(log: EventLog, database: Database) -> None:
    """Reading on from the last number leaves nothing out; at the end there is nothing."""
    append(log, database, A, 7)
    assert numbers(log.after(A, 0, 3)) == [1, 2, 3]
    assert numbers(log.after(A, 3, 3)) == [4, 5, 6]
    assert numbers(log.after(A, 6, 3)) == [7]
    assert log.after(A, 7, 3) == []


def test_a_cursor_of_the_future_is_refused(log: EventLog, database: Database) -> None:
    """It is of another log, or of one restored from a copy: waiting for its number would lose those before it."""
    append(log, database, A, 2)
    with pytest.raises(UnknownCursor, match="the oldest is 1"):
        log.after(A, 3)


def test_too_much_data(log: EventLog, database: Database) -> None:
    """An event is never refused for its size: that it happened is kept."""
    with database.writing() as session:
        log.append(session, A, "users.changed", "usr_a", {"note": "x" * LARGEST_DATA})
    assert msgspec.json.decode(log.after(A, 0)[0].data) == {"too_large": True}


class TestForgetting:
    def test_by_count(self, log: EventLog, database: Database) -> None:
        """The newest stay, under their numbers; who was before them is told."""
        append(log, database, A, 10)
        append(log, database, B, 10)
        assert log.forget(A, most=4, before=0.0) == 6
        assert log.bounds(A) == Bounds(7, 10)
        assert numbers(log.after(A, 6)) == [7, 8, 9, 10]
        with pytest.raises(UnknownCursor) as lost:
            log.after(A, 5)
        assert lost.value.oldest == 7
        assert numbers(log.after(B, 0)) == list(range(1, 11))
        assert log.forget(A, most=4, before=0.0) == 0

    def test_by_age(self, log: EventLog, database: Database, clock: Clock) -> None:
        """What is too old goes; if that is everything, the numbers still go on."""
        append(log, database, A, 3)
        clock.at = 2000.0
        append(log, database, A, 2)
        assert log.forget(A, most=100, before=1500.0) == 3
        assert numbers(log.after(A, 3)) == [4, 5]
        assert log.forget(A, most=100, before=3000.0) == 2
        assert log.bounds(A) == Bounds(6, 5)
        assert log.after(A, 5) == []
        with pytest.raises(UnknownCursor):
            log.after(A, 4)
        append(log, database, A)
        assert numbers(log.after(A, 5)) == [6]

    def test_a_clock_set_back(self, log: EventLog, database: Database, clock: Clock) -> None:
        """Nothing goes before its elders: the log stays one run of numbers."""
        append(log, database, A)
        clock.at = 10.0
        append(log, database, A)
        clock.at = 2000.0
        append(log, database, A)
        assert log.forget(A, most=100, before=500.0) == 0
        assert log.forget(A, most=100, before=1500.0) == 2

    def test_little_by_little(self, log: EventLog, database: Database) -> None:
        """One transaction removes so many at most, so that others do not wait for long."""
        append(log, database, A, FORGOTTEN_AT_ONCE + 5)
        assert log.forget(A, most=1, before=0.0) == FORGOTTEN_AT_ONCE
        assert log.forget(A, most=1, before=0.0) == 4

    def test_with_its_company(self, log: EventLog, database: Database) -> None:
        """A removed company leaves nothing to whoever gets its id next."""
        append(log, database, A, 3)
        with database.writing() as session:
            log.remove(session, A)
        assert log.companies() == []
        append(log, database, A)
        assert numbers(log.after(A, 0)) == [1]


def test_writers_in_threads_leave_no_gap(log: EventLog, database: Database) -> None:
    """Whoever reads while others append sees every number, in order, and none before those below it."""
    failures: list[BaseException] = []
    done = threading.Event()

    def write() -> None:
        try:
            for _ in range(10):
                append(log, database, A, 2)
        except BaseException as error:  # a thread's own would be lost
            failures.append(error)

    def read() -> None:
        try:
            cursor = 0
            while cursor < 80:
                last = done.is_set()
                page = log.after(A, cursor)
                assert numbers(page) == list(range(cursor + 1, cursor + 1 + len(page)))
                cursor += len(page)
                assert not last or cursor == 80
        except BaseException as error:
            failures.append(error)

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write) for _ in range(4)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert failures == []
