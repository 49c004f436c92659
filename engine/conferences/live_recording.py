"""The recording of a meeting: its file, and what the media plane is told of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from conference.definition import RecordKind
from engine.conferences.meeting_journal import Recorded
from engine.domain.scope import company_of

if TYPE_CHECKING:
    from conference.room import Room
    from engine.call.services import CallServices
    from engine.conferences.meeting_journal import MeetingFile
    from media.control import RoomRecordingClosed


class LiveRecording:
    """At most one file at a time. When it may be made, and when nothing may be kept, the room has said."""

    def __init__(self, services: CallServices, room: Room, file: MeetingFile) -> None:
        self._services = services
        self._room = room
        self._file = file
        self._path: str | None = None

    def begin(self) -> bool:
        """Begin a file, unless one is being made; False when the media plane cannot. Somebody is in the room."""
        state, media = self._room.state, self._services.media
        if state.recording is None or self._path is not None:
            return True
        tracks = state.recording is RecordKind.TRACKS
        definition = self._room.definition
        path: Path = self._services.recordings.begin(
            definition.number, "", tracks=tracks, company=company_of(definition.key)
        )
        self._is_at(str(path))
        if not media.record_room(self._room.media_room, str(path), "tracks" if tracks else "room"):
            self._is_at(None)
            return False
        if state.paused or state.held:
            self.hold(True)
        return True

    def end(self) -> None:
        """Close it; the file's last word finds its way to the store without us."""
        self._services.media.stop_recording_room(self._room.media_room)
        self._is_at(None)

    def hold(self, on: bool) -> None:
        """Keep nothing of what is said, or go on."""
        self._services.media.pause_recording_room(self._room.media_room, "silence" if on else None)

    def go_on(self, path: str) -> None:
        """With what another process began."""
        state = self._room.state
        self._path = path
        kind: Literal["tracks", "room"] = "tracks" if state.recording is RecordKind.TRACKS else "room"
        self._services.media.goes_on_recording(
            self._room.media_room, path, kind, began=state.recording_since, paused=None
        )
        self.hold(state.paused or state.held)

    def closed(self, event: RoomRecordingClosed) -> bool:
        """Its file is closed, which nobody has asked for; whether that is a failure."""
        if event.path != self._path:
            return False
        self._is_at(None)
        return event.reason is not None and self._room.state.recording_on

    def _is_at(self, path: str | None) -> None:
        self._path = path
        self._file.write([Recorded(path)])
