"""Which worker each room is on, so that all its legs come to one; kept by the engine's side of the plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from media.control import PauseMode, PlayInRoom, RecordRoom, SetRoom
from media.room_plays import RoomPlays


@dataclass(slots=True)
class RoomRecording:
    """A recording of a room that is being made. ``began``: Unix seconds."""

    room: str
    path: str
    kind: Literal["room", "tracks"]
    began: float
    paused: PauseMode | None = None

    def again(self) -> RecordRoom:
        """What has it go on in another worker."""
        return RecordRoom(self.room, self.path, self.kind, self.began, self.paused)


class RoomPlaces:
    """Rooms by name, as long as a leg was opened for them."""

    def __init__(self) -> None:
        self._worker: dict[str, int] = {}
        self._legs: dict[str, set[int]] = {}
        self._room: dict[int, str] = {}
        self._settings: dict[str, SetRoom] = {}
        self._recordings: dict[str, dict[str, RoomRecording]] = {}
        self.plays = RoomPlays()

    def worker(self, room: str) -> int | None:
        """The index of the worker a room is on; None when it is nowhere yet."""
        return self._worker.get(room)

    def legs(self, room: str) -> frozenset[int]:
        """The legs that were opened for a room and are not closed."""
        return frozenset(self._legs.get(room, ()))

    def room(self, leg: int) -> str | None:
        """The room a leg was opened for."""
        return self._room.get(leg)

    def enter(self, room: str, leg: int, worker: int) -> None:
        """A leg is opened for a room; the first one says where the room is."""
        self._worker[room] = worker
        self._legs.setdefault(room, set()).add(leg)
        self._room[leg] = room

    def leave(self, leg: int) -> None:
        """A leg is gone, and with the last one its room and what was set for it."""
        room = self._room.pop(leg, None)
        if room is None:
            return
        legs = self._legs[room]
        legs.discard(leg)
        if not legs:
            del self._legs[room], self._worker[room]
            self._settings.pop(room, None)
            self._recordings.pop(room, None)
            self.plays.empty(room)

    def set(self, settings: SetRoom) -> None:
        """Remember how a room is mixed."""
        self._settings[settings.room] = settings

    def record(self, recording: RoomRecording) -> None:
        """Remember that a room is recorded, by the file."""
        self._recordings.setdefault(recording.room, {})[recording.path] = recording

    def recordings(self, room: str) -> list[RoomRecording]:
        """How a room is recorded."""
        return list(self._recordings.get(room, {}).values())

    def recorded(self, room: str, path: str) -> None:
        """A recording is over."""
        self._recordings.get(room, {}).pop(path, None)

    def recordings_on(self, worker: int) -> list[RoomRecording]:
        """What a worker that starts anew must go on recording."""
        return [
            each
            for room, recordings in self._recordings.items()
            if self._worker.get(room) == worker
            for each in recordings.values()
        ]

    def settings_on(self, worker: int) -> list[SetRoom]:
        """What a worker that starts anew must be told about its rooms."""
        return [each for room, each in self._settings.items() if self._worker.get(room) == worker]

    def plays_on(self, worker: int) -> list[PlayInRoom]:
        """What a worker that starts anew must play into its rooms."""
        return self.plays.again(worker, [room for room, index in self._worker.items() if index == worker])
