"""An endpoint on real sockets: UDP, TCP and TLS on loopback (RFC 3261 section 18, RFC 5626, RFC 5922; B, G1, G2)."""

from __future__ import annotations

import datetime
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import trustme
from twisted.internet.defer import Deferred

from sip.client_requests import RequestFailed
from sip.endpoint import Endpoint
from sip.endpoint_settings import EndpointSettings
from sip.flow import Address
from sip.message import Request, Response, response_to
from sip.session.outputs import Answered, Ended
from sip.transport.stream_table import StreamLimits
from sip.transport.tls import TlsSettings
from sip.transport.transports import CannotConnect
from sip.uri import NameAddr, Uri
from tests.sip.endpoint.paper import SESSION, PaperApplication
from tests.sip.reactor_running import later, run, the_reactor, until
from tests.sip.wire import SDP, written

ME = NameAddr(None, Uri.parse("sip:me@127.0.0.1"))
Work = Callable[[Endpoint, Endpoint], Coroutine[Deferred[Any], Any, None]]


def endpoint(**changes: Any) -> Endpoint:
    application = PaperApplication()
    settings = EndpointSettings(**{"bind": ["127.0.0.1"], "port": 0, "session": SESSION, **changes})
    made = Endpoint(the_reactor(), application, settings)
    application.endpoint = made
    application.on_invite = lambda call: call.answer(SDP)
    return made


def application_of(one: Endpoint) -> PaperApplication:
    assert isinstance(one.application, PaperApplication)
    return one.application


def between(work: Work, a: dict[str, Any] | None = None, b: dict[str, Any] | None = None) -> None:
    """Run ``work`` with two endpoints that listen."""

    async def working() -> None:
        ends = [endpoint(**(a or {})), endpoint(**(b or {}))]
        for one in ends:
            await one.start()
        try:
            await work(*ends)
        finally:
            for one in ends:
                await one.stop()

    run(working)


def port_of(one: Endpoint, transport: str = "udp") -> int:
    return next(address.port for address in one.listening if address.transport == transport)


def uri_of(one: Endpoint, transport: str, host: str = "127.0.0.1") -> Uri:
    return Uri.parse(f"sip:bob@{host}:{port_of(one, transport)};transport={transport}")


async def ask(one: Endpoint, uri: Uri, **parts: Any) -> Response:
    headers = parts.pop("headers", ())
    asked = one.new_request("OPTIONS", uri, from_=ME, to=NameAddr(None, uri), headers=headers)
    return await one.request(asked, **parts)


def test_udp_and_tcp_share_a_port() -> None:
    """The system chooses one that is free for both, on every address."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        assert sorted(address.transport for address in a.listening) == ["tcp", "tcp", "udp", "udp"]
        assert len({address.port for address in a.listening}) == 1

    between(work, {"bind": ["127.0.0.1", "127.0.0.2"]})


def test_a_port_that_is_taken_is_an_error_and_leaves_no_socket() -> None:
    """Starting fails with OSError."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        other = endpoint(port=port_of(a))
        with pytest.raises(OSError, match="in use"):
            await other.start()
        await other.stop()

    between(work)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_over(transport: str) -> None:
    """Set up, and ended by the callee."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        events: list[Any] = []
        target = uri_of(b, transport)
        call = a.call(target=target, from_=ME, to=NameAddr(None, target), offer=SDP, on_event=events.append)
        await until(lambda: len(events) == 1)
        assert events == [Answered(SDP)]
        assert call.flow.remote.transport == transport
        await until(lambda: len(application_of(b).events) == 1)
        application_of(b).calls[0].hangup()
        await until(lambda: len(events) == 2)
        assert isinstance(events[1], Ended)
        assert len(a.transports._streams) == (transport == "tcp")

    between(work)


def test_ipv6() -> None:
    """Both families at once, apart (V6ONLY)."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        assert (await ask(a, uri_of(b, "udp", "[::1]"))).status == 200
        assert (await ask(a, uri_of(b, "tcp", "[::1]"))).status == 200
        assert (await ask(a, uri_of(b, "udp"))).status == 200

    between(work, {"bind": ["0.0.0.0", "::"]}, {"bind": ["0.0.0.0", "::"]})


def test_a_connection_is_used_again() -> None:
    """One connection for many requests, concurrent ones too."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        first = ask(a, uri_of(b, "tcp"))
        second = ask(a, uri_of(b, "tcp"))
        assert [(await first).status, (await second).status] == [200, 200]
        assert (len(a.transports._streams), len(b.transports._streams)) == (1, 1)

    between(work)


def test_nobody_listens() -> None:
    """A refused connection is a transport failure, at once."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            uri = Uri.parse(f"sip:127.0.0.1:{closed.getsockname()[1]};transport=tcp")
            with pytest.raises(RequestFailed, match="transport"):
                await ask(a, uri)
        assert a.counters["connect_failed"] == 1

    between(work)


def test_a_large_request_goes_over_tcp() -> None:
    """18.1.1: at 1,300 bytes it is UDP still, above TCP."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        def arrived() -> str:
            return application_of(b).requests[-1].via.transport

        assert (await ask(a, uri_of(b, "udp"), headers=[("X", "x" * 700)])).status == 200
        assert arrived() == "UDP"
        assert (await ask(a, uri_of(b, "udp"), headers=[("X", "x" * 1300)])).status == 200
        assert (arrived(), a.counters["switched_to_tcp"]) == ("TCP", 1)

    between(work)


def test_a_large_request_falls_back_to_udp() -> None:
    """18.1.1: when nobody listens on TCP."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        for port in b.transports._stream_ports:
            await port.close()
        assert (await ask(a, uri_of(b, "udp"), headers=[("X", "x" * 1300)])).status == 200
        assert application_of(b).requests[-1].via.transport == "UDP"

    between(work)


# -- peers that are plain sockets


class Plain:
    """A TCP client that is not ours."""

    def __init__(self, to: Endpoint, source: str = "127.0.0.1") -> None:
        self.socket = socket.socket()
        self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port_of(to, "tcp")))
        self.socket.setblocking(False)
        self.heard = b""
        self.closed = False

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def listen(self) -> bytes:
        while not self.closed:
            try:
                data = self.socket.recv(65536)
            except BlockingIOError:
                break
            except ConnectionError:
                data = b""
            self.closed = not data
            self.heard += data
        return self.heard

    def is_closed(self) -> bool:
        self.listen()
        return self.closed


def test_one_byte_at_a_time_and_many_at_once() -> None:
    """B2: handled as if whole, in order; CRLF pings get their pong (RFC 5626)."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        peer = Plain(b)
        via = "SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK{}"
        for byte in written("OPTIONS", call_id="slow", via=via.format("slow")):
            peer.send(bytes([byte]))
            await until(lambda: True)
        await until(lambda: peer.listen().count(b"SIP/2.0 200") == 1)
        peer.heard = b""
        peer.send(
            b"".join(written("OPTIONS", call_id=f"c{n:02}", via=via.format(f"n{n:02}")) for n in range(100))
        )
        await until(lambda: peer.listen().count(b"SIP/2.0 200") == 100)
        order = [line for line in peer.heard.split(b"\r\n") if line.startswith(b"Call-ID")]
        assert order == sorted(order)
        peer.heard = b""
        peer.send(b"\r\n\r\n")
        await until(lambda: peer.listen() == b"\r\n")
        peer.socket.close()
        await until(lambda: len(b.transports._streams) == 0)

    between(work)


@pytest.mark.parametrize(
    "lengths", [b"Content-Length: 0\r\nContent-Length: 5", b"Content-Length: +0", b"X: 1"]
)
def test_a_doubtful_length_is_answered_and_closes_the_stream(lengths: bytes) -> None:
    """B1: 400, and the request hidden behind it has no effect."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        peer = Plain(b)
        message = written("OPTIONS").replace(b"Content-Length: 0", lengths)
        peer.send(message + written("OPTIONS", call_id="hidden"))
        await until(peer.is_closed)
        assert peer.heard.startswith(b"SIP/2.0 400 ")
        assert (peer.heard.count(b"SIP/2.0 400"), application_of(b).requests) == (1, [])

    between(work)


def test_half_open_connections_do_not_keep_others_out() -> None:
    """B3: 500 of them from two sources; a source has 256 at most, and an honest client is served."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        idle = []
        for index in range(520):
            idle.append(Plain(b, f"127.0.0.{2 + index % 2}"))
            idle[-1].send(b"OPTIONS sip:x SIP/2.0\r\nVia:")
            if index % 50 == 0:
                await later(0)  # let them be accepted, the backlog is finite
        await until(lambda: b.counters["streams_of_source"] == 8)
        assert (await ask(a, uri_of(b, "udp"))).status == 200
        assert (await ask(a, uri_of(b, "tcp"))).status == 200
        assert len(b.transports._streams) == 513
        for one in idle:
            one.socket.close()

    between(work)


def test_over_the_total_the_longest_idle_stranger_goes() -> None:
    """B3: connections of known peers stay."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        assert (await ask(a, uri_of(b, "tcp"))).status == 200
        application_of(b).default_class = None
        first, second, third = Plain(b), Plain(b), None
        await until(lambda: len(b.transports._streams) == 3)
        third = Plain(b)
        await until(first.is_closed)
        assert not second.is_closed()
        third.send(written("OPTIONS", via="SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKthird"))
        await until(lambda: third.listen().startswith(b"SIP/2.0 200"))
        assert b.counters["stream_closed_evicted"] == 1
        for one in (second, third):
            one.socket.close()

    between(work, b={"streams": StreamLimits(total=3)})


def test_slow_and_silent_peers_are_closed() -> None:
    """B3: a connection that brings no whole message in its time is closed."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        silent, slow = Plain(b), Plain(b)
        slow.send(b"OPTIONS sip:x SIP/2.0\r\n")
        await until(lambda: silent.is_closed() and slow.is_closed())
        assert b.counters["stream_closed_stream_silent"] == 2

    between(work, b={"streams": StreamLimits(silent_time=0.2)})


def test_a_peer_that_does_not_read_is_dropped() -> None:
    """B4: at the limit of what is queued for it."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        peer = Plain(b)
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        asked = written("OPTIONS", via="SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKdeaf")
        peer.send(asked)
        await until(lambda: len(b.transports._streams) == 1 and bool(application_of(b).requests))
        flow = next(iter(b.transports._streams)).flow
        refused = None
        for _ in range(2000):
            refused = refused or b.transports.send(flow, b"x" * 65536)
        assert refused == "closed"
        await until(lambda: len(b.transports._streams) == 0)
        assert b.counters["stream_closed_write_queue"] == 1
        peer.socket.close()

    between(work)


def test_an_answer_goes_on_the_connection_of_its_request_or_nowhere() -> None:
    """B5: the peer is gone; nothing is opened to where its Via points."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        waiting: list[Callable[[], None]] = []
        application_of(b).request_received = (  # type: ignore[method-assign]
            lambda request, transaction, flow, identity: waiting.append(
                lambda: b.respond(transaction, response_to(request, 200, to_tag="b"))
            )
        )
        with socket.socket() as elsewhere:
            elsewhere.bind(("127.0.0.1", 0))
            elsewhere.listen()
            elsewhere.setblocking(False)
            via = f"SIP/2.0/TCP 127.0.0.1:{elsewhere.getsockname()[1]};branch=z9hG4bKgone"
            peer = Plain(b)
            peer.send(written("OPTIONS", via=via))
            await until(lambda: len(waiting) == 1)
            peer.socket.close()
            await until(lambda: len(b.transports._streams) == 0)
            waiting[0]()
            with pytest.raises(BlockingIOError):
                elsewhere.accept()
        assert (b.counters["answer_transport"], len(b.layer)) == (1, 0)

    between(work)


# -- TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def tls(
    folder: Path,
    authority: trustme.CA,
    name: str = "127.0.0.1",
    signer: trustme.CA | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Settings of an endpoint whose certificate names ``name``."""
    folder.mkdir(exist_ok=True)
    made = (signer or authority).issue_cert(name) if name != "expired" else expired(authority)
    certificate, key, authorities = folder / "cert.pem", folder / "key.pem", folder / "ca.pem"
    made.cert_chain_pems[0].write_to_path(str(certificate))
    made.private_key_pem.write_to_path(str(key))
    authority.cert_pem.write_to_path(str(authorities))
    settings = {"certificate": certificate, "key": key, "authorities": authorities, **changes}
    return {"tls_port": 0, "tls": TlsSettings(**settings)}


def expired(authority: trustme.CA) -> trustme.LeafCert:
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    return authority.issue_cert("127.0.0.1", not_before=past, not_after=past + datetime.timedelta(days=1))


def test_tls_to_the_right_name(tmp_path: Path, authority: trustme.CA) -> None:
    """The certificate names the domain we want; the connection is used again, and whole calls go over it."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        for _ in range(2):
            assert (await ask(a, uri_of(b, "tls"))).status == 200
        assert len(a.transports._streams) == 1
        sips = Uri.parse(f"sips:bob@127.0.0.1:{port_of(b, 'tls')}")
        events: list[Any] = []
        call = a.call(target=sips, from_=ME, to=NameAddr(None, sips), offer=SDP, on_event=events.append)
        await until(lambda: bool(events))
        assert (call.flow.remote.transport, len(a.transports._streams)) == ("tls", 1)
        call.hangup()
        await until(lambda: len(application_of(b).events) == 2)

    between(work, tls(tmp_path / "a", authority), tls(tmp_path / "b", authority))


@pytest.mark.parametrize("wrong", ["name", "expired", "unknown signer"])
def test_tls_to_the_wrong_peer(tmp_path: Path, authority: trustme.CA, wrong: str) -> None:
    """G1: right CA with the wrong name, an expired certificate, another signer: no request is sent."""
    server = {
        "name": lambda: tls(tmp_path / "b", authority, "pbx.example"),
        "expired": lambda: tls(tmp_path / "b", authority, "expired"),
        "unknown signer": lambda: tls(tmp_path / "b", authority, signer=trustme.CA()),
    }[wrong]()

    async def work(a: Endpoint, b: Endpoint) -> None:
        with pytest.raises(RequestFailed, match="transport"):
            await ask(a, uri_of(b, "tls"))
        assert (application_of(b).requests, len(a.transports._streams)) == ([], 0)

    between(work, tls(tmp_path / "a", authority), server)


def test_tls_without_verification(tmp_path: Path, authority: trustme.CA) -> None:
    """For a PBX with a certificate nobody signed, where the administrator said so."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        assert (await ask(a, uri_of(b, "tls"))).status == 200

    between(
        work,
        tls(tmp_path / "a", authority, verify_servers=False),
        tls(tmp_path / "b", authority, "pbx.example", signer=trustme.CA()),
    )


def test_mutual_tls(tmp_path: Path, authority: trustme.CA) -> None:
    """The client's certificate is asked for, checked, and its names told."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        assert (await ask(a, uri_of(b, "tls"))).status == 200
        flow = next(iter(b.transports._streams)).flow
        assert b.transports.identities(flow) == ("gateway.example",)

    between(
        work,
        tls(tmp_path / "a", authority, "gateway.example"),
        tls(tmp_path / "b", authority, client_certificates="required"),
    )


def test_mutual_tls_with_a_strangers_certificate(tmp_path: Path, authority: trustme.CA) -> None:
    """Of another authority: no request gets through."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        with pytest.raises(RequestFailed):
            await ask(a, uri_of(b, "tls"), timeout=5.0)
        assert application_of(b).requests == []

    between(
        work,
        tls(tmp_path / "a", authority, signer=trustme.CA()),
        tls(tmp_path / "b", authority, client_certificates="required"),
    )


def test_an_unknown_server_name_is_refused(tmp_path: Path, authority: trustme.CA) -> None:
    """G1: a client that asks for a name which is not ours (SNI) gets no handshake; ours does."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        address = Address("tls", "127.0.0.1", port_of(b, "tls"))
        with pytest.raises(CannotConnect):
            await a.transports.open(address, server_name="other.example")
        flow = await a.transports.open(address, server_name="ours.example")
        assert a.transports.is_up(flow)

    between(
        work,
        tls(tmp_path / "a", authority),
        tls(tmp_path / "b", authority, "ours.example", server_names=("ours.example",)),
    )


def test_a_connection_is_reused_for_the_name_it_was_verified_for(
    tmp_path: Path, authority: trustme.CA
) -> None:
    """G1: another name at the same address is another connection, and verified anew."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        address = Address("tls", "127.0.0.1", port_of(b, "tls"))
        first = await a.transports.open(address, server_name="ours.example")
        assert await a.transports.open(address, server_name="ours.example") == first
        with pytest.raises(CannotConnect):
            await a.transports.open(address, server_name="other.example")

    between(work, tls(tmp_path / "a", authority), tls(tmp_path / "b", authority, "ours.example"))


def test_a_handshake_that_does_not_come(tmp_path: Path, authority: trustme.CA) -> None:
    """G2: closed after its time; and no more than so many at once."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        idle = []
        for _ in range(3):
            one = socket.create_connection(("127.0.0.1", port_of(b, "tls")))
            one.setblocking(False)
            idle.append(one)
        await until(lambda: b.counters["tls_handshakes"] == 1)
        await until(lambda: b.counters["stream_closed_tls_handshake_slow"] == 2)
        assert (await ask(a, uri_of(b, "tls"))).status == 200
        for one in idle:
            one.close()

    limits = StreamLimits(handshakes=2, handshake_time=0.3)
    between(work, tls(tmp_path / "a", authority), {**tls(tmp_path / "b", authority), "streams": limits})


def test_tls_needs_a_certificate() -> None:
    """An endpoint without TLS settings cannot connect by TLS."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        with pytest.raises(RequestFailed, match="transport"):
            await ask(a, Uri.parse("sips:127.0.0.1"))

    between(work)


def test_stopping_tells_those_who_wait() -> None:
    """Connections are closed after what was written is out; requests under way fail."""

    async def work(a: Endpoint, b: Endpoint) -> None:
        application_of(b).request_received = lambda *parts: None  # type: ignore[method-assign]
        heard: list[Any] = []

        def asked() -> Request:
            uri = uri_of(b, "tcp")
            return a.new_request("OPTIONS", uri, from_=ME, to=NameAddr(None, uri))

        a.request(asked()).addErrback(heard.append)
        await until(lambda: len(b.transports._streams) == 1)
        await a.stop()
        assert heard[0].value.reason == "transport"

    between(work)
