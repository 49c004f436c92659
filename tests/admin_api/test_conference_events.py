"""The stream of what happens in meetings: nothing left out, nothing twice, and nobody waited for."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from conference import commands as c
from conference.definition import RoomDefinition
from conference.role import Role
from engine.conferences.seat import Seat
from engine.conferences.subscription import MOST_WAITING, PAGE, Position, Subscription
from engine.store.conferences.records import JournalEntry
from tests.admin_api.served import PASSWORD, USER, Served

ROOMS = "/api/v1/conferences"


class Reader:
    """Follows a stream as a browser would."""

    def __init__(self, served: Served, path: str, after: str = "") -> None:
        self._connection = served.connection()
        token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {token}"} | ({"Last-Event-ID": after} if after else {})
        self._connection.request("GET", path, headers=headers)
        self.answer = self._connection.getresponse()
        self.last_id = after
        if self.answer.status == 200:
            assert self.answer.readline() == b"retry: 2000\n"
            assert self.answer.readline() == b"\n"

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.answer.close()
        self._connection.close()

    def event(self) -> dict[str, Any]:
        """The next event; a comment is none."""
        fields: dict[str, str] = {}
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if not line and "data" in fields:
                break
            name, colon, value = line.partition(": ")
            if colon and name:
                fields[name] = value
            assert line or self.answer.fp is not None, "the stream is over"
        self.last_id = fields["id"]
        found: dict[str, Any] = json.loads(fields["data"])
        assert fields["event"] == found["kind"]
        assert fields["id"] == f"{found['meeting']}:{found['sequence']}"
        return found

    def events(self, count: int) -> list[tuple[int, str]]:
        """The next ones, in short."""
        return [(each["sequence"], each["kind"]) for each in (self.event() for _ in range(count))]


def drained(connection: socket.socket) -> bytes:
    """What can still be read of a connection that the other side has thrown away."""
    received = b""
    with connection, contextlib.suppress(ConnectionResetError):
        while data := connection.recv(1 << 20):
            received += data
    return received


@pytest.fixture(scope="module")
def module_served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    found = Served(Path(tmp_path_factory.mktemp("api")))
    yield found
    found.close()


@pytest.fixture
def served(module_served: Served) -> Served:
    module_served.clear()
    rooms = [RoomDefinition(number=number, music=False) for number in ("9001", "9002")]
    module_served.inside(lambda: module_served.hall.conferences.define(rooms))
    return module_served


def begin(served: Served, number: str = "9001") -> Seat:
    return served.inside(lambda: served.hall.call(number, role=Role.HOST))


def lock(served: Served, seat: Seat, times: int = 1) -> None:
    def act() -> None:
        for _ in range(times):
            seat.act(c.Lock())
            seat.act(c.Unlock())

    served.inside(act)


class TestStream:
    def test_what_happens_from_now_on(self, served: Served) -> None:
        """In a room, the next meeting in it included; other rooms are not told of."""
        with Reader(served, f"{ROOMS}/9001/events") as reader:
            assert reader.answer.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert reader.answer.headers["cache-control"] == "no-store"
            begin(served, "9002")
            seat = begin(served)
            assert [each[1] for each in reader.events(3)] == ["opened", "joined", "entered"]
            lock(served, seat)
            first = reader.event()
            assert (first["kind"], first["number"], first["actor"]) == ("locked", "9001", seat.id)
            served.inside(seat.party.hang_up)
            while reader.event()["kind"] != "closed":
                pass
            begin(served)
            again = reader.event()
            assert (again["sequence"], again["kind"]) == (1, "opened")
            assert again["meeting"] != first["meeting"]

    def test_cut_off_and_gone_on(self, served: Served) -> None:
        """Wherever a reader lost its connection, it goes on with the very next event, stored already or not."""
        seat = begin(served)
        with Reader(served, f"{ROOMS}/9001/events", "0") as reader:
            seen = reader.events(3)
            at = reader.last_id
        lock(served, seat, 2)
        served.inside(served.events.flush)
        lock(served, seat, 1)
        with Reader(served, f"{ROOMS}/9001/events", at) as reader:
            seen += reader.events(5)
            at = reader.last_id
        with Reader(served, f"{ROOMS}/9001/events", at) as reader:
            seen += reader.events(1)
            lock(served, seat, 1)
            seen += reader.events(2)
        assert [each[0] for each in seen] == list(range(1, 12))
        assert [each[1] for each in seen[3:]] == ["locked", "unlocked"] * 4

    def test_from_a_meeting_that_is_over(self, served: Served) -> None:
        """The rest of it, then the next one, in a room and in all."""
        for path in (f"{ROOMS}/9001/events", f"{ROOMS}/events"):
            seat = begin(served)
            at = f"{served.hall.live().room.meeting}:2"
            served.inside(seat.party.hang_up)
            seat = begin(served)
            with Reader(served, path, at) as reader:
                kinds = [each[1] for each in reader.events(6)]
                assert kinds == ["entered", "left", "closed", "opened", "joined", "entered"]
            served.inside(seat.party.hang_up)

    def test_the_list_and_what_follows(self, served: Served) -> None:
        """From a meeting's position nothing is missed; one stream tells of all rooms."""
        one, other = begin(served), begin(served, "9002")
        position = served.ask(f"{ROOMS}/live", user=USER).json[1]["position"]
        lock(served, one)
        lock(served, other)
        with Reader(served, f"{ROOMS}/events", position) as reader:
            found = [reader.event() for _ in range(4)]
        assert [each["number"] for each in found] == ["9001", "9001", "9002", "9002"]

    @pytest.mark.parametrize(
        ("after", "status"),
        [("nonsense", 400), ("9001-%00:1", 400), ("x:y", 400), ("9001-abc:7", 410), ("9001-abc:0", 410)],
    )
    def test_where_nobody_was(self, served: Served, after: str, status: int) -> None:
        assert served.ask(f"{ROOMS}/9001/events?after={after}", user=USER).is_problem(status)

    def test_the_head_alone(self, served: Served) -> None:
        assert served.ask(f"{ROOMS}/events", method="HEAD", user=USER).status == 200

    def test_a_reader_that_does_not_read(self, served: Served) -> None:
        """It is cut off, the meeting and the other readers go on, and it can go on from where it was."""
        seat = begin(served)
        lazy = socket.socket()
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.settimeout(20)
        lazy.connect(("127.0.0.1", served.port))
        token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        lazy.sendall(
            f"GET {ROOMS}/9001/events?after=0 HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Basic {token}\r\n\r\n".encode()
        )
        assert lazy.recv(1, socket.MSG_PEEK)
        watchers = served.hall.conferences._watchers
        before = len(watchers)
        for _ in range(200):
            lock(served, seat, MOST_WAITING // 4)
            if len(watchers) < before:
                break
        assert len(watchers) == before - 1
        received = drained(lazy)
        assert not received.endswith(b"0\r\n\r\n"), "an end of its own"
        last = received[: received.rindex(b"\n\n")].rpartition(b"\nid: ")[2].partition(b"\n")[0].decode()
        sequence = int(last.rpartition(":")[2])
        with Reader(served, f"{ROOMS}/9001/events", last) as reader:
            assert [each[0] for each in reader.events(5)] == list(range(sequence + 1, sequence + 6))


class PaperStore:
    """Reads when it is told to; what has happened by the time it is asked is in what it reads."""

    def __init__(self) -> None:
        self.events: list[JournalEntry] = []
        self.asked: list[tuple[Deferred[list[JournalEntry]], list[JournalEntry]]] = []

    def following(
        self, meeting: str, sequence: int, number: str | None, count: int
    ) -> Deferred[list[JournalEntry]]:
        assert meeting
        page = [each for each in self.events if each.event.sequence > sequence][:count]
        answer: Deferred[list[JournalEntry]] = Deferred()
        self.asked.append((answer, page))
        return answer

    def answers(self) -> None:
        answer, page = self.asked.pop(0)
        answer.callback(page)


class TestSubscription:
    """The past and the present joined, event by event."""

    def make(self) -> tuple[Subscription, PaperStore, Callable[[int], None]]:
        from conference.events import Event, EventKind

        store = PaperStore()
        watchers: list[Any] = []

        class Paper:
            def watch(self, watcher: Any) -> Callable[[], None]:
                watchers.append(watcher)
                return lambda: watchers.remove(watcher)

            class room:  # as a live room has it
                meeting = "m-1"
                definition = RoomDefinition(number="9001")

        def happens(count: int) -> None:
            for _ in range(count):
                event = Event(len(store.events) + 1, 0.0, EventKind.LOCKED)
                store.events.append(JournalEntry("m-1", "9001", event))
                for each in tuple(watchers):
                    each(Paper, [event])

        paper: Any = Paper()
        reader: Any = store
        return Subscription(paper, reader, "9001", lambda: None), store, happens

    def taken(self, subscription: Subscription) -> list[int]:
        found: list[int] = []
        while entries := subscription.take():
            found += [each.event.sequence for each in entries]
        return found

    def test_pages_and_what_happens_meanwhile(self) -> None:
        """Several pages, events before, during and after each reading: each is told once, in order."""
        subscription, store, happens = self.make()
        happens(PAGE + 10)
        subscription.catch_up(Position("m-1", 5))
        happens(3)
        store.answers()
        happens(4)
        found = self.taken(subscription)
        happens(2)
        store.answers()
        happens(1)
        found += self.taken(subscription)
        assert found == list(range(6, PAGE + 21))
        assert store.asked == []

    def test_more_happens_during_a_reading_than_may_wait(self) -> None:
        """It is read instead; nothing is lost while the reader is quick."""
        subscription, store, happens = self.make()
        happens(1)
        subscription.catch_up(Position("m-1", 0))
        happens(MOST_WAITING + 7)
        store.answers()
        found = self.taken(subscription)
        while store.asked:
            store.answers()
            found += self.taken(subscription)
        happens(1)
        found += self.taken(subscription)
        assert found == list(range(1, MOST_WAITING + 10))

    def test_a_slow_reader(self) -> None:
        """Its subscription ends, and nothing is kept for it."""
        subscription, _, happens = self.make()
        happens(MOST_WAITING)
        assert not subscription.over
        happens(1)
        assert subscription.over
        assert subscription.take() == []
