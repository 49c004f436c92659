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
from media.supervisor import Supervisor

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
        self.counters: Counter[str] = Counter()
        self.on_talkers: Callable[[control.Talkers], None] = _unheard
        """Called when others talk in a room than before."""
        self.on_room_recorded: Callable[[control.RoomRecordingClosed], None] = _unstored
        """Called when the recording of a room is over."""
        self._play_tags = itertools.count(secrets.randbits(30))  # an engine before us had tags as well
        self.on_room_played: Callable[[control.RoomPlayFinished], None] = _unawaited
        """Called when an announcement played into a room is over."""

    def set_room(
        self, room: str, *, loudest: int = 8, max_rate_hz: int = 48000, levels: bool = False
    ) -> None:
        """How a room is mixed while somebody is in it; remembered for a worker that starts anew."""
        settings = control.SetRoom(room=room, loudest=loudest, max_rate_hz=max_rate_hz, levels=levels)
        index = self._places.worker(room)
        if index is not None:
            self._places.set(settings)
            self._supervisor.workers[index].send(settings)

    def record_room(self, room: str, path: str, kind: Literal["room", "tracks"] = "room") -> bool:
        """Record a room's mix, or a track a talker; False when no leg was opened for it.

        It ends with ``stop_recording_room``, or with the room; ``on_room_recorded`` is called then.
        """
        index = self._places.worker(room)
        if index is None:
            return False
        self._places.record(RoomRecording(room, path, kind, time.time()))
        self._supervisor.workers[index].send(control.RecordRoom(room, path, kind))
        return True

    def is_recorded(self, room: str) -> bool:
        """Whether a room is being recorded."""
        return bool(self._places.recordings(room))

    def pause_recording_room(self, room: str, mode: PauseMode | None = "silence") -> None:
        """Record silence in the place of what a room says, or leave the time out (``cut``); None: go on."""
        for recording in self._places.recordings(room):
            recording.paused = mode
        self._tell_room(control.PauseRoomRecording(room, mode))

    def stop_recording_room(self, room: str) -> None:
        """End the recordings of a room."""
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
        self._places.plays.begin(command, [index])
        self._tell_room(command)
        return tag

    def stop_playing_in_room(self, room: str, *, music: bool = False) -> None:
        """End all that is and is to be said in a room; or fade its music, and nothing else."""
        if music:
            self._places.plays.stop_music(room)
        self._tell_room(control.StopPlayingInRoom(room, music))

    def _tell_room(self, command: control.RoomCommand) -> None:
        index = self._places.worker(command.room)
        if index is not None:
            self._supervisor.workers[index].send(command)

    def _talkers(self, event: control.Talkers) -> None:
        try:
            self.on_talkers(event)
        except Exception:  # the driver's last line, as for legs
            self.counters["event_faults"] += 1
            _log.failure("room {room}: its talkers were not handled", room=event.room)

    def _room_recorded(self, event: control.RoomRecordingClosed) -> None:
        self._places.recorded(event.room, event.path)
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
