"""A network that loses, delays and reorders, by script: the same for virtual time and for real sockets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from media.codecs.g711 import Pcm, ulaw_decode
from media.rtp import FRAME
from tests.media.speech import log_spectral_distance

LOSS = 0.05
JITTER_SECONDS = 0.06
"""Each packet is delayed by up to so much, so that it is overtaken by up to two others."""


class LossyNetwork:
    """What becomes of each packet of one direction, from a seed."""

    def __init__(self, seed: int = 11, loss: float = LOSS, jitter: float = JITTER_SECONDS) -> None:
        self._random = np.random.default_rng(seed)
        self._loss, self._jitter = loss, jitter
        self.lost = self.passed = 0

    def delay(self) -> float | None:
        """How long the next packet takes, in seconds; None: it is lost."""
        gone, late = self._random.random() < self._loss, self._random.random() * self._jitter
        self.lost += gone
        self.passed += not gone
        return None if gone else late


class Comparison:
    """What was heard of frames that were said, octet for octet where it came, made up where it did not.

    ``made_up`` counts the frames that are neither whole nor the rest of one led over to. Frames are placed
    by the whole ones around them; where a gap is longer or shorter than what is missing, the delay changed
    in it, and it is left out.
    """

    def __init__(self, said: Sequence[bytes], heard: Sequence[bytes]) -> None:
        numbers = {payload: number for number, payload in enumerate(said)}
        places = [numbers.get(payload) for payload in heard]
        self.whole = sum(place is not None for place in places)
        self.made_up = 0
        reference: list[bytes] = []
        kept: list[bytes] = []
        zeroed: list[bytes] = []
        last_at = last = -1
        for at, number in enumerate(places):
            if number is None:
                continue
            if last >= 0 and number - last == at - last_at:
                for offset in range(1, at - last_at + 1):
                    expected, was = said[last + offset], heard[last_at + offset]
                    missing = was[FRAME // 2 :] != expected[FRAME // 2 :]
                    self.made_up += missing
                    reference.append(expected)
                    kept.append(was)
                    zeroed.append(b"\xff" * FRAME if missing else expected)
            last_at, last = at, number
        self.compared = len(reference)
        self.distance = log_spectral_distance(_pcm(reference), _pcm(kept))
        """dB, of what was heard from what was said."""
        self.distance_of_silence = log_spectral_distance(_pcm(reference), _pcm(zeroed))
        """dB, had there been silence where something was made up."""


def _pcm(frames: Sequence[bytes]) -> Pcm:
    return ulaw_decode(np.frombuffer(b"".join(frames), np.uint8))
