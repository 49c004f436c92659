"""The tables of conferences and of outgoing mail. A change here needs a migration; a test compares the two."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.store.tables import OwnedRow, Row

LONGEST_KEY = 32
"""Characters of a room's scoped number: digits, an ``@`` and a company."""


class ConferenceRoomRow(OwnedRow):
    """``ConferenceRoom``, its definition column by column."""

    __tablename__ = "conference_rooms"
    __table_args__ = (UniqueConstraint("company_id", "number"),)
    number: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(16))
    owner: Mapped[str | None] = mapped_column(String(64), index=True)
    owner_address: Mapped[str] = mapped_column(String(254))
    domain: Mapped[str] = mapped_column(String(64))
    host_pin: Mapped[str | None] = mapped_column(String(12))
    guest_pin: Mapped[str | None] = mapped_column(String(12))
    lobby: Mapped[str] = mapped_column(String(16))
    host_leaves: Mapped[str] = mapped_column(String(16))
    host_grace: Mapped[float]
    entry_sound: Mapped[str] = mapped_column(String(16))
    exit_sound: Mapped[str] = mapped_column(String(16))
    announce_count: Mapped[bool]
    music: Mapped[bool]
    start_muted: Mapped[bool]
    record: Mapped[str] = mapped_column(String(16))
    record_automatically: Mapped[bool]
    consent: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(8))
    loudest: Mapped[int]
    max_participants: Mapped[int]
    enabled: Mapped[bool]


class RoomRangeRow(OwnedRow):
    """``RoomRange``."""

    __tablename__ = "conference_ranges"
    __table_args__ = (UniqueConstraint("company_id", "first_number"),)
    domain: Mapped[str] = mapped_column(String(64))
    first_number: Mapped[str] = mapped_column(String(20))
    count: Mapped[int]


class ConferencePolicyRow(OwnedRow):
    """``ConferencePolicy``, its choices column by column; NULL where nothing is said."""

    __tablename__ = "conference_policies"
    __table_args__ = (UniqueConstraint("company_id", "scope", "name"),)
    scope: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(64))
    members: Mapped[list[str]] = mapped_column(JSON)
    audio: Mapped[bool | None]
    video: Mapped[bool | None]
    sharing: Mapped[bool | None]
    recording: Mapped[bool | None]
    max_participants: Mapped[int | None]
    anonymous_guests: Mapped[bool | None]
    dial_out: Mapped[bool | None]


class PlannedMeetingRow(Row):
    """``conference.schedule.PlannedMeeting``; its times as ISO 8601 text of the wall clock in its zone."""

    __tablename__ = "conference_meetings"
    uid: Mapped[str] = mapped_column(String(255), unique=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("conference_rooms.id", ondelete="RESTRICT"), index=True)
    title: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text)
    organiser_name: Mapped[str] = mapped_column(String(80))
    organiser_address: Mapped[str] = mapped_column(String(254))
    start: Mapped[str] = mapped_column(String(19))
    end: Mapped[str] = mapped_column(String(19))
    time_zone: Mapped[str] = mapped_column(String(64))
    recurrence: Mapped[str] = mapped_column(String(255))
    excluded: Mapped[list[str]] = mapped_column(JSON)
    early_minutes: Mapped[int]
    language: Mapped[str] = mapped_column(String(8))
    sequence: Mapped[int]
    cancelled: Mapped[bool]
    room: Mapped[ConferenceRoomRow] = relationship(lazy="joined", innerjoin=True)


class InviteeRow(Row):
    """``Invitee`` of a planned meeting."""

    __tablename__ = "conference_invitees"
    __table_args__ = (UniqueConstraint("meeting_id", "address"),)
    meeting_id: Mapped[int] = mapped_column(ForeignKey("conference_meetings.id", ondelete="CASCADE"))
    address: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(80))
    language: Mapped[str] = mapped_column(String(8))
    role: Mapped[str] = mapped_column(String(8))
    told: Mapped[int | None]


class ConferenceEventRow(Row):
    """``JournalEntry``: one event of a meeting that was held, in the room of that scoped number.

    The actor is a number or a name.
    """

    __tablename__ = "conference_events"
    __table_args__ = (
        UniqueConstraint("meeting", "sequence"),
        Index("ix_conference_events_number_at", "number", "at"),
    )
    meeting: Mapped[str] = mapped_column(String(64))
    number: Mapped[str] = mapped_column(String(LONGEST_KEY))
    sequence: Mapped[int]
    at: Mapped[float] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(32))
    participant: Mapped[int | None]
    actor: Mapped[Any] = mapped_column(JSON)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)


class HeldMeetingRow(Row):
    """``HeldMeeting``, and who talked when (participant, began, ended), for the report's picture."""

    __tablename__ = "conference_held"
    meeting: Mapped[str] = mapped_column(String(64), unique=True)
    number: Mapped[str] = mapped_column(String(LONGEST_KEY), index=True)
    name: Mapped[str] = mapped_column(String(80))
    owner: Mapped[str | None] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(8))
    opened_at: Mapped[float] = mapped_column(index=True)
    closed_at: Mapped[float]
    reason: Mapped[str] = mapped_column(String(16))
    most: Mapped[int]
    recorded: Mapped[bool]
    events: Mapped[int]
    talks: Mapped[list[Any]] = mapped_column(JSON)


class AttendanceRow(Row):
    """``conference.attendance.Attendance`` in a meeting that was held."""

    __tablename__ = "conference_attendance"
    held_id: Mapped[int] = mapped_column(ForeignKey("conference_held.id", ondelete="CASCADE"), index=True)
    participant: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(80))
    number: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(8))
    joined_at: Mapped[float]
    entered_at: Mapped[float | None]
    left_at: Mapped[float]
    reason: Mapped[str] = mapped_column(String(16))
    talk_seconds: Mapped[float]
    codec: Mapped[str] = mapped_column(String(32))
    mos: Mapped[float | None]


class MailRow(Row):
    """``Mail``: a message on its way, or one that could not be delivered."""

    __tablename__ = "mails"
    recipient: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(255))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[float] = mapped_column(index=True)
    due_at: Mapped[float | None] = mapped_column(index=True)
    attempts: Mapped[int]
    error: Mapped[str] = mapped_column(String(255))
