"""Playing prompts: each leg copies one row of the prompt bank a tick."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from media.columns import Columns
from media.prompt_bank import Prompt, PromptBank
from media.rtp import Integers


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
        self.bank = PromptBank()
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

    def start(self, slot: int, names: list[str], *, loop: bool, tag: int, skip: int = 0) -> list[str]:
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
            self._cue(slot, prompts[at])
            self.position[slot] += skip
        return [name for name, prompt in found if prompt is None]

    def stop(self, slot: int) -> int | None:
        """Stop a leg; the tag of what it was playing."""
        self.playing[slot] = False
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
            playlist = self._lists[slot]
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
