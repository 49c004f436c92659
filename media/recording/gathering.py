"""Putting a tick's sound of every recorded leg into its row: one assignment for all legs of G.711, one for each rate
of the coded legs (``media.coded``)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from media.codecs.g711 import Pcm
from media.coded_prompts import Interpolator
from media.jitter_buffer import SILENCE
from media.recording.jobs import PauseMode, Recording
from media.recording.samples import ALAW, PCM, ULAW
from media.recording.spool import FRAMES, Spool
from media.rtp import FRAME, Flags, Integers

if TYPE_CHECKING:
    from media.plane import Plane

_NOBODY: Integers = np.zeros(0, np.int64)


@dataclass(slots=True, eq=False)
class Taking:
    """A recording that is being made, on the tick's side."""

    recording: Recording
    slot: int
    kind: int
    """What its leg speaks: the law of G.711 (0, 1), or the rate of a coded leg. Of a room minus its rate."""
    rows: tuple[int, ...]
    """Of the spool of its kind, one a channel: what it says, what it hears."""
    paused: PauseMode | None = None
    paused_at: int = 0
    room: str | None = None
    """The room whose mix is recorded; the slot is none then."""
    hushed: bool = False
    """Muted in its room: silence in the place of what it says."""
    interpolator: Interpolator | None = None
    """For the prompts a coded leg hears, which are of 8 kHz."""

    @property
    def law(self) -> int:
        """As in ``Piece``."""
        return self.kind if ULAW <= self.kind <= ALAW else PCM


def kinds(plane: Plane, slots: Integers) -> Integers:
    """What legs speak, int64 [n]: the law of G.711, or the rate of a coded leg."""
    rows = plane.coded.index[slots]
    found: Integers = np.where(rows < 0, plane.jitter_buffer.law[slots], plane.coded.rate[rows])
    return found


class Gathering(ABC):
    """Takings of one shape of frame, and the spool they share."""

    def __init__(self, rate: int, frame_bytes: int) -> None:
        self.rate = rate
        self.spool = Spool(frame_bytes)
        self.by_row: dict[int, Taking] = {}  # by the row of the first channel
        self.live: list[Taking] = []
        self.both: list[Taking] = []
        self.says_slots = self.says_rows = self.hears_slots = self.hears_rows = _NOBODY
        self.silent_slots = self.silent_rows = _NOBODY

    def open(self, taking: Taking) -> None:
        """Give a taking its rows."""
        taking.rows = self.spool.open(taking.recording.sound.channels)
        self.by_row[taking.rows[0]] = taking

    def close(self, taking: Taking) -> None:
        """Take them back."""
        del self.by_row[taking.rows[0]]
        self.spool.close(taking.rows)

    def sort(self) -> None:
        """After a taking came, went or paused."""
        takings = list(self.by_row.values())
        self.live = [each for each in takings if each.paused is None and not each.hushed]
        self.both = [each for each in self.live if len(each.rows) == 2]
        quiet = [
            each for each in takings if each.paused == "silence" or (each.hushed and each.paused is None)
        ]
        silent = [(row, each.slot) for each in quiet for row in each.rows]
        self.says_slots = np.array([each.slot for each in self.live], np.int64)
        self.says_rows = np.array([each.rows[0] for each in self.live], np.int64)
        self.hears_slots = np.array([each.slot for each in self.both], np.int64)
        self.hears_rows = np.array([each.rows[1] for each in self.both], np.int64)
        self.silent_rows = np.array([row for row, _ in silent], np.int64)
        self.silent_slots = np.array([slot for _, slot in silent], np.int64)

    @abstractmethod
    def arrange(self, plane: Plane) -> None:
        """After a change here or in the plane."""

    def gather(self, plane: Plane) -> list[Taking]:
        """Put the plane's tick aside; the takings whose second is full come back."""
        if not self.by_row:
            return []
        self._append(plane)
        full = self.spool.full()
        by_row = self.by_row
        return [by_row[row] for row in full.tolist() if row in by_row] if len(full) else []

    @abstractmethod
    def _append(self, plane: Plane) -> None:
        """Put the tick of every row into the spool."""


class NarrowGathering(Gathering):
    """Legs of G.711, gathered as octets."""

    def __init__(self) -> None:
        super().__init__(FRAME * FRAMES, FRAME)
        self._says_at = _NOBODY
        self._hears_nothing: Flags = np.zeros(0, np.bool_)

    def arrange(self, plane: Plane) -> None:
        self._says_at = np.searchsorted(plane.recorded, self.says_slots)
        sending = np.zeros(plane.capacity, np.bool_)
        sending[plane.senders] = True
        self._hears_nothing = ~sending[self.hears_slots]

    def _append(self, plane: Plane) -> None:
        if len(self.says_rows):
            self.spool.append(self.says_rows, plane.recorded_frames[self._says_at])
        if len(self.hears_rows):
            frames = plane.transmission.packets["frame"][self.hears_slots]
            nothing = self._hears_nothing
            frames[nothing] = SILENCE[plane.jitter_buffer.law[self.hears_slots[nothing]]]
            self.spool.append(self.hears_rows, frames)
        if len(self.silent_rows):
            self.spool.append(self.silent_rows, SILENCE[plane.jitter_buffer.law[self.silent_slots]])


class CodedGathering(Gathering):
    """Coded legs of one rate, gathered as int16."""

    def __init__(self, rate: int) -> None:
        super().__init__(rate, 2 * rate // FRAMES)
        self._samples = rate // FRAMES
        self._void = f"V{2 * self._samples}"

    def arrange(self, plane: Plane) -> None:
        """Nothing here depends on the arrangement of the plane."""

    def _append(self, plane: Plane) -> None:
        coded = plane.coded
        if len(self.says_rows):
            pcm = coded.pcm[coded.index[self.says_slots], : self._samples]
            self.spool.append(self.says_rows, pcm.view(self._void)[:, 0])
        if self.both:
            heard = np.zeros((len(self.both), self._samples), np.int16)
            for pcm, taking in zip(heard, self.both, strict=True):
                sound = coded.outbound.heard.get(taking.slot)
                if sound is not None:
                    pcm[:] = self._at_rate(taking, sound)
            self.spool.append(self.hears_rows, heard.view(self._void)[:, 0])
        if len(self.silent_rows):
            silence = np.zeros((len(self.silent_rows), self._samples), np.int16)
            self.spool.append(self.silent_rows, silence.view(self._void)[:, 0])

    def _at_rate(self, taking: Taking, sound: Pcm) -> Pcm:
        """What a leg hears is of its own rate, but for prompts."""
        if len(sound) == self._samples:
            return sound
        if taking.interpolator is None:
            taking.interpolator = Interpolator(self.rate)
        return taking.interpolator.run(sound)


class RoomGathering(Gathering):
    """Rooms mixed at one rate, gathered as int16; an empty room is silent."""

    def __init__(self, rate: int) -> None:
        super().__init__(rate, 2 * rate // FRAMES)
        self._samples = rate // FRAMES

    def arrange(self, plane: Plane) -> None:
        """Nothing here depends on the arrangement of the plane."""

    def _append(self, plane: Plane) -> None:
        sounds = np.zeros((len(self.live) + len(self.silent_rows), self._samples), np.int16)
        for sound, taking in zip(sounds, self.live, strict=False):
            mix = plane.mixer.room_sound.get(taking.room or "")
            if mix is not None and len(mix) == self._samples:
                sound[:] = mix
        rows = np.concatenate([self.says_rows, self.silent_rows])
        if len(rows):
            self.spool.append(rows, sounds.view(f"V{2 * self._samples}")[:, 0])
