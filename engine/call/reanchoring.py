"""Telling peers, a few at a time, that their media has another port since a worker was lost."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

    from engine.call.party import Party

BATCH, PAUSE = 5, 0.01
"""Offers in a go and seconds between two: a thousand calls are told within two seconds, and new ones get through."""


class Reanchoring:
    """The parties that wait to be offered their leg's new port."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._waiting: deque[Party] = deque()

    def add(self, party: Party) -> None:
        """Offer anew in ``party``'s call, when it is its turn; once, even if its leg moves again until then."""
        if party in self._waiting:
            return
        self._waiting.append(party)
        if len(self._waiting) == 1:
            self._clock.callLater(0, self._next)

    def _next(self) -> None:
        for _ in range(min(BATCH, len(self._waiting))):
            self._waiting.popleft().offer_again()
        if self._waiting:
            self._clock.callLater(PAUSE, self._next)
