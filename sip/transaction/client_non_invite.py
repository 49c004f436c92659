"""Client transaction of any method but INVITE (RFC 3261 section 17.1.2, figure 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sip.transaction.client import ClientTransaction
from sip.transaction.state import State
from sip.transaction.timers import T2, T4

if TYPE_CHECKING:
    from sip.flow import Flow
    from sip.message import Response
    from sip.transaction.outputs import Output


class ClientNonInviteTransaction(ClientTransaction):
    """Trying, Proceeding, Completed; over UDP it repeats even after a provisional, every T2."""

    __slots__ = ()

    def receive(self, response: Response, flow: Flow, now: float, out: list[Output]) -> None:
        """Pass on provisionals and the first final response; absorb the rest."""
        if self.state not in (State.TRYING, State.PROCEEDING):
            return
        self._pass_on(response, flow, out)
        if response.status < 200:
            self.state = State.PROCEEDING
            self._interval = T2
        elif self.flow.connection:
            self.end(out)  # Timer K is 0
        else:
            self.state = State.COMPLETED
            self._linger(now, T4)  # Timer K

    def handle_timer(self, now: float, out: list[Output]) -> None:
        """Serve Timers E, F and K."""
        if self.state is State.COMPLETED:
            self.end(out)
            return
        if self.state is State.TERMINATED:
            return
        if self._end_at is not None and now >= self._end_at:
            self._time_out(out)
            return
        if self._resend_at is not None and now >= self._resend_at:
            self._resend(now, min(2 * self._interval, T2), out)
        self._arm()
