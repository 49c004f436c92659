"""Rooms as the engine sees them: how each is mixed and recorded, whichever worker it is on."""

from __future__ import annotations

import itertools
import secrets
import time
from collections import Counter
from collections.abc import Callable
from typing import Literal

from twisted.logger import Logger

from media import control
from media.control import PauseMode
from media.room_places import RoomPlaces, RoomRecording
from media.room_shares import RoomShares
from media.supervisor import Supervisor

MOST_TOLD = 16
"""Talkers of a room named at once, as each worker does."""

_log = Logger()


def _unheard(_event: control.Talkers) -> None:
    """Where the talkers of rooms go before anybody asks for them."""


def _unawaited(_event: control.RoomPlayFinished) -> None:
    """Where the ends of what is played into rooms go before anybody waits for them."""


def _unstored(_event: control.RoomRecordingClosed) -> None:
    """Where recordings of rooms go before anybody stores them."""


class PoolRooms:
    """The rooms of a pool of workers (:class:`media.pool.WorkerPool`), which also gives them their legs."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._places = RoomPlaces()
        self._shares = RoomShares(self._send, lambda: secrets.randbits(63))
        self._talking: dict[str, dict[int, list[tuple[int, int]]]] = {}  # by room and worker
        self._players: dict[str, int] = {}  # the worker that plays into a room
        self.counters: Counter[str] = Counter()
        self.on_talkers: Callable[[control.Talkers], None] = _unheard
        """Called when others talk in a room than before."""
        self.on_room_recorded: Callable[[control.RoomRecordingClosed], None] = _unstored
        """Called when the recording of a room is over."""
        self._play_tags = itertools.count(secrets.randbits(30))  # an engine before us had tags as well
        self.on_room_played: Callable[[control.RoomPlayFinished], None] = _unawaited
        """Called when an announcement played into a room is over."""

    # Where rooms are.

    def _send(self, worker: int, command: control.Command) -> None:
        self._supervisor.workers[worker].send(command)

    def _enter(self, room: str, leg: int, worker: int) -> None:
        """A leg is opened for a room, or joins it. A room that reaches another worker becomes one of several."""
        former = self._places.room(leg)
        if former == room:
            return
        reached = self._places.enter(room, leg, worker) if former is None else self._change(room, leg, worker)
        if not reached:
            return
        settings = self._places.settings(room)
        if settings is not None:
            self._send(worker, settings)
        workers = self._places.workers(room)
        if len(workers) > 1 or self._shares.workers(room):
            self._shares.spread(room, workers)
        for recording in self._places.recordings(room):
            if recording.kind == "tracks" and not recording.stopped:
                self._send(worker, recording.begin(worker))

    def _change(self, room: str, leg: int, worker: int) -> bool:
        """A leg goes from one room to another; whether that one comes to its worker with it."""
        self._leave(leg)
        return self._places.enter(room, leg, worker)

    def _leave(self, leg: int, *, lost: bool = False) -> None:
        """A leg is gone. lost: and its worker is."""
        left = self._places.leave(leg)
        if left is None:
            return
        room, worker = left
        if not self._places.workers(room):
            self._shares.over(room)
            self._talking.pop(room, None)
            self._players.pop(room, None)
            for recording in self._places.recordings(room):
                recording.stopped = True
                if lost:
                    self._places.recorded(room, recording.path)
            return
        talking = self._talking.get(room, {})
        if talking.pop(worker, None):
            self._tell_talkers(room)
        self._move_music(room, worker)
        if lost:
            self._without(room, worker)

    def _without(self, room: str, worker: int) -> None:
        """A worker is gone and does not come back to a room: its recordings go on elsewhere."""
        for recording in self._places.recordings(room):
            if recording.workers.pop(worker, 0):
                self._go_on(recording, worker)

    def _move_music(self, room: str, left: int) -> None:
        """Music is played on the worker a room has been on longest; let it go on where that is now."""
        music, worker = self._places.plays.music(room), self._places.worker(room)
        if music is not None and worker is not None and self._players.get(room) == left:
            self._players[room] = worker
            self._send(worker, music)

    def _shared(self, worker: int, event: control.RoomShared) -> None:
        if not self._shares.shared(worker, event):
            self.counters["rooms_not_shared"] += 1
            _log.error("room {room}: worker {index} cannot share it", room=event.room, index=worker)

    # How they are mixed and recorded.

    def set_room(
        self, room: str, *, loudest: int = 8, max_rate_hz: int = 48000, levels: bool = False
    ) -> None:
        """How a room is mixed while somebody is in it; remembered for a worker it comes to, or that starts anew.

        ``loudest``: of each worker it is on.
        """
        settings = control.SetRoom(room=room, loudest=loudest, max_rate_hz=max_rate_hz, levels=levels)
        if self._places.workers(room):
            self._places.set(settings)
            self._tell_room(settings)

    def record_room(self, room: str, path: str, kind: Literal["room", "tracks"] = "room") -> bool:
        """Record a room's mix, or a track a talker; False when no leg was opened for it.

        It ends with ``stop_recording_room``, or with the room; ``on_room_recorded`` is called then.
        """
        workers = list(self._places.workers(room))
        if not workers:
            return False
        makers = workers if kind == "tracks" else workers[:1]
        recording = RoomRecording(room, path, kind, time.time(), spread=len(makers) > 1)
        self._places.record(recording)
        for worker in makers:
            self._send(worker, recording.begin(worker))
        return True

    def goes_on_recording(
        self,
        room: str,
        path: str,
        kind: Literal["room", "tracks"],
        *,
        began: float,
        paused: PauseMode | None,
    ) -> None:
        """Know of a recording that an engine before this one began. began: Unix seconds."""
        workers = list(self._places.workers(room))
        makers = workers if kind == "tracks" else workers[:1]
        recording = RoomRecording(room, path, kind, began, paused, spread=len(makers) > 1)
        for worker in makers:
            recording.workers[worker] += 1
        recording.first = makers[0] if makers else None
        self._places.record(recording)

    def is_recorded(self, room: str) -> bool:
        """Whether a room is being recorded."""
        return any(not each.stopped for each in self._places.recordings(room))

    def pause_recording_room(self, room: str, mode: PauseMode | None = "silence") -> None:
        """Record silence in the place of what a room says, or leave the time out (``cut``); None: go on."""
        for recording in self._places.recordings(room):
            recording.paused = mode
        self._tell_room(control.PauseRoomRecording(room, mode))

    def stop_recording_room(self, room: str) -> None:
        """End the recordings of a room."""
        for recording in self._places.recordings(room):
            recording.stopped = True
        self._tell_room(control.StopRoomRecording(room))

    def play_in_room(
        self, room: str, items: list[str], *, loop: bool = False, gain_db: float = 0.0, music: bool = False
    ) -> int | None:
        """Play prompts to all who hear a room, whatever their codec; its recording has them too.

        They follow what is played into it already. Returns the tag with which ``on_room_played`` will be called; None
        when no leg was opened for the room. ``music``: beneath all that, softly while something is said, in the place
        of other music; nothing tells its end.
        """
        index = self._places.worker(room)
        if index is None:
            return None
        tag = next(self._play_tags)
        command = control.PlayInRoom(room=room, items=items, loop=loop, tag=tag, gain_db=gain_db, music=music)
        self._places.plays.begin(command, [index])  # its part of the room is heard on the others, too
        self._players[room] = index
        self._send(index, command)
        return tag

    def stop_playing_in_room(self, room: str, *, music: bool = False) -> None:
        """End all that is and is to be said in a room; or fade its music, and nothing else."""
        if music:
            self._places.plays.stop_music(room)
        self._tell_room(control.StopPlayingInRoom(room, music))

    def _tell_room(self, command: control.RoomCommand) -> None:
        for index in self._places.workers(command.room):
            self._send(index, command)

    # What workers say of them.

    def _talkers(self, worker: int, event: control.Talkers) -> None:
        if worker not in self._places.workers(event.room):
            self._say_talkers(event)
            return
        self._talking.setdefault(event.room, {})[worker] = event.talkers
        self._tell_talkers(event.room)

    def _silent(self, worker: int) -> None:
        """A worker died: none of its legs talks now."""
        for room, talking in self._talking.items():
            if talking.pop(worker, None):
                self._tell_talkers(room)

    def _tell_talkers(self, room: str) -> None:
        """Those of all workers of a room together."""
        told = [each for talkers in self._talking[room].values() for each in talkers]
        self._say_talkers(control.Talkers(room, sorted(told, key=lambda each: each[1])[:MOST_TOLD]))

    def _say_talkers(self, event: control.Talkers) -> None:
        try:
            self.on_talkers(event)
        except Exception:  # the driver's last line, as for legs
            self.counters["event_faults"] += 1
            _log.failure("room {room}: its talkers were not handled", room=event.room)

    def _room_recorded(self, worker: int, event: control.RoomRecordingClosed) -> None:
        """A worker is through with a recording, which others may still make."""
        recording = self._places.recording(event.room, event.path)
        if recording is None:
            self._say_recorded(event)
            return
        recording.ended(worker, event)
        recording.stopped |= event.reason is not None
        if not self._go_on(recording, worker) and recording.closed is not None:
            self._say_recorded(recording.closed)

    def _go_on(self, recording: RoomRecording, left: int) -> bool:
        """A worker has left a recording; whether somebody makes it still, or takes the mix over."""
        if recording.workers:
            return True
        others = [each for each in self._places.workers(recording.room) if each != left]
        if others and not recording.stopped:
            self._send(others[0], recording.begin(others[0]))
            return True
        self._places.recorded(recording.room, recording.path)
        return False

    def _say_recorded(self, event: control.RoomRecordingClosed) -> None:
        try:
            self.on_room_recorded(event)
        except Exception:  # as above
            self.counters["event_faults"] += 1
            _log.failure("room {room}: its recording was not stored", room=event.room)

    def _room_played(self, event: control.RoomPlayFinished | None) -> None:
        if event is None:
            return
        try:
            self.on_room_played(event)
        except Exception:  # as above
            self.counters["event_faults"] += 1
            _log.failure("room {room}: the end of an announcement was not handled", room=event.room)
