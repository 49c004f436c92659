"""A reader's WebSocket against the clock: pings, slowness, its longest life."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Event, Ping, TextMessage

from admin_api.web_socket import (
    CLOSE_SECONDS,
    HEARTBEAT_SECONDS,
    LONGEST_SECONDS,
    MOST_UNANSWERED,
    EventSocket,
)
from engine.events.feed import Feed, Follower
from engine.events.kinds import Kinds
from engine.store.event_log import LoggedEvent

HANDSHAKE = b"HTTP/1.1 101\r\n\r\n"


class Channel:
    """What there is of HTTP below a request."""

    def __init__(self) -> None:
        self.transport: Any = StringTransport()
        self.transport.protocol = None
        self.aborted = False

    def forceAbortClient(self) -> None:
        self.aborted = True


class Request:
    """A request whose connection is taken over."""

    def __init__(self) -> None:
        self.channel = Channel()

    def registerProducer(self, producer: object, streaming: bool) -> None:
        assert streaming


class Bench:
    """A socket that follows a feed, and the reader's end of it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.channel = (request := Request()).channel
        self.socket = EventSocket(request, self.clock, "cmp_a")  # type: ignore[arg-type]  # the little it needs
        self.pages: list[Deferred[list[LoggedEvent]]] = []
        self.feed = Feed(self._read, 0)
        self.reader = Connection(ConnectionType.CLIENT)
        self.count = 0
        self.socket.begin(Follower(self.feed, 0, Kinds(), self.socket.pump), HANDSHAKE)
        assert self.channel.transport.value() == HANDSHAKE
        self.channel.transport.clear()

    def _read(self, sequence: int) -> Deferred[list[LoggedEvent]]:
        self.pages.append(Deferred())
        return self.pages[-1]

    def happen(self, count: int = 1) -> None:
        self.feed.wake()
        events = [LoggedEvent(self.count + n + 1, 0.0, "users.added", "usr_a", b"{}") for n in range(count)]
        self.count += count
        self.pages.pop().callback(events)

    def seen(self) -> list[Event]:
        self.reader.receive_data(self.channel.transport.value())
        self.channel.transport.clear()
        return list(self.reader.events())

    def answer(self) -> None:
        """Every ping."""
        for event in self.seen():
            if isinstance(event, Ping):
                self.socket.receive(self.reader.send(event.response()))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_events_are_messages(bench: Bench) -> None:
    bench.happen(2)
    seen = bench.seen()
    assert [type(each) for each in seen] == [TextMessage, TextMessage]
    assert '"sequence":2' in seen[1].data  # type: ignore[attr-defined]  # just asked


def test_a_slow_reader_gets_it_later(bench: Bench) -> None:
    """Nothing waits here meanwhile."""
    bench.socket.pauseProducing()
    bench.happen(500)
    assert bench.seen() == []
    bench.socket.resumeProducing()
    assert len(bench.seen()) == 500


def test_who_answers_stays_for_an_hour(bench: Bench) -> None:
    for _ in range(int(LONGEST_SECONDS / HEARTBEAT_SECONDS) - 1):
        bench.clock.advance(HEARTBEAT_SECONDS)
        bench.answer()
    assert not bench.socket.over.called
    bench.clock.advance(HEARTBEAT_SECONDS)
    goodbye = bench.seen()[-1]
    assert isinstance(goodbye, CloseConnection)
    assert goodbye.code == 1012
    bench.socket.receive(bench.reader.send(goodbye.response()))
    assert bench.channel.transport.disconnecting
    bench.socket.release()
    assert bench.socket.over.called
    assert bench.clock.getDelayedCalls() == []


def test_who_answers_nothing_is_cut_off(bench: Bench) -> None:
    for _ in range(MOST_UNANSWERED):
        bench.clock.advance(HEARTBEAT_SECONDS)
    assert not bench.channel.aborted
    bench.clock.advance(HEARTBEAT_SECONDS)
    assert bench.channel.aborted
    assert len(bench.feed) == 0
    bench.socket.release()
    assert bench.clock.getDelayedCalls() == []


def test_who_does_not_say_goodbye_is_cut_off(bench: Bench) -> None:
    bench.socket.close(1001, "the engine stops")
    bench.socket.close(1001, "the engine stops")
    bench.happen()
    assert [type(each) for each in bench.seen()] == [CloseConnection]
    bench.clock.advance(CLOSE_SECONDS)
    assert bench.channel.aborted


def test_octets_without_end(bench: Bench) -> None:
    """A frame that announces much and never ends is not kept."""
    bench.socket.receive(b"\x82\xff\x00\x00\x00\x00\x7f\xff\xff\xff\x00\x00\x00\x00")
    for _ in range(10):
        bench.socket.receive(b"x" * 1000)
    assert bench.channel.aborted or bench.channel.transport.value()
