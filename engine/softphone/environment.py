"""What the engine finds on this machine: libraries, ports, the data directory, the disk, the clock."""

from __future__ import annotations

import ctypes
import importlib
import os
import shutil
import socket
import time
from typing import TYPE_CHECKING

from engine.softphone.findings import Finding, fails, note, works

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Optional libraries and what is missing without them (the texts are doctor.library.<name>).
LIBRARIES = ("pjsua2", "psycopg")
PROBED_PORTS = 64  # of the RTP range, spread over it
LITTLE_ROOM = 1 << 30  # bytes: a day of one recorded call is 1.4 GB
NO_ROOM = 100 << 20
EARLIEST_YEAR = 2026  # before this version was made
TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


def libraries() -> Iterator[Finding]:
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError:
            yield note("library", f"library_{name}")
        else:
            yield works("library", "library_there", name=name)


def speech() -> Finding:
    """Whether texts can be spoken."""
    if shutil.which("espeak-ng") is None:
        return note("speech", "speech_absent")
    return works("speech", "speech_there")


def ports(first: int, last: int) -> Finding:
    """Whether RTP ports of the range can be bound; some may be in use, by calls that are up."""
    even = range(first + first % 2, last, max(2, (last - first) // PROBED_PORTS // 2 * 2))
    free = sum(_free(port) for port in even)
    make = works if free * 2 >= len(even) else fails
    key = "ports" if make is works else "ports_taken"
    return make("ports", key, first=first, last=last, free=round(100 * free / max(1, len(even))))


def _free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probing:
        try:
            probing.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


def data_directory(root: Path) -> Iterator[Finding]:
    """Ours to write, nobody else's to read, with room left."""
    if not root.is_dir():
        yield fails("data", "data_missing", path=root)
        return
    if not os.access(root, os.W_OK | os.X_OK):
        yield fails("data", "data_read_only", path=root)
    elif root.stat().st_mode & 0o077:
        yield note("data", "data_open", path=root, mode=f"{root.stat().st_mode & 0o777:o}")
    else:
        yield works("data", "data", path=root)
    free = shutil.disk_usage(root).free
    key, make = ("disk", works) if free > LITTLE_ROOM else ("disk_full", fails if free < NO_ROOM else note)
    yield make("disk", key, free=f"{free / (1 << 30):.1f}")


def clock() -> Finding:
    """Certificates and nonces need the date; whether the system keeps it by NTP is only worth a word."""
    year = time.gmtime().tm_year
    if year < EARLIEST_YEAR:
        return fails("clock", "clock_wrong", year=year)
    if _synchronised() is False:
        return note("clock", "clock_alone")
    return works("clock", "clock")


def _synchronised() -> bool | None:
    """What adjtimex(2) says; None where it cannot be asked."""
    try:
        state: int = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != TIME_ERROR
