"""Reliable provisional responses, sending side (RFC 3262 section 3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from sip.errors import ParseError
from sip.message import Request, Response
from sip.reliable import RAck, first_rseq
from sip.session.context import Context
from sip.session.outputs import Respond, ServerKey

RESEND, GIVE_UP = "1xx resend", "1xx give up"
TIMERS = (RESEND, GIVE_UP)


class Provisionals:
    """Sends one at a time: the next goes out when the last is acknowledged, so the order is kept."""

    __slots__ = ("_context", "_cseq", "_key", "_on_silence", "_queue", "_rseq", "_sent", "_wait")

    def __init__(
        self, context: Context, request: Request, key: ServerKey, on_silence: Callable[[float], None]
    ) -> None:
        self._context = context
        self._key = key
        self._cseq = request.cseq
        self._on_silence = on_silence
        self._queue: deque[Response] = deque()
        self._sent: Response | None = None
        self._rseq = 0
        self._wait = 0.0

    @property
    def holds_answer(self) -> bool:
        """Section 3: no 2xx while a response with a description is unacknowledged."""
        waiting = [*self._queue] if self._sent is None else [self._sent, *self._queue]
        return any(response.body for response in waiting)

    def send(self, response: Response, now: float) -> None:
        """Number the response and send it, at once or after those before it."""
        self._rseq = self._rseq + 1 if self._rseq else first_rseq(self._context.settings.random())
        response.headers.add("Require", "100rel")
        response.headers.add("RSeq", str(self._rseq))
        self._queue.append(response)
        if self._sent is None:
            self._send_next(now)

    def acknowledge(self, acknowledged: RAck, now: float) -> bool:
        """Take what a PRACK says; False when that is nothing we wait for (481)."""
        if self._sent is None or acknowledged.cseq != self._cseq:
            return False
        if str(acknowledged.rseq) != self._sent.headers.get("rseq"):
            return False
        self._sent = None
        self._cancel()
        if self._queue:
            self._send_next(now)
        return True

    def stop(self) -> None:
        """A final response is out: repeat nothing, and complain of nothing. A late PRACK is still known."""
        self._queue.clear()
        self._cancel()
        self._on_silence = _nothing

    def _send_next(self, now: float) -> None:
        self._sent = self._queue.popleft()
        self._wait = self._context.settings.t1
        self._context.outputs.append(Respond(self._key, self._sent))
        self._context.timers.set(RESEND, now + self._wait, self._resend)
        self._context.timers.set(GIVE_UP, now + self._context.settings.give_up, self._give_up)

    def _resend(self, now: float) -> None:
        if self._sent is not None:
            self._context.outputs.append(Respond(self._key, self._sent))
            self._wait *= 2
            self._context.timers.set(RESEND, now + self._wait, self._resend)

    def _give_up(self, now: float) -> None:
        self._cancel()
        self._on_silence(now)

    def _cancel(self) -> None:
        for name in TIMERS:
            self._context.timers.cancel(name)


def _nothing(now: float) -> None:
    """Stands in for whoever would hear that a provisional response was not acknowledged."""


def read_rack(prack: Request) -> RAck:
    """What a PRACK says it acknowledges. Raises ParseError."""
    text = prack.headers.get("rack")
    if text is None:
        raise ParseError("rack", "PRACK needs an RAck")
    return RAck.parse(text)
