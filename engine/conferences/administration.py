"""Conferences for administrators: rooms, policies, live meetings and what happens in them, as plain values.

Whatever is written holds at once: the running engine reads its numbers anew before the caller is answered.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from twisted.internet.defer import Deferred, ensureDeferred

from conference.definition import MOST_DIGITS
from conference.refusals import Reason, Refused
from engine.conferences.live_view import (
    LiveRoomView,
    ParticipantView,
    participant_view,
    room_view,
)
from engine.conferences.refusal_texts import REFUSALS
from engine.conferences.subscription import Position, Subscription
from engine.conferences.values import (
    Values,
    ad_hoc_of,
    command_of,
    is_number,
    policy_key,
    policy_of_values,
    policy_values,
    room_of,
    room_values,
)
from engine.store.errors import NotFound, Taken

if TYPE_CHECKING:
    from engine.conferences.conferences import Conferences
    from engine.conferences.event_store import EventStore
    from engine.language import Language
    from engine.store import Store
    from engine.store.conferences.records import ConferenceRoom, HeldMeeting
    from engine.store_thread import StoreThread

P = ParamSpec("P")
R = TypeVar("R")

MOST_LISTED = 1000
"""Events, or meetings that are over, in one answer."""
_MISSING = {Reason.UNKNOWN_ROOM, Reason.UNKNOWN_PARTICIPANT}
_WRONG = {Reason.OUT_OF_RANGE, Reason.BAD_NUMBER, Reason.BAD_NAME}
_FORBIDDEN = {
    Reason.NOT_HOST,
    Reason.NOT_YOURS,
    Reason.ANONYMOUS,
    Reason.AUDIO_FORBIDDEN,
    Reason.RECORDING_FORBIDDEN,
    Reason.DIAL_OUT_FORBIDDEN,
}


class NotDone(Exception):
    """A meeting refused a verb; nothing has changed. reason: a word of ``conference.refusals.Reason``."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason.value
        self.missing = reason in _MISSING
        self.wrong = reason in _WRONG
        self.forbidden = reason in _FORBIDDEN

    def text(self, language: Language) -> str:
        """Why, for people."""
        return REFUSALS.say(Reason(self.reason), language)


@dataclass(frozen=True, slots=True)
class LiveRoomDetails:
    """A meeting and everybody in it."""

    room: LiveRoomView
    participants: tuple[ParticipantView, ...]


class ConferenceAdministration:
    """renumber: has the engine take up what the store says now."""

    def __init__(
        self,
        conferences: Conferences,
        store: Store,
        thread: StoreThread,
        events: EventStore,
        renumber: Callable[[], Awaitable[None]],
    ) -> None:
        self._conferences = conferences
        self._store = store
        self._thread = thread
        self._events = events
        self._renumber = renumber

    # ---- rooms

    async def rooms(self) -> list[dict[str, object]]:
        """Every room of the store, PINs included."""
        return [self._room(room_values(each)) for each in await self._thread.call(self._store.rooms.all)]

    async def room(self, number: str) -> dict[str, object]:
        """A room. Raises NotFound."""
        return self._room(room_values(await self._thread.call(self._required, number)))

    async def add_room(self, values: Values) -> dict[str, object]:
        """A new room; without ``number`` the first free one of the domain's ranges. Raises Invalid, Taken, NotFound."""
        return await self._write(self._add, values)

    async def change_room(self, number: str, values: Values) -> dict[str, object]:
        """Change some fields of a room. Raises Invalid, Taken, NotFound."""
        return await self._write(self._change, number, values)

    async def remove_room(self, number: str) -> None:
        """Remove a room; a meeting in it goes on. Raises NotFound, InUse: meetings are planned in it."""
        await self._write(self._remove, number)

    def _required(self, number: str) -> ConferenceRoom:
        found = self._store.rooms.get(number) if is_number(number) else None
        if found is None:
            raise NotFound("room", number[:MOST_DIGITS])
        return found

    def _remove(self, number: str) -> None:
        self._store.rooms.remove(self._required(number).number)

    def _add(self, values: Values) -> dict[str, object]:
        if "number" not in values:
            domain = values.get("domain", "")
            room_of({**values, "number": "0"})  # its other fields first
            values = {**values, "number": self._store.rooms.free_number(str(domain))}
        return self._room(room_values(self._store.rooms.add(room_of(values))))

    def _change(self, number: str, values: Values) -> dict[str, object]:
        before = self._required(number)
        return self._room(room_values(self._store.rooms.update(room_of(values, before))))

    def _room(self, values: dict[str, object]) -> dict[str, object]:
        return values | {"live": values["number"] in self._conferences.live}

    # ---- policies

    async def policies(self) -> list[dict[str, object]]:
        """Every policy, the weakest first."""
        return [policy_values(each) for each in await self._thread.call(self._store.meeting_policies.all)]

    async def policy(self, key: str) -> dict[str, object]:
        """A policy. Raises NotFound, Invalid."""
        policy_key(key)
        found = await self._thread.call(self._store.meeting_policies.get, key)
        if found is None:
            raise NotFound("meeting policy", key)
        return policy_values(found)

    async def put_policy(self, key: str, values: Values) -> tuple[dict[str, object], bool]:
        """Set a policy, and whether it is a new one. Raises Invalid."""
        return await self._write(self._put_policy, key, values)

    async def remove_policy(self, key: str) -> None:
        """Say nothing at this level any more. Raises NotFound, Invalid."""
        policy_key(key)
        await self._write(self._store.meeting_policies.remove, key)

    def _put_policy(self, key: str, values: Values) -> tuple[dict[str, object], bool]:
        policies = self._store.meeting_policies
        policy_key(key)
        before = policies.get(key)
        policy = policy_of_values(key, values, 0 if before is None else before.id)
        stored = policies.add(policy) if before is None else policies.update(policy)
        return policy_values(stored), before is None

    # ---- live meetings

    def live(self) -> list[LiveRoomView]:
        """Every meeting that is held now, by number."""
        return [room_view(each) for _, each in sorted(self._conferences.live.items())]

    def live_room(self, number: str) -> LiveRoomDetails:
        """One of them, with its list. Raises NotDone."""
        live = self._conferences.live.get(number)
        if live is None:
            raise NotDone(Reason.UNKNOWN_ROOM)
        now = time.time()
        return LiveRoomDetails(
            room_view(live), tuple(participant_view(each, now) for each in live.room.participants)
        )

    async def open(self, values: Values) -> LiveRoomDetails:
        """Begin a meeting in a room that is in no store, until it is over. Raises Invalid, Taken, NotDone."""
        definition = ad_hoc_of(values)
        if await self._thread.call(self._store.rooms.get, definition.number) is not None:
            raise Taken("room", definition.number, "a room of the store")
        try:
            self._conferences.open_ad_hoc(definition)
        except Refused as refused:
            raise NotDone(refused.reason) from None
        return self.live_room(definition.number)

    def act(self, number: str, verb: str, values: Values, actor: str) -> None:
        """Do a verb in a meeting, in an administrator's name. Dialling out begins the meeting if need be.

        Raises NotFound: no such verb; Invalid, NotDone.
        """
        command = command_of(verb, values)
        if command is None:
            raise NotFound("verb", verb[:32])
        try:
            live = self._conferences.live.get(number)
            if live is None and verb == "dial_out":
                live = self._conferences.open(number)
            if live is None:
                raise Refused(Reason.UNKNOWN_ROOM)
            live.act(command, actor)
        except Refused as refused:
            raise NotDone(refused.reason) from None

    def _write(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Deferred[R]:
        """Write and have it hold; whoever asked and does not wait for the answer any more stops neither."""
        told: Deferred[R] = Deferred()
        ensureDeferred(self._written(lambda: function(*args, **kwargs))).chainDeferred(told)
        return told

    async def _written(self, function: Callable[[], R]) -> R:
        found = await self._thread.call(function)
        await self._renumber()
        return found

    # ---- what happens, and what has happened

    async def held(self, number: str | None, count: int) -> list[HeldMeeting]:
        """The newest meetings that are over; of a room that was removed, too. Raises NotFound: that is no number."""
        if number is not None and not is_number(number):
            raise NotFound("room", number[:MOST_DIGITS])
        return await self._thread.call(self._store.conference_journal.held, min(count, MOST_LISTED), number)

    def is_room(self, number: str) -> bool:
        """Whether there is such a room, in the store or live."""
        return self._conferences.find(number) is not None

    def position(self, number: str | None, text: str) -> Position | None:
        """Where a reader wants to go on: ``MEETING:SEQUENCE``, or of a room's meeting now just ``SEQUENCE``."""
        live = None if number is None else self._conferences.live.get(number)
        if live is not None and text.isascii() and text.isdigit():
            text = f"{live.room.meeting}:{text}"
        return Position.parse(text)

    def subscribe(self, number: str | None, on_ready: Callable[[], None]) -> Subscription:
        """Follow what happens, in a room or (None) in all, from now on; ``Subscription.catch_up``: from earlier on."""
        return Subscription(self._conferences, self._events, number, on_ready)
