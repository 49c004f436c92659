"""Many datagrams in one system call: recvmmsg(2) and sendmmsg(2) over arrays.

Python's socket module has neither. The kernel reads and writes arrays of ``struct mmsghdr``; here these are
numpy arrays, laid out once, so that a batch costs one call through ctypes (which releases the GIL) and no
Python object a packet. IPv4 on 64-bit Linux only; ``AVAILABLE`` says whether that is where we are.
"""

from __future__ import annotations

import ctypes
import socket
import sys

import numpy as np
import numpy.typing as npt

from media.rtp import Integers, Octets

AVAILABLE = sys.platform == "linux" and ctypes.sizeof(ctypes.c_void_p) == 8

IOVEC = np.dtype([("base", "u8"), ("length", "u8")])
MESSAGE = np.dtype(
    {
        "names": ["name", "name_size", "vectors", "vector_count", "control", "control_size", "flags", "size"],
        "formats": ["u8", "u4", "u8", "u8", "u8", "u8", "i4", "u4"],
        "offsets": [0, 8, 16, 24, 32, 40, 48, 56],
        "itemsize": 64,
    }
)
"""struct mmsghdr of 64-bit Linux: a msghdr of 56 octets and the octets sent or received."""
ADDRESS = np.dtype([("family", "u2"), ("port", ">u2"), ("host", ">u4"), ("zero", "u8")])
"""struct sockaddr_in."""

MOST_A_CALL = 1024
"""The kernel takes no more messages at once (UIO_MAXIOV)."""

Records = npt.NDArray[np.void]

_libc = ctypes.CDLL(None, use_errno=True)


def address_key(host: str, port: int) -> int:
    """An IPv4 address and a port as one number, the same as ``source_keys`` gives. Raises OSError."""
    return int.from_bytes(socket.inet_aton(host), "big") << 16 | port


def source_keys(sources: Records) -> Integers:
    """The keys of n addresses. sources: ADDRESS [n]; returns int64 [n]."""
    keys: Integers = (sources["host"].astype(np.int64) << 16) | sources["port"]
    return keys


def addresses_of(keys: Integers) -> Records:
    """The addresses of n keys, as ADDRESS [n]."""
    made: Records = np.zeros(len(keys), ADDRESS)
    made["family"] = socket.AF_INET
    made["host"] = keys >> 16
    made["port"] = keys & 0xFFFF
    return made


def _pointers(array: npt.NDArray[np.generic]) -> npt.NDArray[np.uint64]:
    """The address in memory of each row of an array."""
    return np.uint64(array.ctypes.data) + np.arange(len(array), dtype=np.uint64) * np.uint64(array.strides[0])


class Inbox:
    """Room for ``rows`` datagrams of at most ``room`` octets, and ``control`` octets of ancillary data each.

    After ``receive`` says n: ``data[:n]``, ``sizes(n)``, ``sources[:n]`` and ``control[:n]`` are theirs, until the
    next one.
    """

    def __init__(self, rows: int, room: int, control: int = 0) -> None:
        self.data: Octets = np.zeros((rows, room), np.uint8)
        self.sources: Records = np.zeros(rows, ADDRESS)
        self.control: Octets = np.zeros((rows, max(control, 8)), np.uint8)
        self._vectors = np.zeros(rows, IOVEC)
        self._vectors["base"], self._vectors["length"] = _pointers(self.data), room
        self._messages = np.zeros(rows, MESSAGE)
        self._messages["name"], self._messages["name_size"] = _pointers(self.sources), ADDRESS.itemsize
        self._messages["vectors"], self._messages["vector_count"] = _pointers(self._vectors), 1
        self._control_size = control
        if control:
            self._messages["control"], self._messages["control_size"] = _pointers(self.control), control
        self._at = ctypes.c_void_p(self._messages.ctypes.data)
        self._rows = min(rows, MOST_A_CALL)

    def receive(self, fd: int) -> int:
        """Take what a socket holds, as far as there is room; how many datagrams that was. Never waits.

        An error the kernel keeps for the socket (an ICMP message, say) is taken off it and passed over.
        """
        if self._control_size:
            self._messages["control_size"] = self._control_size
        return max(int(_libc.recvmmsg(fd, self._at, self._rows, socket.MSG_DONTWAIT, None)), 0)

    def sizes(self, count: int) -> Integers:
        """Octets of each of the first ``count`` datagrams, int64 [count]."""
        sizes: Integers = self._messages["size"][:count].astype(np.int64)
        return sizes


class Outbox:
    """Datagrams that lie in other arrays, ready to be sent: only their addresses in memory are kept here.

    Whoever sets an outbox up keeps the arrays alive and in place while it sends.
    """

    def __init__(self) -> None:
        self._vectors = np.zeros(0, IOVEC)
        self._messages = np.zeros(0, MESSAGE)

    def __len__(self) -> int:
        return len(self._messages)

    def aim(
        self,
        packets: npt.NDArray[np.generic],
        size: int,
        destinations: Records,
        rows: Integers,
        control: Octets | None = None,
    ) -> None:
        """Send ``packets[row]``, ``size`` octets of it, to ``destinations[row]`` for each of ``rows``.

        control: ancillary data, a row for each of the packets.
        """
        self._vectors = np.zeros(len(rows), IOVEC)
        self._vectors["base"], self._vectors["length"] = _pointers(packets)[rows], size
        self._address(destinations, rows)
        if control is not None:
            self._messages["control"], self._messages["control_size"] = (
                _pointers(control)[rows],
                control.shape[1],
            )

    def _address(self, destinations: Records, rows: Integers) -> None:
        self._messages = np.zeros(len(rows), MESSAGE)
        self._messages["name"], self._messages["name_size"] = _pointers(destinations)[rows], ADDRESS.itemsize
        self._messages["vectors"], self._messages["vector_count"] = _pointers(self._vectors), 1

    def aim_at_buffers(self, buffers: list[memoryview], destinations: Records, rows: Integers) -> None:
        """Send each buffer to ``destinations[row]`` of the row in its place."""
        self._vectors = np.zeros(len(rows), IOVEC)
        self._vectors["base"] = [np.frombuffer(each, np.uint8).ctypes.data for each in buffers]
        self._vectors["length"] = [len(each) for each in buffers]
        self._address(destinations, rows)

    def resize(self, sizes: Integers) -> None:
        """Set how many octets of each packet are sent."""
        self._vectors["length"] = sizes

    def send(self, fd: int) -> int:
        """Send all; how many the kernel refused. A full queue or an unreachable peer loses its packet only."""
        at, left, refused = self._messages.ctypes.data, len(self._messages), 0
        while left:
            sent = _libc.sendmmsg(fd, ctypes.c_void_p(at), min(left, MOST_A_CALL), 0)
            if sent < 1:
                sent, refused = 1, refused + 1
            at += MESSAGE.itemsize * sent
            left -= sent
        return refused
