"""WAV files of 16-bit PCM: recordings that are whole at any moment, and their repair.

Plain 44-byte header, little-endian samples. ``WavRecorder`` gathers samples in memory and writes each
second in one go, data first, then the sizes in the header; so the file on disk is at any moment a whole WAV
that lacks less than the last second, even after ``kill -9``. (Nothing is synced: after a power cut the
kernel may owe more.) ``repair`` takes in what lies behind the sizes of a file that was cut.
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

Pcm = npt.NDArray[np.int16]

BYTES_PER_SAMPLE = 2
RESERVE_BYTES = 64 << 20  # left free on the disk, or the store could not write either
MAX_SECONDS = 4 * 3600  # nobody listens to more; the 32-bit sizes of a WAV are a limit of their own

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_MAX_DATA = 0xFFFFFFFF - 36
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class RecordingError(Exception):
    """A recording cannot go on. ``reason`` is a stable label, ``detail`` is for the log.

    Reasons: exists, unwritable, disk_full, too_long, not_ours (from ``repair``); from the writer of many
    recordings also stalled and internal.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


def header(data_bytes: int, rate: int, channels: int) -> bytes:
    """The 44 bytes of a PCM WAV (RIFF, ``fmt ``, ``data``) for that much data."""
    frame = channels * BYTES_PER_SAMPLE
    riff = (b"RIFF", 36 + data_bytes, b"WAVE", b"fmt ", 16, 1, channels, rate, rate * frame, frame, 16)
    return _HEADER.pack(*riff, b"data", data_bytes)


def _from_os(error: OSError) -> RecordingError:
    reason = "disk_full" if error.errno in _FULL else "unwritable"
    return RecordingError(reason, error.strerror or str(error))


class WavRecorder:
    """One recording. Every failure is a ``RecordingError`` and leaves the file closed and whole.

    The constructor raises ``exists`` (a file is never overwritten, nor a link followed) and ``unwritable``.
    """

    def __init__(
        self,
        path: str | Path,
        rate: int = 8000,
        channels: int = 1,
        *,
        max_seconds: int = MAX_SECONDS,
        reserve_bytes: int = RESERVE_BYTES,
    ) -> None:
        self.path = str(path)
        self.rate = rate
        self.channels = channels
        self._frame = channels * BYTES_PER_SAMPLE
        self._second = rate * self._frame
        self._limit = min(max_seconds * self._second, _MAX_DATA // self._second * self._second)
        self._reserve = reserve_bytes
        self._blocks: list[bytes] = []
        self._waiting = 0
        self._written = 0
        self._fd: int | None = self._create()

    @property
    def samples(self) -> int:
        """Samples of each channel that are in the file."""
        return self._written // self._frame

    def append(self, block: Pcm) -> None:
        """Add int16 [samples] or [samples, channels]; raises ``RecordingError`` when the file cannot grow."""
        self.append_bytes(block.astype("<i2", copy=False).tobytes())

    def append_bytes(self, data: bytes) -> None:
        """Add little-endian 16-bit samples, whole frames; ignored after the end."""
        if self._fd is None:
            return
        self._blocks.append(data)
        self._waiting += len(data)
        if self._waiting >= self._second:
            self.flush()

    def flush(self) -> None:
        """Write what waits, then the sizes."""
        if self._fd is None or not self._blocks:
            return
        data = b"".join(self._blocks)
        self._blocks.clear()
        self._waiting = 0
        room = self._limit - self._written
        try:
            self._check_free(self._fd)
            self._write(self._fd, data[:room])
        except OSError as error:
            self.abandon()
            raise _from_os(error) from error
        if len(data) > room:
            self.abandon()
            raise RecordingError("too_long", f"{self._limit // self._second} s")

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
            if os.pwrite(fd, header(0, self.rate, self.channels), 0) != _HEADER.size:
                raise OSError(errno.ENOSPC, "no room for the header")
        except OSError as error:
            os.close(fd)
            with contextlib.suppress(OSError):
                Path(self.path).unlink()
            raise _from_os(error) from error
        return fd

    def _check_free(self, fd: int) -> None:
        disk = os.fstatvfs(fd)
        if disk.f_bavail * disk.f_frsize < self._reserve:
            raise OSError(errno.ENOSPC, f"less than {self._reserve >> 20} MiB free")

    def _write(self, fd: int, data: bytes) -> None:
        """Data, then sizes; what a full disk took of the data is counted."""
        done = 0
        try:
            while done < len(data):
                done += os.pwrite(fd, data[done:], _HEADER.size + self._written + done)
        finally:
            self._written += done - done % self._frame
            os.pwrite(fd, header(self._written, self.rate, self.channels), 0)

    def abandon(self) -> None:
        """Close the file without what waits; for a writer that cannot go on. Never raises."""
        if self._fd is None:
            return
        fd, self._fd = self._fd, None
        self._blocks.clear()
        with contextlib.suppress(OSError):
            os.ftruncate(fd, _HEADER.size + self._written)
        with contextlib.suppress(OSError):  # some network file systems report here what they lost
            os.close(fd)


def repair(path: str | Path) -> int:
    """Make the sizes in the header of a cut recording agree with the file; returns samples a channel.

    Only files as ``WavRecorder`` writes them are touched; anything else, and a file that cannot be opened,
    raises ``RecordingError`` (``not_ours``, ``unwritable``). A whole file is left as it is.
    """
    try:
        with Path(path).open("r+b") as file:
            head = file.read(_HEADER.size)
            rate, channels = _parse_header(head)
            frame = channels * BYTES_PER_SAMPLE
            length = file.seek(0, os.SEEK_END) - _HEADER.size
            samples = length // frame
            mended = header(samples * frame, rate, channels)
            if mended != head or length % frame:
                file.truncate(_HEADER.size + samples * frame)
                file.seek(0)
                file.write(mended)
    except OSError as error:
        raise _from_os(error) from error
    return samples


def _parse_header(head: bytes) -> tuple[int, int]:
    """Rate and channels of our own header; ``not_ours`` for any other."""
    if len(head) == _HEADER.size:
        fields = _HEADER.unpack(head)
        channels, rate, data_bytes = fields[6], fields[7], fields[12]
        plain = 0 < channels <= 8 and 0 < rate <= 192_000 and data_bytes <= _MAX_DATA
        if plain and header(data_bytes, rate, channels) == head:
            return rate, channels
    raise RecordingError("not_ours", "no header of ours")
