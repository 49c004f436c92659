"""Server-Sent Events (HTML standard, section 9.2): one reader's connection, which waits for nobody.

What the reader has not taken waits in the transport and in its subscription, both bounded: one that is too slow, or
has stopped reading, is cut off, and goes on later from the last id it saw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from engine.conferences.live_view import event_values

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.web.iweb import IRequest

    from engine.conferences.subscription import Subscription
    from engine.store.conferences.records import JournalEntry

HEARTBEAT_SECONDS = 15.0
"""So that whoever is between knows that the connection lives, and we that the reader does."""
STALLED_HEARTBEATS = 3
"""After so many in which nothing could be written the reader is cut off."""
LONGEST_SECONDS = 3600.0
"""Then a reader has to come again, with a password that is still right."""
RETRY_MS = 2000
_HEARTBEAT = b":\n\n"


@implementer(IPushProducer)
class EventStream:
    """One answer that goes on. ``over`` fires when it does not any more."""

    def __init__(self, request: IRequest, clock: IReactorTime) -> None:
        self.over: Deferred[None] = Deferred()
        self._request: Any = request  # Twisted's own request is not typed
        self._clock = clock
        self._subscription: Subscription | None = None
        self._paused = False
        self._stalled = 0
        self._ends_at = clock.seconds() + LONGEST_SECONDS
        self._timer: IDelayedCall | None = None

    def begin(self, subscription: Subscription) -> None:
        """Send the head, and everything from now on."""
        self._subscription = subscription
        request = self._request
        request.setHeader(b"content-type", b"text/event-stream; charset=utf-8")
        request.setHeader(b"cache-control", b"no-store")
        request.setHeader(b"x-accel-buffering", b"no")
        request.registerProducer(self, True)
        request.write(f"retry: {RETRY_MS}\n\n".encode())
        self._timer = self._clock.callLater(HEARTBEAT_SECONDS, self._beat)
        self.pump()

    def pump(self) -> None:
        """Send what there is, as far as the reader takes it."""
        subscription = self._subscription
        if subscription is None:
            return
        while not self._paused and (entries := subscription.take()):
            self._stalled = 0
            self._request.write(b"".join(map(_encoded, entries)))
        if subscription.over:
            self._cut()

    def end(self) -> None:
        """No more; what was sent still arrives."""
        if self._release():
            self._request.unregisterProducer()
            self.over.callback(None)

    def _cut(self) -> None:
        """The reader is too slow: what it has not taken is thrown away with its connection."""
        channel = self._request.channel
        if self._release() and channel is not None:
            channel.forceAbortClient()

    def _release(self) -> bool:
        """Whether there was anything to let go of."""
        subscription, self._subscription = self._subscription, None
        if subscription is None:
            return False
        subscription.close()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        return True

    def _beat(self) -> None:
        self._timer = self._clock.callLater(HEARTBEAT_SECONDS, self._beat)
        if self._clock.seconds() >= self._ends_at:
            self.end()
        elif not self._paused:
            self._stalled = 0
            self._request.write(_HEARTBEAT)
        else:
            self._stalled += 1
            if self._stalled >= STALLED_HEARTBEATS:
                self._cut()

    # ---- IPushProducer

    def pauseProducing(self) -> None:  # noqa: N802
        """The transport holds enough."""
        self._paused = True

    def resumeProducing(self) -> None:  # noqa: N802
        """It holds nothing any more."""
        self._paused = False
        self.pump()

    def stopProducing(self) -> None:
        """The reader is gone, and its request is told so as well."""
        self._release()


def _encoded(entry: JournalEntry) -> bytes:
    """An event; its id is where to go on. JSON has no line ends of its own."""
    event = entry.event
    data = msgspec.json.encode(event_values(entry))
    return b"id: %s:%d\nevent: %s\ndata: %s\n\n" % (
        entry.meeting.encode(),
        event.sequence,
        event.kind.value.encode(),
        data,
    )
