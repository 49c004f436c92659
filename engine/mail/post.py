"""The post: takes messages, sends them when the server takes them, and tries again when it does not.

The queue is in the store and outlives the process. A thread of its own talks to the server, so neither calls nor the
store wait for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, ensureDeferred, succeed
from twisted.logger import Logger

from engine.mail.delivery import Outcome, deliver
from engine.own_thread import in_own_thread

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorFromThreads, IReactorTime
    from twisted.python.failure import Failure

    from engine.mail.delivery import MailServer
    from engine.store.mails import Mail, Mails
    from engine.store_thread import StoreThread

    class PostReactor(IReactorFromThreads, IReactorTime):
        """What is needed of the reactor."""

    Send = Callable[[MailServer, Sequence[Mail], Callable[[], bool]], list[Outcome]]

log = Logger()

FIRST_WAIT = 60.0
LONGEST_WAIT = 3600.0
AT_ONCE = 50
"""Messages over one connection."""
LEASE = 900.0
"""How long a message that is being sent is nobody else's; longer than a batch may take with a slow server would only
hold up what a killed process left."""
KEEP_GIVEN_UP = 30 * 86_400.0


def next_attempt(mail: Mail, now: float, give_up: float) -> float | None:
    """When a message that failed at ``now`` is tried again; None: not any more, ``give_up`` seconds after it was made.

    A minute, then twice as long each time, an hour at most: an invitation is soon of no use.
    """
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(mail.attempts, 10))
    return None if now + wait > mail.created_at + give_up else now + wait


class Post:
    """Started once the store is open. server: asked for before each batch; None: mail is switched off."""

    def __init__(
        self,
        reactor: PostReactor,
        thread: StoreThread,
        mails: Mails,
        server: Callable[[], MailServer | None],
        give_up: float,
        now: Callable[[], float],
        send: Send = deliver,
    ) -> None:
        self._reactor = reactor
        self._thread = thread
        self._mails = mails
        self._server = server
        self._give_up = give_up
        self._now = now
        self._send = send
        self._timer: IDelayedCall | None = None
        self._round: Deferred[None] | None = None
        self._again = self._stopped = False
        self.waiting = self.given_up = 0
        self.counters: Counter[str] = Counter()

    def wake(self) -> None:
        """Something was queued, or may be since an earlier process: look now."""
        self._cancel()
        if self._stopped:
            return
        if self._round is not None:
            self._again = True
            return
        self._round = Deferred()
        ensureDeferred(self._send_due()).addErrback(self._failed).addCallback(self._rest)

    def stop(self) -> Deferred[None]:
        """Send no more; fires when the message that is on its way has gone or failed."""
        self._stopped = True
        self._cancel()
        return succeed(None) if self._round is None else self._round

    async def _send_due(self) -> float | None:
        """Send what is due; returns when to look again."""
        server = self._server()
        if server is None:
            return None
        mails = await self._thread.call(self._mails.take, self._now(), AT_ONCE, LEASE)
        if mails:
            outcomes = await in_own_thread(
                self._reactor, "mail", lambda: self._send(server, mails, lambda: self._stopped)
            )
            await self._thread.call(self._record, mails, outcomes, self._now())
        self.waiting, self.given_up = await self._thread.call(self._mails.counts)
        return await self._thread.call(self._mails.next_due)

    def _record(self, mails: Sequence[Mail], outcomes: Sequence[Outcome], now: float) -> None:
        """In the store's thread: what became of each."""
        for mail, outcome in zip(mails, outcomes, strict=True):
            if outcome.delivered:
                self._mails.remove(mail.id)
                self.counters["mail_sent"] += 1
            else:
                self._put_off(mail, outcome, now)
        self._mails.forget_given_up_before(now - KEEP_GIVEN_UP)

    def _put_off(self, mail: Mail, outcome: Outcome, now: float) -> None:
        due = None if outcome.permanent else next_attempt(mail, now, self._give_up)
        self._mails.failed(mail.id, outcome.error, due)
        self.counters["mail_given_up" if due is None else "mail_deferred"] += 1
        log.warn(
            "a message to {recipient} is not delivered ({when}): {error}",
            recipient=mail.recipient,
            when="given up" if due is None else "it is tried again",
            error=outcome.error,
        )

    def _failed(self, failure: Failure) -> float:
        """The store is away: that must not end the post."""
        log.failure("sending mail", failure=failure)
        return self._now() + FIRST_WAIT

    def _rest(self, due: float | None) -> None:
        ended, self._round = self._round, None
        assert ended is not None, "a round was begun"
        ended.callback(None)
        if self._again:
            self._again = False
            self.wake()
        elif due is not None and not self._stopped:
            self._timer = self._reactor.callLater(max(0.0, min(due - self._now(), LONGEST_WAIT)), self._due)

    def _due(self) -> None:
        self._timer = None
        self.wake()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
