"""Listening sockets: bound together, so that UDP and TCP of every address share one port number."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass

from sip.flow import Address

RECEIVE_BUFFER = 4 * 1024 * 1024
"""Bytes asked of the system for each UDP socket: a burst of half a second at 8,000 messages a second."""
BACKLOG = 512
SIGNALLING_CLASS = 0x60
"""DSCP CS3, where most networks expect call signalling, as the octet it stands in (RFC 2474 section 3)."""
ATTEMPTS = 32
"""Free ports tried, when the system is to choose one, until UDP and TCP are free on every address."""
NO_SUCH_FAMILY = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT)
LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
WILDCARDS = frozenset({"0.0.0.0", "::"})


@dataclass(slots=True)
class Listener:
    """One bound socket, for TLS a listening TCP socket."""

    address: Address
    socket: socket.socket


def family_of(host: str) -> socket.AddressFamily:
    """Tell the family of a numeric address."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def mark(opened: socket.socket) -> None:
    """Have what a SIP socket sends carry DSCP CS3; a connection it accepts inherits that."""
    if opened.family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, SIGNALLING_CLASS)
    else:
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, SIGNALLING_CLASS)


def bind_all(hosts: list[str], port: int, tls_port: int | None) -> list[Listener]:
    """Bind UDP and TCP on ``port``, and TLS on ``tls_port``, of every host; port 0 lets the system choose.

    A wildcard whose address family the system lacks is left out. Raises OSError for anything else.
    """
    listeners = _bind_port(hosts, ("udp", "tcp"), port)
    if tls_port is not None:
        try:
            listeners += _bind_port(hosts, ("tls",), tls_port)
        except OSError:
            close_all(listeners)
            raise
    return listeners


def close_all(listeners: list[Listener]) -> None:
    """Close sockets that were bound and not handed over."""
    for listener in listeners:
        listener.socket.close()


def _bind_port(hosts: list[str], transports: tuple[str, ...], port: int) -> list[Listener]:
    for attempt in range(ATTEMPTS):
        try:
            return _bind_group(hosts, transports, port)
        except OSError as error:
            if port != 0 or error.errno != errno.EADDRINUSE or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _bind_group(hosts: list[str], transports: tuple[str, ...], port: int) -> list[Listener]:
    bound: list[Listener] = []
    try:
        for host in hosts:
            for transport in transports:
                listener = _bind(transport, host, port)
                if listener is not None:
                    bound.append(listener)
                    port = listener.address.port
    except OSError:
        close_all(bound)
        raise
    if not bound:
        raise OSError(errno.EADDRNOTAVAIL, "no address to listen on")
    return bound


def _bind(transport: str, host: str, port: int) -> Listener | None:
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    try:
        sock = socket.socket(family_of(host), kind)
    except OSError as error:
        if host in WILDCARDS and error.errno in NO_SUCH_FAMILY:
            return None
        raise
    try:
        sock.setblocking(False)
        mark(sock)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if transport == "udp":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        if transport != "udp":
            sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        if host in WILDCARDS and error.errno in NO_SUCH_FAMILY:
            return None
        raise
    return Listener(Address(transport, host, sock.getsockname()[1]), sock)


class LocalAddresses:
    """Finds which of our addresses the system uses towards a peer; remembers the last thousands."""

    def __init__(self, max_remembered: int = 4096) -> None:
        """Begin with nothing remembered."""
        self._known: dict[str, str] = {}
        self._max = max_remembered

    def towards(self, host: str) -> str | None:
        """Give our address towards ``host``, None when there is no route.

        Connecting a UDP socket sends nothing; the system just picks the source address.
        """
        known = self._known.get(host)
        if known is not None:
            return known
        try:
            with socket.socket(family_of(host), socket.SOCK_DGRAM) as probe:
                probe.connect((host, 5060))
                found = str(probe.getsockname()[0])
        except OSError:
            return None
        if len(self._known) >= self._max:
            self._known.clear()
        self._known[host] = found
        return found


def is_numeric(host: str) -> bool:
    """Tell whether a host is an IP address, which needs no look-up."""
    try:
        socket.inet_pton(family_of(host), host)
    except OSError:
        return False
    return True
