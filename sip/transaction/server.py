"""What both server transactions have in common (RFC 3261 section 17.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sip.transaction.outputs import Terminated, Transmit, TransportFailed
from sip.transaction.state import State

if TYPE_CHECKING:
    from sip.flow import Flow
    from sip.message import Request, Response
    from sip.transaction.matching import MergeKey, ServerKey
    from sip.transaction.outputs import Output


class ServerTransaction:
    """One request received, and the answer that is repeated when the request is.

    ``request`` is dropped with the final response: the repeats need its bytes only. ``owner`` is
    for the user of the layer, which notes there whom the transaction belongs to; so are
    ``peer_class`` and ``size``, the bytes that the request had on the wire.
    """

    __slots__ = (
        "_data",
        "_response",
        "armed_at",
        "deadline",
        "flow",
        "key",
        "merge_key",
        "method",
        "owner",
        "peer_class",
        "request",
        "size",
        "state",
        "to_tag",
    )

    first_state = State.TRYING

    def __init__(self, key: ServerKey, request: Request, flow: Flow, size: int) -> None:
        """Begin with a request that matched nothing."""
        self.key = key
        self.request: Request | None = request
        self.method = request.method
        self.flow = flow
        self.size = size
        self.state = self.first_state
        self.deadline: float | None = None
        self.armed_at: float | None = None
        self.merge_key: MergeKey | None = None
        self.to_tag: str | None = None
        self.owner: object = None
        self.peer_class: str | None = None
        self._response: Response | None = None
        self._data = b""

    @property
    def answered(self) -> bool:
        """Tell whether a final response was given."""
        return self.state not in (State.TRYING, State.PROCEEDING)

    def receive_request(self, out: list[Output]) -> None:
        """Answer a repeated request as the first one was; absorb it before there is an answer."""
        if self._data and self.state in (State.PROCEEDING, State.COMPLETED):
            out.append(Transmit(self._data, self.flow, self))

    def respond(self, response: Response, now: float, out: list[Output]) -> None:
        """Send a response of the user."""
        raise NotImplementedError

    def handle_timer(self, now: float, out: list[Output]) -> None:
        """Serve a deadline that has come."""
        raise NotImplementedError

    def fail(self, reason: str, out: list[Output]) -> None:
        """Give up because nothing can be sent to the peer (17.2.4)."""
        if self.state is State.TERMINATED:
            return
        out.append(TransportFailed(self, reason))
        self.end(out)

    def end(self, out: list[Output]) -> None:
        """Let go of everything; late input is absorbed by the layer, which forgets the key."""
        if self.state is not State.TERMINATED:
            self.state = State.TERMINATED
            self.deadline = None
            self.request = None
            self._response = None
            out.append(Terminated(self))

    def release(self) -> None:
        """Let go of the owner, who has nothing more to say; repeats of the request are answered as before."""
        self.owner = None

    def _transmit(self, response: Response, out: list[Output]) -> None:
        """Send ``response``; the same object again is not serialised again."""
        if response is not self._response:
            self._response = response
            self._data = response.serialise()
            self.to_tag = response.to_tag
        out.append(Transmit(self._data, self.flow, self))
