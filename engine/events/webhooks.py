"""All webhooks at work: a courier for each that is enabled, from where its last delivery ended."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import TYPE_CHECKING

import msgspec
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.logger import Logger

from engine.administration.event_reading import view_of
from engine.events.courier import Courier, Outcome, Result
from engine.events.kinds import Kinds
from engine.events.signature import headers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from twisted.internet.interfaces import IDelayedCall, IReactorTime

    from engine.config.events_section import EventsSection
    from engine.events.events import Events
    from engine.events.feed import Follower
    from engine.events.poster import Poster
    from engine.store.event_log import LoggedEvent
    from engine.store.events.webhooks import Webhook
    from engine.store.events.webhooks import Webhooks as StoredWebhooks
    from engine.store.store import Store
    from engine.store_thread import StoreThread

    Post = Callable[[str, bytes, Mapping[str, str]], Awaitable[Outcome]]

log = Logger()

BEGIN_AGAIN_SECONDS = 5.0


def network_post(reactor: object, settings: Callable[[], EventsSection]) -> Post:
    """Requests over the network, as the settings of the moment allow."""
    poster: Poster | None = None

    async def post(url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        nonlocal poster
        if poster is None:
            from engine.events.poster import Poster  # an HTTP client, which most engines do not need

            poster = Poster(reactor, lambda: settings().webhook_networks, lambda: settings().webhook_plain)
        return await poster.post(url, body, headers)

    return post


class _Delivery:
    """One webhook at work."""

    def __init__(self, hook: Webhook, webhooks: Webhooks) -> None:
        self.hook = hook
        self.courier: Courier | None = None
        self.ended = False
        self._webhooks = webhooks

    # ---- what its courier asks

    def post(self, events: list[LoggedEvent]) -> Deferred[Outcome]:
        """Signed, with an identity that is the same whenever the same events are tried again."""
        hook = self.hook
        body = msgspec.json.encode(
            {"webhook": hook.uid, "events": [view_of(each, hook.company) for each in events]}
        )
        identity = f"{hook.uid}-{events[0].sequence}-{events[-1].sequence}"
        signed = headers(hook.secret, identity, int(time.time()), body)
        return ensureDeferred(self._post(body, signed, len(events)))

    async def _post(self, body: bytes, signed: Mapping[str, str], count: int) -> Outcome:
        outcome = await self._webhooks.post(self.hook.url, body, signed)
        if outcome.result is Result.TAKEN:
            self._webhooks.counters["webhook_delivered"] += count
        else:
            self._webhooks.counters["webhook_deferred"] += 1
        return outcome

    def delivered(self, cursor: int) -> Deferred[None]:
        """Noted in the store."""
        return self._webhooks.thread.call(self._webhooks.stored.delivered, self.hook.id, cursor)

    def failed(self, error: str) -> Deferred[None]:
        """Noted in the store."""
        return self._webhooks.thread.call(self._webhooks.stored.failed, self.hook.id, error)

    def put_aside(self, event: LoggedEvent, error: str) -> Deferred[None]:
        """Noted in the store."""
        self._webhooks.counters["webhook_refused"] += 1
        return self._webhooks.thread.call(self._webhooks.stored.put_aside, self.hook, event, error)

    # ---- its life

    def begin(self, follower: Follower) -> None:
        """From where it is."""
        if self.ended:
            follower.close()
            return
        webhooks = self._webhooks
        self.courier = Courier(follower, self, webhooks.clock, random.random)
        self.courier.go_on()
        self.ready()

    def ready(self) -> None:
        """Events, or the end of its follower."""
        courier = self.courier
        if courier is None:
            return
        courier.go_on()
        if courier.over and not self.ended:
            self._webhooks.interrupted(self, courier.lost)

    def end(self) -> None:
        """No more."""
        self.ended = True
        if self.courier is not None:
            self.courier.stop()


class Webhooks:
    """Begins a courier for each webhook, anew when it was changed."""

    def __init__(
        self, events: Events, store: Store, thread: StoreThread, clock: IReactorTime, post: Post
    ) -> None:
        self.counters: Counter[str] = Counter(webhook_delivered=0, webhook_deferred=0, webhook_refused=0)
        self._store = store
        self.thread = thread
        self.clock = clock
        self.post = post
        self._events = events
        self._running: dict[str, _Delivery] = {}
        self._again: IDelayedCall | None = None
        self._stopped = False

    @property
    def stored(self) -> StoredWebhooks:
        """What the store knows of them."""
        return self._store.webhooks

    def take_up(self) -> Deferred[None]:
        """Read which there are, and deliver what they have not had yet."""
        return self.thread.call(self.stored.enabled).addCallback(self._take_up)

    def stop(self) -> None:
        """Deliver no more; where each was is in the store."""
        self._stopped = True
        if self._again is not None and self._again.active():
            self._again.cancel()
        for each in self._running.values():
            each.end()
        self._running.clear()

    def interrupted(self, delivery: _Delivery, oldest: int | None) -> None:
        """What a webhook has not had yet cannot be read, or is no longer kept (``oldest`` is)."""
        hook = delivery.hook
        delivery.end()
        if self._running.get(hook.uid) is delivery:
            del self._running[hook.uid]
        if oldest is not None:
            cursor = oldest - 1
            log.warn("events of webhook {uid} were not kept for so long", uid=hook.uid)
            self.thread.later(
                "noting what a webhook missed",
                self.stored.missed,
                hook.id,
                max(0, cursor - hook.cursor),
                cursor,
            )
        self._later()

    def _take_up(self, hooks: list[Webhook]) -> None:
        if self._stopped:
            return
        wanted = {each.uid: each for each in hooks}
        for uid, delivery in list(self._running.items()):
            if uid not in wanted or wanted[uid].version != delivery.hook.version:
                delivery.end()
                del self._running[uid]
        for uid, hook in wanted.items():
            if uid not in self._running:
                self._running[uid] = delivery = _Delivery(hook, self)
                self._events.follow(
                    hook.company_id, hook.cursor, Kinds(hook.kinds), delivery.ready
                ).addCallbacks(delivery.begin, self._not_begun, errbackArgs=(delivery,))

    def _not_begun(self, failure: object, delivery: _Delivery) -> None:
        log.error("a webhook cannot be begun: {failure}", failure=failure)
        self.interrupted(delivery, None)

    def _later(self) -> None:
        if self._again is None and not self._stopped:
            self._again = self.clock.callLater(BEGIN_AGAIN_SECONDS, self._take_up_again)

    def _take_up_again(self) -> None:
        self._again = None
        self.take_up().addErrback(lambda failure: self._read_failed(failure))

    def _read_failed(self, failure: object) -> None:
        log.error("the webhooks cannot be read: {failure}", failure=failure)
        self._later()
