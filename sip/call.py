"""One call as the application sees it: an INVITE session joined to the flows that carry it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from sip.client_requests import ClientRequests, Sending
from sip.errors import Misuse
from sip.invite_session import InviteSession
from sip.session.outputs import (
    Answered,
    CancelRequest,
    Confirmed,
    Ended,
    Event,
    Respond,
    SendAck,
    SendRequest,
)
from sip.uri import NameAddr, Uri

if TYPE_CHECKING:
    from sip.flow import Flow
    from sip.message import Request, Response
    from sip.session.outputs import Output
    from sip.transaction.server import ServerTransaction
    from sip.transfer import Replaces

OnEvent = Callable[[Event], None]


class CallDriver(Protocol):
    """What a call needs of its endpoint."""

    requests: ClientRequests

    def seconds(self) -> float:
        """Give the monotonic time."""

    def peer_class(self, flow: Flow) -> str | None:
        """Name the kind of peer at the end of a flow."""

    def tell(self, call: Call, event: Event) -> None:
        """Tell the application what happened."""

    def send_for_call(self, call: Call, sending: Sending) -> None:
        """Send a request of the session."""

    def send_ack_for_call(self, call: Call, request: Request) -> None:
        """Send the ACK to a 2xx."""

    def respond(self, transaction: ServerTransaction, response: Response) -> None:
        """Answer a request of the peer."""

    def respond_again(self, call: Call, response: Response) -> None:
        """Repeat an answer whose transaction went with an earlier process."""

    def call_changed(self, call: Call, *, answered: bool, ended: bool) -> None:
        """Note the session's deadline, and whether the call is set up or over; then send what is pending."""


def ignore_event(event: Event) -> None:
    """Hear nothing: what a call does before the application takes it."""


class Call:
    """Commands are those of ``InviteSession``, without the time; what happens is told to ``on_event``.

    Attributes:
        on_event: set by the application. ``Ended`` is the last event, and comes once.
        incoming: the INVITE of an incoming call; None for one of ours, or of an earlier process.
        is_incoming: the peer has placed it.
        owner: whose call it is, for the application.
        identity: the user the INVITE proved to come from.
        replaces: the call that this one is to take the place of (RFC 3891).
        peer_class: what ``Application.peer_class`` said of the flow.
        known_flow: the flow the call uses; of an outgoing call None until the first response.
        direct: the peer at the other end of the flow is the other party, with no proxy between.
    """

    __slots__ = (
        "_driver",
        "_flushing",
        "_make_session",
        "_sendings",
        "_session",
        "armed_at",
        "call_id",
        "direct",
        "identity",
        "incoming",
        "is_incoming",
        "known_flow",
        "local_tag",
        "next_hop",
        "on_event",
        "owner",
        "peer_class",
        "replaces",
        "server_transaction",
    )

    def __init__(
        self,
        driver: CallDriver,
        make_session: Callable[[float], InviteSession],
        *,
        call_id: str,
        local_tag: str,
        on_event: OnEvent = ignore_event,
    ) -> None:
        """Join the parts. The session of an incoming call is made with the first command."""
        self._driver = driver
        self._make_session = make_session
        self._session: InviteSession | None = None
        self._sendings: dict[int, Sending] = {}
        self._flushing = False
        self.armed_at: float | None = None
        self.call_id = call_id
        self.local_tag = local_tag
        self.on_event = on_event
        self.incoming: Request | None = None
        self.is_incoming = False
        self.owner: object = None
        self.identity: str | None = None
        self.replaces: Call | None = None
        self.server_transaction: ServerTransaction | None = None
        self.known_flow: Flow | None = None
        self.next_hop: Uri | None = None
        self.peer_class: str | None = None
        self.direct = False

    def __repr__(self) -> str:
        """Name the call in logs."""
        return f"<Call {self.call_id}>"

    @property
    def session(self) -> InviteSession:
        """The session, for what it knows; commands go through the call."""
        if self._session is None:
            self._session = self._make_session(self._driver.seconds())
        return self._session

    @property
    def request(self) -> Request:
        """The INVITE of an incoming call."""
        if self.incoming is None:
            raise Misuse("a call of ours has no incoming INVITE")
        return self.incoming

    @property
    def flow(self) -> Flow:
        """The flow the call uses; an outgoing call has one from the first response on."""
        if self.known_flow is None:
            raise Misuse("nobody has answered yet")
        return self.known_flow

    @property
    def offer(self) -> bytes | None:
        """The session description of the INVITE, out of a multipart body too; None when it has none."""
        return self.session.remote_offer

    @property
    def deadline(self) -> float | None:
        """Say when ``handle_timer`` is due."""
        return self._session.deadline if self._session is not None else None

    # -- commands --------------------------------------------------------------------------

    def trying(self) -> None:
        """Say 100; the transaction does so by itself after 200 ms."""
        self.session.trying(self._driver.seconds())
        self.flush()

    def ring(self, sdp: bytes | None = None) -> None:
        """Say 180."""
        self.session.ring(self._driver.seconds(), sdp)
        self.flush()

    def progress(self, status: int, sdp: bytes | None = None) -> None:
        """Say 101 to 199."""
        self.session.progress(status, sdp, self._driver.seconds())
        self.flush()

    def answer(self, sdp: bytes) -> None:
        """Say 200."""
        self.session.answer(sdp, self._driver.seconds())
        self.flush()

    def reject(self, status: int, reason: str | None = None, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Say 300 to 699."""
        self.session.reject(status, self._driver.seconds(), reason, headers)
        self.flush()

    def hangup(self, reason: str | None = None) -> None:
        """End the call by CANCEL, BYE or a refusal; ``reason`` is a Reason value (RFC 3326)."""
        trying = list(self._sendings.values())
        self.session.hangup(self._driver.seconds(), reason)
        for sending in trying:
            sending.try_no_more()
        self.flush()

    def reoffer(self, sdp: bytes, method: str = "INVITE") -> None:
        """Offer anew within the call, by "INVITE" or "UPDATE"."""
        self.session.offer(sdp, self._driver.seconds(), method)
        self.flush()

    def answer_offer(self, sdp: bytes) -> None:
        """Answer ``OfferReceived``, or offer after ``OfferRequested``."""
        self.session.answer_offer(sdp, self._driver.seconds())
        self.flush()

    def reject_offer(self, status: int) -> None:
        """Refuse ``OfferReceived``."""
        self.session.reject_offer(status, self._driver.seconds())
        self.flush()

    def info(self, content_type: str, body: bytes) -> None:
        """Send INFO."""
        self.session.info(content_type, body, self._driver.seconds())
        self.flush()

    def message(self, content_type: str, body: bytes) -> None:
        """Send MESSAGE within the dialog."""
        self.session.message(content_type, body, self._driver.seconds())
        self.flush()

    def refer(
        self, refer_to: Uri | NameAddr, replaces: Replaces | None = None, referred_by: str | None = None
    ) -> None:
        """Ask the peer to call somebody else (RFC 3515)."""
        self.session.refer(refer_to, self._driver.seconds(), replaces, referred_by)
        self.flush()

    def accept_refer(self) -> None:
        """Accept ``ReferReceived``; ``refer_result`` follows."""
        self.session.accept_refer(self._driver.seconds())
        self.flush()

    def refer_result(self, status: int, reason: str | None = None) -> None:
        """Tell the peer how the call it asked for goes."""
        self.session.refer_result(status, reason, self._driver.seconds())
        self.flush()

    def reject_refer(self, status: int) -> None:
        """Refuse ``ReferReceived``."""
        self.session.reject_refer(status, self._driver.seconds())
        self.flush()

    # -- from the endpoint -----------------------------------------------------------------

    def receive_request(self, request: Request, transaction: ServerTransaction) -> None:
        """Take a request within the dialog."""
        self.session.receive_request(request, transaction, self._driver.seconds())
        self.flush()

    def receive_stray(self, response: Response) -> None:
        """Take a 2xx to our INVITE whose transaction is over."""
        self.session.receive_response(None, response, self._driver.seconds())
        self.flush()

    def receive_ack(self, request: Request) -> None:
        """Take the ACK to our 2xx."""
        self.session.receive_ack(request, self._driver.seconds())
        self.flush()

    def cancelled(self) -> None:
        """Take a CANCEL of the INVITE."""
        self.session.cancelled(self._driver.seconds())
        self.flush()

    def handle_timer(self) -> None:
        """Serve the session's timers."""
        self.session.handle_timer(self._driver.seconds())
        self.flush()

    def route(self) -> list[Uri]:
        """List the URIs of the route set and of the remote target, as far as there is a dialog."""
        dialog = self.session.dialog
        if dialog is None:
            return []
        hops = [NameAddr.parse(route).uri for route in dialog.route_set]
        return [*hops, Uri.parse(dialog.remote_target)]

    def has_remote_tag(self, tag: str) -> bool:
        """Tell whether the dialog in use has this tag of the peer."""
        identity = self.session.dialog_id
        return identity is not None and identity.remote_tag == tag

    @property
    def is_over(self) -> bool:
        """Tell whether nothing is left to do; an unanswered INVITE refused without state is over as well."""
        return self._session is not None and self._session.terminated

    def release(self) -> None:
        """Let go of the application, which has heard the last of it: else the two would wait for the collector."""
        self.on_event = ignore_event
        self.owner = None
        self.session.release()

    def flush(self) -> None:
        """Send what the session wants sent, tell what happened; commands given meanwhile are served too."""
        if self._flushing:
            return
        self._flushing = True
        answered = ended = False
        try:
            while outputs := self.session.take_outputs():
                for output in outputs:
                    if isinstance(output, (Answered, Confirmed)):
                        answered = True
                    elif isinstance(output, Ended):
                        ended = True
                    self._perform(output)
        finally:
            self._flushing = False
            self._driver.call_changed(self, answered=answered, ended=ended)

    # -- inside ----------------------------------------------------------------------------

    def _perform(self, output: Output) -> None:
        if isinstance(output, Respond) and output.key is None:
            self._driver.respond_again(self, output.response)
        elif isinstance(output, Respond):
            self._driver.respond(output.key, output.response)  # type: ignore[arg-type]
        elif isinstance(output, SendRequest):
            self._send(output.key, output.request)
        elif isinstance(output, SendAck):
            self._driver.send_ack_for_call(self, output.request)
        elif isinstance(output, CancelRequest):
            sending = self._sendings.get(output.key)
            if sending is not None:
                sending.cancel()
        else:
            self._driver.tell(self, output)

    def _send(self, key: int, request: Request) -> None:
        def on_response(response: Response, flow: Flow) -> None:
            if response.status >= 200:
                self._sendings.pop(key, None)
            if self.known_flow is None and response.status > 100:
                self.known_flow = flow
                self.peer_class = self._driver.peer_class(flow)
            self.session.receive_response(key, response, self._driver.seconds())
            self.flush()

        def on_failure(reason: str) -> None:
            self._sendings.pop(key, None)
            self.session.request_failed(key, reason, self._driver.seconds())
            self.flush()

        sending = Sending(self._driver.requests, request, on_response, on_failure)
        self._sendings[key] = sending
        self._driver.send_for_call(self, sending)
