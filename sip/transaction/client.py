"""What both client transactions have in common (RFC 3261 section 17.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sip.transaction.outputs import ResponseReceived, Terminated, TimedOut, Transmit, TransportFailed
from sip.transaction.state import State
from sip.transaction.timers import T1, TIMEOUT, linger_until

if TYPE_CHECKING:
    from sip.flow import Flow
    from sip.message import Request, Response
    from sip.transaction.matching import ClientKey
    from sip.transaction.outputs import Output


class ClientTransaction:
    """One request sent, repeated over UDP until something answers.

    ``request`` carries our Via and is dropped with the final response. ``owner`` is for the user
    of the layer. ``is_cancel`` marks the CANCEL that the layer sends, whose response nobody waits for.
    """

    __slots__ = (
        "_data",
        "_end_at",
        "_interval",
        "_resend_at",
        "armed_at",
        "deadline",
        "flow",
        "is_cancel",
        "key",
        "method",
        "owner",
        "request",
        "state",
    )

    first_state = State.TRYING

    def __init__(self, key: ClientKey, request: Request, flow: Flow, now: float, out: list[Output]) -> None:
        """Send the request and wait."""
        self.key = key
        self.request: Request | None = request
        self.method = request.method
        self.flow = flow
        self.state = self.first_state
        self.owner: object = None
        self.is_cancel = False
        self.armed_at: float | None = None
        self._data = request.serialise()
        self._interval = T1
        self._resend_at: float | None = None if flow.connection else now + T1
        self._end_at: float | None = now + TIMEOUT
        self.deadline: float | None = None
        self._arm()
        out.append(Transmit(self._data, flow, self))

    def receive(self, response: Response, flow: Flow, now: float, out: list[Output]) -> None:
        """Take a response that matched."""
        raise NotImplementedError

    def handle_timer(self, now: float, out: list[Output]) -> None:
        """Serve a deadline that has come."""
        raise NotImplementedError

    def fail(self, reason: str, out: list[Output]) -> None:
        """Give up because the request could not be sent (17.1.4)."""
        if self.state in (State.CALLING, State.TRYING, State.PROCEEDING):
            out.append(TransportFailed(self, reason))
        self.end(out)

    def end(self, out: list[Output]) -> None:
        """Let go of everything."""
        if self.state is not State.TERMINATED:
            self.state = State.TERMINATED
            self.deadline = None
            self.request = None
            self._data = b""
            out.append(Terminated(self))

    def _pass_on(self, response: Response, flow: Flow, out: list[Output]) -> None:
        out.append(ResponseReceived(self, response, flow))

    def _time_out(self, out: list[Output]) -> None:
        out.append(TimedOut(self))
        self.end(out)

    def _resend(self, now: float, interval: float, out: list[Output]) -> None:
        out.append(Transmit(self._data, self.flow, self))
        self._interval = interval
        self._resend_at = now + interval

    def _stop_resending(self) -> None:
        self._resend_at = None
        self._data = b""

    def _linger(self, now: float, seconds: float) -> None:
        """Stay only to absorb repeated responses."""
        self._stop_resending()
        self.request = None
        self.deadline = self._end_at = linger_until(now, seconds)

    def _arm(self) -> None:
        times = [at for at in (self._resend_at, self._end_at) if at is not None]
        self.deadline = min(times, default=None)
