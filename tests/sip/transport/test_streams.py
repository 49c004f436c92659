"""One stream connection on paper: keep-alives, deadlines, the end (RFC 5626 section 4.4.1; rules B3, B4)."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from sip.counters import Counters
from sip.errors import ParseError
from sip.flow import Flow
from sip.transport.stream_table import StreamLimits, StreamTable
from sip.transport.streams import SipStream
from sip.transport.transports import Transports
from tests.sip.wire import written

LIMITS = StreamLimits(write_queue=1000)


class PaperTransport(StringTransport):
    """A connection that notes how it ended."""

    aborted = False

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Nothing is delayed on paper."""

    def abortConnection(self) -> None:
        self.aborted = True


paper_transport: Any = PaperTransport


class Keeper:
    """The user of a stream."""

    def __init__(self) -> None:
        self.welcome = True
        self.ready = 0
        self.messages: list[bytes] = []
        self.broken: list[str] = []
        self.closed: list[str] = []

    def stream_opening(self, stream: SipStream) -> bool:
        return self.welcome

    def stream_ready(self, stream: SipStream) -> None:
        self.ready += 1

    def stream_message(self, data: bytes, flow: Flow) -> None:
        self.messages.append(data)

    def stream_broken(self, error: ParseError, flow: Flow) -> None:
        self.broken.append(error.label)

    def stream_closed(self, stream: SipStream, reason: str) -> None:
        self.closed.append(reason)


class Line:
    """One stream, its clock and its far end."""

    def __init__(self, *, outbound: bool = False, welcome: bool = True, host: str = "192.0.2.9") -> None:
        self.clock = Clock()
        self.keeper = Keeper()
        self.keeper.welcome = welcome
        self.stream = SipStream(self.keeper, self.clock.seconds, LIMITS, connection=1, outbound=outbound)
        ends = {"hostAddress": ("192.0.2.1", 5060), "peerAddress": (host, 40000)}
        self.transport: Any = paper_transport(**{end: IPv4Address("TCP", *at) for end, at in ends.items()})
        make_connection: Any = self.stream.makeConnection
        make_connection(self.transport)

    def pass_time(self, seconds: float) -> None:
        """Sweep each second, as the transports do."""
        for _ in range(round(seconds)):
            self.clock.advance(1)
            at = self.stream.deadline
            if at is not None and at <= self.clock.seconds():
                self.stream.handle_timer(self.clock.seconds())

    @property
    def written(self) -> bytes:
        data: bytes = self.transport.value()
        self.transport.clear()
        return data


def test_a_connection_that_is_not_welcome_is_aborted() -> None:
    """It is never ready, and takes nothing."""
    line = Line(welcome=False)
    assert (line.transport.aborted, line.keeper.ready) == (True, 0)
    line.stream.dataReceived(written("OPTIONS"))
    assert (line.keeper.messages, line.stream.send(b"x")) == ([], "closed")


def test_a_silent_connection_is_closed_after_30_seconds() -> None:
    """B3: CRLFs do not count; a whole message does."""
    silent, spoken = Line(), Line()
    spoken.stream.dataReceived(written("OPTIONS"))
    for _ in range(31):
        for line in (silent, spoken):
            line.stream.dataReceived(b"\r\n\r\n")
            line.pass_time(1)
    assert (silent.transport.aborted, silent.stream.closing) == (True, "stream_silent")
    assert not spoken.transport.aborted


def test_a_half_sent_message_is_not_kept_alive() -> None:
    """B3: a header block has 10 s."""
    line = Line()
    line.stream.dataReceived(written("OPTIONS") + b"OPTIONS sip:x SIP/2.0\r\n")
    line.pass_time(9)
    line.stream.dataReceived(b"Via: x\r\n")
    line.pass_time(2)
    assert (line.keeper.broken, line.transport.disconnecting) == (["slow_head"], True)


def test_a_connection_of_ours_is_kept_alive() -> None:
    """A ping each 100 s; who never answered one is not closed for it."""
    line = Line(outbound=True)
    line.pass_time(350)
    assert (line.written, line.transport.aborted) == (b"\r\n\r\n" * 3, False)


def test_a_pong_that_stays_away_ends_the_connection() -> None:
    """From a peer that has answered before (RFC 5626 section 4.4.1: 10 s)."""
    line = Line(outbound=True)
    line.pass_time(100)
    line.stream.dataReceived(b"\r\n")
    line.pass_time(100)
    line.stream.dataReceived(b"\r\n")
    line.pass_time(99)
    assert not line.transport.aborted
    line.pass_time(12)
    assert (line.transport.aborted, line.stream.closing) == (True, "pong_missing")


def test_a_ping_is_answered() -> None:
    """One CRLF for two."""
    line = Line()
    line.stream.dataReceived(b"\r\n\r\n")
    assert line.written == b"\r\n"


def test_a_broken_stream_is_read_no_further() -> None:
    """B1: what follows has no effect, in the same segment or later."""
    line = Line()
    broken = written("OPTIONS").replace(b"Content-Length: 0", b"Content-Length: x")
    line.stream.dataReceived(broken + written("OPTIONS"))
    line.stream.dataReceived(written("OPTIONS"))
    assert (line.keeper.messages, len(line.keeper.broken), line.transport.disconnecting) == ([], 1, True)
    line.pass_time(6)
    assert line.transport.aborted


def test_a_deaf_peer_is_dropped_at_the_limit() -> None:
    """B4: counting begins when the system takes no more, and ends when it does again."""
    line = Line()
    assert line.stream.send(b"x" * 5000) is None
    line.stream.pauseProducing()
    assert line.stream.send(b"x" * 1000) is None
    line.stream.resumeProducing()
    line.stream.pauseProducing()
    assert line.stream.send(b"x" * 1000) is None
    assert line.stream.send(b"x") == "closed"
    assert (line.transport.aborted, line.stream.closing) == (True, "write_queue")


def test_the_end_is_told_with_its_reason() -> None:
    """Theirs or ours."""
    theirs, our_own = Line(), Line()
    theirs.stream.connectionLost()
    our_own.stream.drop("evicted")
    our_own.stream.drop("again")
    our_own.stream.stopProducing()
    our_own.stream.connectionLost()
    assert (theirs.keeper.closed, our_own.keeper.closed) == (["closed"], ["evicted"])


def table_with(*lines: Line, **limits: Any) -> StreamTable:
    table = StreamTable(StreamLimits(**limits))
    for number, line in enumerate(lines, 1):
        line.stream.flow = line.stream.flow._replace(connection=number)
        table.add(line.stream)
    return table


def test_a_source_may_hold_so_many() -> None:
    """At the limit, one more is refused; one that goes makes room."""
    lines = [Line(), Line()]
    table = table_with(*lines, per_source=2)
    assert table.make_room("192.0.2.9") == "streams_of_source"
    assert table.make_room("192.0.2.8") is None
    table.remove(lines[0].stream)
    table.remove(lines[0].stream)
    assert (table.make_room("192.0.2.9"), len(table)) == (None, 1)
    table.remove(lines[1].stream)
    assert len(table) == 0


def test_trusted_connections_are_not_given_up() -> None:
    """Over the total a new one is refused rather."""
    line = Line()
    line.stream.trusted = True
    table = table_with(line, total=1)
    assert table.make_room("192.0.2.8") == "streams_total"
    line.stream.trusted = False
    assert (table.make_room("192.0.2.8"), line.stream.closing) == (None, "evicted")


def test_only_connections_we_opened_are_reused() -> None:
    """And by the name they were verified for."""
    ours, theirs = Line(outbound=True), Line(host="192.0.2.8")
    ours.stream.server_name = "a.example"
    table = table_with(ours, theirs)
    assert table.reusable(ours.stream.flow.remote, "a.example") is ours.stream
    assert table.reusable(ours.stream.flow.remote, "b.example") is None
    assert table.reusable(theirs.stream.flow.remote, None) is None
    table.remove(ours.stream)
    assert table.reusable(ours.stream.flow.remote, "a.example") is None
    assert table.get(2) is theirs.stream


class Turns(Clock):
    """A clock that counts what is closed in each turn."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = [0]

    def callLater(self, delay: float, what: Any, *arguments: object, **options: object) -> Any:  # type: ignore[override]
        def turn() -> None:
            self.closed.append(0)
            what(*arguments, **options)

        return super().callLater(delay, turn)

    def connection_lost(self, flow: Flow, reason: str) -> None:
        self.closed[-1] += 1


class ClosedAtOnce(PaperTransport):
    """A connection whose end is told as soon as it is wanted."""

    protocol: Any

    def abortConnection(self) -> None:
        self.protocol.connectionLost(Failure(ConnectionAborted()))


closed_at_once: Any = ClosedAtOnce


def test_many_that_are_too_slow_are_closed_a_few_a_turn() -> None:
    """A thousand attackers' connections fall due together; others get their turns in between."""
    clock: Any = Turns()
    transports = Transports(clock, clock, Counters(), limits=StreamLimits())
    for port in range(150):
        stream: Any = transports._new_stream("tcp")
        transport = closed_at_once(
            hostAddress=IPv4Address("TCP", "192.0.2.1", 5060),
            peerAddress=IPv4Address("TCP", "192.0.2.9", port),
        )
        transport.protocol = stream
        stream.makeConnection(transport)
    clock.pump([1.0] * 33)
    assert [each for each in clock.closed if each] == [64, 64, 22]
    assert clock.getDelayedCalls() == []
