"""Events of meetings on their way into the store, gathered so that nothing waits for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from twisted.logger import Logger

from engine.store.conferences.records import JournalEntry

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from conference.attendance import MeetingReport
    from conference.events import Event
    from engine.store import Store
    from engine.store_thread import StoreThread

log = Logger()

GATHER_SECONDS = 0.5
KEPT_DAYS = 90
"""As calls are (``store.call_days``)."""


class EventStore:
    """Writes behind. The journal on disk has what has not been written when the process dies."""

    def __init__(self, store: Store, thread: StoreThread, clock: IReactorTime, days: int = KEPT_DAYS) -> None:
        self._kept_seconds = days * 86_400.0
        self._journal = store.conference_journal
        self._thread = thread
        self._clock = clock
        self._gathered: list[JournalEntry] = []
        self._due: IDelayedCall | None = None

    def note(self, meeting: str, number: str, events: Sequence[Event]) -> None:
        """Events of a meeting."""
        self._gathered += [JournalEntry(meeting, number, each) for each in events]
        if self._due is None:
            self._due = self._clock.callLater(GATHER_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what has gathered; at the latest before the store is closed."""
        if self._due is not None and self._due.active():
            self._due.cancel()
        self._due = None
        gathered, self._gathered = self._gathered, []
        if gathered:
            self._thread.later("storing events of meetings", self._journal.write, gathered)

    def following(
        self, meeting: str, sequence: int, number: str | None, count: int
    ) -> Deferred[list[JournalEntry]]:
        """What has happened until now after an event (``ConferenceJournal.following``), nothing left out."""
        self.flush()  # before the reading: the thread does one thing after the other
        return self._thread.call(self._journal.following, meeting, sequence, number, count)

    def close(self, report: MeetingReport, stored: Callable[[], None]) -> None:
        """A meeting is over; ``stored`` is called when all of it is in the store."""
        self.flush()
        done: Deferred[None] = self._thread.call(self._close, report)
        done.addCallbacks(lambda _: stored(), _keep).addErrback(_keep)

    def _close(self, report: MeetingReport) -> None:
        """In the store's thread; with it, what is too old goes."""
        self._journal.close(report)
        self._journal.forget_before(report.closed_at - self._kept_seconds)

    def catch_up(self, meeting: str, number: str, events: Sequence[Event]) -> None:
        """Write those events of a meeting that an earlier process had no time to write."""
        self._thread.later("storing events of a meeting", self._write_missing, meeting, number, events)

    def _write_missing(self, meeting: str, number: str, events: Sequence[Event]) -> None:
        last = self._journal.last_event(meeting)
        self._journal.write([JournalEntry(meeting, number, each) for each in events if each.sequence > last])


def _keep(failure: object) -> None:
    """The journal on disk stays, for the next start."""
    log.error("a meeting that is over was not stored: {failure}", failure=failure)
