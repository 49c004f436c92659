"""The tick's side of recording: what is recorded, and each tick's 20 ms of it put aside for the writer.

``gather`` is called after every tick of the plane, silence included, so that the files keep time: one assignment
for all recorded channels, and of every fiftieth of them a second handed over to the writer's thread. Nothing here
waits or raises. All calls come from one thread.

A recorded leg holds a row (8,000 octets of G.711) for each of its channels and as much on its way to the disk. A
disk that does not take what it is given for ``BACKLOG_SECONDS`` loses the recording, not the call and not the
memory of the worker.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from media.recording.gathering import (
    CodedGathering,
    Gathering,
    NarrowGathering,
    RoomGathering,
    Taking,
    kinds,
)
from media.recording.jobs import (
    Batch,
    Begin,
    End,
    Fill,
    Job,
    Note,
    PauseMode,
    Piece,
    Recording,
    RecordingClosed,
)
from media.recording.room_recorder import RoomRecorder
from media.recording.sidecar import CHANNELS, Kind, Notes
from media.recording.spool import FRAMES
from media.recording.writer import RecordingWriter
from media.rtp import Integers
from media.wav import MAX_SECONDS, RESERVE_BYTES, Coding, Sound

if TYPE_CHECKING:
    from media.plane import Plane

BACKLOG_SECONDS = 15  # a few seconds of a busy disk are common; 15 s of 1,000 legs are 120 MB
BEHIND_SECONDS = 3
"""A recording whose disk is so far behind is counted each second."""
_NARROW = {0: Coding.ULAW, 1: Coding.ALAW}


class Recorder:
    """What the legs of one plane have recorded."""

    def __init__(
        self,
        plane: Plane,
        *,
        max_seconds: int = MAX_SECONDS,
        reserve_bytes: int = RESERVE_BYTES,
        label: Callable[[int], str] = str,
    ) -> None:
        self.max_seconds = max_seconds
        """Of a recording begun from now on."""
        self.ticks = 0
        """Made or missed so far."""
        self.rooms = RoomRecorder(plane, self, label)
        self._plane = plane
        self._writer = RecordingWriter(reserve_bytes=reserve_bytes)
        self._narrow = NarrowGathering()
        self._coded: dict[int, CodedGathering] = {}  # by rate
        self._mixed: dict[int, RoomGathering] = {}
        self._handles = itertools.count(1)
        self._taking: dict[int, Taking] = {}  # by handle
        self._users: Counter[int] = Counter()  # recordings of a slot
        self._changed = False
        self._generation = -1
        self._slots: Integers = np.zeros(0, np.int64)
        self._kinds: Integers = np.zeros(0, np.int64)
        self._room_kinds: list[tuple[str, int]] = []
        self._counters: Counter[str] = Counter()

    @property
    def counters(self) -> Counter[str]:
        """What went wrong, by label."""
        return self._counters + self._writer.counters

    # Commands.

    def record(
        self,
        slot: int,
        path: str,
        now: float,
        *,
        kind: Kind = "leg",
        coded: bool = False,
        began: float | None = None,
        paused: PauseMode | None = None,
    ) -> int:
        """Begin a recording of a leg and return its handle at once; that it failed comes as its event.

        now: wall clock, Unix seconds. kind ``leg``: what it says; ``both``: what it hears too, as the second
        channel. coded: keep G.711 as it came. began: go on with the file that was begun then.
        """
        speaks = self.speaks(slot)
        coding = _NARROW.get(speaks, Coding.PCM) if coded else Coding.PCM
        sound = Sound(self._gathering(speaks).rate, 2 if kind == "both" else 1, coding)
        recording = Recording(
            self.new_handle(),
            path,
            sound,
            self.max_seconds,
            Notes(kind=kind, began=now if began is None else began, channels=CHANNELS.get(kind, [])),
            continues=began is not None,
        )
        self._writer.put(Begin(recording, now))
        self.take(Taking(recording, slot, speaks, ()))
        if paused is not None:
            self.pause(recording.handle, paused)
        return recording.handle

    def put(self, job: Job) -> None:
        """Give the writer something to do."""
        self._writer.put(job)

    def new_handle(self) -> int:
        """For the next recording."""
        return next(self._handles)

    def speaks(self, slot: int) -> int:
        """What a leg speaks: the law of G.711, or the rate of a coded leg."""
        return int(kinds(self._plane, np.array([slot]))[0])

    def rate_of(self, kind: int) -> int:
        """Samples a second of what speaks so."""
        return self._gathering(kind).rate

    def take(self, taking: Taking) -> None:
        """Gather from now on; the writer has been told."""
        self._gathering(taking.kind).open(taking)
        self._taking[taking.recording.handle] = taking
        if taking.room is None:
            self._users[taking.slot] += 1
            self._plane.record(taking.slot, on=True)
        self._changed = True
        self._tap()

    def _tap(self) -> None:
        """Have kept what is recorded beside what legs say."""
        takings = self._taking.values()
        self._plane.coded.outbound.tap(
            each.slot for each in takings if len(each.rows) == 2 and each.kind not in _NARROW
        )
        self._plane.mixer.tap(each.room for each in takings if each.room is not None)

    def _gathering(self, kind: int) -> Gathering:
        """Where the sound of a leg that speaks so is gathered."""
        if kind in _NARROW:
            return self._narrow
        if kind < 0:
            return self._mixed.setdefault(-kind, RoomGathering(-kind))
        if kind not in self._coded:
            self._coded[kind] = CodedGathering(kind)
        return self._coded[kind]

    def _gatherings(self) -> list[Gathering]:
        return [self._narrow, *self._coded.values(), *self._mixed.values()]

    def pause(self, handle: int, mode: PauseMode) -> None:
        """Record silence, or nothing, until ``resume``; a pause in a pause changes its mode."""
        taking = self._taking.get(handle)
        if self.rooms.pause(handle, mode) or taking is None or taking.paused == mode:
            return
        self.resume(handle)
        self.set_pause(taking, mode)
        taking.paused_at = self.ticks
        self.put(Note(taking.recording, mode))

    def resume(self, handle: int) -> None:
        """Record what is said again."""
        taking = self._taking.get(handle)
        if self.rooms.resume(handle) or taking is None or taking.paused is None:
            return
        self.set_pause(taking, None)
        self.put(Note(taking.recording, "end", self.ticks - taking.paused_at))

    def set_pause(self, taking: Taking, mode: PauseMode | None) -> None:
        """Take silence, or nothing, in the place of what is said; None: take that again."""
        if taking.recording.handle in self._taking:
            self._flush(taking)
            taking.paused = mode
            self._changed = True

    def hush(self, taking: Taking, *, on: bool) -> None:
        """Take silence as long as a leg is muted."""
        self._changed |= taking.hushed != on
        taking.hushed = on

    def stop(self, handle: int) -> None:
        """End a recording; its event follows. One that is over or unknown is ignored."""
        taking = self._taking.get(handle)
        if not self.rooms.stop(handle) and taking is not None:
            self.resume(handle)
            self.end(taking)

    def end(self, taking: Taking) -> None:
        """Hand over what is gathered, and have the file closed; nothing if it is over."""
        if taking.recording.handle in self._taking:
            self._flush(taking)
            self._end(taking)

    def _end(self, taking: Taking) -> None:
        if taking.recording.handle in self._taking:  # not given up meanwhile
            self.put(End(taking.recording))
            self._forget(taking)

    def _forget(self, taking: Taking) -> None:
        del self._taking[taking.recording.handle]
        self._gathering(taking.kind).close(taking)
        if taking.room is None:
            self._users[taking.slot] -= 1
            if not self._users[taking.slot]:
                del self._users[taking.slot]
                self._plane.record(taking.slot, on=False)
        self._changed = True
        if taking.room is not None or len(taking.rows) == 2:
            self._tap()

    def take_events(self) -> list[RecordingClosed]:
        """The recordings that ended since the last call, by themselves or because they were stopped."""
        events = self._writer.take_events()
        for event in events:
            taking = self._taking.get(event.handle)
            if taking is not None:
                self._forget(taking)
            self.rooms.forget(event.handle)
        return events

    def close(self, timeout: float = 3.0) -> bool:
        """Stop what is recorded and wait; False when the disk took longer than ``timeout`` seconds."""
        for handle in self.rooms.handles + list(self._taking):
            self.stop(handle)
        return self._writer.stop(timeout)

    # The tick.

    def gather(self) -> None:
        """Put the plane's tick aside, and hand over the seconds that are full."""
        self.ticks += 1
        changed = self._generation != self._plane.generation
        if self._taking:
            self._gather(changed)
        if changed:
            self.end_empty_rooms()
        self._generation = self._plane.generation

    def end_empty_rooms(self) -> None:
        """See who came and went; a room that everybody left is not recorded any more."""
        if self.rooms.active:
            for handle in self.rooms.follow():
                self.stop(handle)

    def _gather(self, changed: bool) -> None:
        if self._changed or changed:
            self._arrange()
        for gathering in self._gatherings():
            full = gathering.gather(self._plane)
            if full:
                self._hand_over(gathering, full)

    def skip(self, ticks: int) -> None:
        """Ticks passed that nobody made: silence in their place."""
        self.ticks += ticks
        for taking in list(self._taking.values()):
            if taking.paused != "cut":
                self._flush(taking)
                self._writer.put(Fill(taking.recording, ticks))

    def flush(self) -> None:
        """Hand over what is gathered now."""
        for taking in list(self._taking.values()):
            self._flush(taking)

    def _flush(self, taking: Taking) -> None:
        gathering = self._gathering(taking.kind)
        if gathering.spool.gathered(taking.rows[0]):
            self._hand_over(gathering, [taking])

    def _hand_over(self, gathering: Gathering, takings: list[Taking]) -> None:
        """Give the thread what rows hold; a recording whose disk is too far behind is given up."""
        pieces: list[Piece] = []
        rows: list[int] = []
        spool = gathering.spool
        for taking in takings:
            recording, first = taking.recording, taking.rows[0]
            begins, ends = int(spool.begin[first]), int(spool.position[first])
            behind = recording.handed_over - recording.taken
            if behind > BACKLOG_SECONDS * FRAMES:
                recording.stalled = True
            elif behind > BEHIND_SECONDS * FRAMES:
                self._counters["recordings_behind"] += 1
            recording.handed_over += ends - begins
            pieces.append(Piece(recording, len(rows), begins, ends, taking.law))
            rows += taking.rows
        data = spool.take(rows)
        pieces = [piece for piece in pieces if not piece.recording.stalled]
        if pieces:
            self._writer.put(Batch(data, gathering.rate, pieces))
        for taking in takings:
            if taking.recording.stalled:
                self._end(taking)

    def _arrange(self) -> None:
        """Work out which row takes what, after a change here or in the plane."""
        if self._changed:
            self._sort()
        rooms_changed = any(-self.rooms.rate(room) != kind for room, kind in self._room_kinds)
        if rooms_changed or (kinds(self._plane, self._slots) != self._kinds).any():
            self._follow_codecs()
            self._sort()
        for gathering in self._gatherings():
            gathering.arrange(self._plane)

    def _sort(self) -> None:
        self._changed = False
        legs = [each for each in self._taking.values() if each.room is None]
        self._room_kinds = [(each.room, each.kind) for each in self._taking.values() if each.room is not None]
        self._slots = np.array([each.slot for each in legs], np.int64)
        self._kinds = np.array([each.kind for each in legs], np.int64)
        for gathering in self._gatherings():
            gathering.sort()

    def _follow_codecs(self) -> None:
        """A leg's codec changed in the middle of a second: what it said before is handed over as what it was."""
        for taking in list(self._taking.values()):
            speaks = self.speaks(taking.slot) if taking.room is None else -self.rooms.rate(taking.room)
            if speaks != taking.kind:
                self._flush(taking)
                if taking.recording.handle in self._taking:
                    self._gathering(taking.kind).close(taking)
                    taking.kind, taking.interpolator = speaks, None
                    self._gathering(speaks).open(taking)
