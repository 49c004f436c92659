"""What one worker says in a room that is on several: its part of the mix, tick by tick, in memory the others read.

Each worker of such a room has one ``RoomMemory``, which it alone writes: a ring of frames, each with the number of the
tick that made it (``media.tick_clock``). A frame is read some ticks after it was written and some ticks before its
place is written again, so there is no lock; one whose number is another is not there. The memory has no name: it is a
memfd, opened through ``/proc`` by processes of the same user, of a size that is sealed, and gone with the last of them.
"""

from __future__ import annotations

import fcntl
import mmap
import os

import numpy as np

from media.levels import Floats

FRAMES = 8
"""Of the ring: 160 ms, more than a late worker makes up for."""
MOST_SAMPLES = 960
"""20 ms at 48 kHz."""
_MAGIC = 0x504F4C59504D4958
_NEVER = -(1 << 62)
_FRAME = np.dtype([("number", "i8"), ("rate", "i8"), ("samples", "f4", MOST_SAMPLES)])
_LAYOUT = np.dtype([("magic", "u8"), ("token", "u8"), ("best_rate", "i8"), ("frames", _FRAME, FRAMES)])
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


class NoMemory(Exception):
    """The memory of another worker cannot be read: it is gone, or not what it should be."""


class RoomMemory:
    """One worker's part of one room. ``fd`` is open in the worker whose it is, and -1 in the others."""

    def __init__(self, memory: mmap.mmap, fd: int = -1) -> None:
        self.fd = fd
        layout = np.frombuffer(memory, _LAYOUT)
        self._header = layout
        self._frames = layout["frames"][0]
        self._numbers = self._frames["number"]
        self._rates = self._frames["rate"]
        self._samples = self._frames["samples"]

    @classmethod
    def create(cls, token: int) -> RoomMemory:
        """New memory, to be opened by who knows the token. Raises OSError."""
        fd = os.memfd_create("room", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.fchmod(fd, 0o600)
            os.ftruncate(fd, _LAYOUT.itemsize)
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
            memory = mmap.mmap(fd, _LAYOUT.itemsize)
        except OSError:
            os.close(fd)
            raise
        made = cls(memory, fd)
        made._numbers[:] = _NEVER
        made._header["magic"], made._header["token"] = _MAGIC, token
        return made

    @classmethod
    def attach(cls, pid: int, fd: int, token: int) -> RoomMemory:
        """The memory another worker made. Raises NoMemory."""
        try:
            opened = os.open(f"/proc/{pid}/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise NoMemory(error.strerror) from error
        try:
            sealed = fcntl.fcntl(opened, fcntl.F_GET_SEALS) & _SEALS == _SEALS
            if not sealed or os.fstat(opened).st_size != _LAYOUT.itemsize:
                raise NoMemory("of another size")
            memory = mmap.mmap(opened, _LAYOUT.itemsize, prot=mmap.PROT_READ)
        except OSError as error:  # what is no memfd has no seals
            raise NoMemory(error.strerror) from error
        finally:
            os.close(opened)
        found = cls(memory)
        if found._header["magic"] != _MAGIC or found._header["token"] != token:
            raise NoMemory("of another room")
        return found

    def close(self) -> None:
        """Give it up; those who have it open see no more of it."""
        self.best_rate = 0
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    @property
    def token(self) -> int:
        """What it is known by."""
        return int(self._header["token"][0])

    @property
    def best_rate(self) -> int:
        """Hz, the best codec of the worker's legs in the room; 0: none of them is in it."""
        return int(self._header["best_rate"][0])

    @best_rate.setter
    def best_rate(self, rate: int) -> None:
        if self.fd >= 0:
            self._header["best_rate"] = rate

    def write(self, number: int, rate: int, samples: Floats) -> None:
        """Put down the frame of a tick. samples: float32 [rate / 50]."""
        at = number % FRAMES
        self._numbers[at] = _NEVER
        self._samples[at, : len(samples)] = samples
        self._rates[at] = rate
        self._numbers[at] = number

    def read(self, number: int, rate: int) -> Floats | None:
        """The frame of a tick, a view: float32 [rate / 50]; None: there is none, or of another rate."""
        at = number % FRAMES
        if self._numbers[at] != number or self._rates[at] != rate:
            return None
        samples: Floats = self._samples[at, : rate // 50]
        return samples
