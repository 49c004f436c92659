"""One recording's file and sidecar, as the writer's thread handles them. Everything here may block."""

from __future__ import annotations

import contextlib
import logging
import time
from pathlib import Path

from media.recording.jobs import Recording
from media.recording.samples import in_file
from media.recording.sidecar import Notes, SidecarError, load, save, sidecar_of
from media.rtp import Octets
from media.wav import WavRecorder, check_free

TICK_MS = 20
TICKS_PER_SECOND = 50
_FREE_SECONDS = 1.0

_log = logging.getLogger(__name__)


class FreeSpace:
    """Whether a folder's disk has room, asked once a second and not for every recording."""

    def __init__(self) -> None:
        self._until = 0.0

    def check(self, fd: int, reserve: int) -> None:
        """Raise OSError when there is less than ``reserve`` bytes left."""
        now = time.monotonic()
        if now >= self._until:
            check_free(fd, reserve)
            self._until = now + _FREE_SECONDS


def open_file(recording: Recording, reserve_bytes: int, free: FreeSpace) -> WavRecorder:
    """Make the file, or open it again to go on. Raises RecordingError."""
    sound = recording.sound
    return WavRecorder(
        recording.path,
        sound.rate,
        sound.channels,
        sound.coding,
        max_seconds=recording.max_seconds,
        reserve_bytes=reserve_bytes,
        continues=recording.continues,
        check=free.check,
    )


def go_on(recording: Recording, file: WavRecorder, at: float) -> None:
    """Silence in the place of what came after the last write, so that the timeline stays true.

    at: Unix seconds. A clock that was set back since cuts nothing. Raises RecordingError.
    """
    with contextlib.suppress(SidecarError):  # there may have been nothing to tell until now
        recording.notes = load(sidecar_of(recording.path))
    notes, rate = recording.notes, file.sound.rate
    written_ms = file.samples * 1000 // rate
    due_ms = round((at - notes.began) * TICKS_PER_SECOND) * TICK_MS - notes.cut_ms
    if notes.marks and notes.marks[-1].ms is None:  # it died in a pause
        open_mark = notes.marks[-1]
        notes.end_mark(max(0, (due_ms if open_mark.what == "cut" else written_ms) - open_mark.at_ms))
        if open_mark.what == "cut":
            due_ms = written_ms
    lost_ms = due_ms - written_ms
    if lost_ms > 0:
        notes.mark("lost", written_ms, lost_ms)
        file.fill(due_ms * rate // 1000 - file.samples)


def write(recording: Recording, rows: list[Octets], law: int, rate: int) -> None:
    """Add a piece: a row of whole 20 ms frames for each channel. Raises RecordingError."""
    if recording.file is not None:
        recording.file.write(in_file(rows, law, rate, recording.sound, recording.histories))


def keep(notes: Notes, path: str | Path) -> bool:
    """Put a sidecar on disk; False when it cannot be. The sound is there without it."""
    try:
        save(notes, path)
    except OSError as error:
        _log.warning("the sidecar of a recording is not written: %s", error)
        return False
    return True
