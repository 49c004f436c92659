"""What the legs of a room put into its mix: their sound of a tick as float32 at the room's rate.

Legs of G.711 are read as octets and decoded by table; the sound of coded legs is there already. Either is brought to
the room's rate where that is another. Only who is in the mix is decoded.
"""

from __future__ import annotations

import numpy as np

from media.client_levels import ClientLevels
from media.codecs.g711 import Octets, alaw_decode, ulaw_decode
from media.coded import CodedLegs
from media.denoise import Denoiser
from media.jitter_buffer import JitterBuffer
from media.legs import NONE
from media.levels import Floats, sound_levels
from media.resampling import Histories
from media.rooms import NARROW
from media.rtp import FRAME, Flags, Integers

_OCTETS = np.arange(256, dtype=np.uint8)
DECODED: Floats = np.stack([ulaw_decode(_OCTETS), alaw_decode(_OCTETS)]).astype(np.float32)
"""float32 [law, octet]."""
_NOTHING: Integers = np.zeros(0, np.int64)


class MixInput:
    """The members of all rooms, in the mixer's order, as sources of sound."""

    def __init__(
        self, capacity: int, jitter_buffer: JitterBuffer, coded: CodedLegs, said: ClientLevels
    ) -> None:
        self._said = said
        self._jitter_buffer = jitter_buffer
        self._coded = coded
        self._histories = Histories(capacity)
        self.denoiser = Denoiser(capacity)
        self._denoised: Flags | None = None
        self._decoded = np.zeros((capacity, FRAME), np.float32)
        self._members = self._heard_at = self._row = self.law = self.rate = _NOTHING
        self._in_order = False
        self._narrow = self._wide = _NOTHING

    def grow(self, capacity: int) -> None:
        """Room for more legs."""
        self._histories.grow(capacity)
        self.denoiser.grow(capacity)
        self._decoded = np.zeros((capacity, FRAME), np.float32)

    def rates(self, slots: Integers) -> Integers:
        """int64 [n]: the rate of each leg's codec."""
        row = self._coded.index[slots]
        return np.where(row == NONE, NARROW, self._coded.rate[row])

    def arrange(self, members: Integers, where: Integers, denoise: Flags) -> None:
        """Take up who is there.

        where: int64 [slots], the row of each leg of G.711 in the tick's frames; denoise: bool [slots], who is to
        be freed of noise.
        """
        self._denoised = denoise[members] if denoise.any() else None
        self._members = members
        self._row = self._coded.index[members]
        self._heard_at = where[members]
        self._in_order = bool((self._heard_at == np.arange(len(members))).all())
        self.law = self._jitter_buffer.law[members]
        self.rate = self.rates(members)
        narrow = self._row == NONE
        self._narrow, self._wide = np.flatnonzero(narrow), np.flatnonzero(~narrow)
        laws = self.law[self._narrow]
        self._by_law = [self._narrow[laws == law] for law in (0, 1)]

    def levels(self, octets: Octets) -> Floats:
        """Decode this tick's frames of G.711 and say how loud all members are: float32 [members], dBov.

        octets: uint8 [heard, 160], all the frames of this tick.
        """
        for law, at in enumerate(self._by_law):
            if len(at) == len(octets) and self._in_order:
                DECODED[law].take(octets, out=self._decoded[: len(at)], mode="clip")
            elif len(at):
                self._decoded[at] = DECODED[law].take(octets[self._heard_at[at]], mode="clip")
        if not len(self._wide):
            return sound_levels(self._decoded[: len(self._members)])
        levels = np.empty(len(self._members), np.float32)
        levels[self._narrow] = sound_levels(self._decoded[self._narrow])
        levels[self._wide] = self._wide_levels()
        return levels

    def _wide_levels(self) -> Floats:
        """What was measured of coded legs, or what they said themselves."""
        measured = self._coded.level[self._row[self._wide]].astype(np.float32)
        if not self._said.offered:
            return measured
        slots = self._members[self._wide]
        return np.where(self._said.believed(slots), self._said.level[slots], measured)

    def sound(self, at: Integers, new: Integers, rate: int) -> Floats:
        """The sound of some members at a rate, after ``levels``: float32 [n, rate / 50], valid until the next tick.

        at: int64 [n], their numbers; new: int64, slots that were not asked for in the last tick: they begin afresh.
        """
        if rate == NARROW and not len(self._wide):
            lines = self._narrow_lines(at)
            self._denoise(lines, at, NARROW)
            return lines
        sounds = np.empty((len(at), rate // 50), np.float32)
        rows, rates = self._row[at], self.rate[at]
        for own in np.unique(rates).tolist():
            alike = rates == own
            for coded in (False, True):
                which = np.flatnonzero(alike & ((rows != NONE) == coded))
                if not len(which):
                    continue
                if coded:
                    lines = self._coded.pcm[rows[which], : own // 50].astype(np.float32)
                else:
                    lines = self._narrow_lines(at[which])
                self._denoise(lines, at[which], own)
                sounds[which] = self._resample(lines, self._members[at[which]], new, own, rate)
        return sounds

    def _denoise(self, lines: Floats, at: Integers, rate: int) -> None:
        if self._denoised is not None:
            noisy = np.flatnonzero(self._denoised[at])
            if len(noisy):
                cleaned = lines[noisy]
                self.denoiser.process(cleaned, self._members[at[noisy]], rate)
                lines[noisy] = cleaned

    def _resample(self, lines: Floats, slots: Integers, new: Integers, own: int, rate: int) -> Floats:
        if own == rate:
            return lines
        if len(new):
            self._histories.of(own, rate)[new] = 0
        return self._histories.process(lines, slots, own, rate)

    def _narrow_lines(self, at: Integers) -> Floats:
        """What ``levels`` decoded of some members, float32 [n, 160]."""
        return self._decoded[: len(at)] if len(at) == len(self._members) else self._decoded[at]
