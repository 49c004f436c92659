"""Prompts played into rooms: all who hear a room hear them, whatever their codec, and so does its recording.

Each room has a queue, so that what is to be said follows what is being said, and music beneath it, which softens
while something is said. Both are added to the room's sum of a tick (``media.mixer``): one line a room, however many
hear it, and nothing at all where nothing is played.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from media.legs import RoomPlayEnded
from media.levels import Floats
from media.mix_input import DECODED
from media.player import MOST_GAIN_DB
from media.prompt_bank import Prompt, PromptBank
from media.resampling import Histories
from media.rooms import NARROW, Rooms
from media.rtp import FRAME, Integers

UNDER = 0.1
"""What is left of the music's amplitude (-20 dB) while something is said."""
FALL_TICKS, RISE_TICKS = 15, 50
"""How long (300 ms, 1 s) the music takes to go and to come."""
MOST_QUEUED = 64
"""Announcements that wait in one room; more than a minute of them nobody waits for."""
_ULAW = 0
_RAMP = np.arange(1, FRAME + 1, dtype=np.float32) / np.float32(FRAME)


@dataclass(slots=True)
class _Play:
    """Some prompts in turn. ``position`` counts the rows of the bank, in mu-law."""

    prompts: list[Prompt]
    loop: bool
    tag: int
    gain: float
    weight: float = 1.0
    at: int = 0
    position: int = 0
    stopping: bool = False

    def __post_init__(self) -> None:
        self.position = self.prompts[0].first[_ULAW]

    def take(self, bank: PromptBank, weight: float) -> Floats:
        """The next 20 ms, float32 [160], moving to ``weight``."""
        line: Floats = DECODED[_ULAW][bank.rows[self.position : self.position + 1].view(np.uint8)]
        factor = np.float32(self.gain) * (self.weight + np.float32(weight - self.weight) * _RAMP)
        self.weight = weight
        self.position += 1
        return line * factor

    def over(self) -> bool:
        """Go on to the next prompt where one has ended; True when there is none."""
        prompt = self.prompts[self.at]
        if self.position < prompt.first[_ULAW] + prompt.frames:
            return False
        self.at += 1
        if self.at == len(self.prompts) and self.loop:
            self.at = 0
        if self.at == len(self.prompts):
            return True
        self.position = self.prompts[self.at].first[_ULAW]
        return False


@dataclass(slots=True)
class _Sounds:
    """What is played into one room."""

    queue: deque[_Play] = field(default_factory=deque)
    music: list[_Play] = field(default_factory=list)
    """The last is to be heard, those before it are on their way out."""
    rate: int = 0

    @property
    def plays(self) -> list[_Play]:
        return [*self.queue, *self.music]


class RoomPlayer:
    """What is played into the rooms of a worker. ``tell`` is told the end of each announcement, not of music."""

    def __init__(self, rooms: Rooms, bank: PromptBank, tell: Callable[[RoomPlayEnded], None]) -> None:
        self._rooms = rooms
        self._bank = bank
        self._tell = tell
        self._sounds: dict[str, _Sounds] = {}
        self._histories = Histories(0)
        bank.watch(self._is_played)

    @property
    def active(self) -> bool:
        """Whether anything is played."""
        return bool(self._sounds)

    def _is_played(self, prompt: Prompt) -> bool:
        return any(
            each is prompt
            for sounds in self._sounds.values()
            for play in sounds.plays
            for each in play.prompts
        )

    # Commands.

    def play(
        self, room: str, names: list[str], *, loop: bool, tag: int, gain_db: float, music: bool
    ) -> list[str]:
        """Play prompts in turn, after what is played into the room already; music in the place of other music.

        Where nobody is in the room, or there is nothing to play, it ends at once. Returns the names not loaded.
        """
        found = [(name, self._bank.get(name)) for name in names]
        prompts = [prompt for _, prompt in found if prompt is not None and prompt.frames]
        unknown = [name for name, prompt in found if prompt is None]
        row = self._rooms.row(room)
        queued = len(self._sounds[room].queue) if room in self._sounds else 0
        if row is None or not prompts or (not music and queued >= MOST_QUEUED):
            if not music:
                self._tell(
                    RoomPlayEnded(room, tag, interrupted=row is None or bool(unknown) or bool(prompts))
                )
            return unknown
        gain = 10 ** (min(gain_db, MOST_GAIN_DB) / 20)
        sounds = self._sounds.get(room) or self._begin(room, row)
        if music:
            self._change_music(sounds, _Play(prompts, loop, tag, gain, weight=0.0))
        else:
            sounds.queue.append(_Play(prompts, loop, tag, gain))
        return unknown

    def _begin(self, room: str, row: int) -> _Sounds:
        if row >= self._histories.capacity:
            self._histories.grow(2 * row + 1)
        self._histories.forget(np.array([row]))
        self._sounds[room] = sounds = _Sounds()
        return sounds

    @staticmethod
    def _change_music(sounds: _Sounds, play: _Play) -> None:
        current = sounds.music[-1] if sounds.music else None
        if current is not None and current.prompts == play.prompts:
            current.stopping, current.gain, current.loop = False, play.gain, play.loop
            return
        for each in sounds.music:
            each.stopping = True
        sounds.music.append(play)

    def stop(self, room: str, *, music: bool) -> None:
        """Fade the music, or end all that is being said and waits."""
        sounds = self._sounds.get(room)
        if sounds is None:
            return
        for each in sounds.music if music else sounds.queue:
            each.stopping = True

    def close(self, room: str) -> None:
        """Nobody is in the room any more."""
        sounds = self._sounds.pop(room, None)
        if sounds is not None:
            for each in sounds.queue:
                self._tell(RoomPlayEnded(room, each.tag, interrupted=True))

    # The tick.

    def add(self, sums: Floats, rows: Integers, rate: int) -> None:
        """Add the next 20 ms to the mixes of these rooms.

        sums: float32 [rooms, rate / 50]; rows: int64 [rooms], of Rooms, in order.
        """
        places: list[int] = []
        lines: list[Floats] = []
        for room, sounds in list(self._sounds.items()):
            row = self._rooms.row(room)
            if row is None or self._rooms.rate[row] != rate:
                continue
            place = int(np.searchsorted(rows, row))
            if place == len(rows) or rows[place] != row:
                continue  # it is not mixed yet
            if sounds.rate != rate:
                self._histories.of(NARROW, rate)[row] = 0
                sounds.rate = rate
            places.append(place)
            lines.append(self._line(room, sounds))
        if places:
            at = np.array(places)
            sums[at] += self._histories.process(np.stack(lines), rows[at], NARROW, rate)

    def _line(self, room: str, sounds: _Sounds) -> Floats:
        """The next 20 ms of a room, float32 [160]. After its last sound one of silence ends the filter's tail."""
        line: Floats = np.zeros(FRAME, np.float32)
        if not sounds.queue and not sounds.music:
            del self._sounds[room]
            return line
        spoken_over = bool(sounds.queue)
        if sounds.queue:
            line += self._say(room, sounds.queue)
        for play in list(sounds.music):
            target = 0.0 if play.stopping else UNDER if spoken_over else 1.0
            weight = max(target, play.weight - 1 / FALL_TICKS)
            if target > play.weight:
                weight = min(target, play.weight + 1 / RISE_TICKS)
            line += play.take(self._bank, weight)
            if play.over() or (play.stopping and weight <= 0):
                sounds.music.remove(play)
        return line

    def _say(self, room: str, queue: deque[_Play]) -> Floats:
        play = queue[0]
        line: Floats = play.take(self._bank, 0.0 if play.stopping else 1.0)
        stopped = play.stopping
        if stopped or play.over():
            queue.popleft()
            self._tell(RoomPlayEnded(room, play.tag, interrupted=stopped))
        while stopped and queue and queue[0].stopping:
            self._tell(RoomPlayEnded(room, queue.popleft().tag, interrupted=True))
        return line
