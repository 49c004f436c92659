"""Noise removal: WebRTC's suppressor on the legs that asked for it, while they are in the mix.

The library (``webrtc-noise-gain``, the extra ``denoise``) is loaded when the first leg asks. It works on 10 ms at
16 kHz: other rates are brought there and back, so what a leg at 48 kHz has above 8 kHz goes with the noise. It costs
14 us for 10 ms of a leg, delays by 6 ms, and takes 18 dB off a steady noise once it has heard it for a second.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from media.levels import Floats
from media.resampling import Histories
from media.rooms import WIDE
from media.rtp import Integers

LEVEL = 3
"""Of 4: one step before music and soft voices suffer."""
_STEP = WIDE // 100

_log = logging.getLogger(__name__)


class Denoiser:
    """The suppressors of a worker's legs, each made when its leg is first heard."""

    def __init__(self, capacity: int) -> None:
        self._make: Callable[[int, int], Any] | None = None
        self._suppressors: dict[int, Any] = {}
        self._histories = Histories(capacity)

    def available(self) -> bool:
        """Load the library; whether it is there."""
        if self._make is None:
            try:
                self._make = importlib.import_module("webrtc_noise_gain").AudioProcessor
            except ImportError as error:
                _log.warning("no noise removal: %s", error)
                return False
        return True

    def grow(self, capacity: int) -> None:
        """Room for more legs."""
        self._histories.grow(capacity)

    def forget(self, slot: int) -> None:
        """A leg needs its suppressor no more."""
        self._suppressors.pop(slot, None)

    def process(self, lines: Floats, slots: Integers, rate: int) -> None:
        """Take the noise out of 20 ms of these legs, in place. lines: float32 [n, rate / 50] in int16 range."""
        if not self.available():
            return
        wide = self._histories.process(lines, slots, rate, WIDE)
        samples = np.clip(np.rint(wide), -32768, 32767).astype(np.int16)
        for row, slot in zip(samples, slots.tolist(), strict=True):
            suppressor = self._suppressors.get(slot) or self._begin(slot)
            for at in range(0, len(row), _STEP):
                cleaned = suppressor.Process10ms(row[at : at + _STEP].tobytes()).audio
                row[at : at + _STEP] = np.frombuffer(cleaned, np.int16)
        lines[:] = self._histories.process(samples.astype(np.float32), slots, WIDE, rate)

    def _begin(self, slot: int) -> Any:
        assert self._make is not None
        suppressor = self._suppressors[slot] = self._make(0, LEVEL)
        return suppressor
