"""Whether somebody is an administrator: a slow question, asked of the store, and not too often of one source."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING

from sip.guessing import GuessingGuard, GuessingSettings

if TYPE_CHECKING:
    from engine.store import Store
    from engine.store_thread import StoreThread

MOST_WAITING = 4
"""Passwords looked at or waiting for it: each takes the store's thread for a good part of a second."""


class Verdict(enum.Enum):
    """What became of a name and a password."""

    RIGHT = "right"
    WRONG = "wrong"
    SILENCED = "silenced"  # not looked at: this source has been guessing, or too many ask at once


class Administrators:
    """Looks passwords up; whoever guesses is not answered for a while (``limits.guess_*``)."""

    def __init__(
        self,
        thread: StoreThread,
        store: Store,
        settings: GuessingSettings,
        seconds: Callable[[], float],
    ) -> None:
        self._thread = thread
        self._store = store
        self._guard = GuessingGuard(settings)
        self._seconds = seconds
        self._waiting = 0

    async def verify(self, name: str, password: str, source: str) -> Verdict:
        """Whether an administrator of that name has that password; ``source`` is the host that asks."""
        if self._waiting >= MOST_WAITING or self._guard.silenced(source, name, self._seconds()):
            return Verdict.SILENCED
        self._waiting += 1
        try:
            right = await self._thread.call(self._store.admins.verify, name, password)
        finally:
            self._waiting -= 1
        if right:
            self._guard.succeeded(source, name, self._seconds())
            return Verdict.RIGHT
        self._guard.failed(source, name, self._seconds())
        return Verdict.WRONG
