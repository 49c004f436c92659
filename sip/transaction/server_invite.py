"""Server transaction of INVITE (RFC 3261 section 17.2.1, figure 7, with RFC 6026 section 7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sip.message import response_to
from sip.transaction.outputs import TimedOut, Transmit
from sip.transaction.server import ServerTransaction
from sip.transaction.state import State
from sip.transaction.timers import T1, T2, T4, TIMEOUT, TRYING_AFTER, linger_until

if TYPE_CHECKING:
    from sip.flow import Flow
    from sip.message import Request, Response
    from sip.transaction.matching import ServerKey
    from sip.transaction.outputs import Output


class ServerInviteTransaction(ServerTransaction):
    """Proceeding; then Accepted by a 2xx, or Completed and Confirmed by any other final response.

    In Accepted the session repeats its 2xx through ``respond`` until the ACK comes, repeated
    INVITEs are absorbed (RFC 6026) and ACKs are the session's.
    """

    __slots__ = ("_end_at", "_interval")

    first_state = State.PROCEEDING

    def __init__(self, key: ServerKey, request: Request, flow: Flow, size: int, now: float) -> None:
        """Begin; unless the user answers within 200 ms we send 100 ourselves."""
        super().__init__(key, request, flow, size)
        self.deadline = now + TRYING_AFTER
        self._interval = T1
        self._end_at = 0.0

    def respond(self, response: Response, now: float, out: list[Output]) -> None:
        """Send a response of the user, or repeat the 2xx."""
        status = response.status
        if self.state is State.PROCEEDING:
            self._transmit(response, out)
            self.deadline = None
            if status < 200:
                return
            self.request = None
            if status < 300:
                self.state = State.ACCEPTED
                self.deadline = linger_until(now, TIMEOUT)  # Timer L
                return
            self.deadline = self._end_at = now + TIMEOUT  # Timer H
            self.state = State.COMPLETED
            self._response = None
            if not self.flow.connection:
                self.deadline = now + T1
        elif self.state is State.ACCEPTED and 200 <= status < 300:
            self._transmit(response, out)

    def receive_ack(self, now: float, out: list[Output]) -> None:
        """Stop repeating: the ACK to a 300-699 has come."""
        if self.state is not State.COMPLETED:
            return
        if self.flow.connection:
            self.end(out)  # Timer I is 0
            return
        self.state = State.CONFIRMED
        self._data = b""
        self.deadline = linger_until(now, T4)  # Timer I

    def release(self) -> None:
        """Let go of the owner, and of the 2xx that only the owner would repeat: both would stay for 32 s."""
        super().release()
        if self.state is State.ACCEPTED:
            self._response = None
            self._data = b""

    def handle_timer(self, now: float, out: list[Output]) -> None:
        """Serve the 100 of 17.2.1, and Timers G, H, I and L."""
        if self.deadline is None or now < self.deadline:
            return
        if self.state is State.PROCEEDING:
            self.deadline = None
            if self.request is not None:
                self._transmit(response_to(self.request, 100), out)
        elif self.state is State.COMPLETED:
            self._repeat_or_give_up(now, out)
        else:
            self.end(out)

    def _repeat_or_give_up(self, now: float, out: list[Output]) -> None:
        if now >= self._end_at:
            out.append(TimedOut(self))  # Timer H: 17.2.1 has the user told
            self.end(out)
            return
        out.append(Transmit(self._data, self.flow, self))
        self._interval = min(2 * self._interval, T2)
        self.deadline = min(now + self._interval, self._end_at)
