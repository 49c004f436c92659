"""Endpoints without sockets or time: a hand-turned clock, and a network that is a list."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

from twisted.internet.task import Clock

from sip.admission import Admission, Admitted, Denied
from sip.call import Call
from sip.endpoint import Endpoint
from sip.endpoint_settings import EndpointSettings
from sip.flow import Address, Flow
from sip.message import Request, Response, response_to
from sip.session.outputs import Event
from sip.session.settings import SessionSettings
from sip.transaction.server import ServerTransaction
from sip.transport.sockets import Listener
from sip.transport.udp import UdpPort
from tests.sip.wire import PEER, US, as_request, as_response, name

SESSION = SessionSettings(lambda: 0.5, session_expires=0)
SETTINGS = EndpointSettings(bind=["192.0.2.1"], session=SESSION)
TRUSTED = "loopback"


class PaperSocket:
    """A datagram socket that gives what is sent to ``deliver``."""

    family = socket.AF_INET

    def __init__(self, deliver: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._deliver = deliver
        self.error: OSError | None = None

    def fileno(self) -> int:
        return -1

    def sendto(self, data: bytes, address: tuple[str, int]) -> int:
        if self.error is not None:
            raise self.error
        self._deliver(data, address)
        return len(data)

    def close(self) -> None:
        """Nothing is open."""


class PaperApplication:
    """Says yes to everybody it knows, and keeps what it was told."""

    def __init__(self) -> None:
        self.classes: dict[str, str | None] = {}
        self.default_class: str | None = TRUSTED
        self.denial: Callable[[Request], Response | None] | None = None
        self.identity: str | None = None
        self.calls: list[Call] = []
        self.requests: list[Request] = []
        self.events: list[Event] = []
        self.lost: list[Flow] = []
        self.on_invite: Callable[[Call], None] = lambda call: None
        self.endpoint: Endpoint | None = None
        self.tag: str | None = "us"

    def peer_class(self, flow: Flow) -> str | None:
        return self.classes.get(flow.remote.host, self.default_class)

    def admit(self, request: Request, flow: Flow, peer_class: str | None) -> Admission:
        if self.denial is not None:
            return Denied(self.denial(request))
        return Admitted(self.identity)

    def connection_lost(self, flow: Flow) -> None:
        self.lost.append(flow)

    def invite_received(self, call: Call) -> None:
        self.calls.append(call)
        call.on_event = self.events.append
        self.on_invite(call)

    def request_received(
        self, request: Request, transaction: ServerTransaction, flow: Flow, identity: str | None
    ) -> None:
        self.requests.append(request)
        assert self.endpoint is not None
        self.endpoint.respond(transaction, response_to(request, 200, to_tag=self.tag))


class Paper:
    """One endpoint at 192.0.2.1; ``sent`` has what went out, with where to."""

    def __init__(
        self,
        clock: Clock | None = None,
        address: Address = US,
        deliver: Callable[[bytes, Address, Address], None] | None = None,
        **changes: Any,
    ) -> None:
        tokens = count(1)
        self.clock = clock or Clock()
        self.application = PaperApplication()
        settings = replace(SETTINGS, new_token=lambda: f"{address.host[-1]}token{next(tokens)}", **changes)
        self.endpoint = Endpoint(self.clock, self.application, settings)  # type: ignore[arg-type]
        self.application.endpoint = self.endpoint
        self.address = address
        self.socket = PaperSocket(self._sent)
        self._deliver = deliver
        self.sent: list[tuple[bytes, Address]] = []
        listener = Listener(address, self.socket)  # type: ignore[arg-type]
        self.port = UdpPort(listener, self.endpoint.datagram_received)
        self.endpoint.transports._udp.append(self.port)

    def _sent(self, data: bytes, to: tuple[str, int]) -> None:
        self.sent.append((data, Address("udp", *to)))
        if self._deliver is not None:
            self._deliver(data, self.address, Address("udp", *to))

    @property
    def names(self) -> list[str]:
        return [name(data) for data, _ in self.sent]

    @property
    def last(self) -> bytes:
        return self.sent[-1][0]

    @property
    def answer(self) -> Response:
        return as_response(self.last)

    @property
    def asked(self) -> Request:
        return as_request(self.last)

    def receive(self, data: bytes, source: Address = PEER) -> None:
        self.port.datagram_received(data, (source.host, source.port))

    def counted(self, label: str) -> int:
        return self.endpoint.counters[label]


class Pair:
    """Two endpoints, ``a`` at 192.0.2.1 and ``b`` at 192.0.2.2; ``loses`` says which datagrams are lost."""

    def __init__(self, **changes: Any) -> None:
        self.clock = Clock()
        self.wire: list[str] = []
        self.loses: Callable[[str], bool] = lambda message: False
        self.a = Paper(self.clock, US, self._carry, **changes)
        self.b = Paper(self.clock, Address("udp", "192.0.2.2", 5060), self._carry, **changes)

    def _carry(self, data: bytes, source: Address, to: Address) -> None:
        self.wire.append(name(data))
        if not self.loses(name(data)):
            for one in (self.a, self.b):
                if one.address == to:
                    self.clock.callLater(0.001, one.receive, data, source)

    def pass_time(self, seconds: float) -> None:
        """Turn the clock in steps that no timer is shorter than."""
        for _ in range(round(seconds / 0.01)):
            self.clock.advance(0.01)
