"""What happened in meetings: their events as they come, and who was there once they are over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any, cast

from sqlalchemy import CursorResult, delete, insert, select

from conference.attendance import Attendance, LeaveReason, MeetingReport, Talk
from conference.events import Event, EventKind
from conference.participant import ParticipantKind
from conference.role import Role
from engine.domain.scope import company_of, plain
from engine.store.conferences.records import HeldMeeting, JournalEntry
from engine.store.conferences.tables import AttendanceRow, ConferenceEventRow, HeldMeetingRow
from engine.store.database import Database
from engine.store.errors import NotFound
from engine.store.event_log import EventLog, NewEvent
from engine.store.rules import printable

LONGEST_NAME = 80
UNTOLD = frozenset({EventKind.TALKING, EventKind.SILENT})
LONGEST_NUMBER = 255
_HELD = tuple(each.name for each in fields(HeldMeeting) if each.name != "id")
_ATTENDANCE = tuple(each.name for each in fields(Attendance))


class ConferenceJournal:
    """Events of meetings, held meetings and their lists of participants."""

    def __init__(self, database: Database, log: EventLog) -> None:
        self._database = database
        self._log = log

    def write(self, entries: Sequence[JournalEntry]) -> None:
        """Store many events in one transaction; they may be of different meetings.

        They go into the logs of their companies too, but for who talks when: that is of the meeting alone.
        """
        if not entries:
            return
        with self._database.writing() as session:
            session.execute(insert(ConferenceEventRow), [_event_columns(each) for each in entries])
            by_company: defaultdict[int, list[NewEvent]] = defaultdict(list)
            for each in entries:
                if each.event.kind not in UNTOLD:
                    by_company[company_of(each.number)].append(_told(each))
            for company_id in sorted(by_company):
                self._log.extend(session, company_id, by_company[company_id])

    def events(self, meeting: str, after: int = 0, count: int = 1000) -> list[JournalEntry]:
        """The events of a meeting that follow number ``after``, in order."""
        query = (
            select(ConferenceEventRow)
            .where(ConferenceEventRow.meeting == meeting, ConferenceEventRow.sequence > after)
            .order_by(ConferenceEventRow.sequence)
            .limit(count)
        )
        with self._database.reading() as session:
            return [_entry(row) for row in session.scalars(query)]

    def following(
        self, meeting: str, sequence: int, number: str | None = None, count: int = 500
    ) -> list[JournalEntry]:
        """The events, of a room or of all rooms, stored after that event of that meeting, in the order they came.

        sequence 0: from the meeting's first on. Raises NotFound: there are no such events (any more).
        """
        of_meeting = select(ConferenceEventRow.id, ConferenceEventRow.sequence).where(
            ConferenceEventRow.meeting == meeting
        )
        if sequence:
            known = of_meeting.where(ConferenceEventRow.sequence == sequence)
        else:
            known = of_meeting.order_by(ConferenceEventRow.sequence).limit(1)
        with self._database.reading() as session:
            last = session.execute(known).one_or_none()
            if last is None:
                raise NotFound("event", f"{meeting}:{sequence}")
            after = last.id if sequence else last.id - 1
            query = select(ConferenceEventRow).where(ConferenceEventRow.id > after)
            if number is not None:
                query = query.where(ConferenceEventRow.number == number)
            return [
                _entry(row) for row in session.scalars(query.order_by(ConferenceEventRow.id).limit(count))
            ]

    def last_event(self, meeting: str) -> int:
        """The number of a meeting's last stored event; 0 when there is none."""
        query = (
            select(ConferenceEventRow.sequence)
            .where(ConferenceEventRow.meeting == meeting)
            .order_by(ConferenceEventRow.sequence.desc())
            .limit(1)
        )
        with self._database.reading() as session:
            return session.scalars(query).one_or_none() or 0

    def close(self, report: MeetingReport) -> None:
        """Store a meeting that is over; a second report of it replaces the first."""
        with self._database.writing() as session:
            found = session.scalars(select(HeldMeetingRow).where(HeldMeetingRow.meeting == report.meeting))
            for row in found:
                session.execute(delete(AttendanceRow).where(AttendanceRow.held_id == row.id))
                session.delete(row)
            session.flush()
            held = HeldMeetingRow(
                **{name: getattr(report, name) for name in _HELD} | {"reason": str(report.reason)},
                talks=[[each.participant, each.began, each.ended] for each in report.talks],
            )
            session.add(held)
            session.flush()
            if report.attendances:
                rows = [_attendance_columns(each) | {"held_id": held.id} for each in report.attendances]
                session.execute(insert(AttendanceRow), rows)

    def held(self, count: int = 100, number: str | None = None) -> list[HeldMeeting]:
        """The newest meetings, of one room or all."""
        query = select(HeldMeetingRow).order_by(HeldMeetingRow.opened_at.desc(), HeldMeetingRow.id.desc())
        if number is not None:
            query = query.where(HeldMeetingRow.number == number)
        with self._database.reading() as session:
            return [_held(row) for row in session.scalars(query.limit(count))]

    def attendances(self, meeting: str) -> list[Attendance]:
        """Who was in a meeting that is over, in the order they came."""
        query = (
            select(AttendanceRow)
            .join(HeldMeetingRow)
            .where(HeldMeetingRow.meeting == meeting)
            .order_by(AttendanceRow.joined_at, AttendanceRow.participant)
        )
        with self._database.reading() as session:
            return [_attendance(row) for row in session.scalars(query)]

    def talks(self, meeting: str) -> list[Talk]:
        """Who talked when, in a meeting that is over."""
        query = select(HeldMeetingRow.talks).where(HeldMeetingRow.meeting == meeting)
        with self._database.reading() as session:
            talks = session.scalars(query).one_or_none() or []
            return [Talk(participant=who, began=began, ended=ended) for who, began, ended in talks]

    def forget_before(self, time: float) -> int:
        """Remove events and meetings from before then; how many rows of either those were."""
        with self._database.writing() as session:
            events = session.execute(delete(ConferenceEventRow).where(ConferenceEventRow.at < time))
            # Attendances go with their meeting: SQLite enforces the key, too.
            held = session.execute(delete(HeldMeetingRow).where(HeldMeetingRow.closed_at < time))
            return sum(int(cast("CursorResult[tuple[()]]", done).rowcount) for done in (events, held))


def _told(entry: JournalEntry) -> NewEvent:
    """As it stands in its company's log."""
    event = entry.event
    data = {
        "number": plain(entry.number),
        "meeting_sequence": event.sequence,
        "happened_at": event.at,
        "participant": event.participant,
        "actor": event.actor,
        "details": dict(event.details),
    }
    return NewEvent(f"conferences.{event.kind}", entry.meeting, data)


def _event_columns(entry: JournalEntry) -> dict[str, Any]:
    event = entry.event
    return {
        "meeting": entry.meeting,
        "number": entry.number,
        "sequence": event.sequence,
        "at": event.at,
        "kind": str(event.kind),
        "participant": event.participant,
        "actor": event.actor,
        "details": dict(event.details),
    }


def _entry(row: ConferenceEventRow) -> JournalEntry:
    event = Event(row.sequence, row.at, EventKind(row.kind), row.participant, row.actor, row.details)
    return JournalEntry(row.meeting, row.number, event)


def _held(row: HeldMeetingRow) -> HeldMeeting:
    return HeldMeeting(id=row.id, **{name: getattr(row, name) for name in _HELD})


def _attendance_columns(attendance: Attendance) -> dict[str, Any]:
    return asdict(attendance) | {
        "kind": str(attendance.kind),
        "role": str(attendance.role),
        "reason": str(attendance.reason),
        # names and numbers come from the network
        "name": printable(attendance.name, LONGEST_NAME),
        "number": printable(attendance.number, LONGEST_NUMBER),
        "codec": printable(attendance.codec, 32),
    }


def _attendance(row: AttendanceRow) -> Attendance:
    values = {name: getattr(row, name) for name in _ATTENDANCE}
    values |= {
        "kind": ParticipantKind(row.kind),
        "role": Role(row.role),
        "reason": LeaveReason(row.reason),
    }
    return Attendance(**values)
