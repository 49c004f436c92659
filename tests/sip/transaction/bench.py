"""A transaction layer on a bench: a hand-turned clock, and what it put out sorted."""

from __future__ import annotations

from itertools import count

from sip.counters import Counters
from sip.flow import Flow, host_port
from sip.message import Request, Response
from sip.transaction.client import ClientTransaction
from sip.transaction.client_invite import ClientInviteTransaction
from sip.transaction.layer import TransactionLayer
from sip.transaction.outputs import Output, RequestReceived, Terminated, Transmit
from sip.transaction.server import ServerTransaction
from tests.sip.wire import UDP, name


class Bench:
    """Drives one layer; ``sent`` has the bytes, ``told`` the other outputs but Terminated."""

    def __init__(self, max_transactions: int = 1000) -> None:
        tokens = count(1)
        self.counters = Counters()
        self.layer = TransactionLayer(
            sent_by=lambda flow: host_port("192.0.2.1", 5060),
            new_token=lambda: f"token{next(tokens)}",
            counters=self.counters,
            max_transactions=max_transactions,
        )
        self.now = 1000.0
        self.sent: list[bytes] = []
        self.sent_at: list[float] = []
        self.told: list[Output] = []
        self.terminated: list[object] = []

    @property
    def names(self) -> list[str]:
        return [name(data) for data in self.sent]

    def receive(self, message: Request | Response, flow: Flow = UDP, size: int = 500) -> None:
        self.layer.receive(message, flow, self.now, size)
        self.take()

    def accept(self, message: Request, flow: Flow = UDP) -> ServerTransaction:
        """Receive a request that is new, and begin its transaction."""
        self.receive(message, flow)
        received = self.told.pop()
        assert isinstance(received, RequestReceived)
        transaction = self.layer.accept(received, self.now)
        self.take()
        return transaction

    def respond(self, transaction: ServerTransaction, response: Response) -> None:
        self.layer.respond(transaction, response, self.now)
        self.take()

    def send(self, request: Request, flow: Flow = UDP) -> ClientTransaction:
        transaction = self.layer.send_request(request, flow, self.now)
        self.take()
        return transaction

    def invite(self, request: Request, flow: Flow = UDP) -> ClientInviteTransaction:
        transaction = self.send(request, flow)
        assert isinstance(transaction, ClientInviteTransaction)
        return transaction

    def cancel(self, transaction: ClientInviteTransaction) -> None:
        self.layer.cancel(transaction, self.now)
        self.take()

    def pass_time(self, seconds: float) -> None:
        """Let time pass, stopping at each deadline as a driver would."""
        end = self.now + seconds
        while (at := self.layer.deadline) is not None and at <= end:
            self.now = max(self.now, at)
            self.layer.handle_timer(self.now)
            self.take()
        self.now = end

    def take(self) -> None:
        for output in self.layer.take_outputs():
            if isinstance(output, Transmit):
                self.sent.append(output.data)
                self.sent_at.append(round(self.now - 1000.0, 3))
            elif isinstance(output, Terminated):
                self.terminated.append(output.transaction)
            else:
                self.told.append(output)
