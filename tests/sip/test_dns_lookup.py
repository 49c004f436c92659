"""Look-ups against a real name server of twisted.names on loopback, by a reactor of their own."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import ensureDeferred, fail
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.task import Clock
from twisted.names import dns
from twisted.names.authority import FileAuthority
from twisted.names.error import ResolverError
from twisted.names.server import DNSServerFactory
from twisted.python.failure import Failure

from sip.dns_answers import Answer, LookupFailed, Naptr, Srv
from sip.dns_lookup import LONGEST, TwistedLookup, _failed
from sip.flow import Address
from sip.resolver import Resolver
from sip.uri import Uri

T = TypeVar("T")
PATIENCE = 10.0

RECORDS: dict[bytes, list[Any]] = {
    b"example.test": [
        dns.Record_NAPTR(10, 0, b"s", b"SIP+D2T", b"", b"_sip._tcp.example.test", ttl=60),
        dns.Record_NAPTR(20, 0, b"s", b"SIP+D2U", b"", b"_sip._udp.example.test", ttl=60),
    ],
    b"_sip._tcp.example.test": [
        dns.Record_SRV(2, 0, 5062, b"b.example.test", ttl=60),
        dns.Record_SRV(1, 0, 5061, b"a.example.test", ttl=30),
    ],
    b"_sip._udp.example.test": [dns.Record_SRV(1, 0, 5060, b"a.example.test", ttl=60)],
    b"a.example.test": [dns.Record_A("192.0.2.1", ttl=40), dns.Record_AAAA("2001:db8::1", ttl=50)],
    b"b.example.test": [dns.Record_A("192.0.2.2", ttl=60)],
}


class Authority(FileAuthority):
    """The zone above; a name that begins with ``broken`` fails as a sick server does."""

    def __init__(self) -> None:
        super().__init__(None)  # type: ignore[no-untyped-call]

    def loadFile(self, filename: object) -> None:
        soa = dns.Record_SOA(b"example.test", b"x", 1, 60, 60, 60, 60, 60)
        records = {**RECORDS, b"example.test": [soa, *RECORDS[b"example.test"]]}
        vars(self).update(soa=(b"example.test", soa), records=records)

    def _lookup(self, name: bytes, *arguments: Any) -> Any:
        if name.startswith(b"broken"):
            return fail(Failure(ResolverError("sick")))
        return super()._lookup(name, *arguments)  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def reactor() -> Iterator[Any]:
    own = EPollReactor()
    own.startRunning(installSignalHandlers=False)
    yield own
    own.callLater(0, own.stop)
    while own.running:
        own.iterate(0.01)
    own.iterate(0)


@pytest.fixture
def listen(reactor: Any) -> Iterator[Callable[[Any], int]]:
    ports = []

    def listen(protocol: Any) -> int:
        ports.append(reactor.listenUDP(0, protocol, "127.0.0.1"))
        return int(ports[-1].getHost().port)

    yield listen
    for port in ports:
        port.stopListening()
    reactor.iterate(0.01)
    reactor.iterate(0.01)
    assert reactor.getDelayedCalls() == []


@pytest.fixture
def lookup(reactor: Any, listen: Callable[[Any], int], tmp_path: Path) -> TwistedLookup:
    factory = DNSServerFactory(authorities=[Authority()])
    factory.noisy = False
    port = listen(dns.DNSDatagramProtocol(factory, reactor=reactor))
    hosts = tmp_path / "hosts"
    hosts.write_text("192.0.2.99 pbx.example.test other\n")
    return TwistedLookup(reactor, servers=[("127.0.0.1", port)], timeouts=[2.0], hosts=str(hosts))


@pytest.fixture
def silent(reactor: Any, listen: Callable[[Any], int]) -> TwistedLookup:
    port = listen(DatagramProtocol())
    return TwistedLookup(reactor, servers=[("127.0.0.1", port)], timeouts=[0.05, 0.05], hosts=os.devnull)


def wait(reactor: Any, asked: Awaitable[T]) -> T:
    """Let the reactor work until the answer is there."""

    async def ask() -> T:
        return await asked

    results: list[Any] = []
    ensureDeferred(ask()).addBoth(results.append)
    give_up = time.monotonic() + PATIENCE
    while not results and time.monotonic() < give_up:
        reactor.iterate(0.02)
    assert results, "no answer"
    if isinstance(results[0], Failure):
        results[0].raiseException()
    found: T = results[0]
    return found


def test_each_kind_of_record_is_read_with_its_ttl(reactor: Any, lookup: TwistedLookup) -> None:
    naptr = wait(reactor, lookup.naptr("example.test"))
    assert sorted(naptr.records) == [
        Naptr(10, 0, "s", "SIP+D2T", "_sip._tcp.example.test"),
        Naptr(20, 0, "s", "SIP+D2U", "_sip._udp.example.test"),
    ]
    srv = wait(reactor, lookup.srv("_sip._tcp.example.test"))
    assert sorted(srv.records) == [Srv(1, 0, 5061, "a.example.test"), Srv(2, 0, 5062, "b.example.test")]
    assert srv.ttl == 30
    assert wait(reactor, lookup.addresses("a.example.test")) == Answer(("192.0.2.1", "2001:db8::1"), 40.0)


def test_a_domain_is_resolved_from_naptr_to_addresses(reactor: Any, lookup: TwistedLookup) -> None:
    resolver = Resolver(lookup, lambda: 0.0)
    assert wait(reactor, resolver.resolve(Uri.parse("sip:bob@example.test"), 0.0)) == [
        Address("tcp", "192.0.2.1", 5061),
        Address("tcp", "2001:db8::1", 5061),
        Address("tcp", "192.0.2.2", 5062),
        Address("udp", "192.0.2.1", 5060),
        Address("udp", "2001:db8::1", 5060),
    ]


def test_what_is_not_there_is_an_empty_answer(reactor: Any, lookup: TwistedLookup) -> None:
    assert wait(reactor, lookup.srv("_sip._udp.nowhere.example.test")).records == ()
    assert wait(reactor, lookup.naptr("a.example.test")).records == ()
    assert wait(reactor, lookup.addresses("nowhere.example.test")).records == ()


def test_the_hosts_file_comes_before_the_dns(reactor: Any, lookup: TwistedLookup) -> None:
    assert wait(reactor, lookup.addresses("pbx.example.test")).records == ("192.0.2.99",)


def test_a_sick_server_and_a_silent_one_are_failures(
    reactor: Any, lookup: TwistedLookup, silent: TwistedLookup
) -> None:
    for asked, label in (
        (lookup.srv("broken.example.test"), "dns_failed"),
        (lookup.addresses("broken.example.test"), "dns_failed"),
        (silent.srv("example.test"), "dns_timeout"),
        (silent.addresses("example.test"), "dns_timeout"),
    ):
        with pytest.raises(LookupFailed) as caught:
            wait(reactor, asked)
        assert caught.value.label == label


def test_localhost_is_asked_of_the_system(reactor: Any, silent: TwistedLookup) -> None:
    resolver = Resolver(silent, lambda: 0.0)
    found = wait(reactor, resolver.resolve(Uri.parse("sip:localhost;transport=tcp"), 0.0))
    assert Address("tcp", "127.0.0.1", 5060) in found


def test_a_name_the_system_does_not_know_has_no_addresses(reactor: Any, silent: TwistedLookup) -> None:
    assert wait(reactor, silent.system_addresses("no-such-host.invalid")).records == ()


class SlowSystem:
    """A reactor whose name resolver answers when the test says so."""

    def __init__(self) -> None:
        clock = Clock()
        self.nameResolver = self
        self.callLater = clock.callLater
        self.advance = clock.advance
        self.receiver: Any = None

    def resolveHostName(self, receiver: Any, name: str) -> None:
        self.receiver = receiver


def test_the_system_is_not_waited_for_for_ever() -> None:
    system = SlowSystem()
    failures: list[Any] = []
    TwistedLookup(system, servers=[("127.0.0.1", 53)]).system_addresses("localhost").addErrback(
        failures.append
    )
    system.advance(LONGEST)
    assert failures[0].value.label == "dns_timeout"
    system.receiver.resolutionComplete()


def test_each_address_of_the_system_comes_once() -> None:
    system = SlowSystem()
    found: list[Answer[str]] = []
    TwistedLookup(system, servers=[("127.0.0.1", 53)]).system_addresses("localhost").addCallback(found.append)
    for address in (IPv4Address("TCP", "127.0.0.1", 0), IPv4Address("UDP", "127.0.0.1", 0), UNIXAddress("x")):
        system.receiver.addressResolved(address)
    system.receiver.resolutionComplete()
    assert found[0].records == ("127.0.0.1",)


def test_a_fault_of_our_own_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        _failed(Failure(ZeroDivisionError()))


def test_a_changed_resolv_conf_is_read_again(reactor: Any, tmp_path: Path) -> None:
    conf = tmp_path / "resolv.conf"
    lookup = TwistedLookup(reactor, resolv_conf=str(conf), hosts=os.devnull)
    assert lookup._dns().servers == [("127.0.0.1", 53)]
    conf.write_text("# a comment\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\nsearch x\nnameserver\n")
    os.utime(conf, (1, 1))
    assert lookup._dns().servers == [("192.0.2.53", 53)]
    assert lookup._dns() is lookup._dns()
    conf.unlink()
    assert lookup._dns().servers == [("127.0.0.1", 53)]
