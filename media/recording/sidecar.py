"""What is known of a recording beside its sound: a JSON file next to it, replaced as a whole when it changes.

A recording of one file has one only when there is something to tell (a second channel, a pause, a gap). A
recording of tracks has one from the beginning: it is the recording, and names a WAV file for each talker. Times are
in milliseconds of the recording's own timeline, multiples of a tick of 20 ms, so ``ms * rate / 1000`` is a whole
sample at every rate. A track begins ``offset_ms`` after the recording did.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Literal

import msgspec

from media.wav import RecordingError, mend

VERSION = 1
MAX_BYTES = 4 << 20
"""A pause every second of four hours is some hundred kilobytes; more is no file of ours."""

Kind = Literal["leg", "both", "room", "tracks"]
CHANNELS: dict[Kind, list[str]] = {"both": ["says", "hears"]}


class SidecarError(Exception):
    """A sidecar cannot be read: it is not there, not ours or damaged."""


class Mark(msgspec.Struct, kw_only=True):
    """A stretch of the timeline that is not what was said.

    ``silence``: paused, silence in its place. ``cut``: paused, and so much time is missing at ``at_ms``. ``lost``: its
    worker died, silence in its place. ``ms`` None: it lasts, or the process ended in it.
    """

    what: Literal["silence", "cut", "lost"]
    at_ms: int
    ms: int | None = None


class Track(msgspec.Struct, kw_only=True):
    """One talker from joining to leaving. ``file`` lies beside the sidecar; ``ms`` None: not closed yet."""

    file: str
    label: str
    offset_ms: int
    rate: int
    ms: int | None = None
    reason: str | None = None
    worker: int = 0
    """That wrote it, of a room on several."""


class Notes(msgspec.Struct, kw_only=True):
    """The sidecar. ``began``: Unix seconds of the first sample."""

    version: int = VERSION
    kind: Kind
    began: float
    channels: list[str] = []
    marks: list[Mark] = []
    tracks: list[Track] = []

    def mark(self, what: Literal["silence", "cut", "lost"], at_ms: int, ms: int | None = None) -> None:
        """Note a stretch that begins, or one that is over."""
        self.marks.append(Mark(what=what, at_ms=at_ms, ms=ms))

    def end_mark(self, ms: int) -> None:
        """The stretch that lasted is over."""
        if self.marks and self.marks[-1].ms is None:
            self.marks[-1].ms = ms

    @property
    def cut_ms(self) -> int:
        """How much of the wall time is not on the timeline."""
        return sum(each.ms or 0 for each in self.marks if each.what == "cut")

    @property
    def ms(self) -> int:
        """How long a recording of tracks is so far: the end of its last track."""
        return max((each.offset_ms + (each.ms or 0) for each in self.tracks), default=0)


def sidecar_of(path: str | Path) -> Path:
    """Where the sidecar of a sound file lies: its name up to the first dot, and ``.json``."""
    path = Path(path)
    return path.with_name(path.name.partition(".")[0] + ".json")


def save(notes: Notes, path: str | Path) -> None:
    """Write the sidecar, or leave the old one as it is. Raises OSError."""
    path = Path(path)
    partial = path.with_name(path.name + ".new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(partial, flags, 0o600), "wb") as file:
            file.write(msgspec.json.encode(notes))
        partial.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise


def load(path: str | Path) -> Notes:
    """Read a sidecar. Raises SidecarError."""
    try:
        with Path(path).open("rb") as file:
            notes = msgspec.json.decode(file.read(MAX_BYTES), type=Notes)
    except (OSError, msgspec.MsgspecError) as error:
        raise SidecarError(str(error)) from error
    if notes.version != VERSION:
        raise SidecarError(f"version {notes.version}")
    if any(Path(track.file).name != track.file for track in notes.tracks):
        raise SidecarError("a track outside its folder")
    return notes


def mend_tracks(notes: Notes, folder: Path, worker: int | None = None) -> None:
    """Make whole what was not closed, and note how long it is; a track whose file never was has no length.

    worker: of this one only, for others are still writing theirs.
    """
    for track in notes.tracks:
        if track.ms is None and worker in (None, track.worker):
            try:
                found = mend(folder / track.file)
                track.ms, track.reason = round(found.seconds * 1000), "interrupted"
            except RecordingError as error:
                track.ms, track.reason = 0, error.reason
