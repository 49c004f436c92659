"""Rooms and the number ranges of their domains, in the one space of numbers that automates and lines share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from conference.definition import Consent, HostLeaves, Lobby, RecordKind, RoomDefinition, RoomKind, Sound
from engine.domain.scope import DEFAULT_COMPANY, company_of, plain, scope_of
from engine.store.collection import OwnedCollection
from engine.store.conferences.records import DEFINITION, ConferenceRoom, RoomRange
from engine.store.conferences.rules import check_range, check_room
from engine.store.conferences.tables import ConferenceRoomRow, PlannedMeetingRow, RoomRangeRow
from engine.store.errors import InUse, NotFound, Taken
from engine.store.number_space import Numbers, lock_numbers, refuse_taken_numbers

_WORDS: dict[str, Any] = {
    "kind": RoomKind,
    "lobby": Lobby,
    "host_leaves": HostLeaves,
    "entry_sound": Sound,
    "exit_sound": Sound,
    "record": RecordKind,
    "consent": Consent,
}


class ConferenceRooms(OwnedCollection[ConferenceRoomRow, ConferenceRoom]):
    """Rooms, by number."""

    row_type = ConferenceRoomRow
    record_type = ConferenceRoom
    key = "number"
    what = "room"

    def check(self, session: Session, record: ConferenceRoom) -> None:
        """Refuse bad fields, a number that something else has, and one set aside for another domain."""
        check_room(record)
        lock_numbers(session)
        self._refuse_taken(session, record)
        numbers = Numbers(record.number)
        refuse_taken_numbers(session, self.what, numbers, but="conference", company=record.company_id)
        _refuse_other_domains(session, record)

    def free_number(self, domain: str = "", company: int = DEFAULT_COMPANY) -> str:
        """The first number of the domain's ranges that no room has. Raises NotFound when there is none.

        Another may have taken it before a room of that number is added: then that raises Taken.
        """
        with self._database.reading() as session:
            rooms = select(ConferenceRoomRow.number).where(ConferenceRoomRow.company_id == company)
            used = set(session.scalars(rooms))
            for numbers in _ranges(session, domain, company):
                for number in numbers:
                    if number not in used:
                        return number
        raise NotFound("free room number in the domain", domain or "(default)")

    def owned(self, owner: str) -> list[ConferenceRoom]:
        """The rooms of a line or user, by its scoped name."""
        query = select(ConferenceRoomRow).where(
            ConferenceRoomRow.owner == plain(owner), ConferenceRoomRow.company_id == company_of(owner)
        )
        with self._database.reading() as session:
            return [self._record(row) for row in session.scalars(query.order_by(ConferenceRoomRow.number))]

    def _check_unused(self, session: Session, row: ConferenceRoomRow) -> None:
        query = select(PlannedMeetingRow).where(PlannedMeetingRow.room_id == row.id)
        planned = session.scalars(query.order_by(PlannedMeetingRow.id)).first()
        if planned is not None:
            raise InUse(self.what, row.number, f"planned meeting {planned.uid}")

    def _record(self, row: ConferenceRoomRow) -> ConferenceRoom:
        values = {name: _WORDS.get(name, _as_it_is)(getattr(row, name)) for name in DEFINITION}
        return ConferenceRoom(
            definition=RoomDefinition(**values, scope=scope_of(row.company_id)),
            owner_address=row.owner_address,
            enabled=row.enabled,
            company_id=row.company_id,
            id=row.id,
        )

    def _columns(self, record: ConferenceRoom) -> dict[str, object]:
        values = {name: getattr(record.definition, name) for name in DEFINITION}
        values |= {name: str(values[name]) for name in _WORDS}
        own = {name: getattr(record, name) for name in ("owner_address", "enabled", "company_id")}
        return values | own


class RoomRanges(OwnedCollection[RoomRangeRow, RoomRange]):
    """Number ranges, by their first number."""

    row_type = RoomRangeRow
    record_type = RoomRange
    key = "first_number"
    what = "room range"

    def check(self, session: Session, record: RoomRange) -> None:
        """Refuse bad fields, and numbers that another range, an automate, a line or another domain's room has."""
        check_range(record)
        lock_numbers(session)
        numbers = Numbers(record.first_number, record.count)
        refuse_taken_numbers(session, self.what, numbers, but="conference", company=record.company_id)
        ranges = select(RoomRangeRow).where(RoomRangeRow.company_id == record.company_id)
        for other in session.scalars(ranges.where(RoomRangeRow.id != record.id)):
            if numbers.overlaps(Numbers(other.first_number, other.count)):
                raise Taken(self.what, record.first_number, f"room range {other.first_number}")
        rooms = select(ConferenceRoomRow).where(ConferenceRoomRow.company_id == record.company_id)
        for room in session.scalars(rooms.order_by(ConferenceRoomRow.number)):
            if room.number in numbers and room.domain != record.domain:
                raise Taken(self.what, record.first_number, f"room {room.number}")


def _as_it_is(value: object) -> object:
    return value


def _ranges(session: Session, domain: str, company: int) -> Iterator[Numbers]:
    query = select(RoomRangeRow).where(RoomRangeRow.domain == domain, RoomRangeRow.company_id == company)
    for row in session.scalars(query.order_by(RoomRangeRow.first_number)):
        yield Numbers(row.first_number, row.count)


def _refuse_other_domains(session: Session, room: ConferenceRoom) -> None:
    definition = room.definition
    ranges = select(RoomRangeRow).where(RoomRangeRow.company_id == room.company_id)
    for other in session.scalars(ranges.where(RoomRangeRow.domain != definition.domain)):
        if definition.number in Numbers(other.first_number, other.count):
            raise Taken("room", definition.number, f"room range {other.first_number}")
