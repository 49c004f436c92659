"""The sockets of a worker's legs: one RTP and one RTCP socket each, read and written a tick at a time.

The two loops here are the only Python that runs per packet. A leg's sockets are connected, so that the
kernel drops what comes from elsewhere before we hear of it (security F1, F2); only while a source is being
learned is the RTP socket open to all, and then ``SourceLatch`` decides. Sockets that are neither connected
nor learning are not read at all.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from media.coded_outbound import Packet
from media.control import SrtpTerms
from media.datagrams import AVAILABLE
from media.plane import Plane
from media.ports import PortPool
from media.rtp import Integers, Octets
from media.shared_port import SharedPort
from media.source import Source, SourceLatch
from media.srtp import SrtpLegs

ROWS = 1024
ROOM = 1488
"""Octets kept of a datagram: all that fits an Ethernet frame. A power of two would crowd a few sets of the cache."""
MOST_ROUNDS = 32
"""Packets of one leg read in a tick; a longer backlog (640 ms) waits for the next."""
STALE = 512
"""Datagrams thrown away at most when a socket is opened or reopened to its peer."""
BIND_ATTEMPTS = 50
_EXPEDITED = 0xB8  # DSCP EF, for audio (RFC 4594 section 4.1)
_SO_TIMESTAMPNS = 35
_TIMESPEC = struct.Struct("@qq")
_NS = 1_000_000_000

Ancillary = list[tuple[int, int, bytes]]


class NoPort(Exception):
    """A leg cannot be given sockets; ``reason`` is a stable label."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class _Pair:
    slot: int
    rtp: socket.socket
    rtcp: socket.socket
    port: int
    connected: bool = False  # heard and served
    tied: bool = False  # to a peer by the kernel, in use or not
    reports: bool = False  # the RTCP socket has its peer
    send_to: Source | None = None  # while learning
    latch: SourceLatch | None = None


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _bound(host: str, port: int) -> socket.socket:
    opened = socket.socket(_family(host), socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        if opened.family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _EXPEDITED)
        else:
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _EXPEDITED)
        opened.bind((host, port))
    except OSError:
        opened.close()
        raise
    return opened


class LegSockets:
    """The sockets of all legs, by slot of the plane."""

    def __init__(self, plane: Plane, ports: PortPool) -> None:
        self._plane = plane
        self._ports = ports
        self._pairs: dict[int, _Pair] = {}
        self._latches: dict[int, SourceLatch] = {}
        self._rtp = select.epoll()
        self._rtcp = select.epoll()
        self._learning = select.epoll()
        self._slot_by_fd = np.zeros(64, np.int64)
        self._buffer: Octets = np.zeros((ROWS, ROOM), np.uint8)
        self._rows = [(memoryview(row),) for row in self._buffer]
        self._generation = -1
        self._packets: object = None
        self._octets: Octets = np.zeros((0, 0), np.uint8)
        self._views: list[memoryview] = []
        self._send_fds: list[int] = []
        self._send_rows: list[memoryview] = []
        self._send_apart: list[int] = []
        self._shared: dict[str, SharedPort] = {}  # by local address
        self._shares: dict[int, SharedPort] = {}  # by slot
        self.srtp = SrtpLegs()
        self._counters: Counter[str] = Counter()

    @property
    def counters(self) -> Counter[str]:
        """What was dropped or went wrong, by label."""
        counters = self._counters + self.srtp.counters
        for shared in self._shared.values():
            counters += shared.counters
        return counters

    @property
    def ports(self) -> int:
        """Pairs of ports that are in use."""
        return self._ports.taken

    # Opening and closing.

    def open(
        self, slot: int, host: str, now: float, wanted: int | None = None, source: Source | None = None
    ) -> int:
        """Give a leg a pair of ports, the one it had before if there is one, and return the even one.

        source: where its peer sends from, if it is symmetric and has said so: then the leg shares a port with the
        others of its kind, unless it is the second from one source. Raises NoPort.
        """
        if source is not None and AVAILABLE and ":" not in source[0] + host:
            shared = self._share(slot, host, now, wanted, source)
            if shared is not None:
                return shared.port
            self._counters["shared_port_misfits"] += 1
        pair = self._bind_free(slot, host, now, wanted)
        self._pairs[slot] = pair
        self._remember(pair.rtp.fileno(), slot)
        self._remember(pair.rtcp.fileno(), slot)
        return pair.port

    def _share(
        self, slot: int, host: str, now: float, wanted: int | None, source: Source
    ) -> SharedPort | None:
        """The shared port of a local address, opened for its first leg; None when the leg does not fit."""
        shared = self._shared.get(host)
        if shared is None:
            pair = self._bind_free(slot, host, now, wanted)
            shared = self._shared[host] = SharedPort(pair.rtp, pair.rtcp, pair.port)
        if not shared.claim(slot, source):
            return None
        self._shares[slot] = shared
        return shared

    def _bind_free(self, slot: int, host: str, now: float, wanted: int | None) -> _Pair:
        """Bind the pair of ports that is wanted, or else a free one. Raises NoPort."""
        kept = wanted is not None and self._ports.claim(wanted)
        for _ in range(BIND_ATTEMPTS):
            port, kept = (wanted, False) if kept else (self._ports.take(now), False)
            if port is None:
                raise NoPort("ports_exhausted")
            try:
                return self._bind(slot, host, port)
            except OSError as error:
                self._ports.give_back(port, now)
                if error.errno != errno.EADDRINUSE:
                    raise NoPort(errno.errorcode.get(error.errno or 0, "bind").lower()) from error
        raise NoPort("ports_in_use")

    def _bind(self, slot: int, host: str, port: int) -> _Pair:
        rtp = _bound(host, port)
        try:
            rtcp = _bound(host, port + 1)
        except OSError:
            rtp.close()
            raise
        rtcp.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        return _Pair(slot, rtp, rtcp, port)

    def _remember(self, fd: int, slot: int) -> None:
        if fd >= len(self._slot_by_fd):
            grown = np.zeros(2 * fd, np.int64)
            grown[: len(self._slot_by_fd)] = self._slot_by_fd
            self._slot_by_fd = grown
        self._slot_by_fd[fd] = slot

    def close(self, slot: int, now: float) -> None:
        """Shut a leg's sockets; its ports rest. A shared port goes with its last leg."""
        self._generation = -1
        if slot in self._shares:
            self._leave(slot, now)
            return
        pair = self._pairs.pop(slot)
        self._latches.pop(slot, None)
        self.srtp.clear(slot)
        pair.rtp.close()
        pair.rtcp.close()
        self._ports.give_back(pair.port, now)

    def _leave(self, slot: int, now: float) -> None:
        shared = self._shares.pop(slot)
        self.srtp.clear(slot)
        shared.release(slot)
        if not len(shared):
            self._shared = {host: each for host, each in self._shared.items() if each is not shared}
            self._counters += shared.counters
            shared.close()
            self._ports.give_back(shared.port, now)

    def secure(self, slot: int, terms: SrtpTerms | None, now: float) -> None:
        """Take up a leg's keys, or none; those it has already stay as they are."""
        self.srtp.secure(slot, terms, now)
        self._generation = -1

    def connect(self, slot: int, host: str, port: int, rtcp_port: int | None) -> None:
        """Hear and serve this address only. Raises OSError: there is no way to it, or it is another leg's."""
        shared = self._shares.get(slot)
        if shared is not None:
            self._generation = -1
            shared.hear(slot, (host, port), port + 1 if rtcp_port is None else rtcp_port)
            return
        pair = self._pairs[slot]
        self._unlearn(pair)
        pair.connected = False
        self._generation = -1
        pair.rtp.connect((host, port))
        pair.connected = pair.tied = True
        _empty(pair.rtp)  # what strangers sent before
        _register(self._rtp, pair.rtp)
        self._connect_rtcp(pair, host, port + 1 if rtcp_port is None else rtcp_port)

    def _connect_rtcp(self, pair: _Pair, host: str, port: int) -> None:
        if 0 < port < 0x10000:
            pair.rtcp.connect((host, port))
            _empty(pair.rtcp)
            _register(self._rtcp, pair.rtcp)
            pair.reports = True

    def learn(self, slot: int, latch: SourceLatch, send_to: Source) -> None:
        """Find out where the leg's media comes from; meanwhile send to the signalled address.

        Raises OSError: a socket that was connected could not be opened anew, or a shared port cannot learn.
        """
        if slot in self._shares:
            raise OSError(errno.EOPNOTSUPP, "a shared port knows its sources")
        self.deafen(slot)
        pair = self._pairs[slot]
        if pair.tied:
            host = pair.rtp.getsockname()[0]
            pair.rtp.close()  # a connected socket is opened to all by no call of Python's
            pair.rtp, pair.tied = _bound(host, pair.port), False
            self._remember(pair.rtp.fileno(), slot)
        pair.latch, pair.send_to = latch, send_to
        self._latches[slot] = latch
        _empty(pair.rtp)
        _register(self._learning, pair.rtp)

    def deafen(self, slot: int) -> None:
        """Hear nobody: the remote address is not known."""
        shared = self._shares.get(slot)
        if shared is not None:
            self._generation = -1
            shared.deafen(slot)
            return
        pair = self._pairs[slot]
        self._unlearn(pair)
        self._generation = -1
        pair.connected = pair.reports = False
        _unregister(self._rtp, pair.rtp)
        _unregister(self._rtcp, pair.rtcp)

    def _unlearn(self, pair: _Pair) -> None:
        if pair.latch is not None:
            self._learning.unregister(pair.rtp.fileno())
            pair.latch = pair.send_to = None
            del self._latches[pair.slot]

    # Receiving.

    def receive(self, now: float) -> None:
        """Read all that has come for connected legs and hand it to the plane, a packet a leg at a time."""
        for shared in self._shared.values():
            shared.receive(lambda slots, raw, sizes: self._take(slots, raw, sizes, now))
        if self._pairs:
            self._receive_own(now)

    def _take(self, slots: Integers, raw: Octets, sizes: Integers, now: float) -> None:
        if self.srtp:
            self.srtp.unprotect(slots, raw, sizes, now)
        self._plane.receive(slots, raw, sizes, now)

    def _receive_own(self, now: float) -> None:
        poll, readv, rows = self._rtp.poll, os.readv, self._rows
        most = MOST_ROUNDS * (len(self._pairs) // ROWS + 1)
        for _ in range(most):
            events = poll(0, ROWS)
            if not events:
                return
            fds = [fd for fd, _ in events]
            sizes: list[int] = []
            pending = map(readv, fds, rows)
            while len(sizes) < len(fds):
                try:
                    sizes.extend(pending)
                except OSError:  # ECONNREFUSED: the peer's port is shut, by ICMP
                    sizes.append(-1)
                    self._counters["receive_errors"] += 1
            slots: Integers = self._slot_by_fd[fds]
            self._take(slots, self._buffer, np.array(sizes), now)
        self._counters["backlogs"] += 1

    def receive_unlearned(self, now: float) -> list[tuple[int, Source]]:
        """Read for the legs that are learning their source; those that have now learned it."""
        learned: list[tuple[int, Source]] = []
        if not self._latches:
            return learned
        for fd, _ in self._learning.poll(0, ROWS):
            slot = int(self._slot_by_fd[fd])
            pair = self._pairs[slot]
            for data, address in _datagrams(pair.rtp, MOST_ROUNDS):
                source = (address[0], address[1])
                authentic = self.srtp.open_single(slot, data) if slot in self.srtp else data
                if pair.latch is not None and pair.latch.receive(authentic or b"", source, now) is not None:
                    learned.append((slot, source))
                    break
        return learned

    def expired(self, now: float) -> list[int]:
        """The legs whose learning window has closed without a source."""
        return [slot for slot, latch in self._latches.items() if now >= latch.deadline]

    def receive_rtcp(self, wall_ns: Callable[[], int]) -> Iterator[tuple[int, bytes, int]]:
        """(slot, compound packet, arrival in ns of wall time) of what has come, one a leg."""
        for fd, _ in self._rtcp.poll(0, ROWS):
            slot = int(self._slot_by_fd[fd])
            try:
                data, ancillary, _, _ = self._pairs[slot].rtcp.recvmsg(2048, 64)
            except OSError:
                self._counters["rtcp_errors"] += 1
                continue
            yield from self._report(slot, data, ancillary, wall_ns)
        for shared in self._shared.values():
            for slot, data, ancillary in shared.receive_rtcp():
                yield from self._report(slot, data, ancillary, wall_ns)

    def _report(
        self, slot: int, data: bytes, ancillary: Ancillary, wall_ns: Callable[[], int]
    ) -> Iterator[tuple[int, bytes, int]]:
        """The packet with the time the kernel took it; nothing when it is not authentic."""
        opened = self.srtp.open_rtcp(slot, data)
        if opened is None:
            return
        stamp = next((x for level, kind, x in ancillary if kind == _SO_TIMESTAMPNS), None)
        if stamp is None or len(stamp) < _TIMESPEC.size:
            yield slot, opened, wall_ns()
        else:
            seconds, ns = _TIMESPEC.unpack_from(stamp)
            yield slot, opened, seconds * _NS + ns

    # Sending.

    def send(self) -> None:
        """Send what the plane's last tick made."""
        if self._generation != self._plane.generation:
            self._list_senders()
        if self.srtp:
            self.srtp.seal(self._octets)
        pending = map(os.write, self._send_fds, self._send_rows)
        while True:
            try:
                deque(pending, maxlen=0)
                break
            except OSError:  # refused, unreachable or a full queue: this packet is lost, as on any network
                self._counters["send_errors"] += 1
        for shared in self._shared.values():
            shared.send()
        for slot in self._send_apart:
            self.send_datagram(slot, bytes(self._views[slot]))
        for slot, data in self._plane.extra:
            self.send_datagram(slot, data)

    def _list_senders(self) -> None:
        packets = self._plane.transmission.packets
        if self._packets is not packets:
            flat, size = packets.view(np.uint8).data, packets.itemsize
            self._views = [flat[at : at + size] for at in range(0, len(flat), size)]
            self._octets = packets.view(np.uint8).reshape(len(packets), size)
            self._packets = packets
        pairs = self._pairs
        own = [slot for slot in self._plane.senders.tolist() if slot not in self._shares]
        senders = [(slot, pairs[slot]) for slot in own]
        ready = [(slot, pair) for slot, pair in senders if pair.connected]
        secure = [each for each in ready if each[0] in self.srtp]
        plain = [each for each in ready if each[0] not in self.srtp] if secure else ready
        self._send_fds = [pair.rtp.fileno() for _, pair in plain + secure]
        self._send_rows = [self._views[slot] for slot, _ in plain]
        shared_secure = self._shared_senders(secure=True)
        sealed = self.srtp.arrange(
            [slot for slot, _ in secure] + [slot for slot, _ in shared_secure], self._octets.shape[1]
        )
        self._send_rows += sealed[: len(secure)]
        self._aim_shared(list(zip(shared_secure, sealed[len(secure) :], strict=True)))
        self._send_apart = [slot for slot, pair in senders if not pair.connected]
        self._generation = self._plane.generation

    def _shared_senders(self, *, secure: bool) -> list[tuple[int, SharedPort]]:
        """The legs on shared ports that send in each tick, with or without SRTP."""
        found = [(slot, self._shares[slot]) for slot in self._plane.senders.tolist() if slot in self._shares]
        return [each for each in found if (each[0] in self.srtp) is secure and each[1].serves(each[0])]

    def _aim_shared(self, sealed: list[tuple[tuple[int, SharedPort], memoryview]]) -> None:
        plain = self._shared_senders(secure=False)
        for shared in self._shared.values():
            slots = np.array([slot for slot, its in plain if its is shared], np.int64)
            protected = [(slot, view) for (slot, its), view in sealed if its is shared]
            shared.aim(self._octets, slots, protected)

    def send_datagram(self, slot: int, data: Packet) -> None:
        """Send one RTP packet outside the array; to nobody if the leg has no address yet."""
        sealed = self.srtp.protect_single(slot, bytes(data)) if slot in self.srtp else data
        if sealed is None:
            return
        if slot in self._shares:
            self._shares[slot].send_datagram(slot, sealed)
            return
        pair = self._pairs[slot]
        try:
            if pair.connected:
                pair.rtp.send(sealed)
            elif pair.send_to is not None:
                pair.rtp.sendto(sealed, pair.send_to)
        except OSError:
            self._counters["send_errors"] += 1

    def send_rtcp(self, slot: int, data: bytes, *, muxed: bool) -> None:
        """Send a compound packet, unless the leg's peer is not known for sure."""
        shared = self._shares.get(slot)
        if shared is not None:
            sealed = self.srtp.protect_rtcp(slot, data) if shared.serves(slot) else None
            if sealed is not None:
                shared.send_rtcp(slot, sealed, muxed=muxed)
            return
        pair = self._pairs[slot]
        sender = pair.rtp if muxed else pair.rtcp
        if pair.connected and (muxed or pair.reports):
            sealed = self.srtp.protect_rtcp(slot, data)
            if sealed is None:
                return
            try:
                sender.send(sealed)
            except OSError:  # many peers have no RTCP port open
                self._counters["rtcp_errors"] += 1

    def strangers(self, slot: int) -> int:
        """Datagrams refused while a leg is learning its source."""
        latch = None if slot in self._shares else self._pairs[slot].latch
        return 0 if latch is None else latch.strangers


def _register(poll: select.epoll, opened: socket.socket) -> None:
    try:
        poll.register(opened.fileno(), select.EPOLLIN)
    except FileExistsError:
        return


def _unregister(poll: select.epoll, opened: socket.socket) -> None:
    try:
        poll.unregister(opened.fileno())
    except FileNotFoundError:
        return


def _datagrams(opened: socket.socket, most: int) -> Iterator[tuple[bytes, tuple[str, int]]]:
    for _ in range(most):
        try:
            data, address = opened.recvfrom(ROOM)
        except BlockingIOError:
            return
        except OSError:
            continue
        yield data, address


def _empty(opened: socket.socket) -> None:
    """Throw away what a socket has queued."""
    deque(_datagrams(opened, STALE), maxlen=0)
