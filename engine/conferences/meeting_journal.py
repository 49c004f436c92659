"""The journal of a meeting on disk: every event before anybody is told of it, so that another process can go on.

A file a meeting, of records as in ``engine.record_file``, never synced: what a process has written outlives it, and
after a loss of power no call is left anyway. It goes when the meeting is over and the store has it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from twisted.logger import Logger

from conference.definition import RoomDefinition
from conference.events import Event
from engine.record_file import frame, frames

if TYPE_CHECKING:
    from conference.room import Room

FORMAT = 1
"""Raise it whenever an older journal can no longer be read rightly."""
SUFFIX = ".meeting"
log = Logger()


class Opened(msgspec.Struct, frozen=True, tag=True):
    """The first record. epoch: Unix seconds at monotonic 0, which is of one boot only."""

    format: int
    boot: str
    meeting: str
    definition: RoomDefinition
    epoch: float


class Happened(msgspec.Struct, frozen=True, tag=True):
    """An event."""

    event: Event


class Recorded(msgspec.Struct, frozen=True, tag=True):
    """The file the meeting is recorded to from now on; None: to none."""

    path: str | None


class Names(msgspec.Struct, frozen=True, tag=True):
    """The prompt that says a participant's recorded name."""

    participant: int
    prompt: str


Record = Opened | Happened | Recorded | Names
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


class LeftMeeting(msgspec.Struct, kw_only=True):
    """A meeting of a process that was killed."""

    path: Path
    opened: Opened
    events: list[Event] = []
    recording: str | None = None
    names: dict[int, str] = {}


class MeetingFile:
    """One meeting's journal. A disk that takes nothing costs the journal, never the meeting."""

    def __init__(self, path: Path) -> None:
        self._path = path
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._fd: int | None = None
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            self._fd = os.open(path, flags, 0o600)
        except OSError as error:
            self._lost(error.strerror or str(error))

    def write(self, records: Iterable[Record]) -> None:
        """Append."""
        data = b"".join(frame(_encoder.encode(each)) for each in records)
        if self._fd is None or not data:
            return
        try:
            if os.write(self._fd, data) == len(data):
                return
            reason = "the disk is full"
        except OSError as error:
            reason = error.strerror or str(error)
        self.close()
        self._lost(reason)

    def close(self) -> None:
        """Let go of it; it stays."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def remove(self) -> None:
        """The meeting is over and stored."""
        self.close()
        self._path.unlink(missing_ok=True)

    def _lost(self, reason: str) -> None:
        log.error("the journal of a meeting cannot be written, a crash would end it: {reason}", reason=reason)


class MeetingFiles:
    """The folder they are in."""

    def __init__(self, folder: Path, boot: str) -> None:
        self._folder = folder
        self._boot = boot

    def begin(self, room: Room, epoch: float) -> MeetingFile:
        """A journal for a meeting that is opened."""
        file = self.file(room.meeting)
        file.write([Opened(FORMAT, self._boot, room.meeting, room.definition, epoch)])
        return file

    def file(self, meeting: str) -> MeetingFile:
        """That of a meeting, to be gone on with."""
        return MeetingFile(self._folder / f"{meeting}{SUFFIX}")

    def left(self) -> list[LeftMeeting]:
        """The meetings that were held when their process died, of this boot; what cannot be gone on with is removed."""
        found = []
        for path in sorted(self._folder.glob(f"*{SUFFIX}")) if self._folder.is_dir() else ():
            left = self._read(path)
            if left is None:
                path.unlink(missing_ok=True)
            else:
                found.append(left)
        return found

    def _read(self, path: Path) -> LeftMeeting | None:
        left: LeftMeeting | None = None
        try:
            for data in frames(path.read_bytes()):
                record = _decoder.decode(data)
                if isinstance(record, Opened):
                    if record.format != FORMAT or record.boot != self._boot:
                        break
                    left = LeftMeeting(path=path, opened=record, events=[], names={})
                elif left is not None:
                    _take(left, record)
        except (OSError, msgspec.MsgspecError) as error:
            log.warn("the journal {path} of a meeting cannot be read: {error}", path=str(path), error=error)
        return left if left is not None and left.events else None


def _take(left: LeftMeeting, record: Record) -> None:
    match record:
        case Happened(event=event):
            left.events.append(event)
        case Recorded(path=path):
            left.recording = path
        case Names(participant=participant, prompt=prompt):
            left.names[participant] = prompt
        case Opened():
            raise msgspec.MsgspecError("a second beginning")
