"""Prompts for coded legs: each frame is encoded when the first leg needs it, and copied ever after."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from media.codecs.coding import Encoder, Pcm, Terms
from media.codecs.g711 import ulaw_decode
from media.codecs.loading import make_encoder
from media.prompt_bank import PromptBank
from media.rtp import FRAME

RATE = 8000
MOST_OPEN = 32
"""Encoders kept for prompts that are not encoded to their end."""
_TAPS = 24
"""Of each phase of the interpolation; its delay is 12 samples, 1.5 ms."""


class Interpolator:
    """Brings sound of 8 kHz to 16 or 48 kHz, 20 ms at a time, by a windowed sinc."""

    def __init__(self, rate: int) -> None:
        factor = rate // RATE
        self._taps = _phases(factor)
        self._history: npt.NDArray[np.float32] = np.zeros(_TAPS - 1, np.float32)

    def run(self, samples: Pcm) -> Pcm:
        """int16 [n] in, int16 [n * factor] out."""
        wave = np.concatenate((self._history, samples.astype(np.float32)))
        self._history = wave[-(_TAPS - 1) :]
        windows = np.lib.stride_tricks.sliding_window_view(wave, _TAPS)
        sound: Pcm = np.clip(np.rint(windows @ self._taps), -32768, 32767).astype(np.int16).reshape(-1)
        return sound


def _phases(factor: int) -> npt.NDArray[np.float32]:
    """float32 [taps, factor]: for each output between two inputs the weights of the inputs around it."""
    time = np.arange(_TAPS)[:, None] - (_TAPS // 2 - 1) - np.arange(factor)[None, :] / factor
    window = np.kaiser(2 * 512 + 1, 7.0)
    shape = np.interp(time / (_TAPS / 2), np.linspace(-1, 1, len(window)), window, left=0, right=0)
    taps = np.sinc(0.95 * time) * shape
    weights: npt.NDArray[np.float32] = (taps / taps.sum(axis=0)).astype(np.float32)
    return weights


@dataclass(slots=True)
class _Coding:
    """A prompt that is encoded as far as somebody has heard it."""

    encoder: Encoder
    interpolator: Interpolator | None

    def encode(self, samples: Pcm) -> bytes:
        return self.encoder.encode(samples if self.interpolator is None else self.interpolator.run(samples))


class CodedPrompts:
    """The payloads of prompt frames, by row of the bank and by how a leg speaks."""

    def __init__(self, bank: PromptBank) -> None:
        self._bank = bank
        self._payloads: dict[tuple[Terms, int], tuple[bytes, bytes]] = {}
        self._open: OrderedDict[tuple[Terms, int], _Coding] = OrderedDict()

    def payload(self, row: int, terms: Terms) -> bytes:
        """What a leg that is to hear a row of the bank (in mu-law) is sent; empty: nothing (DTX)."""
        source = self._bank.rows[row].tobytes()
        known = self._payloads.get((terms, row))
        if known is not None and known[0] == source:  # a prompt may be loaded anew into its old rows
            return known[1]
        coding = self._open.pop((terms, row), None) or self._begin(terms)
        payload = coding.encode(ulaw_decode(np.frombuffer(source, np.uint8)))
        self._payloads[terms, row] = (source, payload)
        self._open[terms, row + 1] = coding
        if len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)
        return payload

    def sound(self, row: int) -> Pcm:
        """A row of the bank (in mu-law) as it is, int16 [160] of 8 kHz."""
        return ulaw_decode(np.frombuffer(self._bank.rows[row].tobytes(), np.uint8))

    def _begin(self, terms: Terms) -> _Coding:
        interpolator = Interpolator(terms.rate) if terms.rate != RATE else None
        return _Coding(make_encoder(terms), interpolator)


assert FRAME == RATE // 50
