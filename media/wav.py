"""WAV files of 16-bit PCM or G.711: recordings that are whole at any moment, and their repair.

A header of fixed size, then the samples. ``WavRecorder`` writes data first, then the sizes in the header; so the
file on disk is at any moment a whole WAV that lacks only what was not written yet, even after ``kill -9``.
(Nothing is synced: after a power cut the kernel may owe more.) ``repair`` takes in what lies behind the sizes of
a file that was cut.

PCM has the plain 44 octets (RIFF, ``fmt ``, ``data``), little-endian. G.711 has 58: its ``fmt `` ends with the
size of an extension, 0, and a ``fact`` chunk tells the samples (Microsoft's multimedia data standards update,
1994: every coding but PCM needs both).
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from media.codecs.facts import ALAW_SILENCE, ULAW_SILENCE

if TYPE_CHECKING:  # the control process repairs and lists recordings, and needs no arrays for it
    from media.codecs.g711 import Pcm

Data = bytes | memoryview

BYTES_PER_SAMPLE = 2
RESERVE_BYTES = 64 << 20  # left free on the disk, or the store could not write either
MAX_SECONDS = 4 * 3600  # nobody listens to more; the 32-bit sizes of a WAV are a limit of their own

_PCM = struct.Struct("<4sI4s4sIHHIIHH4sI")
_CODED = struct.Struct("<4sI4s4sIHHIIHHH4sII4sI")
_MAX_DATA = 0xFFFFFFFF - _CODED.size
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CHUNK = 1 << 16


class Coding(Enum):
    """How a sample lies in the file; the value is the format tag of ``fmt ``."""

    PCM = 1
    ALAW = 6
    ULAW = 7

    @property
    def size(self) -> int:
        """Bytes a sample."""
        return BYTES_PER_SAMPLE if self is Coding.PCM else 1

    @property
    def silence(self) -> bytes:
        """One sample of it."""
        octets = {Coding.PCM: b"\0\0", Coding.ALAW: bytes([ALAW_SILENCE]), Coding.ULAW: bytes([ULAW_SILENCE])}
        return octets[self]


class RecordingError(Exception):
    """A recording cannot go on. ``reason`` is a stable label, ``detail`` is for the log.

    Reasons: exists, unwritable, disk_full, too_long, not_ours (from ``repair`` and when one is continued); from
    the writer of many recordings also stalled and internal.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Sound:
    """What a file of ours holds."""

    rate: int = 8000
    channels: int = 1
    coding: Coding = Coding.PCM

    @property
    def frame(self) -> int:
        """Bytes of one sample of every channel."""
        return self.channels * self.coding.size

    @property
    def second(self) -> int:
        """Bytes of a second."""
        return self.rate * self.frame

    @property
    def header_size(self) -> int:
        """Where the samples begin."""
        return _PCM.size if self.coding is Coding.PCM else _CODED.size

    def header(self, data_bytes: int) -> bytes:
        """The header for that much data."""
        size, bits = self.header_size, 8 * self.coding.size
        riff = (b"RIFF", size - 8 + data_bytes, b"WAVE", b"fmt ")
        sound = (self.coding.value, self.channels, self.rate, self.second, self.frame, bits)
        if self.coding is Coding.PCM:
            return _PCM.pack(*riff, 16, *sound, b"data", data_bytes)
        return _CODED.pack(*riff, 18, *sound, 0, b"fact", 4, data_bytes // self.frame, b"data", data_bytes)


def header(data_bytes: int, rate: int, channels: int) -> bytes:
    """The 44 bytes of a PCM WAV for that much data."""
    return Sound(rate, channels).header(data_bytes)


def _from_os(error: OSError) -> RecordingError:
    reason = "disk_full" if error.errno in _FULL else "unwritable"
    return RecordingError(reason, error.strerror or str(error))


def check_free(fd: int, reserve: int) -> None:
    """Raise OSError (ENOSPC) when the disk of an open file has less than ``reserve`` bytes left."""
    disk = os.fstatvfs(fd)
    if disk.f_bavail * disk.f_frsize < reserve:
        raise OSError(errno.ENOSPC, f"less than {reserve >> 20} MiB free")


class WavRecorder:
    """One recording. Every failure is a ``RecordingError`` and leaves the file closed and whole.

    The constructor raises ``exists`` (a file is never overwritten, nor a link followed) and ``unwritable``. With
    ``continues`` an existing recording of the same sound is mended and gone on with (else ``not_ours``); where
    there is none, it begins. ``check`` is asked before every write whether the disk has room; it raises OSError.
    """

    def __init__(
        self,
        path: str | Path,
        rate: int = 8000,
        channels: int = 1,
        coding: Coding = Coding.PCM,
        *,
        max_seconds: int = MAX_SECONDS,
        reserve_bytes: int = RESERVE_BYTES,
        continues: bool = False,
        check: Callable[[int, int], None] = check_free,
    ) -> None:
        self.path = str(path)
        self.sound = sound = Sound(rate, channels, coding)
        self._limit = min(max_seconds * sound.second, _MAX_DATA // sound.second * sound.second)
        self._reserve = reserve_bytes
        self._check = check
        self._blocks: list[Data] = []
        self._waiting = 0
        self._written = 0
        self._fd: int | None = None
        if not (continues and self._reopen()):
            self._fd = self._create()

    @property
    def samples(self) -> int:
        """Samples of each channel that are in the file."""
        return self._written // self.sound.frame

    def append(self, block: Pcm) -> None:
        """Add int16 [samples] or [samples, channels]; raises ``RecordingError`` when the file cannot grow."""
        self.append_bytes(block.astype("<i2", copy=False).tobytes())

    def append_bytes(self, data: Data) -> None:
        """Gather samples as they lie in the file, whole frames, and write every full second; ignored after the end."""
        if self._fd is None:
            return
        self._blocks.append(data)
        self._waiting += len(data)
        if self._waiting >= self.sound.second:
            self.flush()

    def flush(self) -> None:
        """Write what waits, then the sizes."""
        if self._blocks:
            data = b"".join(self._blocks)
            self._blocks.clear()
            self._waiting = 0
            self.write(data)

    def write(self, data: Data) -> None:
        """Write samples as they lie in the file, whole frames, at once; ignored after the end."""
        if self._fd is None:
            return
        room = self._limit - self._written
        try:
            self._check(self._fd, self._reserve)
            self._write(self._fd, data if len(data) <= room else data[:room])
        except OSError as error:
            self.abandon()
            raise _from_os(error) from error
        if len(data) > room:
            self.abandon()
            raise RecordingError("too_long", f"{self._limit // self.sound.second} s")

    def fill(self, samples: int) -> None:
        """Go on with that much silence; of PCM it takes no room on disk. Errors as those of ``write``."""
        self.flush()
        left = samples * self.sound.frame
        if self.sound.coding is Coding.PCM and self._fd is not None:
            hole = max(0, min(left, self._limit - self._written))
            left -= hole
            self._leap(self._fd, hole)
        silence = self.sound.coding.silence * _CHUNK * self.sound.channels
        while left > 0 and self._fd is not None:
            self.write(silence[:left])
            left -= len(silence)

    def _leap(self, fd: int, size: int) -> None:
        try:
            os.ftruncate(fd, self.sound.header_size + self._written + size)
            self._write(fd, b"", size)
        except OSError as error:
            self.abandon()
            raise _from_os(error) from error

    def close(self) -> int:
        """Write the rest and close; returns ``samples``. A second call does nothing."""
        self.flush()
        self.abandon()
        return self.samples

    def _create(self) -> int:
        try:
            fd = os.open(
                self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
            )
        except FileExistsError as error:
            raise RecordingError("exists", self.path) from error
        except OSError as error:
            raise _from_os(error) from error
        except ValueError as error:  # a NUL in the path
            raise RecordingError("unwritable", str(error)) from error
        try:
            if os.pwrite(fd, self.sound.header(0), 0) != self.sound.header_size:
                raise OSError(errno.ENOSPC, "no room for the header")
        except OSError as error:
            os.close(fd)
            with contextlib.suppress(OSError):
                Path(self.path).unlink()
            raise _from_os(error) from error
        return fd

    def _reopen(self) -> bool:
        """Go on with the file there is; False when there is none."""
        if not Path(self.path).exists():
            return False
        found = mend(self.path)
        if found.sound != self.sound:
            raise RecordingError("not_ours", f"{self.path} holds {found.sound}")
        try:
            self._fd = os.open(self.path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise _from_os(error) from error
        self._written = found.samples * self.sound.frame
        return True

    def _write(self, fd: int, data: Data, leapt: int = 0) -> None:
        """Data, then sizes; what a full disk took of the data is counted."""
        done = leapt
        begin, view = self.sound.header_size + self._written, memoryview(data)
        try:
            while done - leapt < len(data):
                done += os.pwrite(fd, view[done - leapt :], begin + done)
        finally:
            self._written += done - done % self.sound.frame
            os.pwrite(fd, self.sound.header(self._written), 0)

    def abandon(self) -> None:
        """Close the file without what waits; for a writer that cannot go on. Never raises."""
        if self._fd is None:
            return
        fd, self._fd = self._fd, None
        self._blocks.clear()
        with contextlib.suppress(OSError):
            os.ftruncate(fd, self.sound.header_size + self._written)
        with contextlib.suppress(OSError):  # some network file systems report here what they lost
            os.close(fd)


@dataclass(frozen=True, slots=True)
class Found:
    """A file of ours: what it holds, and how many samples a channel."""

    sound: Sound
    samples: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples / self.sound.rate


def inspect(path: str | Path) -> Found:
    """What a recording of ours holds by now, whatever its header says of sizes; errors as those of ``mend``."""
    try:
        with Path(path).open("rb") as file:
            sound, _ = _parse_header(file.read(_CODED.size))
            length = file.seek(0, os.SEEK_END) - sound.header_size
    except OSError as error:
        raise _from_os(error) from error
    return Found(sound, length // sound.frame)


def mend(path: str | Path) -> Found:
    """Make the sizes in the header of a cut recording agree with the file.

    Only files as ``WavRecorder`` writes them are touched; anything else, and a file that cannot be opened,
    raises ``RecordingError`` (``not_ours``, ``unwritable``). A whole file is left as it is.
    """
    try:
        with Path(path).open("r+b") as file:
            sound, head = _parse_header(file.read(_CODED.size))
            length = file.seek(0, os.SEEK_END) - sound.header_size
            samples = length // sound.frame
            mended = sound.header(samples * sound.frame)
            if mended != head or length % sound.frame:
                file.truncate(sound.header_size + samples * sound.frame)
                file.seek(0)
                file.write(mended)
    except OSError as error:
        raise _from_os(error) from error
    return Found(sound, samples)


def repair(path: str | Path) -> int:
    """``mend`` a recording; returns its samples a channel."""
    return mend(path).samples


def _parse_header(head: bytes) -> tuple[Sound, bytes]:
    """What our own header says, and the header itself; ``not_ours`` for any other."""
    if len(head) >= _PCM.size:
        fields = _PCM.unpack_from(head)
        channels, rate = fields[6], fields[7]
        with contextlib.suppress(ValueError):
            sound = Sound(rate, channels, Coding(fields[5]))
            if 0 < channels <= 8 and 0 < rate <= 192_000 and len(head) >= sound.header_size:
                head = head[: sound.header_size]
                data_bytes = int.from_bytes(head[-4:], "little")
                if data_bytes <= _MAX_DATA and sound.header(data_bytes) == head:
                    return sound, head
    raise RecordingError("not_ours", "no header of ours")
