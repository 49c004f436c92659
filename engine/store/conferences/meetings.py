"""Planned meetings and who is invited to them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from conference.role import Role
from conference.schedule import PlannedMeeting
from engine.domain.scope import company_of, plain, scoped
from engine.store.collection import Collection
from engine.store.conferences.records import Invitee
from engine.store.conferences.rules import check_invitees, check_meeting
from engine.store.conferences.tables import ConferenceRoomRow, InviteeRow, PlannedMeetingRow
from engine.store.errors import Invalid, NotFound

MOST_MEETINGS = 1000
"""Of one room: more would make every call to it slow to answer."""
_TIME = "%Y-%m-%dT%H:%M:%S"
_PLAIN = (
    "uid",
    "title",
    "description",
    "organiser_name",
    "organiser_address",
    "time_zone",
    "recurrence",
    "early_minutes",
    "language",
    "sequence",
    "cancelled",
)


class PlannedMeetings(Collection[PlannedMeetingRow, PlannedMeeting]):
    """Planned meetings, by their UID; their rooms by scoped number."""

    row_type = PlannedMeetingRow
    record_type = PlannedMeeting
    key = "uid"
    what = "planned meeting"

    def check(self, session: Session, record: PlannedMeeting) -> None:
        """Refuse bad fields, a UID in use, a room that is not there and one meeting too many for it."""
        check_meeting(record)
        self._refuse_taken(session, record)
        room = _room_id(session, record.room)
        query = select(PlannedMeetingRow.id).where(PlannedMeetingRow.room_id == room)
        if sum(1 for each in session.scalars(query) if each != record.id) >= MOST_MEETINGS:
            raise Invalid("room", f"one with fewer than {MOST_MEETINGS} meetings")

    def of_room(self, number: str) -> list[PlannedMeeting]:
        """The meetings planned for a room, cancelled ones too."""
        query = select(PlannedMeetingRow).join(ConferenceRoomRow).where(*_is(number))
        with self._database.reading() as session:
            return [self._record(row) for row in session.scalars(query.order_by(PlannedMeetingRow.id))]

    def invitees(self, uid: str) -> list[Invitee]:
        """Who is invited, in the order they were. Raises NotFound."""
        with self._database.reading() as session:
            row = self._required(session, uid)
            query = select(InviteeRow).where(InviteeRow.meeting_id == row.id).order_by(InviteeRow.id)
            return [_invitee(each) for each in session.scalars(query)]

    def invite(self, uid: str, invitees: Iterable[Invitee]) -> None:
        """Replace the list of who is invited; what those who stay were told is kept. Raises NotFound or Invalid."""
        wanted = tuple(invitees)
        check_invitees(wanted)
        with self._database.writing() as session:
            row = self._required(session, uid)
            query = select(InviteeRow).where(InviteeRow.meeting_id == row.id)
            told = {each.address: each.told for each in session.scalars(query)}
            session.execute(delete(InviteeRow).where(InviteeRow.meeting_id == row.id))
            for each in wanted:
                session.add(
                    InviteeRow(
                        meeting_id=row.id,
                        address=each.address,
                        name=each.name,
                        language=each.language,
                        role=str(each.role),
                        told=told.get(each.address),
                    )
                )

    def told(self, uid: str, addresses: Iterable[str], sequence: int) -> None:
        """Messages with this SEQUENCE are made for these invitees. Raises NotFound."""
        with self._database.writing() as session:
            row = self._required(session, uid)
            session.execute(
                update(InviteeRow)
                .where(InviteeRow.meeting_id == row.id, InviteeRow.address.in_(list(addresses)))
                .values(told=sequence)
            )

    def _required(self, session: Session, uid: str) -> PlannedMeetingRow:
        row = self._find(session, uid)
        if row is None:
            raise NotFound(self.what, uid)
        return row

    def _put(self, session: Session, record: PlannedMeeting, identity: int | None) -> PlannedMeetingRow:
        # The room's key, not its number, stands in the row, so that a room may be given another number.
        row = self.row_type() if identity is None else session.get(self.row_type, identity)
        if row is None:
            raise NotFound(self.what, record.uid)
        self.check(session, record)
        row.room_id = _room_id(session, record.room)
        row.start, row.end = record.start.strftime(_TIME), record.end.strftime(_TIME)
        row.excluded = [each.strftime(_TIME) for each in record.excluded]
        for name in _PLAIN:
            setattr(row, name, getattr(record, name))
        session.add(row)
        session.flush()
        return row

    def _record(self, row: PlannedMeetingRow) -> PlannedMeeting:
        return PlannedMeeting(
            room=scoped(row.room.number, row.room.company_id),
            start=datetime.fromisoformat(row.start),
            end=datetime.fromisoformat(row.end),
            excluded=tuple(map(datetime.fromisoformat, row.excluded)),
            id=row.id,
            **{name: getattr(row, name) for name in _PLAIN},
        )


def _room_id(session: Session, number: str) -> int:
    found = session.scalars(select(ConferenceRoomRow.id).where(*_is(number))).one_or_none()
    if found is None:
        raise NotFound("room", number)
    return found


def _is(number: str) -> tuple[ColumnElement[bool], ...]:
    """Whether a row is the room of that scoped number."""
    return ConferenceRoomRow.number == plain(number), ConferenceRoomRow.company_id == company_of(number)


def _invitee(row: InviteeRow) -> Invitee:
    return Invitee(
        address=row.address, name=row.name, language=row.language, role=Role(row.role), told=row.told
    )
