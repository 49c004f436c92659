"""Bridges of unlike codecs: each is a room of two that nobody else enters.

Between two legs of G.711 octets are copied (``media.arrangement``); where one leg has a coder, the sound is
decoded, brought to the other's rate and encoded, which is what the mixer does. Such a room is plain: no threshold
and no choice, so that what is soft crosses as well.
"""

from __future__ import annotations

import numpy as np

from media.coded import CodedLegs
from media.legs import NONE, Legs
from media.mixer import Mixer
from media.rooms import RoomSettings

_PLAIN = RoomSettings(loudest=0, plain=True)


class PrivateRooms:
    """The rooms of bridges, made and left as bridges and codecs change."""

    def __init__(self, legs: Legs, coded: CodedLegs, mixer: Mixer) -> None:
        self._legs = legs
        self._coded = coded
        self._mixer = mixer
        self._names: dict[int, str] = {}

    def forget(self, slot: int) -> None:
        """A leg is closed."""
        self._names.pop(slot, None)

    def update(self) -> None:
        """Bring legs into their rooms, and out of them, after a change."""
        peer = self._legs.peer
        coded = self._coded.index != NONE
        wanted = np.flatnonzero((peer != NONE) & (coded | coded[peer]))
        if not len(wanted) and not self._names:
            return
        names = {
            slot: f"bridge {min(slot, other)}"
            for slot, other in zip(wanted.tolist(), peer[wanted].tolist(), strict=True)
        }
        for slot, name in list(self._names.items()):
            if names.get(slot) != name:
                del self._names[slot]
                if self._mixer.room(slot) == name:
                    self._mixer.leave(slot)
        for slot, name in names.items():
            if self._mixer.room(slot) is None:
                self._mixer.set_room(name, _PLAIN)
                self._mixer.join(slot, name)
                self._names[slot] = name
