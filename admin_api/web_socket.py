"""WebSocket (RFC 6455) for one reader of events: a text message an event, and nothing the other way.

What a reader has not taken stays in the log, not here: one that is slow is sent what follows when it has taken what
came before. One that does not answer pings is cut off; it goes on later from the last number it saw.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol
from twisted.protocols.tls import TLSMemoryBIOProtocol
from wsproto.connection import Connection, ConnectionState, ConnectionType
from wsproto.events import CloseConnection, Message, Ping, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError, RemoteProtocolError, generate_accept_token
from zope.interface import implementer

from admin_api.guard import header
from engine.administration.event_reading import view_of

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure
    from twisted.web.iweb import IRequest

    from engine.events.feed import Follower

HEARTBEAT_SECONDS = 15.0
MOST_UNANSWERED = 3
"""Pings without an answer, or heartbeats in which nothing could be written; then the reader is cut off."""
LONGEST_SECONDS = 3600.0
"""Then a reader has to come again, with credentials that are still right."""
CLOSE_SECONDS = 5.0
"""How long the other side may take to say goodbye."""
LARGEST_INCOMING = 4096
"""Octets of anything a reader sends; it has nothing to say."""
UNKNOWN_CURSOR = 4410
"""Close codes from 4000 on are an application's own (RFC 6455 section 7.4.2): HTTP's 410."""
COME_AGAIN = CloseReason.SERVICE_RESTART


def handshake_of(request: IRequest) -> bytes | None:
    """The answer that opens a WebSocket (RFC 6455 section 4.2.2); None when that is not what is asked for."""
    key = header(request, b"sec-websocket-key").strip()
    try:
        right = len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        right = False
    tokens = {each.strip().lower() for each in header(request, b"connection").split(",")}
    if not (
        right
        and request.method == b"GET"
        and "upgrade" in tokens
        and header(request, b"upgrade").strip().lower() == "websocket"
        and header(request, b"sec-websocket-version").strip() == "13"
    ):
        return None
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + generate_accept_token(key.encode()) + b"\r\n\r\n"
    )


class _Upgraded(Protocol):
    """What reads the connection instead of HTTP, which still hears of its end."""

    def __init__(self, socket: EventSocket, http: Any) -> None:
        self._socket = socket
        self._http = http

    def dataReceived(self, data: bytes) -> None:
        """Frames."""
        self._socket.receive(data)

    def connectionLost(self, reason: Failure | None = None) -> None:
        """The end of both; of the request first, or Klein would go on with it."""
        self._http.connectionLost(reason)
        self._socket.release()


@implementer(IPushProducer)
class EventSocket:
    """One connection. ``over`` fires when it has ended."""

    def __init__(self, request: IRequest, clock: IReactorTime, company: str) -> None:
        self.over: Deferred[None] = Deferred()
        self._request: Any = request  # Twisted's own request is not typed
        self._clock = clock
        self._company = company
        self._frames = Connection(ConnectionType.SERVER)
        self._encode = msgspec.json.Encoder().encode
        self._follower: Follower | None = None
        self._paused = False
        self._unanswered = 0
        self._incoming = 0
        self._ends_at = clock.seconds() + LONGEST_SECONDS
        self._timer: IDelayedCall | None = None

    def begin(self, follower: Follower, handshake: bytes) -> None:
        """Take the connection over, and send everything from now on."""
        if self.over.called:  # gone meanwhile
            follower.close()
            return
        self._follower = follower
        channel = self._request.channel
        transport = channel.transport
        if isinstance(transport, TLSMemoryBIOProtocol):
            transport.wrappedProtocol = _Upgraded(self, transport.wrappedProtocol)
        else:
            transport.protocol = _Upgraded(self, transport.protocol)
        self._request.registerProducer(self, True)
        transport.write(handshake)
        self._timer = self._clock.callLater(HEARTBEAT_SECONDS, self._beat)
        self.pump()

    def pump(self) -> None:
        """Send what there is, as far as the reader takes it."""
        follower = self._follower
        if follower is None:
            return
        while not self._paused and (events := follower.take()):
            frames = [
                self._frames.send(TextMessage(data=self._encode(view_of(each, self._company)).decode()))
                for each in events
            ]
            self._write(b"".join(frames))
        if follower.over:
            lost = follower.lost
            if lost is None:
                self.close(CloseReason.INTERNAL_ERROR, "the log cannot be read")
            else:
                self.close(UNKNOWN_CURSOR, f"go on after {lost.oldest - 1}")

    def receive(self, data: bytes) -> None:
        """Frames of the reader: pongs, pings, goodbye."""
        self._incoming += len(data)
        try:
            self._frames.receive_data(data)
            for event in self._frames.events():
                self._unanswered = 0
                self._incoming = 0
                match event:
                    case Ping() | CloseConnection():
                        if self._frames.state is not ConnectionState.CLOSED:
                            self._write(self._frames.send(event.response()))
                    case Message():
                        self.close(CloseReason.UNSUPPORTED_DATA, "nothing is to be said here")
        except (RemoteProtocolError, LocalProtocolError):
            self._abort()
            return
        if self._frames.state is ConnectionState.CLOSED:
            self._hang_up()
        elif self._incoming > LARGEST_INCOMING:
            self._abort()

    def close(self, code: int, reason: str) -> None:
        """Say goodbye; the connection ends when the other side has, or after a while."""
        if self._follower is None:
            return
        self._stop_following()
        if self._frames.state is ConnectionState.OPEN:
            self._write(self._frames.send(CloseConnection(code=code, reason=reason)))
        self._timer = self._clock.callLater(CLOSE_SECONDS, self._abort)

    def release(self) -> None:
        """The connection is no more."""
        self._stop_following()
        if not self.over.called:
            self.over.callback(None)

    def _stop_following(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._follower is not None:
            self._follower.close()
            self._follower = None

    def _write(self, data: bytes) -> None:
        channel = self._request.channel
        if channel is not None:
            channel.transport.write(data)

    def _hang_up(self) -> None:
        self._stop_following()
        channel = self._request.channel
        if channel is not None:
            channel.transport.loseConnection()

    def _abort(self) -> None:
        self._stop_following()
        channel = self._request.channel
        if channel is not None:
            channel.forceAbortClient()

    def _beat(self) -> None:
        self._timer = self._clock.callLater(HEARTBEAT_SECONDS, self._beat)
        self._unanswered += 1
        if self._unanswered > MOST_UNANSWERED:
            self._abort()
        elif self._clock.seconds() >= self._ends_at:
            self.close(COME_AGAIN, "come again")
        elif not self._paused:
            self._write(self._frames.send(Ping()))

    # ---- IPushProducer

    def pauseProducing(self) -> None:  # noqa: N802
        """The reader takes less than there is."""
        self._paused = True

    def resumeProducing(self) -> None:  # noqa: N802
        """It has taken some."""
        self._paused = False
        self._unanswered = 0
        self.pump()

    def stopProducing(self) -> None:
        """It is gone."""
        self.release()
