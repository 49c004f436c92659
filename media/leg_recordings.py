"""Recordings as the engine asks for them: by leg id, one a leg, or by room; each ends with one closing event."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from media import control
from media.plane import Plane
from media.recording.recorder import Recorder

Command = control.Record | control.PauseRecording | control.ResumeRecording | control.StopRecording

RoomCommand = control.RecordRoom | control.PauseRoomRecording | control.StopRoomRecording


class LegRecordings:
    """What is recorded where. ``emit`` takes each event for the engine, ``label`` names the leg in a slot."""

    def __init__(
        self, plane: Plane, emit: Callable[[control.Event], None], label: Callable[[int], str]
    ) -> None:
        self._recorder = Recorder(plane, label=label)
        self._emit = emit
        self._now: dict[int, int] = {}  # the recording of a leg, by leg id
        self._legs: dict[int, int] = {}  # leg id by handle, until its event
        self._rooms: dict[int, str] = {}  # room by handle, until its event
        self._closing: Counter[int] = Counter()  # recordings still being written, of legs that are closed
        self._counters: Counter[str] = Counter()

    @property
    def counters(self) -> Counter[str]:
        """What went wrong, by label."""
        return self._counters + self._recorder.counters

    def limit(self, seconds: int) -> None:
        """Let no recording begun from now on be longer."""
        self._recorder.max_seconds = seconds

    def handle(self, slot: int, command: Command) -> None:
        """Carry out a command for the leg in a slot."""
        handle = self._now.get(command.leg)
        match command:
            case control.Record():
                self._record(slot, command)
            case control.PauseRecording(mode=mode) if handle is not None:
                self._recorder.pause(handle, mode)
            case control.ResumeRecording() if handle is not None:
                self._recorder.resume(handle)
            case control.StopRecording():
                self.stop(command.leg)

    def handle_room(self, command: RoomCommand) -> None:
        """Carry out a command for the recordings of a room."""
        if isinstance(command, control.RecordRoom):
            handle = self._recorder.rooms.record(
                command.room,
                command.path,
                time.time(),
                command.kind,
                command.continues_from,
                command.paused,
                worker=command.worker,
                joins=command.joins,
            )
            self._rooms[handle] = command.room
            return
        for handle in [handle for handle, room in self._rooms.items() if room == command.room]:
            if isinstance(command, control.StopRoomRecording):
                self._recorder.stop(handle)
            elif command.mode is None:
                self._recorder.resume(handle)
            else:
                self._recorder.pause(handle, command.mode)

    def _record(self, slot: int, command: control.Record) -> None:
        """Begin a recording, in the place of the one that the leg has."""
        self.stop(command.leg)
        handle = self._recorder.record(
            slot,
            command.path,
            time.time(),
            kind=command.kind,
            coded=command.coded,
            began=command.continues_from,
            paused=command.paused,
        )
        self._now[command.leg], self._legs[handle] = handle, command.leg

    def stop(self, leg: int) -> None:
        """End the recording of a leg, if it has one."""
        handle = self._now.pop(leg, None)
        if handle is not None:
            self._recorder.stop(handle)

    def close(self, leg: int, slot: int) -> bool:
        """The leg is closed; False when its last word must wait for a file (``take`` says it then)."""
        self._recorder.rooms.leave(slot)
        writing = sum(each == leg for each in self._legs.values())
        self.stop(leg)
        if writing:
            self._closing[leg] = writing
        return not writing

    def gather(self) -> None:
        """Put aside what was said in the tick that the plane has just made."""
        self._recorder.gather()

    def rest(self) -> None:
        """There is no leg and so no tick: rooms that are empty now end their recordings."""
        self._recorder.end_empty_rooms()

    def skip(self, ticks: int) -> None:
        """Ticks passed that came too late to be made."""
        self._recorder.skip(ticks)

    def take(self) -> None:
        """Tell of the recordings that ended, and of the legs that waited for that."""
        for over in self._recorder.take_events():
            if over.reason is not None:
                self._counters[f"recording_{over.reason}"] += 1
            if over.handle in self._rooms:
                room = self._rooms.pop(over.handle)
                self._emit(control.RoomRecordingClosed(room, over.path, over.samples, over.reason, over.rate))
                continue
            leg = self._legs.pop(over.handle)
            if self._now.get(leg) == over.handle:  # it ended by itself
                del self._now[leg]
            self._emit(control.RecordingClosed(leg, over.path, over.samples, over.reason, over.rate))
            if leg in self._closing:
                self._closing[leg] -= 1
                if not self._closing[leg]:
                    del self._closing[leg]
                    self._emit(control.LegClosed(leg))

    def finish(self) -> None:
        """End all recordings and wait for the disk, but not for ever."""
        if not self._recorder.close():
            self._counters["recordings_unfinished"] += 1
        self.take()
