"""The rooms of a worker and who is in them: what the engine sets, and what the mixer keeps from tick to tick."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from media.columns import Columns
from media.legs import NONE

LOUDEST = 8
"""Talkers mixed at once unless a room says otherwise: more voices than these nobody follows."""
NARROW, WIDE, FULL = 8000, 16000, 48000
"""Rates a room may be mixed at, in Hz."""


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """How a room is mixed. ``loudest``: how many talkers at once, 0 for everybody. ``levels``: tell the talkers'
    levels five times a second, not only when others talk. ``plain``: a bridge, with neither choice nor threshold.
    """

    loudest: int = LOUDEST
    max_rate_hz: int = FULL
    levels: bool = False
    plain: bool = False


class Participants(Columns):
    """The legs as participants; a row per slot. Levels in dBov (0 loud, 127 silent), weights as factors."""

    def __init__(self, capacity: int) -> None:
        self.room = np.full(capacity, NONE, np.int64)  # row of Rooms
        self.muted = np.zeros(capacity, np.bool_)
        self.gain_db = np.zeros(capacity, np.float32)
        self.agc = np.zeros(capacity, np.bool_)
        self.gate = np.zeros(capacity, np.bool_)
        self.denoise = np.zeros(capacity, np.bool_)
        self.level = np.zeros(capacity, np.float32)  # of this tick
        self.envelope = np.zeros(capacity, np.float32)  # follows rises at once, falls slowly
        self.boost_db = np.zeros(capacity, np.float32)  # what the AGC adds
        self.gain = np.zeros(capacity, np.float32)  # all of these as one factor, 0 when gated
        self.weight = np.zeros(capacity, np.float32)  # with which it was in the last frame's mix
        self.chosen = np.zeros(capacity, np.bool_)
        self.loud_ticks = np.zeros(capacity, np.int64)
        self.talking = np.zeros(capacity, np.bool_)
        self.told = np.zeros(capacity, np.bool_)  # that it talks
        self.hears = np.zeros(capacity, np.bool_)
        self.fresh = np.zeros(capacity, np.bool_)  # hears the room from this tick on
        self.limiter = np.ones(capacity, np.float32)
        self.volume = np.ones(capacity, np.float32)  # the factor by which it hears its room
        self.volume_now = np.ones(capacity, np.float32)  # the same, at the end of the last frame

    def clear(self, slot: int) -> None:
        """A leg in no room, neither muted nor changed."""
        super().clear(slot)
        self.room[slot] = NONE
        self.level[slot] = self.envelope[slot] = 127.0
        for factor in (self.gain, self.limiter, self.volume, self.volume_now):
            factor[slot] = 1.0

    def grow(self, capacity: int) -> None:
        """Room for more legs, none of which is in a room."""
        former = len(self.room)
        super().grow(capacity)
        self.room[former:] = NONE

    def enter(self, slot: int, room: int) -> None:
        """Put a leg into a room (NONE: into none), unheard so far; its own settings stay."""
        self.room[slot] = room
        self.level[slot] = self.envelope[slot] = 127.0
        self.gain[slot] = 10 ** (self.gain_db[slot] / 20)
        self.boost_db[slot] = self.weight[slot] = 0.0
        self.loud_ticks[slot] = 0
        self.limiter[slot] = 1.0
        for flag in (self.chosen, self.talking, self.told, self.hears, self.fresh):
            flag[slot] = False


class Rooms:
    """Rooms by name, each a row of columns as long as somebody is in it; its settings may come before."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._names: list[str | None] = []
        self._members: list[int] = []
        self._free: list[int] = []
        self._settings: dict[str, RoomSettings] = {}
        self.limiter = np.ones(0, np.float32)
        """Gain of the limiter at the end of each room's last frame."""
        self.rate = np.zeros(0, np.int64)
        """Hz, each room is mixed at; 0 before the first time."""

    @property
    def names(self) -> list[str]:
        """The rooms somebody is in."""
        return list(self._rows)

    def set(self, name: str, settings: RoomSettings) -> None:
        """Settings of a room, until it is empty again."""
        self._settings[name] = settings

    def settings(self, row: int) -> RoomSettings:
        """What applies to the room in a row."""
        name = self._names[row]
        return _DEFAULT if name is None else self._settings.get(name, _DEFAULT)

    def row(self, name: str) -> int | None:
        """The row of a room; None when nobody is in it."""
        return self._rows.get(name)

    def name(self, row: int) -> str:
        """The name of the room in a row. Raises LookupError: there is none."""
        name = self._names[row]
        if name is None:
            raise LookupError(row)
        return name

    def enter(self, name: str) -> int:
        """One more in a room, which is made when it is not there. Returns its row."""
        row = self._rows.get(name)
        if row is None:
            row = self._rows[name] = self._new_row()
            self._names[row] = name
            self.limiter[row], self.rate[row] = 1.0, 0
        self._members[row] += 1
        return row

    def leave(self, row: int) -> bool:
        """One less; whether the room is gone with it, and its settings too."""
        self._members[row] -= 1
        if self._members[row]:
            return False
        name = self.name(row)
        del self._rows[name]
        self._settings.pop(name, None)
        self._names[row] = None
        self._free.append(row)
        return True

    def _new_row(self) -> int:
        if not self._free:
            self._free = [len(self._names)]
            self._names.append(None)
            self._members.append(0)
            if len(self._names) > len(self.limiter):
                self.limiter = np.concatenate([self.limiter, np.ones(len(self._names), np.float32)])
                self.rate = np.concatenate([self.rate, np.zeros(len(self._names), np.int64)])
        return self._free.pop()


_DEFAULT = RoomSettings()
