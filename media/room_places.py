"""On which workers each room is, and what was set for it; kept by the engine's side of the plane."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from media.control import PauseMode, PlayInRoom, RecordRoom, RoomRecordingClosed, SetRoom
from media.room_plays import RoomPlays


@dataclass(slots=True)
class RoomRecording:
    """A recording of a room that is being made. ``began``: Unix seconds."""

    room: str
    path: str
    kind: Literal["room", "tracks"]
    began: float
    paused: PauseMode | None = None
    workers: Counter[int] = field(default_factory=Counter)
    """Where it is being made: the mix on one worker, tracks on all that have legs in the room."""
    spread: bool = False
    """It began on several workers at once: which of them is first to write is not known."""
    first: int | None = None
    """The worker it began on."""
    stopped: bool = False
    closed: RoomRecordingClosed | None = None
    """What the workers that are through with it said last."""

    def begin(self, worker: int) -> RecordRoom:
        """What has a worker begin it, or go on with what another one began."""
        self.workers[worker] += 1
        if self.first is None:
            self.first = worker
            if not self.spread:
                return RecordRoom(self.room, self.path, self.kind, worker=worker, paused=self.paused)
        return self.again(worker)

    def again(self, worker: int) -> RecordRoom:
        """What has it go on in another process."""
        joins = self.first != worker
        return RecordRoom(self.room, self.path, self.kind, self.began, self.paused, worker, joins)

    def ended(self, worker: int, event: RoomRecordingClosed) -> None:
        """A worker is through with it."""
        self.workers[worker] -= 1
        self.workers = +self.workers
        former = self.closed or event
        longest = max(former, event, key=lambda each: each.samples / each.rate)
        self.closed = msgspec.structs.replace(longest, reason=event.reason or former.reason)


class RoomPlaces:
    """Rooms by name, as long as a leg was opened for them or is in them."""

    def __init__(self) -> None:
        self._legs: dict[str, dict[int, int]] = {}  # leg: worker
        self._counts: dict[
            str, dict[int, int]
        ] = {}  # worker: legs, in the order in which the room came to them
        self._room: dict[int, str] = {}
        self._settings: dict[str, SetRoom] = {}
        self._recordings: dict[str, dict[str, RoomRecording]] = {}
        self.plays = RoomPlays()

    def worker(self, room: str) -> int | None:
        """The index of the worker a room has been on longest; None when it is nowhere."""
        return next(iter(self._counts.get(room, ())), None)

    def workers(self, room: str) -> dict[int, int]:
        """How many of its legs each of a room's workers has, by index; the one it has been on longest first."""
        return self._counts.get(room, {})

    def legs(self, room: str) -> frozenset[int]:
        """The legs that were opened for a room or joined it, and are not closed."""
        return frozenset(self._legs.get(room, ()))

    def room(self, leg: int) -> str | None:
        """The room a leg was opened for, or joined last."""
        return self._room.get(leg)

    def enter(self, room: str, leg: int, worker: int) -> bool:
        """A leg is opened for a room, or joins it; whether the room comes to its worker with it."""
        self._legs.setdefault(room, {})[leg] = worker
        self._room[leg] = room
        counts = self._counts.setdefault(room, {})
        counts[worker] = counts.get(worker, 0) + 1
        return counts[worker] == 1

    def leave(self, leg: int) -> tuple[str, int] | None:
        """A leg is gone; the room and worker if the worker has no leg of the room any more.

        With the last one goes what was set for the room.
        """
        room = self._room.pop(leg, None)
        if room is None:
            return None
        worker = self._legs[room].pop(leg)
        counts = self._counts[room]
        counts[worker] -= 1
        if counts[worker]:
            return None
        del counts[worker]
        if not counts:
            del self._legs[room], self._counts[room]
            self._settings.pop(room, None)
            self.plays.empty(room)
        return room, worker

    # What was set.

    def set(self, settings: SetRoom) -> None:
        """Remember how a room is mixed."""
        self._settings[settings.room] = settings

    def settings(self, room: str) -> SetRoom | None:
        """How a room is mixed, if that was set."""
        return self._settings.get(room)

    def rooms_on(self, worker: int) -> list[str]:
        """The rooms a worker has legs of."""
        return [room for room, counts in self._counts.items() if worker in counts]

    def settings_on(self, worker: int) -> list[SetRoom]:
        """What a worker that starts anew must be told about its rooms."""
        return [each for room, each in self._settings.items() if worker in self.workers(room)]

    # What is recorded.

    def record(self, recording: RoomRecording) -> None:
        """Remember that a room is recorded, by the file."""
        self._recordings.setdefault(recording.room, {})[recording.path] = recording

    def recordings(self, room: str) -> list[RoomRecording]:
        """How a room is recorded."""
        return list(self._recordings.get(room, {}).values())

    def recording(self, room: str, path: str) -> RoomRecording | None:
        """One of them, by its file."""
        return self._recordings.get(room, {}).get(path)

    def recorded(self, room: str, path: str) -> None:
        """A recording is over."""
        recordings = self._recordings.get(room, {})
        recordings.pop(path, None)
        if not recordings:
            self._recordings.pop(room, None)

    def recordings_on(self, worker: int) -> list[RoomRecording]:
        """What a worker that starts anew must go on recording."""
        every = [each for recordings in self._recordings.values() for each in recordings.values()]
        return [each for each in every if worker in each.workers]

    def plays_on(self, worker: int) -> list[PlayInRoom]:
        """What a worker that starts anew must play into its rooms."""
        return self.plays.again(worker, [room for room in self._counts if self.worker(room) == worker])
