"""The transaction layer (RFC 3261 section 17): all transactions, and which one a message is for. Does no I/O.

After each call take the outputs; call ``handle_timer`` when ``deadline`` has come.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from sip.message import Request, Response, response_to
from sip.transaction.client_invite import ClientInviteTransaction
from sip.transaction.client_non_invite import ClientNonInviteTransaction
from sip.transaction.deadlines import Deadlines
from sip.transaction.hop_requests import cancel_for
from sip.transaction.matching import (
    ClientKey,
    MergeKey,
    ServerKey,
    client_key,
    has_looped,
    is_2543,
    merge_key,
    new_branch,
    same_sender,
    server_key,
)
from sip.transaction.outputs import (
    AckReceived,
    CancelReceived,
    Output,
    RequestReceived,
    StrayResponse2xx,
    Transmit,
)
from sip.transaction.server import ServerTransaction
from sip.transaction.server_invite import ServerInviteTransaction
from sip.transaction.server_non_invite import ServerNonInviteTransaction
from sip.transaction.state import State
from sip.transaction.via_source import stamp_source

if TYPE_CHECKING:
    from sip.counters import Counters
    from sip.flow import Flow
    from sip.transaction.client import ClientTransaction

MAX_TRANSACTIONS = 50_000
"""Bound on memory; one that is over lingers for 32 s over UDP, so this is 780 new ones a second."""
RETRY_AFTER = 10
"""Seconds a refused peer is asked to wait: by then a third of what lingers is gone."""


class TransactionLayer:
    """Client and server transactions of one endpoint."""

    def __init__(
        self,
        *,
        sent_by: Callable[[Flow], str],
        new_token: Callable[[], str],
        counters: Counters,
        max_transactions: int = MAX_TRANSACTIONS,
    ) -> None:
        """Make an empty layer.

        Args:
            sent_by: our ``host:port`` as the peer at the end of a flow knows it.
            new_token: 64 random bits or more, as a token.
            counters: counts what is dropped here.
            max_transactions: over it new requests get 503 with Retry-After.
        """
        self._sent_by = sent_by
        self._new_token = new_token
        self._counters = counters
        self._max_transactions = max_transactions
        self._clients: dict[ClientKey, ClientTransaction] = {}
        self._servers: dict[ServerKey, ServerTransaction] = {}
        self._merged: dict[MergeKey, ServerTransaction] = {}
        self._by_connection: dict[int, set[ClientTransaction | ServerTransaction]] = {}
        self._deadlines: Deadlines[ClientTransaction | ServerTransaction] = Deadlines()
        self._outputs: list[Output] = []
        self._tag_key = new_token().encode()

    def __len__(self) -> int:
        """Count the transactions, the lingering ones included."""
        return len(self._clients) + len(self._servers)

    @property
    def deadline(self) -> float | None:
        """Say when to call ``handle_timer``."""
        return self._deadlines.next

    def take_outputs(self) -> list[Output]:
        """Take what is to be sent and told since the last call."""
        outputs, self._outputs = self._outputs, []
        return outputs

    # -- what comes in ---------------------------------------------------------------------

    def receive(self, message: Request | Response, flow: Flow, now: float, size: int = 0) -> None:
        """Take a parsed message; ``size`` is what it had on the wire."""
        if isinstance(message, Request):
            self._receive_request(message, flow, now, size)
        else:
            self._receive_response(message, flow, now)

    def handle_timer(self, now: float) -> None:
        """Serve every transaction whose deadline has come."""
        for transaction in self._deadlines.due(now):
            transaction.handle_timer(now, self._outputs)
            self._settle(transaction)

    def send_failed(self, transaction: ClientTransaction | ServerTransaction, reason: str) -> None:
        """Take note that a ``Transmit`` of this transaction could not be sent (17.1.4, 17.2.4)."""
        transaction.fail(reason, self._outputs)
        self._settle(transaction)

    def transport_failed(self, flow: Flow, reason: str = "closed") -> None:
        """Take note that a connection is gone, and with it every transaction on it.

        Of one whose answer is out the user hears nothing: there is nothing it could still lose.
        """
        for transaction in list(self._by_connection.get(flow.connection, ())):
            if isinstance(transaction, ServerTransaction) and transaction.answered:
                self.forget(transaction)
            else:
                self.send_failed(transaction, reason)

    # -- commands --------------------------------------------------------------------------

    def send_request(self, request: Request, flow: Flow, now: float) -> ClientTransaction:
        """Send a request in a transaction of its own: gives it our Via and keeps it until the answer."""
        branch = new_branch(self._new_token(), request)
        request.headers.remove("Via")  # of an attempt on another flow
        request.headers.prepend("Via", self._via(flow, branch))
        return self._start_client(request, (branch, request.method), flow, now)

    def accept(self, received: RequestReceived, now: float) -> ServerTransaction:
        """Make the transaction of a new request; until then nothing of it is remembered."""
        request, flow, size, key = received
        transaction: ServerTransaction
        if request.method == "INVITE":
            transaction = ServerInviteTransaction(key, request, flow, size, now)
        else:
            transaction = ServerNonInviteTransaction(key, request, flow, size)
        self._servers[key] = transaction
        if request.to_tag is None:
            transaction.merge_key = merge_key(request)
            self._merged[transaction.merge_key] = transaction
        if flow.connection:
            self._by_connection.setdefault(flow.connection, set()).add(transaction)
        self._deadlines.update(transaction)
        return transaction

    def respond(self, transaction: ServerTransaction, response: Response, now: float) -> None:
        """Answer a request; late and second final answers are absorbed by the machine."""
        transaction.respond(response, now, self._outputs)
        self._settle(transaction)

    def respond_stateless(self, response: Response, flow: Flow) -> None:
        """Send one answer and keep nothing of it: a repeated request is a new one."""
        self._outputs.append(Transmit(response.serialise(), flow))

    def forget(self, transaction: ServerTransaction) -> None:
        """Drop a transaction without an answer of its own."""
        transaction.end(self._outputs)
        self._settle(transaction)

    def refuse(
        self, request: Request, status: int, flow: Flow, label: str, headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Refuse a request without remembering it, and count why."""
        self._counters.count(label)
        response = response_to(request, status, to_tag=self.stateless_tag(request), headers=headers)
        self._outputs.append(Transmit(response.serialise(), flow))

    def stateless_tag(self, request: Request) -> str:
        """Give the To tag of a stateless answer: the same each time the request comes (8.2.7)."""
        via = request.headers.get("Via") or ""
        seen = f"{via}\n{request.headers.get('Call-ID')}\n{request.headers.get('CSeq')}"
        hashed = hashlib.blake2b(seen.encode("utf-8", "surrogateescape"), key=self._tag_key, digest_size=8)
        return hashed.hexdigest()

    def cancel(self, transaction: ClientInviteTransaction, now: float) -> None:
        """Send CANCEL as soon as section 9.1 allows; nothing when there is a final response."""
        if transaction.state is State.CALLING:
            transaction.cancel_wanted = True
        elif transaction.state is State.PROCEEDING and transaction.request is not None:
            cancel = cancel_for(transaction.request)
            client = self._start_client(cancel, (transaction.key[0], "CANCEL"), transaction.flow, now)
            client.is_cancel = True
            transaction.cancelling(now)
            self._settle(transaction)

    def send_ack(self, request: Request, flow: Flow) -> None:
        """Send the ACK to a 2xx, outside of any transaction; the same ACK again keeps its Via."""
        if "Via" not in request.headers:
            request.headers.prepend("Via", self._via(flow, new_branch(self._new_token(), request)))
        self._outputs.append(Transmit(request.serialise(), flow))

    def find_server(self, request: Request) -> ServerTransaction | None:
        """Find the server transaction of a request that was received before."""
        return self._servers.get(server_key(request, request.method))

    # -- requests --------------------------------------------------------------------------

    def _receive_request(self, request: Request, flow: Flow, now: float, size: int) -> None:
        method = request.method
        key = server_key(request, "INVITE" if method == "ACK" else method)
        transaction = self._servers.get(key)
        if method == "ACK":
            self._receive_ack(request, transaction, flow, now)
            return
        if transaction is not None:
            transaction.receive_request(self._outputs)
            return
        through_others = len(request.vias) > 1
        stamp_source(request, flow.remote)
        if method == "CANCEL":
            self._receive_cancel(request, key, flow, now)
            return
        if request.to_tag is None and merge_key(request) in self._merged:
            self.refuse(request, 482, flow, "request_merged")  # 8.2.2.2: another copy is being served
        elif through_others and has_looped(request, self._sent_by(flow)):
            self.refuse(request, 482, flow, "request_looped")
        elif len(self._clients) + len(self._servers) >= self._max_transactions:
            self.refuse(request, 503, flow, "overload_transactions", [("Retry-After", str(RETRY_AFTER))])
        else:
            self._outputs.append(RequestReceived(request, flow, size, key))

    def _receive_ack(
        self, request: Request, transaction: ServerTransaction | None, flow: Flow, now: float
    ) -> None:
        if not isinstance(transaction, ServerInviteTransaction) or transaction.state is State.ACCEPTED:
            self._outputs.append(AckReceived(request, flow))
        elif is_2543(transaction.key) and request.to_tag != transaction.to_tag:
            self._counters.count("ack_tag_mismatch")
        elif transaction.state is State.PROCEEDING:
            self._counters.count("ack_early")
        else:
            transaction.receive_ack(now, self._outputs)
            self._settle(transaction)

    def _receive_cancel(self, request: Request, key: ServerKey, flow: Flow, now: float) -> None:
        invite = self._servers.get(server_key(request, "INVITE"))
        if not isinstance(invite, ServerInviteTransaction) or not same_sender(flow, invite.flow):
            self.refuse(request, 481, flow, "cancel_unmatched")
            return
        transaction = ServerNonInviteTransaction(key, request, flow, 0)
        self._servers[key] = transaction
        if flow.connection:
            self._by_connection.setdefault(flow.connection, set()).add(transaction)
        # The To tags of both answers should be the same (9.2): the session's, when it has given one.
        self.respond(transaction, response_to(request, 200, to_tag=invite.to_tag or self._new_token()), now)
        if invite.state is State.PROCEEDING:
            self._outputs.append(CancelReceived(invite))

    # -- responses -------------------------------------------------------------------------

    def _receive_response(self, response: Response, flow: Flow, now: float) -> None:
        if len(response.vias) > 1:
            self._counters.count("response_many_vias")  # 8.1.3.3: not for us
            return
        key = client_key(response)
        transaction = self._clients.get(key)
        if transaction is None:
            if key[1] == "INVITE" and 200 <= response.status < 300:
                self._outputs.append(StrayResponse2xx(response, flow))
            else:
                self._counters.count("response_stray")
            return
        transaction.receive(response, flow, now, self._outputs)
        self._settle(transaction)
        if isinstance(transaction, ClientInviteTransaction) and transaction.cancel_wanted:
            transaction.cancel_wanted = False
            self.cancel(transaction, now)

    def _start_client(self, request: Request, key: ClientKey, flow: Flow, now: float) -> ClientTransaction:
        machine = ClientInviteTransaction if request.method == "INVITE" else ClientNonInviteTransaction
        transaction = machine(key, request, flow, now, self._outputs)
        self._clients[key] = transaction
        if flow.connection:
            self._by_connection.setdefault(flow.connection, set()).add(transaction)
        self._deadlines.update(transaction)
        return transaction

    # -- bookkeeping -----------------------------------------------------------------------

    def _via(self, flow: Flow, branch: str) -> str:
        transport = flow.remote.transport.upper()
        return f"SIP/2.0/{transport} {self._sent_by(flow)};branch={branch};rport"

    def _settle(self, transaction: ClientTransaction | ServerTransaction) -> None:
        """Re-arm a transaction after an input, or forget it."""
        if transaction.state is not State.TERMINATED:
            self._deadlines.update(transaction)
            return
        key = transaction.key
        if len(key) == 2:
            self._clients.pop(key, None)
        elif self._servers.get(key) is transaction:
            del self._servers[key]
            merged = getattr(transaction, "merge_key", None)
            if merged is not None and self._merged.get(merged) is transaction:
                del self._merged[merged]
        if transaction.flow.connection:
            self._leave_connection(transaction)

    def _leave_connection(self, transaction: ClientTransaction | ServerTransaction) -> None:
        held = self._by_connection.get(transaction.flow.connection)
        if held is not None:
            held.discard(transaction)
            if not held:
                del self._by_connection[transaction.flow.connection]
