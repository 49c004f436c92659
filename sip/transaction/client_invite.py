"""Client transaction of INVITE (RFC 3261 section 17.1.1, figure 5, with RFC 6026 section 7.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sip.transaction.client import ClientTransaction
from sip.transaction.hop_requests import ack_for
from sip.transaction.outputs import Transmit
from sip.transaction.state import State
from sip.transaction.timers import TIMEOUT, TIMER_D

if TYPE_CHECKING:
    from sip.flow import Flow
    from sip.message import Request, Response
    from sip.transaction.matching import ClientKey
    from sip.transaction.outputs import Output


class ClientInviteTransaction(ClientTransaction):
    """Calling, Proceeding; then Accepted, where every 2xx is passed on, or Completed, with our ACK.

    A CANCEL asked for before the first provisional waits for it (section 9.1): ``cancel_wanted``.
    """

    __slots__ = ("_ack", "cancel_wanted")

    first_state = State.CALLING

    def __init__(self, key: ClientKey, request: Request, flow: Flow, now: float, out: list[Output]) -> None:
        """Send the INVITE and wait."""
        super().__init__(key, request, flow, now, out)
        self.cancel_wanted = False
        self._ack = b""

    def receive(self, response: Response, flow: Flow, now: float, out: list[Output]) -> None:
        """Take a response; a 300-699 is acknowledged here, a 2xx by the session."""
        status = response.status
        if self.state is State.ACCEPTED:
            if 200 <= status < 300:
                self._pass_on(response, flow, out)
        elif self.state is State.COMPLETED:
            if status >= 300:
                out.append(Transmit(self._ack, self.flow, self))
        elif self.state is not State.TERMINATED:
            self._pass_on(response, flow, out)
            if status < 200:
                self._proceed()
            elif status < 300:
                self.state = State.ACCEPTED
                self._linger(now, TIMEOUT)  # Timer M
            else:
                self._complete(response, now, out)

    def cancelling(self, now: float) -> None:
        """Wait for the final response 64*T1 from the CANCEL on, no longer (section 9.1)."""
        self._end_at = now + TIMEOUT
        self._arm()

    def handle_timer(self, now: float, out: list[Output]) -> None:
        """Serve Timers A, B, D and M."""
        if self.state in (State.ACCEPTED, State.COMPLETED):
            self.end(out)
            return
        if self.state is State.TERMINATED:
            return
        if self._end_at is not None and now >= self._end_at:
            self._time_out(out)
            return
        if self._resend_at is not None and now >= self._resend_at:
            self._resend(now, 2 * self._interval, out)
        self._arm()

    def _proceed(self) -> None:
        if self.state is State.CALLING:
            self.state = State.PROCEEDING
            self._stop_resending()
            self._end_at = self.deadline = None  # how long it may ring is the session's to say

    def _complete(self, response: Response, now: float, out: list[Output]) -> None:
        assert self.request is not None
        self._ack = ack_for(self.request, response).serialise()
        out.append(Transmit(self._ack, self.flow, self))
        self.state = State.COMPLETED
        if self.flow.connection:
            self.end(out)  # Timer D is 0
        else:
            self._linger(now, TIMER_D)
