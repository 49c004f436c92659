"""Recording rooms: their mix as one file, or one track a talker with a common timeline.

A recording of tracks follows who is in the room: a leg that comes begins a track, one that goes ends it, and what a
muted one says is silence. A room that was entered and is empty again ends its recordings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from media.recording.gathering import Taking
from media.recording.jobs import (
    Begin,
    Job,
    PauseMode,
    Recording,
    Session,
    SessionBegin,
    SessionEnd,
    SessionNote,
)
from media.recording.sidecar import Kind, Notes
from media.wav import Sound

if TYPE_CHECKING:
    from media.plane import Plane

TICK_MS = 20
NARROW = 8000


class Owner(Protocol):
    """The recorder, as far as rooms need it."""

    max_seconds: int
    ticks: int

    def put(self, job: Job) -> None: ...

    def new_handle(self) -> int: ...

    def speaks(self, slot: int) -> int: ...

    def rate_of(self, kind: int) -> int: ...

    def take(self, taking: Taking) -> None: ...

    def set_pause(self, taking: Taking, mode: PauseMode | None) -> None: ...

    def hush(self, taking: Taking, *, on: bool) -> None: ...

    def end(self, taking: Taking) -> None: ...


@dataclass(slots=True, eq=False)
class _Tracks:
    """A recording of tracks, on the tick's side."""

    session: Session
    room: str
    since: int
    """The tick before its first one."""
    cut_ticks: int = 0
    paused: PauseMode | None = None
    paused_at: int = 0
    entered: bool = False
    takings: dict[int, Taking] = field(default_factory=dict)  # by slot

    def offset(self, ticks: int) -> int:
        """Ticks of its timeline so far."""
        cut = self.cut_ticks + (ticks - self.paused_at if self.paused == "cut" else 0)
        return ticks - self.since - cut


class RoomRecorder:
    """The recordings of rooms. ``label`` names the leg in a slot, for its track."""

    def __init__(self, plane: Plane, owner: Owner, label: Callable[[int], str]) -> None:
        self._plane = plane
        self._owner = owner
        self._label = label
        self._tracks: dict[int, _Tracks] = {}  # by handle
        self._mixes: dict[int, Taking] = {}
        self._entered: set[int] = set()  # handles of mixes whose room somebody was in

    @property
    def active(self) -> bool:
        """Whether there is anything to follow."""
        return bool(self._tracks or self._mixes)

    @property
    def handles(self) -> list[int]:
        """The recordings of tracks."""
        return list(self._tracks)

    def record(
        self,
        room: str,
        path: str,
        now: float,
        kind: Kind,
        began: float | None,
        paused: PauseMode | None,
        *,
        worker: int = 0,
        joins: bool = False,
    ) -> int:
        """Begin a recording; as ``Recorder.record``. kind: ``room`` or ``tracks``; that one's path is its sidecar.

        worker: the place of this process; joins: the recording is another worker's, whose legs have tracks as well.
        """
        owner = self._owner
        handle = owner.new_handle()
        notes = Notes(kind=kind, began=now if began is None else began)
        if kind == "tracks":
            session = Session(handle, path, notes, continues=began is not None, worker=worker, joins=joins)
            self._tracks[handle] = _Tracks(session, room, owner.ticks)
            owner.put(SessionBegin(session, now))
            self._follow_tracks(self._tracks[handle])
        else:
            rate = self.rate(room)
            recording = Recording(
                handle, path, Sound(rate), owner.max_seconds, notes, continues=began is not None
            )
            owner.put(Begin(recording, now))
            self._mixes[handle] = taking = Taking(recording, -1, -rate, (), room=room)
            owner.take(taking)
        if paused is not None:
            self.pause(handle, paused)
        return handle

    def rate(self, room: str) -> int:
        """What a room is mixed at now; 8,000 Hz as long as it is empty."""
        rooms = self._plane.mixer.rooms
        row = rooms.row(room)
        return NARROW if row is None else int(rooms.rate[row]) or NARROW

    def pause(self, handle: int, mode: PauseMode) -> bool:
        """Pause a recording of tracks; False when it is none."""
        tracks = self._tracks.get(handle)
        if tracks is None:
            return False
        if tracks.paused != mode:
            self.resume(handle)
            at_ms = TICK_MS * tracks.offset(self._owner.ticks)
            tracks.paused, tracks.paused_at = mode, self._owner.ticks
            self._owner.put(SessionNote(tracks.session, mode, at_ms))
            for taking in list(tracks.takings.values()):
                self._owner.set_pause(taking, mode)
        return True

    def resume(self, handle: int) -> bool:
        """Go on with a recording of tracks; False when it is none."""
        tracks = self._tracks.get(handle)
        if tracks is None:
            return False
        if tracks.paused is not None:
            lasted = self._owner.ticks - tracks.paused_at
            tracks.cut_ticks += lasted if tracks.paused == "cut" else 0
            tracks.paused = None
            self._owner.put(SessionNote(tracks.session, "end", 0, lasted))
            for taking in list(tracks.takings.values()):
                self._owner.set_pause(taking, None)
        return True

    def stop(self, handle: int) -> bool:
        """End a recording of tracks; False when it is none."""
        if not self.resume(handle):
            return False
        tracks = self._tracks.pop(handle)
        for taking in list(tracks.takings.values()):
            self._owner.end(taking)
        self._owner.put(SessionEnd(tracks.session))
        return True

    def forget(self, handle: int) -> None:
        """A recording is over."""
        self._mixes.pop(handle, None)
        self._entered.discard(handle)
        if handle in self._tracks:
            self.stop(handle)

    def leave(self, slot: int) -> None:
        """The leg in a slot is gone."""
        for tracks in self._tracks.values():
            taking = tracks.takings.pop(slot, None)
            if taking is not None:
                self._owner.end(taking)

    def follow(self) -> list[int]:
        """See who came and went, after a tick; the recordings whose room is empty again come back."""
        emptied = []
        for handle, tracks in self._tracks.items():
            if not self._follow_tracks(tracks) and tracks.entered:
                emptied.append(handle)
        for handle, taking in self._mixes.items():
            if self._plane.mixer.rooms.row(taking.room or "") is not None:
                self._entered.add(handle)
            elif handle in self._entered:
                emptied.append(handle)
        return emptied

    def _follow_tracks(self, tracks: _Tracks) -> bool:
        """Begin and end tracks; whether anybody is in the room."""
        if tracks.session.over:
            return False
        mixer, owner = self._plane.mixer, self._owner
        row = mixer.rooms.row(tracks.room)
        present = [] if row is None else np.flatnonzero(mixer.people.room == row).tolist()
        for slot in set(tracks.takings) - set(present):
            owner.end(tracks.takings.pop(slot))
        for slot in present:
            tracks.entered = True
            if slot not in tracks.takings:
                tracks.takings[slot] = self._begin_track(tracks, slot)
            owner.hush(tracks.takings[slot], on=bool(mixer.people.muted[slot]))
        return bool(present)

    def _begin_track(self, tracks: _Tracks, slot: int) -> Taking:
        owner, session = self._owner, tracks.session
        kind = owner.speaks(slot)
        recording = Recording(
            owner.new_handle(),
            session.path,  # the writer numbers the tracks
            Sound(owner.rate_of(kind)),
            owner.max_seconds,
            session.notes,
            session=session,
            label=self._label(slot),
            offset_ms=TICK_MS * tracks.offset(owner.ticks),
        )
        owner.put(Begin(recording, 0.0))
        taking = Taking(recording, slot, kind, ())
        owner.take(taking)
        if tracks.paused is not None:
            owner.set_pause(taking, tracks.paused)
        return taking
