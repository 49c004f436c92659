"""RTP packets (RFC 3550 section 5.1): one at a time for the edges, a tick's worth at once for the plane."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

HEADER_SIZE = 12
VERSION = 2
FRAME = 160
"""Octets and samples of 20 ms of G.711."""

_HEADER = struct.Struct("!BBHII")

Octets = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class RtpError(Exception):
    """A packet that is not RTP; ``reason`` is a stable counter label."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet without CSRC list and extension, which we read over and never write."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    def serialise(self) -> bytes:
        """The packet in network form."""
        second = self.payload_type | (0x80 if self.marker else 0)
        return _HEADER.pack(VERSION << 6, second, self.sequence, self.timestamp, self.ssrc) + self.payload

    @classmethod
    def parse(cls, data: bytes) -> RtpPacket:
        """Read one packet, with the checks of security F3.

        Raises RtpError: ``length``, ``version``, ``csrc``, ``extension``, ``padding``.
        """
        if len(data) < HEADER_SIZE:
            raise RtpError("length")
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
        if first >> 6 != VERSION:
            raise RtpError("version")
        begin = HEADER_SIZE + 4 * (first & 0x0F)
        if begin > len(data):
            raise RtpError("csrc")
        if first & 0x10:
            if begin + 4 > len(data):
                raise RtpError("extension")
            begin += 4 + 4 * int.from_bytes(data[begin + 2 : begin + 4], "big")
            if begin > len(data):
                raise RtpError("extension")
        end = len(data)
        if first & 0x20:
            padding = data[-1]
            if not 1 <= padding <= end - begin:
                raise RtpError("padding")
            end -= padding
        return cls(second & 0x7F, sequence, timestamp, ssrc, data[begin:end], bool(second & 0x80))


@dataclass(frozen=True, slots=True)
class Headers:
    """The headers of n packets; every array is [n]. Where ``valid`` is False the rest means nothing."""

    valid: Flags
    payload_type: Integers
    marker: Flags
    sequence: Integers
    timestamp: Integers
    ssrc: Integers
    begin: Integers
    """Offset of the payload in the packet."""
    length: Integers
    """Octets of payload, padding taken off."""

    def of(self, which: Flags) -> Headers:
        """The headers of some of the packets. which: bool [n]."""
        return Headers(
            self.valid[which],
            self.payload_type[which],
            self.marker[which],
            self.sequence[which],
            self.timestamp[which],
            self.ssrc[which],
            self.begin[which],
            self.length[which],
        )


def read_headers(raw: Octets, sizes: Integers) -> Headers:
    """Read n packets at once, with the checks of security F3.

    raw: uint8 [n, room], a packet a row.   sizes: int64 [n], octets received. A packet that fills its row
    may have been cut by the kernel and is not valid.
    """
    words = raw[:, :HEADER_SIZE].view(">u4").astype(np.int64).T
    first = words[0] >> 24
    begin = np.full(len(sizes), HEADER_SIZE, np.int64)
    length = sizes - HEADER_SIZE
    whole = (length >= 0) & (sizes < raw.shape[1])
    valid = whole & (first == VERSION << 6)
    if not valid.all():
        rows = (whole & (first >> 6 == VERSION) & ~valid).nonzero()[0]
        begin[rows], length[rows] = _payload_bounds(raw, rows, first[rows], sizes[rows])
        valid[rows] = length[rows] >= 0
    return Headers(
        valid,
        words[0] >> 16 & 0x7F,
        (words[0] & 0x800000) != 0,
        words[0] & 0xFFFF,
        words[1],
        words[2],
        begin,
        length,
    )


def _payload_bounds(
    raw: Octets, rows: Integers, first: Integers, sizes: Integers
) -> tuple[Integers, Integers]:
    """Offset and length of the payload of packets with CSRCs, extension or padding; length -1: not valid."""
    begin = HEADER_SIZE + 4 * (first & 0x0F)
    extended = ((first & 0x10) != 0) & (begin + 4 <= sizes)
    broken = ((first & 0x10) != 0) & ~extended
    at = np.where(extended, begin, 0)
    words = (raw[rows, at + 2].astype(np.int64) << 8) | raw[rows, at + 3]
    begin = begin + np.where(extended, 4 + 4 * words, 0)
    padded = (first & 0x20) != 0
    padding = np.where(padded, raw[rows, sizes - 1].astype(np.int64), 0)
    length = sizes - begin - padding
    broken |= padded & (padding == 0)
    return begin, np.where(broken, -1, length)
