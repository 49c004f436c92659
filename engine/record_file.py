"""Files of records, each with its length and a checksum, that a killed process may have left cut."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from twisted.logger import Logger

_FRAME = struct.Struct("!II")
MOST = 1 << 20
"""Octets of a record."""
log = Logger()


def frame(data: bytes) -> bytes:
    """A record as it is written."""
    return _FRAME.pack(len(data), zlib.crc32(data)) + data


def frames(data: bytes) -> Iterator[bytes]:
    """The records of a file, up to the first that is not whole: nothing behind that one is to be trusted."""
    at = 0
    while at + _FRAME.size <= len(data):
        size, checksum = _FRAME.unpack_from(data, at)
        record = data[at + _FRAME.size : at + _FRAME.size + size]
        if size > MOST or len(record) < size or zlib.crc32(record) != checksum:
            log.warn("the journal is cut at {at} of {size} octets", at=at, size=len(data))
            return
        at += _FRAME.size + size
        yield record
