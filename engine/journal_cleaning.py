"""Once a day, at a set hour, what the call journal need not keep goes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from twisted.logger import Logger

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from engine.config.journal_section import JournalSection
    from engine.store import Store
    from engine.store_thread import StoreThread

log = Logger()

_DAY = 86_400.0
LONGEST_WAIT = 3600.0
"""Seconds after which the clock is read again: it may have been set, or daylight saving have begun."""


def until(hour: str, now: datetime) -> float:
    """Seconds from ``now``, local time, to the next ``HH:MM``; never 0, so that once a day is once."""
    hours, _, minutes = hour.partition(":")
    at = now.replace(hour=int(hours), minute=int(minutes), second=0, microsecond=0)
    return (at if at > now else at + timedelta(days=1)).timestamp() - now.timestamp()


class JournalCleaning:
    """Waits for the hour. settings: as the configuration has them now."""

    def __init__(
        self,
        clock: IReactorTime,
        thread: StoreThread,
        store: Store,
        settings: Callable[[], JournalSection],
        local_time: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        self._clock = clock
        self._thread = thread
        self._store = store
        self._settings = settings
        self._local_time = local_time
        self._due: IDelayedCall | None = None

    def start(self) -> None:
        """Wait for the next time."""
        left = until(self._settings().clean_at, self._local_time())
        if left > LONGEST_WAIT:
            self._due = self._clock.callLater(LONGEST_WAIT, self.start)
        else:
            self._due = self._clock.callLater(left, self._clean)

    def stop(self) -> None:
        """Wait no more."""
        if self._due is not None and self._due.active():
            self._due.cancel()

    def _clean(self) -> None:
        settings = self._settings()
        before = self._local_time().timestamp() - settings.days * _DAY
        self._thread.later(
            "cleaning the call journal", self._store.call_journal.clean, before, settings.most, settings.least
        )
        self.start()
