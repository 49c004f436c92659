"""How calls sounded: totals for the metrics, and a record of each in the store, beside the call journal.

Records are stored some seconds' worth at a time, in the store's thread: one transaction a call would cost more than all
else of its end.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from engine.store import CallRecord, Store
    from engine.store.records import JournalCall
    from engine.store_thread import StoreThread

GATHER_SECONDS = 2.0
FORGET_SECONDS = 3600.0
"""How often calls that are too old are looked for."""
MOS_BOUNDS = (1.5, 2.0, 2.5, 3.0, 3.25, 3.5, 3.75, 4.0, 4.25, 4.5)
_DAY = 86_400


class CallTotals:
    """All calls since the start, added up."""

    def __init__(self) -> None:
        self.ended: Counter[tuple[str, str]] = Counter()
        """Calls by direction and codec."""
        self.seconds = 0.0
        self.received = self.lost = self.late = 0
        self.mos = [0] * (len(MOS_BOUNDS) + 1)
        """Calls by average MOS: up to each bound, and above the last."""
        self.mos_sum = 0.0

    def add(self, record: CallRecord) -> None:
        """One more call."""
        self.ended[record.direction, record.codec] += 1
        self.seconds += record.seconds
        self.received += record.packets_received
        self.lost += record.lost
        self.late += record.late
        if record.mos_average is not None:
            self.mos[bisect_left(MOS_BOUNDS, record.mos_average)] += 1
            self.mos_sum += record.mos_average


class CallJournal:
    """Takes each call when its leg has said its last word. Without a store it only counts."""

    def __init__(self) -> None:
        self.totals = CallTotals()
        self._write: Callable[[list[CallRecord], list[JournalCall]], None] | None = None
        self._clock: IReactorTime | None = None
        self._gathered: list[CallRecord] = []
        self._entries: list[JournalCall] = []
        self._due: IDelayedCall | None = None

    def keep_in(self, store: Store, thread: StoreThread, clock: IReactorTime, days: int) -> None:
        """Store the records from now on, those of the last ``days`` days."""
        forget_at = 0.0

        def write(records: list[CallRecord], entries: list[JournalCall]) -> None:
            nonlocal forget_at
            if records:
                store.calls.journal(records)
            heard = {each.call_id: each.mos_average for each in records if each.mos_average is not None}
            store.call_journal.write(entries, heard)
            if time.time() >= forget_at:
                forget_at = time.time() + FORGET_SECONDS
                store.calls.forget_before(time.time() - days * _DAY)

        self._write = lambda records, entries: thread.later("storing calls", write, records, entries)
        self._clock = clock

    def note(self, record: CallRecord) -> None:
        """A call is over."""
        self.totals.add(record)
        if self._clock is None:
            return
        self._gathered.append(record)
        self._write_soon(self._clock)

    def remember(self, entry: JournalCall) -> None:
        """A call is over, for the journal of one of our numbers."""
        if self._clock is not None:
            self._entries.append(entry)
            self._write_soon(self._clock)

    def _write_soon(self, clock: IReactorTime) -> None:
        if self._due is None:
            self._due = clock.callLater(GATHER_SECONDS, self.flush)

    def flush(self) -> None:
        """Store what has gathered; at the latest before the store is closed."""
        if self._due is not None and self._due.active():
            self._due.cancel()
        self._due = None
        gathered, self._gathered = self._gathered, []
        entries, self._entries = self._entries, []
        if (gathered or entries) and self._write is not None:
            self._write(gathered, entries)
