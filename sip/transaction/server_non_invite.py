"""Server transaction of any method but INVITE (RFC 3261 section 17.2.2, figure 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sip.transaction.server import ServerTransaction
from sip.transaction.state import State
from sip.transaction.timers import TIMEOUT, linger_until

if TYPE_CHECKING:
    from sip.message import Response
    from sip.transaction.outputs import Output


class ServerNonInviteTransaction(ServerTransaction):
    """Trying, Proceeding, Completed: only repeats of the request make it repeat itself."""

    __slots__ = ()

    def respond(self, response: Response, now: float, out: list[Output]) -> None:
        """Send a response; a second final one is discarded, as figure 8 says."""
        if self.answered:
            return
        self._transmit(response, out)
        if response.status < 200:
            self.state = State.PROCEEDING
            return
        self._response = None
        if self.flow.connection:
            self.end(out)  # Timer J is 0 where nothing is repeated
            return
        self.state = State.COMPLETED
        self.request = None
        self.deadline = linger_until(now, TIMEOUT)  # Timer J

    def handle_timer(self, now: float, out: list[Output]) -> None:
        """End after Timer J."""
        if self.deadline is not None and now >= self.deadline:
            self.end(out)
