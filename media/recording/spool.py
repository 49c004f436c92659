"""The second each recorded channel is gathering: one block of memory for all, a row a channel.

A tick writes one frame into every row with one assignment. A row that has its fifty frames is copied out and
begins anew. Rows begin at different places, so that the seconds of recordings begun together end in different
ticks. What a frame is does not matter here: 160 octets of G.711, or int16 samples of any rate.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from media.rtp import Integers, Octets

FRAMES = 50
"""Of 20 ms in a row: a second."""
_FIRST_CAPACITY = 64
_SPREAD = 0.618  # golden section: successive rows begin their seconds far apart


class Spool:
    """Rows of frames of one size in bytes."""

    def __init__(self, frame_bytes: int) -> None:
        self.frame_bytes = frame_bytes
        self.position: Integers = np.zeros(_FIRST_CAPACITY, np.int64)
        """int64 [capacity]: the next frame of each row; FRAMES: the row is full and must be taken."""
        self.begin: Integers = np.zeros(_FIRST_CAPACITY, np.int64)
        """int64 [capacity]: the first frame of each row that holds something."""
        self._free = list(range(_FIRST_CAPACITY - 1, -1, -1))
        self._opened = 0
        self._set_block(np.zeros((_FIRST_CAPACITY, FRAMES * frame_bytes), np.uint8))

    def _set_block(self, block: Octets) -> None:
        self._block = block
        self._frames: npt.NDArray[np.void] = block.reshape(-1, self.frame_bytes).view(f"V{self.frame_bytes}")[
            :, 0
        ]

    def open(self, channels: int) -> tuple[int, ...]:
        """Rows for the channels of one recording; they fill in step."""
        while len(self._free) < channels:
            self._grow()
        rows = tuple(self._free.pop() for _ in range(channels))
        self._opened += 1
        first = int(FRAMES * (self._opened * _SPREAD % 1.0))
        for row in rows:
            self.position[row] = self.begin[row] = first
        return rows

    def close(self, rows: tuple[int, ...]) -> None:
        """Give rows back; what they hold is gone."""
        self.position[list(rows)] = 0
        self._free += rows

    def append(self, rows: Integers, frames: npt.NDArray[np.void]) -> None:
        """Add a frame to each row. rows: int64 [n], all different, none full; frames: void [n]."""
        at = self.position[rows]
        self._frames[rows * FRAMES + at] = frames
        self.position[rows] = at + 1

    def full(self) -> Integers:
        """The rows that must be taken now."""
        return np.flatnonzero(self.position == FRAMES)

    def gathered(self, row: int) -> int:
        """How many frames a row holds."""
        return int(self.position[row] - self.begin[row])

    def take(self, rows: list[int]) -> Octets:
        """uint8 [n, bytes of a second]: a copy of the rows, for the caller to keep; they go on at their beginning."""
        taken: Octets = self._block[rows]
        self.begin[rows] = self.position[rows]
        self.begin[rows] %= FRAMES
        self.position[rows] = self.begin[rows]
        return taken

    def _grow(self) -> None:
        old, capacity = self._block, 2 * len(self._block)
        self._free += range(capacity - 1, len(old) - 1, -1)
        block = np.zeros((capacity, old.shape[1]), np.uint8)  # memory of rows nobody uses is never touched
        block[: len(old)] = old
        self._set_block(block)
        self.position = np.concatenate([self.position, np.zeros_like(self.position)])
        self.begin = np.concatenate([self.begin, np.zeros_like(self.begin)])
