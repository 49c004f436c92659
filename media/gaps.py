"""Gaps in the coded audio of a ring: filled by ``concealment``, and closed when audio comes again.

What is played in a gap is kept in the ring, so that the ring always holds what was heard. Only legs with a
gap cost anything here.
"""

from __future__ import annotations

import numpy as np

from media.codecs.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode
from media.columns import Columns
from media.concealment import (
    HISTORY_MS,
    SILENT_FROM_MS,
    Samples,
    merge,
    merge_samples,
    pitch,
    substitute,
    to_pcm,
)
from media.rtp import FRAME, Flags, Integers, Octets

RATE = 8000
_HISTORY = HISTORY_MS * RATE // 1000
SILENT_FROM = SILENT_FROM_MS * RATE // 1000
"""Samples of a gap after which there is silence."""

_EVERY_OCTET = np.arange(256, dtype=np.uint8)
_EVERY_SAMPLE = np.arange(65536, dtype=np.uint16).view(np.int16)
_DECODED = np.stack([ulaw_decode(_EVERY_OCTET), alaw_decode(_EVERY_OCTET)]).astype(np.float32)
_ENCODED = np.stack([ulaw_encode(_EVERY_SAMPLE), alaw_encode(_EVERY_SAMPLE)])


def decoded(octets: Octets, law: Integers) -> Samples:
    """uint8 [n, samples] as linear samples; law: [n], 0 mu-law, 1 A-law."""
    if (law == law[:1]).all():
        samples: Samples = _DECODED[law[:1].sum()].take(octets, mode="clip")
        return samples
    return _DECODED[law[:, None], octets]


def encoded(samples: Samples, law: Integers) -> Octets:
    """The inverse of ``decoded``."""
    bits = to_pcm(samples).view(np.uint16)
    if (law == law[:1]).all():
        octets: Octets = _ENCODED[law[:1].sum()].take(bits, mode="clip")
        return octets
    return _ENCODED[law[:, None], bits]


class Gaps(Columns):
    """The gaps of all legs."""

    def __init__(self, capacity: int) -> None:
        self.missing = np.zeros(capacity, np.int64)
        """Samples since the last true one that were played."""
        self.behind = np.zeros(capacity, np.int64)
        """Samples of the ring between the last true one and the reader; less where the reader waited."""
        self.lag = np.zeros(capacity, np.int64)

    def fill(self, ring: Octets, slots: Integers, reader: Integers, law: Integers) -> Octets:
        """20 ms for legs that have none. Returns uint8 [n, 160].

        ring: uint8 [capacity, octets]; reader: int64 [n], the frame of the ring these 20 ms belong to.
        """
        begins = np.flatnonzero(self.missing[slots] == 0)
        if len(begins):
            at = slots[begins]
            self.lag[at] = pitch(self._history(ring, at, reader[begins], law[begins]), RATE)
        made = self._go_on(ring, slots, reader, law, FRAME)
        return encoded(made, law)

    def close(self, ring: Octets, slots: Integers, reader: Integers, law: Integers, octets: Octets) -> Octets:
        """The first 20 ms after a gap, led over from it. octets: uint8 [n, 160]; returns the like."""
        going_on = self._go_on(ring, slots, reader, law, merge_samples(RATE))
        merged = merge(decoded(octets, law), going_on, self.missing[slots], RATE)
        result = octets.copy()
        result[:, : going_on.shape[1]] = encoded(merged[:, : going_on.shape[1]], law)
        return result

    def patch(self, ring: Octets, slot: int, reader: int, law: int, octets: Octets, known: Flags) -> Octets:
        """20 ms of which only a part is there. octets, known: uint8 [160], bool [160].

        Returns uint8 [160]; ``missing`` is what of its end is not true.
        """
        one, laws, at = np.array([slot]), np.array([law]), np.array([reader])
        result = octets.copy()
        edges = np.flatnonzero(np.diff(known.astype(np.int8))) + 1
        # while the frame is made, "behind" is counted from its begin
        for begin, end in zip([0, *edges.tolist()], [*edges.tolist(), FRAME], strict=True):
            if not known[begin]:
                result[begin:end] = self.fill(ring, one, at, laws)[0, : end - begin]
                self.missing[slot] += end - begin
            else:
                if self.missing[slot]:
                    after = np.full((1, FRAME), result[end - 1], np.uint8)
                    after[0, : end - begin] = result[begin:end]
                    result[begin:end] = self.close(ring, one, at, laws, after)[0, : end - begin]
                self.missing[slot], self.behind[slot] = 0, -end
            ring[slot, reader * FRAME + begin : reader * FRAME + end] = result[begin:end]
        self.behind[slot] += FRAME
        return result

    def _go_on(self, ring: Octets, slots: Integers, reader: Integers, law: Integers, count: int) -> Samples:
        missing = self.missing[slots]
        made = np.zeros((len(slots), count), np.float32)
        audible = np.flatnonzero(missing < SILENT_FROM)
        if len(audible):
            at = slots[audible]
            history = self._history(ring, at, reader[audible], law[audible])
            unknown = np.flatnonzero(self.lag[at] == 0)  # ticks were left out before anything was made up
            if len(unknown):
                self.lag[at[unknown]] = pitch(history[unknown], RATE)
            made[audible] = substitute(history, self.lag[at], missing[audible], count, RATE)
        return made

    def _history(self, ring: Octets, slots: Integers, reader: Integers, law: Integers) -> Samples:
        """float32 [n, 60 ms]: what was true before the gap."""
        end = reader * FRAME - self.behind[slots]
        if not (end % FRAME).any():  # whole frames are sooner fetched
            frames = ring.reshape(-1, FRAME).view("V160")[:, 0]
            per_leg = ring.shape[1] // FRAME
            at = (
                slots[:, None] * per_leg
                + (end[:, None] // FRAME + np.arange(-_HISTORY // FRAME, 0)) % per_leg
            )
            return decoded(frames[at].view(np.uint8).reshape(len(slots), _HISTORY), law)
        at = (end[:, None] + np.arange(-_HISTORY, 0)) % ring.shape[1]
        return decoded(ring[slots[:, None], at], law)
