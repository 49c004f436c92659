"""Playing prompts: each leg copies one row of the prompt bank a tick."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from media.columns import Columns
from media.prompt_bank import Prompt, PromptBank
from media.rtp import Flags, Integers


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """How prompts are played; see ``media.control.Play``."""

    stop_on_digit: bool = False
    stop_on_speech: bool = False
    gain_db: float = 0.0
    under: bool = False


PLAIN = PlayOptions()
MOST_GAIN_DB = 20.0
SPEECH_TICKS = 5
"""100 ms: longer than a click, shorter than a word."""
SPEECH_DBOV = 35
SPEECH_LEVEL = 32768 * 10 ** (-SPEECH_DBOV / 20)
"""Root mean square above which a caller speaks: -35 dBov; the echo of the prompt on a good line lies below."""


@dataclass(slots=True)
class _Playlist:
    prompts: list[Prompt]
    loop: bool
    tag: int
    at: int = 0


class Player(Columns):
    """Which row of the bank each leg plays, and what comes after."""

    def __init__(self, capacity: int) -> None:
        self.playing = np.zeros(capacity, np.bool_)
        self.position = np.zeros(capacity, np.int64)
        self.end = np.zeros(capacity, np.int64)
        self.law = np.zeros(capacity, np.int64)
        self.stop_on_digit = np.zeros(capacity, np.bool_)
        self.stop_on_speech = np.zeros(capacity, np.bool_)
        self.gain = np.ones(capacity, np.float32)
        self.under = np.zeros(capacity, np.bool_)
        self.loud = np.zeros(capacity, np.int64)  # ticks in a row that somebody spoke
        self.bank = PromptBank(self._is_played)
        self._lists: dict[int, _Playlist] = {}

    def set_law(self, slot: int, law: int) -> None:
        """Change a leg's codec; what it is playing goes on in the new one."""
        playlist = self._lists.get(slot)
        if playlist is not None:
            first = playlist.prompts[playlist.at].first
            moved = first[law] - first[int(self.law[slot])]
            self.position[slot] += moved
            self.end[slot] += moved
        self.law[slot] = law

    def _is_played(self, prompt: Prompt) -> bool:
        return any(each is prompt for playlist in self._lists.values() for each in playlist.prompts)

    def start(
        self,
        slot: int,
        names: list[str],
        *,
        loop: bool,
        tag: int,
        skip: int = 0,
        options: PlayOptions = PLAIN,
    ) -> list[str]:
        """Play prompts one after the other. Returns the names the bank does not know; they are left out.

        skip: ticks that were played already, in another process.
        """
        found = [(name, self.bank.get(name)) for name in names]
        prompts = [prompt for _, prompt in found if prompt is not None and prompt.frames]
        if skip:
            at, skip = _place(prompts, skip, loop=loop)
        else:
            at = 0
        if at < len(prompts):
            self._lists[slot] = _Playlist(prompts, loop, tag, at)
            self.playing[slot] = True
            self.stop_on_digit[slot], self.stop_on_speech[slot] = (
                options.stop_on_digit,
                options.stop_on_speech,
            )
            self.gain[slot] = 10 ** (min(options.gain_db, MOST_GAIN_DB) / 20)
            self.under[slot], self.loud[slot] = options.under, 0
            self._cue(slot, prompts[at])
            self.position[slot] += skip
        return [name for name, prompt in found if prompt is None]

    def pause(self, slot: int, *, on: bool) -> None:
        """Hold a leg's prompts where they are, or go on."""
        self.playing[slot] = not on and slot in self._lists

    def place(self, slot: int) -> int:
        """How many ticks of its prompts a leg has heard since their beginning, each round anew."""
        playlist = self._lists.get(slot)
        if playlist is None:
            return 0
        before = sum(prompt.frames for prompt in playlist.prompts[: playlist.at])
        return before + int(self.position[slot]) - playlist.prompts[playlist.at].first[int(self.law[slot])]

    def seek(self, slot: int, ticks: int, *, relative: bool) -> None:
        """Go on elsewhere; beyond the end is the last frame, so that it ends as it would."""
        playlist = self._lists.get(slot)
        if playlist is None:
            return
        ticks = max(0, ticks + (self.place(slot) if relative else 0))
        if not playlist.loop:
            ticks = min(ticks, sum(prompt.frames for prompt in playlist.prompts) - 1)
        playlist.at, within = _place(playlist.prompts, ticks, loop=playlist.loop)
        self._cue(slot, playlist.prompts[playlist.at])
        self.position[slot] += within

    def spoken_over(self, slots: Integers, loud: Flags) -> Integers:
        """Those of ``slots`` whose callers have spoken long enough to stop them. loud: bool [n], in this tick."""
        self.loud[slots] = np.where(loud, self.loud[slots] + 1, 0)
        return slots[self.loud[slots] >= SPEECH_TICKS]

    def stop(self, slot: int) -> int | None:
        """Stop a leg; the tag of what it was playing."""
        self.playing[slot] = self.stop_on_digit[slot] = self.stop_on_speech[slot] = self.under[slot] = False
        self.gain[slot] = 1.0
        playlist = self._lists.pop(slot, None)
        return None if playlist is None else playlist.tag

    def _cue(self, slot: int, prompt: Prompt) -> None:
        self.position[slot] = prompt.first[int(self.law[slot])]
        self.end[slot] = self.position[slot] + prompt.frames

    def take(self, slots: Integers) -> Integers:
        """The bank row each leg plays now, and move on. slots: all playing, all different."""
        rows: Integers = self.position[slots]
        self.position[slots] = rows + 1
        return rows

    def finished(self, slots: Integers) -> list[tuple[int, int]]:
        """Cue the next prompt where one ended; (slot, tag) of the legs with nothing left to play."""
        over = []
        for slot in slots[self.position[slots] >= self.end[slots]].tolist():
            playlist = self._lists.get(slot)
            if playlist is None:
                continue  # stopped within this tick
            playlist.at += 1
            if playlist.at == len(playlist.prompts) and playlist.loop:
                playlist.at = 0
            if playlist.at < len(playlist.prompts):
                self._cue(slot, playlist.prompts[playlist.at])
            else:
                self.stop(slot)
                over.append((slot, playlist.tag))
        return over


def _place(prompts: list[Prompt], ticks: int, *, loop: bool) -> tuple[int, int]:
    """Which prompt is heard after so many ticks, and how many of its own; beyond the last one: over."""
    if loop and prompts:
        ticks %= sum(prompt.frames for prompt in prompts)
    for at, prompt in enumerate(prompts):
        if ticks < prompt.frames:
            return at, ticks
        ticks -= prompt.frames
    return len(prompts), 0
