"""One request outside of dialogs, with its challenges answered (RFC 3261 sections 8.1.3.5 and 22.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from sip.client_requests import TIMEOUT, ClientRequests, RequestFailed, Sending

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from sip.flow import Flow
    from sip.message import Request, Response
    from sip.session.settings import CredentialsSource
    from sip.uri import Uri

MAX_ANSWERS = 2
"""Challenges answered for one request (rule C5); the credentials have a say of their own."""


class OutOfDialog:
    """Sends until there is a final response that is no challenge, and gives that."""

    def __init__(
        self,
        requests: ClientRequests,
        request: Request,
        *,
        flow: Flow | None,
        next_hop: Uri | None,
        credentials: CredentialsSource | None,
    ) -> None:
        """Prepare; ``start`` sends."""
        self.result: Deferred[Response] = Deferred(self._cancelled)
        self._requests = requests
        self._request = request
        self._flow = flow
        self._next_hop = next_hop
        self._credentials = credentials
        self._sending: Sending | None = None
        self._timer: IDelayedCall | None = None
        self._answers = 0

    def start(self, clock: IReactorTime, timeout: float | None) -> None:
        """Send; give up after ``timeout`` seconds if the transactions have not."""
        if timeout is not None:
            self._timer = clock.callLater(timeout, self._fail, TIMEOUT)
        self._send()

    def _send(self) -> None:
        self._sending = Sending(self._requests, self._request, self._respond, self._fail)
        self._requests.start(self._sending, flow=self._flow, next_hop=self._next_hop)

    def _respond(self, response: Response, flow: Flow) -> None:
        if response.status < 200:
            return
        if response.status in (401, 407) and self._answer(response, flow):
            return
        self._stop()
        self.result.callback(response)

    def _answer(self, response: Response, flow: Flow) -> bool:
        """Repeat the request with credentials on the same flow: whoever challenged is to hear the answer."""
        if self._credentials is None or self._answers >= MAX_ANSWERS:
            return False
        header = self._credentials.answer(response, self._request, self._requests.seconds())
        if header is None:
            return False
        self._answers += 1
        again = self._request.copy()
        again.headers.remove("Via")
        again.headers.set("CSeq", f"{again.cseq.number + 1} {again.method}")
        again.headers.set(*header)
        self._request = again
        self._flow = flow
        self._send()
        return True

    def _fail(self, reason: str) -> None:
        self._stop()
        self.result.errback(RequestFailed(reason))

    def _cancelled(self, result: Deferred[Response]) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._sending is not None:
            self._sending.abandon()
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
