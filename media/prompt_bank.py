"""Prompts held coded in both laws, cut into 20 ms frames, so that playing one is copying rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from media.codecs.g711 import Octets, Pcm, alaw_encode, ulaw_encode
from media.jitter_buffer import Frames
from media.rtp import FRAME

_FIRST_ROWS = 1024

Coded = tuple[Octets, Octets]
"""A prompt in mu-law and in A-law, uint8 [frames * 160] each."""


def code(samples: Pcm) -> Coded:
    """Samples, int16 [n], in both laws, the last frame filled with silence."""
    whole = np.zeros(-(-len(samples) // FRAME) * FRAME, np.int16)
    whole[: len(samples)] = samples
    return ulaw_encode(whole), alaw_encode(whole)


@dataclass(frozen=True, slots=True)
class Prompt:
    """Where a prompt lies: its first row by law, and its length in frames."""

    first: tuple[int, int]
    frames: int


class PromptBank:
    """All prompts as one array of frames, V160 [rows].

    A prompt that is loaded again takes its old rows when it has the same length; otherwise new ones, so
    that legs which are playing the old one are not disturbed. The old rows are used again when nobody plays them
    (``is_played``) and room is needed.
    """

    def __init__(self, is_played: Callable[[Prompt], bool] = lambda _: False) -> None:
        self.rows: Frames = np.zeros(_FIRST_ROWS, "V160")
        self._used = 0
        self._players = [is_played]
        self._prompts: dict[str, Prompt] = {}
        self._retired: list[Prompt] = []
        self._free: list[tuple[int, int]] = []  # first row and count, in order, none next to another

    def watch(self, is_played: Callable[[Prompt], bool]) -> None:
        """Ask somebody else, too, whether a prompt is being played."""
        self._players.append(is_played)

    def get(self, name: str) -> Prompt | None:
        """A prompt by name."""
        return self._prompts.get(name)

    def load(self, name: str, samples: Pcm) -> Prompt:
        """Add or replace a prompt. samples: int16 [n] at 8 kHz; its last frame is filled with silence."""
        return self.store(name, code(samples))

    def store(self, name: str, coded: Coded) -> Prompt:
        """Add or replace a prompt that is coded already."""
        frames = len(coded[0]) // FRAME
        prompt = self._prompts.get(name)
        if prompt is None or prompt.frames != frames:
            self.forget(name)
            at = self._room(2 * frames)
            prompt = self._prompts[name] = Prompt((at, at + frames), frames)
        if frames:
            for first, octets in zip(prompt.first, coded, strict=True):
                self.rows[first : first + frames] = octets.view("V160")
        return prompt

    def forget(self, name: str) -> None:
        """Know a prompt no more; its rows are free when nobody plays it."""
        prompt = self._prompts.pop(name, None)
        if prompt is not None and prompt.frames:
            self._retired.append(prompt)

    def _room(self, rows: int) -> int:
        """Where so many rows are free, at the end if nowhere else."""
        self._reclaim()
        for index, (first, count) in enumerate(self._free):
            if count >= rows:
                self._free[index : index + 1] = [(first + rows, count - rows)] if count > rows else []
                return first
        at, self._used = self._used, self._used + rows
        if self._used > len(self.rows):
            grown = np.zeros(max(2 * len(self.rows), self._used), "V160")
            grown[:at] = self.rows[:at]
            self.rows = grown
        return at

    def _reclaim(self) -> None:
        """Take back the rows of prompts that are known no more and have been played to their end."""
        played = [prompt for prompt in self._retired if any(asked(prompt) for asked in self._players)]
        if len(played) == len(self._retired):
            return
        kept = {id(prompt) for prompt in played}
        freed = [(p.first[0], 2 * p.frames) for p in self._retired if id(p) not in kept]
        self._retired = played
        merged: list[tuple[int, int]] = []
        for first, count in sorted(self._free + freed):
            if merged and sum(merged[-1]) == first:
                merged[-1] = (merged[-1][0], merged[-1][1] + count)
            else:
                merged.append((first, count))
        self._free = merged
