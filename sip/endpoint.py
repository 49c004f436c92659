"""The endpoint: transports, transactions and calls under a reactor; the one object an application holds."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from twisted.logger import Logger

from sip.call import Call, OnEvent
from sip.calls import Calls
from sip.client_requests import TIMEOUT, TRANSPORT, ClientRequests, Sending, direct_address
from sip.counters import Counters
from sip.dispatch import DialogUser, Dispatch
from sip.errors import ParseError
from sip.flood import FloodGate
from sip.flow import DEFAULT_PORTS, Address, Flow
from sip.message import Request, Response, parse_message, response_to
from sip.out_of_dialog import OutOfDialog
from sip.reply_size import fit
from sip.transaction.layer import TransactionLayer
from sip.transaction.outputs import (
    AckReceived,
    CancelReceived,
    Output,
    RequestReceived,
    ResponseReceived,
    StrayResponse2xx,
    Terminated,
    TimedOut,
    Transmit,
    TransportFailed,
)
from sip.transport.sockets import is_numeric
from sip.transport.transports import Transports
from sip.uri import NameAddr, Uri

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall

    from sip.client_requests import AddressResolver
    from sip.endpoint_settings import Application, EndpointSettings
    from sip.flood import Rate
    from sip.session.settings import CredentialsSource
    from sip.transaction.client import ClientTransaction
    from sip.transaction.server import ServerTransaction
    from sip.transfer import Replaces
    from sip.transport.reactor import Reactor

log = Logger()

SHORTEST_SLEEP = 0.05
"""Seconds; timers that come closer together are served in one turn."""
CLASS_MEMORY = 1.0
"""Seconds the class of a peer is remembered."""
SOMEWHERE = "192.0.2.1"
"""Documentation address (RFC 5737): our address towards it is the one of the default route."""


def new_token() -> str:
    """Make a tag or branch: 64 random bits (rule C9)."""
    return secrets.token_hex(8)


class Endpoint:
    """Listens, sends, and keeps the calls.

    Everything happens in the reactor's thread. ``start`` first; ``stop`` leaves no socket and no timer.
    """

    def __init__(
        self,
        reactor: Reactor,
        application: Application,
        settings: EndpointSettings,
        *,
        resolver: AddressResolver | None = None,
        counters: Counters | None = None,
    ) -> None:
        """Join the parts; nothing is opened yet. Raises OSError or SSL.Error for bad certificates."""
        self._reactor = reactor
        self.application = application
        self.settings = settings
        self.counters = counters or Counters()
        self.seconds = reactor.seconds
        self.new_token = settings.new_token or new_token
        self.transports = Transports(reactor, self, self.counters, limits=settings.streams, tls=settings.tls)
        self.layer = TransactionLayer(
            sent_by=self.transports.sent_by,
            new_token=self.new_token,
            counters=self.counters,
            max_transactions=settings.max_transactions,
        )
        self.requests = ClientRequests(
            self.layer,
            self.transports,
            self.counters,
            self.seconds,
            self.flush,
            resolver,
            settings.max_datagram,
        )
        self.dialogs = Calls(self)
        self._dispatch = Dispatch(self)
        self._gate = FloodGate(settings.flood, self.seconds())
        self._classes: dict[Address, str | None] = {}
        self._classes_until = 0.0
        self.trace: Callable[[str, bytes, Flow], None] | None = None
        """Told of each message that is admitted ("from") or sent ("to"), when somebody wants to know."""
        self._flushing = False
        self._gathered: list[Transmit] | None = None  # what is to be sent at the end of the turn
        self._timer: IDelayedCall | None = None
        self._timer_at = 0.0

    # -- life ------------------------------------------------------------------------------

    async def start(self) -> None:
        """Bind and listen. Raises OSError."""
        self.transports.listen(self.settings.bind, self.settings.port, self.settings.tls_port)

    async def stop(self) -> None:
        """Close everything; hang up the calls before, and wait for their ends, if the peers are to know."""
        await self.transports.stop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def listening(self) -> list[Address]:
        """List the bound addresses; a wildcard host stays one."""
        return self.transports.listening

    @property
    def calls(self) -> Mapping[tuple[str, str], DialogUser]:
        """The dialogs by Call-ID and our tag."""
        return self.dialogs.by_key

    # -- for the application ---------------------------------------------------------------

    def call(
        self,
        *,
        target: Uri,
        from_: NameAddr,
        to: NameAddr,
        offer: bytes | None,
        on_event: OnEvent,
        flow: Flow | None = None,
        next_hop: Uri | None = None,
        credentials: CredentialsSource | None = None,
        headers: Iterable[tuple[str, str]] = (),
        may_follow: Callable[[Uri], bool] | None = None,
    ) -> Call:
        """Place a call.

        Args:
            target: Request-URI.
            from_: without a tag.
            to: without a tag.
            offer: session description; None leaves the offer to the callee.
            on_event: told what happens, never before this returns.
            flow: an open flow to the callee, such as that of its registration.
            next_hop: the PBX or proxy to go through, when not where ``target`` says.
            credentials: answer challenges.
            headers: more headers for the INVITE; its Max-Forwards too, for a call that passes another on.
            may_follow: to which targets of a 3xx the call may go on by itself; None: to all (see the settings).
        """
        return self.dialogs.place_call(
            target=target,
            from_=from_,
            to=to,
            offer=offer,
            on_event=on_event,
            flow=flow,
            next_hop=next_hop,
            credentials=credentials,
            headers=headers,
            may_follow=may_follow,
        )

    def request(
        self,
        request: Request,
        *,
        flow: Flow | None = None,
        next_hop: Uri | None = None,
        credentials: CredentialsSource | None = None,
        timeout: float | None = None,
    ) -> Deferred[Response]:
        """Send a request outside of dialogs; fires with its final response, fails with `RequestFailed`.

        Without a flow it goes where ``next_hop``, its first Route or its Request-URI say (RFC 3263),
        to the next address when one does not answer. Challenges are answered at most twice.
        """
        if self.settings.user_agent and "User-Agent" not in request.headers:
            request.headers.add("User-Agent", self.settings.user_agent)
        sending = OutOfDialog(self.requests, request, flow=flow, next_hop=next_hop, credentials=credentials)
        sending.start(self._reactor, timeout)
        return sending.result

    def new_request(
        self, method: str, uri: Uri, *, from_: NameAddr, to: NameAddr, headers: Iterable[tuple[str, str]] = ()
    ) -> Request:
        """Build a request outside of dialogs, for ``request`` (8.1.1)."""
        fields = [
            ("Max-Forwards", "70"),
            ("From", str(from_.with_tag(self.new_token()))),
            ("To", str(to)),
            ("Call-ID", f"{self.new_token()}{self.new_token()}"),
            ("CSeq", f"1 {method}"),
            *headers,
        ]
        return Request(method, str(uri), fields)

    def respond(self, transaction: ServerTransaction, response: Response) -> None:
        """Answer a request. A stranger's, over UDP, gets no more than its size allows (rules D1, D5)."""
        if transaction.request is not None:
            self._tag(transaction.request, response)
        may_be_forged = transaction.peer_class is None and not transaction.flow.connection
        if may_be_forged and not transaction.answered and fit(response, transaction.size) is None:
            self.counters.count("reply_too_large")
            return
        self.layer.respond(transaction, response, self.seconds())
        self.flush()

    def reply_stateless(self, request: Request, response: Response, flow: Flow) -> None:
        """Answer a request once and forget it, and its transaction if it has one."""
        transaction = self.layer.find_server(request)
        size = len(request.serialise())
        if transaction is not None:
            size = transaction.size
            if isinstance(transaction.owner, Call):
                self.dialogs.forget(transaction.owner)
            self.layer.forget(transaction)
        self._answer_once(request, response, flow, size)

    def answer_once(self, received: RequestReceived, response: Response) -> None:
        """Answer without a transaction: a challenge or a refusal must cost no memory (rule D1)."""
        self._answer_once(received.request, response, received.flow, received.size)

    def _answer_once(self, request: Request, response: Response, flow: Flow, size: int) -> None:
        self._tag(request, response)
        if self.peer_class(flow) is None and not flow.connection and fit(response, size) is None:
            self.counters.count("reply_too_large")
            return
        self.layer.respond_stateless(response, flow)
        self.flush()

    def _tag(self, request: Request, response: Response) -> None:
        """Give the answer a To tag when it has none (RFC 3261 section 8.2.6.2)."""
        if response.status > 100 and response.to_tag is None:
            tag = self.layer.stateless_tag(request)
            response.headers.set("To", f"{response.headers.get('To')};tag={tag}")

    def accept(self, received: RequestReceived, peer_class: str | None) -> ServerTransaction:
        """Begin the transaction of a request that is to be served."""
        transaction = self.layer.accept(received, self.seconds())
        transaction.peer_class = peer_class
        return transaction

    def refuse(self, received: RequestReceived, status: int, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Refuse a request, without state."""
        self.answer_once(received, response_to(received.request, status, headers=headers))

    def find_replaced(self, replaces: Replaces) -> Call | None:
        """Find the call that a Replaces header names (RFC 3891 section 3)."""
        return self.dialogs.find_replaced(replaces)

    def local_contact(self, towards: Flow | Address, user: str | None) -> NameAddr:
        """Make the Contact by which a peer reaches us."""
        remote = towards.remote if isinstance(towards, Flow) else towards
        ours = self.transports.local_address_for(remote)
        host = ours.host
        if isinstance(towards, Flow) and towards.connection:
            host = towards.local.host
        params = () if remote.transport == "udp" else (("transport", remote.transport),)
        return NameAddr(None, Uri("sip", user, None, host, ours.port, params))

    def local_host_for(self, remote: str) -> str:
        """Give our address as a peer at the numeric address ``remote`` sees it: for SDP, and From.

        A name stands for somewhere beyond the default route.
        """
        return self.transports.local_host_for(remote if is_numeric(remote) else SOMEWHERE)

    def capabilities(self) -> list[tuple[str, str]]:
        """Give the headers of an answer to OPTIONS (11.2)."""
        return [
            ("Allow", ", ".join(self.settings.methods)),
            ("Accept", "application/sdp"),
            ("Supported", ", ".join(self.settings.option_tags)),
        ]

    def contact_towards(self, flow: Flow | None, target: Uri, user: str | None) -> NameAddr:
        """Make the Contact of a request that goes over ``flow``, or to ``target``."""
        if flow is not None:
            return self.local_contact(flow, user)
        address = direct_address(target)
        if address is None:
            transport = "tls" if target.scheme == "sips" else (target.param("transport") or "udp").lower()
            address = Address(transport if transport in DEFAULT_PORTS else "udp", SOMEWHERE, 5060)
        return self.local_contact(address, user)

    def peer_class(self, flow: Flow) -> str | None:
        """Ask the application whom a flow belongs to, at most once a second."""
        now = self.seconds()
        if now >= self._classes_until:
            self._classes.clear()
            self._classes_until = now + CLASS_MEMORY
        try:
            return self._classes[flow.remote]
        except KeyError:
            found = self._classes[flow.remote] = self.application.peer_class(flow)
        if found is not None and flow.connection:
            self.transports.trust(flow)
        return found

    def forget_peer_classes(self) -> None:
        """Ask anew at once: a link was changed, or a phone registered."""
        self._classes.clear()

    def set_rate(self, peer_class: str, rate: Rate) -> None:
        """Limit what a class of peers may send (rule D2)."""
        self._gate.set_rate(peer_class, rate, self.seconds())

    def guard(self, do: Callable[[], None], call_id: str) -> None:
        """Run what may call the application; its error must not keep other calls from their work."""
        try:
            do()
        except Exception:
            self.counters.count("application_error")
            log.failure("{call_id} could not be served", call_id=call_id)

    def soon(self, do: Callable[[], None]) -> None:
        """Do something in the next turn of the reactor."""
        self._reactor.callLater(0, do)

    # -- for the transports ----------------------------------------------------------------

    def datagram_received(self, data: bytes, flow: Flow) -> None:
        """Take one datagram."""
        self._receive(data, flow, stream=False)

    def stream_message_received(self, data: bytes, flow: Flow) -> None:
        """Take one message of a connection."""
        self._receive(data, flow, stream=True)

    def stream_message_broken(self, error: ParseError, flow: Flow) -> None:
        """Answer what could be read of a message that breaks its stream."""
        self._malformed(error, flow, 0)
        self.flush()

    def connection_lost(self, flow: Flow, reason: str) -> None:
        """End what waits for this connection."""
        self.layer.transport_failed(flow, reason)
        self.guard(lambda: self.application.connection_lost(flow), "")
        self.flush()

    # -- the turn --------------------------------------------------------------------------

    def begin_turn(self) -> None:
        """Several messages are coming in at once: send nothing, and set no timer, before all are served."""
        self._gathered = []

    def end_turn(self) -> None:
        """Send what gathered, in its order, and set the timer."""
        gathered, self._gathered = self._gathered or [], None
        for output in gathered:
            self._transmit(output)
        self.flush()

    def flush(self) -> None:
        """Send what is pending, tell what happened, and set the one timer."""
        if self._flushing:
            return
        self._flushing = True
        try:
            while outputs := self.layer.take_outputs():
                for output in outputs:
                    if type(output) is Transmit:
                        self._transmit(output)
                    else:
                        self._tell(output)
        finally:
            self._flushing = False
        if self._gathered is None:
            self._arm()

    def _receive(self, data: bytes, flow: Flow, *, stream: bool) -> None:
        """Take one message. Nothing that comes in may raise beyond this (rule A2)."""
        try:
            self._examine(data, flow, stream)
        except Exception:
            self.counters.count("internal_error")
            log.failure("a message from {remote} could not be served", remote=flow.remote)

    def _examine(self, data: bytes, flow: Flow, stream: bool) -> None:
        dropped = self._gate.admit(flow.remote, self.peer_class(flow), self.seconds())
        if dropped is not None:
            self.counters.count(dropped)
            return
        if self.trace is not None:
            self.trace("from", data, flow)
        if len(data) <= 4 and not data.strip(b"\r\n\0"):
            self.counters.count("keep_alive")
            return
        try:
            self.layer.receive(parse_message(data, stream=stream), flow, self.seconds(), len(data))
        except ParseError as error:
            self._malformed(error, flow, len(data))
        self.flush()

    def _malformed(self, error: ParseError, flow: Flow, size: int) -> None:
        """Answer a request that breaks the rules, without state; drop anything else (rules A9, A10)."""
        self.counters.count(f"malformed_{error.label}")
        request = error.message
        if not isinstance(request, Request):
            return
        response = response_to(request, error.status, to_tag=self.layer.stateless_tag(request))
        if size and not flow.connection and self.peer_class(flow) is None and fit(response, size) is None:
            self.counters.count("reply_too_large")
            return
        self._transmit(Transmit(response.serialise(), flow))

    def _transmit(self, output: Transmit) -> None:
        if self._gathered is not None:
            self._gathered.append(output)
            return
        if self.trace is not None:
            self.trace("to", output.data, output.flow)
        failure = self.transports.send(output.flow, output.data)
        if failure is not None:
            self.counters.count("send_failed")
            if output.transaction is not None:
                self.layer.send_failed(output.transaction, failure)

    def _tell(self, output: Output) -> None:
        """Pass an event on. An error of the application must not reach the reactor or stop the others."""
        try:
            if isinstance(output, RequestReceived):
                self._dispatch.request(output)
            elif isinstance(output, ResponseReceived):
                if isinstance(output.transaction.owner, Sending):
                    output.transaction.owner.respond(output.response, output.flow)
            elif isinstance(output, AckReceived):
                self._dispatch.ack(*output)
            elif isinstance(output, StrayResponse2xx):
                self._dispatch.stray(*output)
            elif isinstance(output, CancelReceived):
                self._dispatch.cancel(output.transaction)
            elif isinstance(output, TimedOut):
                self._lost(output.transaction, TIMEOUT)
            elif isinstance(output, TransportFailed):
                self._lost(output.transaction, TRANSPORT)
            elif isinstance(output, Terminated):
                output.transaction.owner = None  # the two refer to each other
        except Exception:
            self.counters.count("application_error")
            log.failure("a handler of {output} failed", output=type(output).__name__)
            if isinstance(output, RequestReceived):
                self._apologise(output)

    def _apologise(self, received: RequestReceived) -> None:
        """Answer 500, unless the request was answered before its handler failed."""
        transaction = self.layer.find_server(received.request)
        if transaction is None or not transaction.answered:
            self.reply_stateless(received.request, response_to(received.request, 500), received.flow)

    def _lost(self, transaction: ClientTransaction | ServerTransaction, reason: str) -> None:
        if isinstance(transaction.owner, Sending):
            transaction.owner.lost(reason)
        else:
            self.counters.count(f"answer_{reason}")

    def _arm(self) -> None:
        """Set the timer to the earliest deadline; one that is too early does no harm and stays."""
        at, other = self.layer.deadline, self.dialogs.deadline
        if at is None or (other is not None and other < at):
            at = other
        if at is None:
            return
        now = self.seconds()
        at = max(at, now + SHORTEST_SLEEP)
        if self._timer is not None:
            if self._timer_at <= at:
                return
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._reactor.callLater(at - now, self._handle_timer)

    def _handle_timer(self) -> None:
        self._timer = None
        now = self.seconds()
        self.layer.handle_timer(now)
        self.dialogs.handle_timer(now)
        self.flush()
