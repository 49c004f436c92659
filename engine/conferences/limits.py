"""How many may meet: on the server, of a domain, of an organiser. A room's own limit is the room's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conference.refusals import Reason, Refused

if TYPE_CHECKING:
    from conference.definition import RoomDefinition
    from conference.room import Room


@dataclass(frozen=True, slots=True)
class ConferenceLimits:
    """Participants at once, those who wait included; 0: as many as the machine carries. rooms: live at once."""

    rooms: int = 0
    participants: int = 0
    per_domain: int = 0
    per_user: int = 0


class Occupancy:
    """Participants of all live rooms, counted when somebody comes."""

    def __init__(self, rooms: Iterable[Room]) -> None:
        self.rooms = 0
        self.participants = 0
        self.by_domain: Counter[str] = Counter()
        self.by_user: Counter[str] = Counter()
        for room in rooms:
            count = len(room.state.participants)
            self.rooms += 1
            self.participants += count
            self.by_domain[room.definition.domain + room.definition.scope] += count
            self.by_user[room.definition.owner or ""] += count

    def check(
        self, limits: ConferenceLimits, definition: RoomDefinition, *, opens: bool, more: int = 1
    ) -> None:
        """Whether ``more`` may come into that room; opens: it is not live yet. Raises Refused."""
        if opens and _reached(self.rooms, 1, limits.rooms):
            raise Refused(Reason.SERVER_FULL)
        if _reached(self.participants, more, limits.participants):
            raise Refused(Reason.SERVER_FULL)
        if _reached(self.by_domain[definition.domain + definition.scope], more, limits.per_domain):
            raise Refused(Reason.DOMAIN_FULL)
        if definition.owner and _reached(self.by_user[definition.owner], more, limits.per_user):
            raise Refused(Reason.USER_FULL)


def _reached(count: int, more: int, limit: int) -> bool:
    return limit > 0 and count + more > limit
