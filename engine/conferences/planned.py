"""Planned meetings for administrators, as plain values; whoever is concerned is told by mail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, ensureDeferred

from conference.definition import MOST_DIGITS
from conference.schedule import PlannedMeeting
from engine.conferences.values import Values, converted, is_number, refuse_unknown
from engine.letters.planning import new_identity
from engine.store.conferences.records import Invitee
from engine.store.conferences.rules import UID, planned_meeting
from engine.store.errors import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from engine.letters.planning import Planning, Told
    from engine.store import Store
    from engine.store_thread import StoreThread

_OURS = {"id", "uid", "room", "sequence", "cancelled"}
_FIELDS = {each.name for each in fields(PlannedMeeting)} - _OURS
_REQUIRED = ("title", "start", "end", "time_zone")
_INVITEE = {"address", "name", "language", "role"}


class PlannedMeetings:
    """planning: how meetings are planned now. renumber: has the engine take up what the store says."""

    def __init__(
        self,
        store: Store,
        thread: StoreThread,
        planning: Callable[[], Planning],
        renumber: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._thread = thread
        self._planning = planning
        self._renumber = renumber

    async def of_room(self, number: str) -> list[dict[str, object]]:
        """Those of a room, cancelled ones too."""
        return await self._thread.call(self._of_room, number)

    async def get(self, uid: str) -> dict[str, object]:
        """One. Raises NotFound."""
        return await self._thread.call(lambda: self._values(self._required(uid)))

    async def plan(self, number: str, values: Values) -> dict[str, object]:
        """A new one. Raises Invalid, NotFound."""
        return await self._write(lambda: self._plan(number, values))

    async def change(self, uid: str, values: Values) -> dict[str, object]:
        """Change some fields, or (``invitees``) who is invited. Raises Invalid, NotFound."""
        return await self._write(lambda: self._change(uid, values))

    async def cancel(self, uid: str) -> dict[str, object]:
        """Cancel one. Raises NotFound."""
        return await self._write(lambda: self._told(*self._planning().cancel(self._required(uid).uid)))

    def _write(self, function: Callable[[], dict[str, object]]) -> Deferred[dict[str, object]]:
        """To its end, though nobody may wait for the answer any more."""
        told: Deferred[dict[str, object]] = Deferred()
        ensureDeferred(self._written(function)).chainDeferred(told)
        return told

    async def _written(self, function: Callable[[], dict[str, object]]) -> dict[str, object]:
        found = await self._thread.call(function)
        await self._renumber()
        return found

    # ---- in the store's thread

    def _of_room(self, number: str) -> list[dict[str, object]]:
        if not is_number(number) or self._store.rooms.get(number) is None:
            raise NotFound("room", number[:MOST_DIGITS])
        return [self._values(each) for each in self._store.planned_meetings.of_room(number)]

    def _plan(self, number: str, values: Values) -> dict[str, object]:
        if not is_number(number):
            raise NotFound("room", number[:MOST_DIGITS])
        given, invitees = _taken_apart(values)
        for name in _REQUIRED:
            if name not in given:
                raise Invalid(name, "a value")
        uid = new_identity("")
        return self._told(
            *self._planning().plan(planned_meeting(uid=uid, room=number, **given), invitees or ())
        )

    def _change(self, uid: str, values: Values) -> dict[str, object]:
        before = self._required(uid)
        given, invitees = _taken_apart(values)
        if invitees is None:
            invitees = tuple(self._store.planned_meetings.invitees(uid))
        kept: dict[str, Any] = {name: getattr(before, name) for name in _FIELDS}
        meeting = planned_meeting(uid=uid, room=before.room, **(kept | given))
        return self._told(*self._planning().change(meeting, invitees))

    def _required(self, uid: str) -> PlannedMeeting:
        found = self._store.planned_meetings.get(uid) if UID.fullmatch(uid) else None
        if found is None:
            raise NotFound("planned meeting", uid[:64])
        return found

    def _told(self, meeting: PlannedMeeting, told: Told) -> dict[str, object]:
        return self._values(meeting) | {"told": asdict(told)}

    def _values(self, meeting: PlannedMeeting) -> dict[str, object]:
        values: dict[str, object] = asdict(meeting)
        del values["id"]
        invitees = self._store.planned_meetings.invitees(meeting.uid)
        coming = meeting.next(datetime.now(UTC))
        return values | {
            "next": None if coming is None else coming.start,
            "invitees": [{name: getattr(each, name) for name in sorted(_INVITEE)} for each in invitees],
        }


def _taken_apart(values: Values) -> tuple[dict[str, Any], tuple[Invitee, ...] | None]:
    """The meeting's own fields, and who is invited; None: not said. Raises Invalid."""
    refuse_unknown(values, {*_FIELDS, "invitees"})
    given = converted(PlannedMeeting, {name: value for name, value in values.items() if name in _FIELDS})
    if "invitees" not in values:
        return given, None
    wanted = values["invitees"]
    if not isinstance(wanted, list):
        raise Invalid("invitees", "a list")
    return given, tuple(map(_invitee, wanted))


def _invitee(value: object) -> Invitee:
    if not isinstance(value, dict) or "address" not in value or value.keys() - _INVITEE:
        raise Invalid("invitees", "objects with address, and maybe name, language, role")
    try:
        return Invitee(**converted(Invitee, value))
    except Invalid as error:
        raise Invalid("invitees", f"{error.field} to be {error.expected}") from None
