"""The calls of an endpoint, and other dialogs: who they are, when they are due, which way requests go."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from sip.call import Call, OnEvent
from sip.client_requests import TRANSPORT, Sending, direct_address, next_hop_of
from sip.dispatch import DialogKey, DialogUser
from sip.flow import LOST_CONNECTION
from sip.invite_session import InviteSession
from sip.transaction.deadlines import Deadlines

if TYPE_CHECKING:
    from sip.endpoint import Endpoint
    from sip.flow import Flow
    from sip.message import Request, Response
    from sip.session.outputs import Event
    from sip.session.settings import CredentialsSource
    from sip.session.snapshot import SessionSnapshot
    from sip.transaction.outputs import RequestReceived
    from sip.transaction.server import ServerTransaction
    from sip.transfer import Replaces
    from sip.uri import NameAddr, Uri


class Calls:
    """Keeps the calls (it is their ``CallDriver``) and finds the dialog of a message."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Begin with none."""
        self._endpoint = endpoint
        self.requests = endpoint.requests
        self.seconds = endpoint.seconds
        self.by_key: dict[DialogKey, DialogUser] = {}
        self._unanswered: set[Call] = set()
        self._deadlines: Deadlines[Call] = Deadlines()
        self._waiting: list[Callable[[], None]] = []
        self.on_change: Callable[[Call], None] = _ignore
        """Told of every call whose session has done something; it must cost next to nothing."""

    # -- who there is ----------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Tell whether one more call would be too many (rule D3)."""
        settings = self._endpoint.settings
        return len(self.by_key) >= settings.max_calls or len(self._unanswered) >= settings.max_unanswered

    def find(self, request: Request) -> DialogUser | None:
        """Find the dialog of a request that carries a To tag."""
        return self.by_key.get((request.call_id, request.to_tag or ""))

    def find_replaced(self, replaces: Replaces) -> Call | None:
        """Find the call that a Replaces header names (RFC 3891 section 3)."""
        user = self.by_key.get((replaces.call_id, replaces.to_tag))
        return user if isinstance(user, Call) and user.has_remote_tag(replaces.from_tag) else None

    def add(self, call_id: str, local_tag: str, user: DialogUser) -> None:
        """Give the requests of a dialog to ``user``: a call, or a subscription of the application."""
        self.by_key[call_id, local_tag] = user

    def remove(self, call_id: str, local_tag: str) -> None:
        """Forget a dialog; its requests get 481."""
        self.by_key.pop((call_id, local_tag), None)
        if self._waiting and not self._any_left():
            waiting, self._waiting = self._waiting, []
            for tell in waiting:
                tell()

    def _any_left(self) -> bool:
        return any(isinstance(user, Call) for user in self.by_key.values())

    def when_over(self, tell: Callable[[], None]) -> None:
        """Tell when no call has anything left to say: a BYE may have to wait for an ACK (15.1.1), and has an answer."""
        if self._any_left():
            self._waiting.append(tell)
        else:
            tell()

    def forget(self, call: Call) -> None:
        """Forget a call. Its transactions stay for a while, and shall not keep it."""
        self._unanswered.discard(call)
        if call.server_transaction is not None:
            call.server_transaction.release()
        self.remove(call.call_id, call.local_tag)

    # -- new calls -------------------------------------------------------------------------

    def incoming_call(self, received: RequestReceived, peer_class: str | None) -> Call:
        """Make the call of a new INVITE."""
        request, flow = received.request, received.flow
        endpoint = self._endpoint
        transaction = endpoint.accept(received, peer_class)
        local_tag = transaction.to_tag = endpoint.new_token()

        def make_session(now: float) -> InviteSession:
            return InviteSession.incoming(
                request,
                transaction,
                contact=endpoint.local_contact(flow, request.request_uri.user),
                local_tag=local_tag,
                settings=endpoint.settings.session,
                now=now,
            )

        call = Call(self, make_session, call_id=request.call_id, local_tag=local_tag)
        call.incoming, call.server_transaction, call.is_incoming = request, transaction, True
        call.known_flow, call.peer_class = flow, peer_class
        call.direct = len(request.vias) == 1
        transaction.owner = call
        self._take(call)
        return call

    def place_call(
        self,
        *,
        target: Uri,
        from_: NameAddr,
        to: NameAddr,
        offer: bytes | None,
        on_event: OnEvent,
        flow: Flow | None,
        next_hop: Uri | None,
        credentials: CredentialsSource | None,
        headers: Iterable[tuple[str, str]],
        may_follow: Callable[[Uri], bool] | None,
    ) -> Call:
        """Make a call of ours; its INVITE goes out in the next turn of the reactor."""
        endpoint = self._endpoint
        call_id, local_tag = endpoint.new_token() + endpoint.new_token(), endpoint.new_token()
        contact = endpoint.contact_towards(flow, next_hop or target, from_.uri.user)
        more = [*headers]
        if endpoint.settings.user_agent:
            more.append(("User-Agent", endpoint.settings.user_agent))

        def make_session(now: float) -> InviteSession:
            return InviteSession.outgoing(
                target=target,
                from_=from_.with_tag(local_tag),
                to=to,
                contact=contact,
                call_id=call_id,
                offer=offer,
                credentials=credentials,
                headers=more,
                may_follow=may_follow,
                settings=endpoint.settings.session,
                new_token=endpoint.new_token,
                now=now,
            )

        call = Call(self, make_session, call_id=call_id, local_tag=local_tag, on_event=on_event)
        call.known_flow, call.next_hop, call.direct = flow, next_hop, flow is not None
        if flow is not None:
            call.peer_class = endpoint.peer_class(flow)
        self._take(call)
        endpoint.soon(call.flush)
        return call

    def adopt(
        self,
        snapshot: SessionSnapshot,
        *,
        flow: Flow | None,
        next_hop: Uri | None,
        peer_class: str | None,
        direct: bool,
        identity: str | None,
        credentials: CredentialsSource | None,
    ) -> Call:
        """Go on with a call of a process that died. Raises ParseError."""
        endpoint = self._endpoint
        session = InviteSession.restored(
            snapshot, credentials=credentials, settings=endpoint.settings.session, now=endpoint.seconds()
        )
        dialog = snapshot.dialog
        call = Call(self, lambda now: session, call_id=dialog.call_id, local_tag=dialog.local_tag)
        call.is_incoming, call.identity, call.peer_class = not snapshot.is_caller, identity, peer_class
        call.next_hop, call.direct = next_hop, direct
        if flow is not None and flow.connection:
            flow = flow._replace(connection=LOST_CONNECTION)
        call.known_flow = flow
        self.add(call.call_id, call.local_tag, call)
        endpoint.soon(call.flush)
        return call

    def _take(self, call: Call) -> None:
        self.add(call.call_id, call.local_tag, call)
        self._unanswered.add(call)

    # -- for the calls (CallDriver) --------------------------------------------------------

    def peer_class(self, flow: Flow) -> str | None:
        """Name the kind of peer at the end of a flow."""
        return self._endpoint.peer_class(flow)

    def tell(self, call: Call, event: Event) -> None:
        """Tell the application. An error of its own must not keep the session from its work."""
        self._endpoint.guard(partial(call.on_event, event), call.call_id)

    def send_for_call(self, call: Call, sending: Sending) -> None:
        """Send a request of a session over the dialog's flow, or where its route says."""
        flow = self._flow_of(call, sending.request)
        if flow is None and not self._may_open(call):
            sending.fail(TRANSPORT)
            return
        in_dialog = sending.request.to_tag is not None
        self.requests.start(sending, flow=flow, next_hop=None if in_dialog else call.next_hop)

    def send_ack_for_call(self, call: Call, request: Request) -> None:
        """Send the ACK to a 2xx the same way; nothing repeats it but the next 2xx."""
        flow = self._flow_of(call, request)
        if flow is not None or self._may_open(call):
            self.requests.send_ack(request, flow)

    def respond(self, transaction: ServerTransaction, response: Response) -> None:
        """Answer a request of the peer."""
        self._endpoint.respond(transaction, response)

    def respond_again(self, call: Call, response: Response) -> None:
        """Repeat an answer whose transaction went with an earlier process."""
        flow = call.known_flow
        if flow is not None and self._endpoint.transports.is_up(flow):
            self._endpoint.layer.respond_stateless(response, flow)

    def call_changed(self, call: Call, *, answered: bool, ended: bool) -> None:
        """Note what a call's session said; then send what is pending."""
        if answered or ended:
            self._unanswered.discard(call)
        if call.is_over:
            self.forget(call)
        self._deadlines.update(call)
        self.on_change(call)
        if call.is_over:
            call.release()
        self._endpoint.flush()

    # -- time ------------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """Say when ``handle_timer`` is due."""
        return self._deadlines.next

    def handle_timer(self, now: float) -> None:
        """Serve the calls whose time has come."""
        for call in self._deadlines.due(now):
            self._endpoint.guard(call.handle_timer, call.call_id)

    # -- ways ------------------------------------------------------------------------------

    def _may_open(self, call: Call) -> bool:
        """Refuse to go where a stranger's Contact or Record-Route points (rule B5)."""
        return not call.is_incoming or call.peer_class is not None

    def _flow_of(self, call: Call, request: Request) -> Flow | None:
        """Give the flow of the dialog when it is up and leads to the request's next hop.

        It does to a peer without a proxy between, whatever its Contact says: that may be an address
        behind a NAT. Behind a proxy the next hop must be that proxy.
        """
        flow = call.known_flow
        if flow is None or not self._endpoint.transports.is_up(flow):
            return None
        if call.direct or not self._may_open(call):
            return flow
        address = direct_address(next_hop_of(request))
        if address is None or address.host != flow.remote.host:
            return None
        accepted = flow.connection != 0 and call.is_incoming  # its port is the peer's choice
        return flow if accepted or address.port == flow.remote.port else None


def _ignore(_call: Call) -> None:
    """What changes before anybody wants to know."""
