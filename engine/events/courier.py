"""Delivery of one webhook: its events in their order, each until the receiver has it.

A receiver that is down is tried again, later and later; the events wait in the log, and none is sent before those in
front of it. What a receiver says it cannot understand is tried some more times, alone, then put aside as a dead
letter, so that it does not hold up the others for ever.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from twisted.logger import Logger

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall, IReactorTime
    from twisted.python.failure import Failure

    from engine.events.feed import Follower
    from engine.store.event_log import LoggedEvent

log = Logger()

BATCH = 100
"""Events of one request at most: a receiver far away would take but a few a second one by one."""
FIRST_RETRY, LONGEST_RETRY = 1.0, 300.0
"""Seconds until a delivery is tried again: twice as many each time."""
REFUSALS = 5
"""Times a receiver may say that it does not understand something, before that is put aside."""
STORE_RETRY = 5.0


class Result(enum.Enum):
    """What became of an attempt."""

    TAKEN = enum.auto()
    REFUSED = enum.auto()
    """The receiver says that it will never take this: 400, 413, 422."""
    FAILED = enum.auto()
    """Anything else: it may later."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an attempt. error: what went wrong; retry_after: seconds, where the receiver says so."""

    result: Result
    error: str = ""
    retry_after: float = 0.0


class Office(Protocol):
    """What a courier asks of the engine. Every Deferred may fail."""

    def post(self, events: list[LoggedEvent]) -> Deferred[Outcome]:
        """Send them in one request."""

    def delivered(self, cursor: int) -> Deferred[None]:
        """Remember that everything up to this number is done with."""

    def failed(self, error: str) -> Deferred[None]:
        """Show what is wrong to whoever looks."""

    def put_aside(self, event: LoggedEvent, error: str) -> Deferred[None]:
        """Keep a dead letter, and that it is done with."""


class Courier:
    """Takes events from its follower, hands them over, one request at a time."""

    def __init__(
        self, follower: Follower, office: Office, clock: IReactorTime, jitter: Callable[[], float]
    ) -> None:
        """jitter: 0 to 1, so that not all couriers of a receiver come back at once."""
        self._follower = follower
        self._office = office
        self._clock = clock
        self._jitter = jitter
        self._batch: list[LoggedEvent] = []
        self._kept = follower.cursor
        self._single = 0  # so many events are still to be sent one by one
        self._attempts = self._refusals = 0
        self._busy = False
        self._timer: IDelayedCall | None = None
        self.over = False

    @property
    def lost(self) -> int | None:
        """The number of the oldest event there is, when what follows the last delivery is not kept any more."""
        return None if self._follower.lost is None else self._follower.lost.oldest

    def go_on(self) -> None:
        """There may be something to deliver."""
        if self._busy or self._timer is not None or self.over:
            return
        if not self._batch:
            self._batch = self._follower.take(BATCH)
        if self._follower.over:
            self.stop()
            return
        if self._batch:
            self._busy = True
            sent = self._batch[:1] if self._single else self._batch
            self._office.post(sent).addCallbacks(self._tried, self._broken, callbackArgs=(sent,))
        elif self._follower.cursor > self._kept:
            # past events that are not wanted: else they would be looked at again after a restart
            self._busy = True
            self._keep(self._office.delivered(self._follower.cursor), self._follower.cursor)

    def stop(self) -> None:
        """Deliver no more."""
        self.over = True
        self._follower.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tried(self, outcome: Outcome, sent: list[LoggedEvent]) -> None:
        if self.over:
            return
        match outcome.result:
            case Result.TAKEN:
                self._done(sent)
            case Result.REFUSED:
                self._refused(sent, outcome)
            case Result.FAILED:
                self._later(outcome)

    def _done(self, sent: list[LoggedEvent]) -> None:
        self._attempts = self._refusals = 0
        self._single = max(0, self._single - len(sent))
        self._batch = self._batch[len(sent) :]
        cursor = sent[-1].sequence if self._batch else self._follower.cursor
        self._keep(self._office.delivered(cursor), cursor)

    def _refused(self, sent: list[LoggedEvent], outcome: Outcome) -> None:
        if len(sent) > 1:
            self._single = len(sent)  # one of them is the one
            self._later(Outcome(Result.FAILED, outcome.error))
            return
        self._refusals += 1
        if self._refusals < REFUSALS:
            self._later(outcome)
            return
        self._attempts = self._refusals = 0
        self._single = max(0, self._single - 1)
        event, self._batch = self._batch[0], self._batch[1:]
        self._keep(self._office.put_aside(event, outcome.error), event.sequence)

    def _keep(self, kept: Deferred[None], cursor: int) -> None:
        kept.addCallbacks(self._was_kept, self._not_kept, callbackArgs=(cursor,))

    def _was_kept(self, _result: None, cursor: int) -> None:
        self._busy = False
        self._kept = cursor
        self.go_on()

    def _not_kept(self, failure: Failure) -> None:
        """The receiver has it; should we end now, it gets it once more, with the same numbers."""
        log.failure("noting what a webhook has delivered failed", failure=failure)
        self._busy = False
        self._wait(STORE_RETRY)

    def _later(self, outcome: Outcome) -> None:
        delay = min(FIRST_RETRY * 2 ** min(self._attempts, 20), LONGEST_RETRY)
        self._attempts += 1
        self._busy = False
        self._wait(max(delay * (0.8 + 0.4 * self._jitter()), min(outcome.retry_after, LONGEST_RETRY)))
        self._office.failed(outcome.error).addErrback(
            lambda failure: log.failure("noting why a webhook fails failed", failure=failure)
        )

    def _broken(self, failure: Failure) -> None:
        """Our own fault: not the receiver's, but no reason to forget the events either."""
        log.failure("a webhook's delivery broke", failure=failure)
        if not self.over:
            self._later(Outcome(Result.FAILED, "an error of the engine's own"))

    def _wait(self, seconds: float) -> None:
        if not self.over:
            self._timer = self._clock.callLater(seconds, self._again)

    def _again(self) -> None:
        self._timer = None
        self.go_on()
