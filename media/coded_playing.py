"""What coded legs are played: prompts as they are, louder or softer, or under a room; and the room at another volume.

A prompt that a leg hears by itself is encoded once and copied ever after (``media.coded_prompts``). What is changed for
one leg alone is encoded for it alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from media.codecs.g711 import Octets, Pcm
from media.coded import CodedLegs
from media.coded_outbound import Sent
from media.coded_prompts import CodedPrompts
from media.legs import NONE
from media.levels import Floats
from media.mix_input import DECODED
from media.player import Player
from media.resampling import Histories
from media.rooms import NARROW, Participants
from media.rtp import FRAME, Flags, Integers

_ULAW = 0
_NO_SLOTS: Integers = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class RoomShaping:
    """How what a leg hears of its room is changed: by a factor that moves over the frame, and a sound added."""

    before: float
    after: float
    added: Floats | None

    def shape(self, pcm: Pcm) -> Pcm:
        """int16 [samples], another array."""
        factor = np.linspace(self.before, self.after, len(pcm), dtype=np.float32)
        sound: Floats = pcm.astype(np.float32) * factor
        if self.added is not None:
            sound += self.added
        shaped: Pcm = np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
        return shaped


class CodedPlaying:
    """The coded legs of a worker that are played to, or hear their room otherwise than it is."""

    def __init__(
        self, capacity: int, player: Player, people: Participants, coded: CodedLegs, prompts: CodedPrompts
    ) -> None:
        self._player = player
        self._people = people
        self._coded = coded
        self._prompts = prompts
        self._histories = Histories(capacity)
        self._plain = self._gained = _NO_SLOTS
        self.under = _NO_SLOTS
        """Who hears a room and a prompt."""
        self._shaped = _NO_SLOTS

    @property
    def players(self) -> Integers:
        """Who hears a prompt alone."""
        return np.concatenate((self._plain, self._gained))

    def grow(self, capacity: int) -> None:
        """Room for more slots."""
        self._histories.grow(capacity)

    def begin(self, slot: int) -> None:
        """Other prompts are played to a leg."""
        self._histories.forget(np.array([slot]))

    def arrange(self, players: Flags, under: Flags, turned: Flags) -> None:
        """Take up who is played to, bool [slots] each: alone, under a room; and who hears its room louder or softer."""
        slots = players.nonzero()[0]
        plain = self._player.gain[slots] == 1
        self._plain, self._gained = slots[plain], slots[~plain]
        self.under = under.nonzero()[0]
        self._shaped = (under | turned).nonzero()[0]

    def speak(self) -> Sent:
        """Make the next 20 ms of all of them; returns the packets that are ready."""
        outbound = self._coded.outbound
        sent: Sent = []
        for slot, row in zip(self._plain.tolist(), self._player.take(self._plain).tolist(), strict=True):
            terms = outbound.terms(slot)
            if terms is not None:
                sent += outbound.put_payload((slot,), self._prompts.payload(row, terms))
                if outbound.is_tapped(slot):
                    outbound.heard[slot] = self._prompts.sound(row)
        for slot, line in self._lines(self._gained).items():
            outbound.put((slot,), RoomShaping(0.0, 0.0, line).shape(np.zeros(len(line), np.int16)))
        if len(self._shaped):
            self._shape()
        return sent

    def _shape(self) -> None:
        people, slots = self._people, self._shaped
        lines = self._lines(self.under)
        before, after = people.volume_now[slots].tolist(), people.volume[slots].tolist()
        self._coded.outbound.shaped = {
            slot: RoomShaping(begin, end, lines.get(slot))
            for slot, begin, end in zip(slots.tolist(), before, after, strict=True)
        }
        people.volume_now[slots] = people.volume[slots]

    def _lines(self, slots: Integers) -> dict[int, Floats]:
        """By slot the next 20 ms of its prompts, float32 at its rate."""
        if not len(slots):
            return {}
        octets: Octets = self._player.bank.rows[self._player.take(slots)].view(np.uint8).reshape(-1, FRAME)
        narrow = DECODED[_ULAW][octets] * self._player.gain[slots, None]
        index = self._coded.index[slots]
        rates = np.where(index == NONE, NARROW, self._coded.rate[index])
        lines: dict[int, Floats] = {}
        for rate in np.unique(rates).tolist():
            alike = rates == rate
            made = self._histories.process(narrow[alike], slots[alike], NARROW, rate)
            lines.update(zip(slots[alike].tolist(), made, strict=True))
        return lines
