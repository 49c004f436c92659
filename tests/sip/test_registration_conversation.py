"""A registration client and a registrar that authenticates, joined by a wire that may lose messages."""

from __future__ import annotations

import pytest

from sip.authenticator import Authenticated, Authenticator, Challenged, Reason
from sip.bindings import MemoryBindings
from sip.credentials import Credentials
from sip.digest import ha1
from sip.flow import Address, Flow
from sip.message import Request, Response, parse_message, response_to
from sip.nonce import NonceSource
from sip.registrar import Registrar
from sip.registration import RegistrationClient, RegistrationState, SendRegister
from tests.sip.test_registration import make_client

AOR = "sip:100@example.net"
FLOW = Flow(Address("udp", "192.0.2.1", 5060), Address("udp", "192.0.2.9", 5070))


class Wire:
    """Both ends, and which of the client's requests get lost."""

    def __init__(self, *, password: str = "secret", lost: frozenset[int] = frozenset()) -> None:
        self.store = MemoryBindings()
        self.reasons: list[Reason] = []
        self.now = 0.0
        self._lost = lost
        self._sent = 0
        self._users = {"100": {"SHA-256": ha1("100", "example.net", "secret", "SHA-256")}}
        self.client: RegistrationClient = make_client(credentials=Credentials("example.net", "100", password))
        self.restart()

    def restart(self) -> None:
        """Start the registrar anew: its nonces are forgotten, what it stored is not."""
        nonces = NonceSource(f"key {self.now}".encode(), "example.net")
        self._authenticator = Authenticator("example.net", self._users.get, nonces, algorithms=["SHA-256"])
        self._registrar = Registrar(self.store)

    def run_until(self, end: float) -> None:
        """Let time pass, from deadline to deadline."""
        while (deadline := self.client.deadline) is not None and deadline <= end:
            self.now = deadline
            self.client.handle_timer(self.now)
            self.flush()
        self.now = end

    def flush(self) -> None:
        while outputs := self.client.take_outputs():
            for output in outputs:
                if isinstance(output, SendRegister):
                    self._carry(output.request)

    def _carry(self, request: Request) -> None:
        self._sent += 1
        if self._sent in self._lost:
            self.client.request_failed("timeout", self.now)
            return
        request.headers.prepend("Via", f"SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK{self._sent}")
        arrived = parse_message(request.serialise())
        assert isinstance(arrived, Request)
        answered = parse_message(self._serve(arrived).serialise())
        assert isinstance(answered, Response)
        self.client.receive_response(answered, self.now)

    def _serve(self, request: Request) -> Response:
        outcome = self._authenticator.check(request, self.now, "192.0.2.9")
        if isinstance(outcome, Authenticated):
            return self._registrar.register(
                request, [f"sip:{outcome.user}@example.net"], self.now, FLOW, to_tag="t"
            )
        assert isinstance(outcome, Challenged)
        self.reasons.append(outcome.reason)
        return response_to(request, outcome.status, to_tag="t", headers=outcome.headers)

    def is_bound(self) -> bool:
        return len(self._registrar.contacts(AOR, self.now)) == 1


def test_a_client_registers_stays_registered_and_leaves() -> None:
    wire = Wire()
    wire.client.start(0.0)
    for hour in range(1, 10):
        wire.run_until(hour * 3600.0)
        assert wire.is_bound()
    wire.client.stop(wire.now)
    wire.flush()
    assert not wire.is_bound()
    assert wire.client.state is RegistrationState.UNREGISTERED
    assert set(wire.reasons) == {Reason.NO_CREDENTIALS}


def test_a_restart_of_the_registrar_costs_nobody_his_registration() -> None:
    wire = Wire()
    wire.client.start(0.0)
    wire.run_until(3000.0)
    wire.restart()
    wire.run_until(9000.0)
    assert wire.is_bound()
    assert wire.client.last_error is None


def test_a_wrong_password_ends_in_patience_not_in_silence() -> None:
    wire = Wire(password="wrong")
    wire.client.start(0.0)
    wire.run_until(3600.0)
    assert wire.client.state is RegistrationState.FAILED
    assert wire.reasons.count(Reason.WRONG) <= 6


@pytest.mark.parametrize("lost", range(1, 8))
def test_any_one_request_may_get_lost(lost: int) -> None:
    wire = Wire(lost=frozenset({lost}))
    wire.client.start(0.0)
    wire.run_until(20000.0)
    assert wire.is_bound()
    assert wire.client.state is RegistrationState.REGISTERED


def test_half_of_all_requests_may_get_lost() -> None:
    wire = Wire(lost=frozenset(range(1, 1000, 3)))
    wire.client.start(0.0)
    wire.run_until(50000.0)
    assert wire.is_bound()
