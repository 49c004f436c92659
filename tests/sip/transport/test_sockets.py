"""Sockets bound together, and our address towards a peer."""

from __future__ import annotations

import errno
import socket
from typing import Any

import pytest

from sip.transport.sockets import SIGNALLING_CLASS, LocalAddresses, bind_all, close_all, is_numeric

REAL = socket.socket


def failing(error: int, when: Any) -> Any:
    """Make sockets that fail where ``when(family, kind)`` says so."""

    class Failing(REAL):
        def bind(self, address: Any) -> None:
            if when(self.family, self.type):
                raise OSError(error, "scripted")
            super().bind(address)

    return Failing


def test_everything_shares_the_port_the_system_chose() -> None:
    """And TLS has one of its own."""
    listeners = bind_all(["127.0.0.1", "127.0.0.2"], 0, 0)
    try:
        ports = {(one.address.transport, one.address.port) for one in listeners}
        assert len(ports) == 3
        assert len({port for transport, port in ports if transport != "tls"}) == 1
        udp = next(one.socket for one in listeners if one.address.transport == "udp")
        assert not udp.getblocking()
    finally:
        close_all(listeners)


def test_a_missing_family_is_left_out_of_a_wildcard(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without IPv6 serves IPv4; an address it lacks by name is an error."""
    no_ipv6 = failing(errno.EADDRNOTAVAIL, lambda family, kind: family == socket.AF_INET6)
    monkeypatch.setattr(socket, "socket", no_ipv6)
    listeners = bind_all(["0.0.0.0", "::"], 0, None)
    close_all(listeners)
    assert {one.address.host for one in listeners} == {"0.0.0.0"}
    with pytest.raises(OSError, match="scripted"):
        bind_all(["::1"], 0, None)
    with pytest.raises(OSError, match="no address"):
        bind_all(["::"], 0, None)


def test_a_family_the_system_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, when not even a socket can be made."""

    def make(family: int, kind: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "scripted")
        return REAL(family, kind)

    monkeypatch.setattr(socket, "socket", make)
    close_all(bind_all(["0.0.0.0", "::"], 0, None))
    with pytest.raises(OSError, match="scripted"):
        bind_all(["::1"], 0, None)


def test_a_port_taken_for_tcp_has_another_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the system chooses; what was bound before is closed."""
    left = [3]

    def busy(family: int, kind: int) -> bool:
        left[0] -= kind == socket.SOCK_STREAM
        return kind == socket.SOCK_STREAM and left[0] >= 0

    monkeypatch.setattr(socket, "socket", failing(errno.EADDRINUSE, busy))
    listeners = bind_all(["127.0.0.1"], 0, None)
    close_all(listeners)
    assert len(listeners) == 2
    left[0] = 1000
    with pytest.raises(OSError, match="scripted"):
        bind_all(["127.0.0.1"], 0, None)


def test_a_taken_tls_port_leaves_nothing_open() -> None:
    """The port we asked for is free again after the failure."""
    with REAL() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            bind_all(["127.0.0.1"], 0, taken.getsockname()[1])


def test_our_address_towards_a_peer_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked of the system once; nothing where there is no way."""
    addresses = LocalAddresses(max_remembered=1)
    assert addresses.towards("127.0.0.1") == "127.0.0.1"
    assert addresses.towards("127.0.0.9") in ("127.0.0.1", "127.0.0.9")
    assert len(addresses._known) == 1

    class NoWay(REAL):
        def connect(self, address: Any) -> None:
            raise OSError(errno.ENETUNREACH, "scripted")

    monkeypatch.setattr(socket, "socket", NoWay)
    assert addresses.towards("127.0.0.9") is not None
    assert addresses.towards("127.0.0.8") is None


@pytest.mark.parametrize(
    ("host", "numeric"),
    [("192.0.2.1", True), ("2001:db8::1", True), ("pbx", False), ("1.2.3", False), ("", False)],
)
def test_is_numeric(host: str, numeric: bool) -> None:
    """An address needs no look-up."""
    assert is_numeric(host) is numeric


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_signalling_is_marked(host: str) -> None:
    """DSCP CS3 on every socket, and on a connection that one of them accepts."""
    ipv6 = ":" in host
    level, option = (socket.IPPROTO_IPV6, socket.IPV6_TCLASS) if ipv6 else (socket.IPPROTO_IP, socket.IP_TOS)
    listeners = bind_all([host], 0, 0)
    try:
        assert {one.socket.getsockopt(level, option) for one in listeners} == {SIGNALLING_CLASS}
        tcp = next(one for one in listeners if one.address.transport == "tcp")
        with socket.create_connection((host, tcp.address.port)):
            tcp.socket.setblocking(True)
            accepted, _ = tcp.socket.accept()
            with accepted:
                assert accepted.getsockopt(level, option) == SIGNALLING_CLASS
    finally:
        close_all(listeners)
