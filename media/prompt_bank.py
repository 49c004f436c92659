"""Prompts held coded in both laws, cut into 20 ms frames, so that playing one is copying rows."""

from __future__ import annotations

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
    that legs which are playing the old one are not disturbed, and the old rows are lost until the worker
    ends. Prompts change by hand, a few times a day at most.
    """

    def __init__(self) -> None:
        self.rows: Frames = np.zeros(_FIRST_ROWS, "V160")
        self._used = 0
        self._prompts: dict[str, Prompt] = {}

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
            at = self._room(2 * frames)
            prompt = self._prompts[name] = Prompt((at, at + frames), frames)
        if frames:
            for first, octets in zip(prompt.first, coded, strict=True):
                self.rows[first : first + frames] = octets.view("V160")
        return prompt

    def _room(self, rows: int) -> int:
        at, self._used = self._used, self._used + rows
        if self._used > len(self.rows):
            grown = np.zeros(max(2 * len(self.rows), self._used), "V160")
            grown[:at] = self.rows[:at]
            self.rows = grown
        return at
