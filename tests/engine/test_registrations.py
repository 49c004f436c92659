"""Phones registered with us: bindings in memory, written behind, gone with their connections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from twisted.internet.defer import Deferred, ensureDeferred, succeed

from engine.numbering import Numbering
from engine.own_addresses import OwnAddresses
from engine.registrations import LineRegistrations
from engine.store import Line
from sip.bindings import Binding
from sip.counters import Counters
from sip.flow import Address, Flow
from sip.message import Request, Response
from sip.registrar import RegistrarSettings
from tests.sip.wire import request

UDP = Flow(Address("udp", "192.0.2.1", 5060), Address("udp", "192.0.2.10", 5060))
TCP = Flow(Address("tcp", "192.0.2.1", 5060), Address("tcp", "192.0.2.10", 41000), 7)


class PaperEndpoint:
    """Listens on every address of 192.0.2.1, and keeps answers."""

    def __init__(self) -> None:
        self.listening = [Address("udp", "0.0.0.0", 5060), Address("tls", "::1", 5061)]
        self.counters = Counters()
        self.answers: list[Response] = []
        self.forgotten = 0

    def respond(self, transaction: object, response: Response) -> None:
        self.answers.append(response)

    def forget_peer_classes(self) -> None:
        self.forgotten += 1

    def local_host_for(self, remote: str) -> str:
        return remote if remote.startswith("127.") else "192.0.2.1"


class PaperStore:
    """Bindings as a thread writes them."""

    def __init__(self) -> None:
        self.held: list[Binding] = []
        self.written: list[tuple[str, list[str]]] = []
        self.bindings = self

    def all(self, now: float) -> list[Binding]:
        return self.held

    def replace(self, aor: str, bindings: Sequence[Binding], now: float) -> None:
        self.written.append((aor, [each.contact for each in bindings]))

    def call(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        return succeed(function(*arguments))

    def later(self, what: str, function: Callable[..., Any], *arguments: Any) -> None:
        function(*arguments)


class Desk:
    """Registrations, and what stands around them."""

    def __init__(self) -> None:
        self.now = 100.0
        self.endpoint = PaperEndpoint()
        self.store = PaperStore()
        self.own = OwnAddresses(self.endpoint)  # type: ignore[arg-type]
        self.registrations = LineRegistrations(
            self.endpoint,  # type: ignore[arg-type]
            lambda: self.now,
            RegistrarSettings(),
            self.own.listens_at,
        )
        loading = self.registrations.load(cast(Any, self.store), cast(Any, self.store))
        ensureDeferred(loading)

    def register(self, contact: str, flow: Flow = UDP, number: str = "1001", cseq: int = 1) -> int:
        asked = _register(number, contact, flow, cseq)
        self.registrations.register(asked, cast(Any, None), flow, number)
        return self.endpoint.answers[-1].status

    def contacts(self, number: str = "1001") -> tuple[str, ...]:
        line = Line(number=number, realm="r", ha1={})
        return self.registrations.states(Numbering(lines=(line,)))[0].contacts


def _register(number: str, contact: str, flow: Flow, cseq: int) -> Request:
    made = request(
        "REGISTER",
        uri="sip:192.0.2.1",
        via=f"SIP/2.0/UDP {flow.remote.host};branch=z9hG4bKr{cseq}",
        call_id=contact,
        cseq=cseq,
        headers=(f"Contact: {contact}", "Expires: 600"),
    )
    made.headers.set("To", f"<sip:{number}@anything>")
    return made


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_phone_registers_and_is_written_behind(desk: Desk) -> None:
    """A number is its address of record whatever host stands beside it; its source is known from now on."""
    assert desk.register("<sip:1001@192.0.2.10:5060>") == 200
    assert desk.contacts() == ("sip:1001@192.0.2.10:5060",)
    assert desk.store.written == [("1001", ["sip:1001@192.0.2.10:5060"])]
    assert desk.registrations.is_registered(UDP)
    assert desk.registrations.registered == 1
    assert desk.endpoint.forgotten == 1
    desk.now += 601
    assert not desk.registrations.is_registered(UDP)
    assert desk.registrations.registered == 0


@pytest.mark.parametrize(
    "contact",
    ["sip:x@192.0.2.1:5060", "sip:x@192.0.2.1", "sip:x@localhost", "sip:x@127.0.0.1", "sips:x@[::1]:5061"],
)
def test_nobody_registers_the_engine_itself(desk: Desk, contact: str) -> None:
    """A loop by any of its names (security reference C6): 403, counted."""
    assert desk.register(f"<{contact}>") == 403
    assert desk.contacts() == ()
    assert desk.endpoint.counters["register_contact_host"] == 1


def test_another_port_of_this_machine_is_a_phone(desk: Desk) -> None:
    """A softphone beside the engine."""
    assert desk.register("<sip:1001@192.0.2.1:5070>") == 200


def test_a_connection_takes_its_phones_with_it(desk: Desk) -> None:
    """They cannot be reached until they come again (RFC 5626); those over UDP stay."""
    desk.register("<sip:1001@192.0.2.10:41000;transport=tcp>", TCP)
    desk.register("<sip:1001@192.0.2.10:5060>", UDP)
    before = desk.endpoint.forgotten
    desk.registrations.connection_lost(TCP)
    assert desk.contacts() == ("sip:1001@192.0.2.10:5060",)
    assert desk.store.written[-1] == ("1001", ["sip:1001@192.0.2.10:5060"])
    assert desk.endpoint.forgotten == before + 1
    desk.registrations.connection_lost(TCP._replace(connection=8))
    desk.registrations.connection_lost(UDP)
    assert desk.endpoint.forgotten == before + 1


def test_a_line_that_is_gone_takes_its_phones_with_it(desk: Desk) -> None:
    """Removed by the administrator."""
    desk.register("<sip:1001@192.0.2.10:5060>")
    desk.registrations.forget(frozenset({"1001", "1002"}))
    assert desk.registrations.registered == 1
    desk.registrations.forget(frozenset({"1002"}))
    assert desk.registrations.registered == 0
    assert desk.store.written[-1] == ("1001", [])


def test_what_an_earlier_process_stored_is_there(desk: Desk) -> None:
    """Two phones of a line, read at the start."""
    desk.store.held = [
        Binding(aor="1001", contact=f"sip:1001@192.0.2.{host}", expires_at=500.0, call_id="c", cseq=1)
        for host in (10, 11)
    ]
    ensureDeferred(desk.registrations.load(cast(Any, desk.store), cast(Any, desk.store)))
    assert len(desk.contacts()) == 2


class TestOwnAddresses:
    def test_what_is_told_can_be_called_from_here(self, desk: Desk) -> None:
        """A wildcard is told as loopback."""
        assert desk.own.uris() == ["sip:127.0.0.1:5060;transport=udp", "sip:[::1]:5061;transport=tls"]
        assert desk.own.first() == Address("udp", "127.0.0.1", 5060)

    @pytest.mark.parametrize(
        ("address", "ours"),
        [
            (Address("udp", "192.0.2.1", 5060), True),
            (Address("udp", "127.0.0.1", 5060), True),
            (Address("tls", "::1", 5061), True),
            (Address("tcp", "192.0.2.1", 5060), False),
            (Address("udp", "192.0.2.1", 5061), False),
            (Address("udp", "192.0.2.2", 5060), False),
        ],
    )
    def test_our_own_sockets(self, desk: Desk, address: Address, ours: bool) -> None:
        """By address, port and transport."""
        assert desk.own.is_us(address) is ours
