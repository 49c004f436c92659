"""Conferences: rooms and their numbers, policies, planned meetings, what happened in them; and mail on its way.

A store that is in use gets the rooms of the demonstration too, if their numbers are free. An empty one gets them with
everything else of the first start.
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ACCESS, FIRST, LAST = 9000, 9001, 9099
PIN_DIGITS = 6


def upgrade() -> None:
    """Empty tables, then the demonstration."""
    create_rooms()
    create_meetings()
    create_journal()
    create_mails()
    if _in_use() and _numbers_are_free():
        demonstrate()


def create_rooms() -> None:
    """Rooms, number ranges and policies."""
    op.create_table(
        "conference_rooms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("owner_address", sa.String(length=254), nullable=False),
        sa.Column("domain", sa.String(length=64), nullable=False),
        sa.Column("host_pin", sa.String(length=12), nullable=True),
        sa.Column("guest_pin", sa.String(length=12), nullable=True),
        sa.Column("lobby", sa.String(length=16), nullable=False),
        sa.Column("host_leaves", sa.String(length=16), nullable=False),
        sa.Column("host_grace", sa.Double(), nullable=False),
        sa.Column("entry_sound", sa.String(length=16), nullable=False),
        sa.Column("exit_sound", sa.String(length=16), nullable=False),
        sa.Column("announce_count", sa.Boolean(), nullable=False),
        sa.Column("music", sa.Boolean(), nullable=False),
        sa.Column("start_muted", sa.Boolean(), nullable=False),
        sa.Column("record", sa.String(length=16), nullable=False),
        sa.Column("record_automatically", sa.Boolean(), nullable=False),
        sa.Column("consent", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("loudest", sa.Integer(), nullable=False),
        sa.Column("max_participants", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conference_rooms")),
        sa.UniqueConstraint("number", name=op.f("uq_conference_rooms_number")),
    )
    op.create_index(op.f("ix_conference_rooms_owner"), "conference_rooms", ["owner"], unique=False)
    op.create_table(
        "conference_ranges",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("domain", sa.String(length=64), nullable=False),
        sa.Column("first_number", sa.String(length=20), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conference_ranges")),
        sa.UniqueConstraint("first_number", name=op.f("uq_conference_ranges_first_number")),
    )
    op.create_table(
        "conference_policies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("members", sa.JSON(), nullable=False),
        sa.Column("audio", sa.Boolean(), nullable=True),
        sa.Column("video", sa.Boolean(), nullable=True),
        sa.Column("sharing", sa.Boolean(), nullable=True),
        sa.Column("recording", sa.Boolean(), nullable=True),
        sa.Column("max_participants", sa.Integer(), nullable=True),
        sa.Column("anonymous_guests", sa.Boolean(), nullable=True),
        sa.Column("dial_out", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conference_policies")),
        sa.UniqueConstraint("scope", "name", name=op.f("uq_conference_policies_scope_name")),
    )


def create_meetings() -> None:
    """Planned meetings and who is invited."""
    op.create_table(
        "conference_meetings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=255), nullable=False),
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("organiser_name", sa.String(length=80), nullable=False),
        sa.Column("organiser_address", sa.String(length=254), nullable=False),
        sa.Column("start", sa.String(length=19), nullable=False),
        sa.Column("end", sa.String(length=19), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("recurrence", sa.String(length=255), nullable=False),
        sa.Column("excluded", sa.JSON(), nullable=False),
        sa.Column("early_minutes", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id"],
            ["conference_rooms.id"],
            name=op.f("fk_conference_meetings_room_id"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conference_meetings")),
        sa.UniqueConstraint("uid", name=op.f("uq_conference_meetings_uid")),
    )
    op.create_index(op.f("ix_conference_meetings_room_id"), "conference_meetings", ["room_id"], unique=False)
    op.create_table(
        "conference_invitees",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("meeting_id", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("told", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["meeting_id"],
            ["conference_meetings.id"],
            name=op.f("fk_conference_invitees_meeting_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conference_invitees")),
        sa.UniqueConstraint("meeting_id", "address", name=op.f("uq_conference_invitees_meeting_id_address")),
    )


def create_journal() -> None:
    """What happened."""
    op.create_table(
        "conference_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("meeting", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("participant", sa.Integer(), nullable=True),
        sa.Column("actor", sa.JSON(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conference_events")),
        sa.UniqueConstraint("meeting", "sequence", name=op.f("uq_conference_events_meeting_sequence")),
    )
    op.create_index(op.f("ix_conference_events_at"), "conference_events", ["at"], unique=False)
    op.create_index("ix_conference_events_number_at", "conference_events", ["number", "at"], unique=False)
    op.create_table(
        "conference_held",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("meeting", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("opened_at", sa.Double(), nullable=False),
        sa.Column("closed_at", sa.Double(), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("recorded", sa.Boolean(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("talks", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conference_held")),
        sa.UniqueConstraint("meeting", name=op.f("uq_conference_held_meeting")),
    )
    op.create_index(op.f("ix_conference_held_number"), "conference_held", ["number"], unique=False)
    op.create_index(op.f("ix_conference_held_opened_at"), "conference_held", ["opened_at"], unique=False)
    op.create_table(
        "conference_attendance",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("held_id", sa.Integer(), nullable=False),
        sa.Column("participant", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("number", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("joined_at", sa.Double(), nullable=False),
        sa.Column("entered_at", sa.Double(), nullable=True),
        sa.Column("left_at", sa.Double(), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("talk_seconds", sa.Double(), nullable=False),
        sa.Column("codec", sa.String(length=32), nullable=False),
        sa.Column("mos", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["held_id"],
            ["conference_held.id"],
            name=op.f("fk_conference_attendance_held_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conference_attendance")),
    )
    op.create_index(
        op.f("ix_conference_attendance_held_id"), "conference_attendance", ["held_id"], unique=False
    )


def create_mails() -> None:
    """The outgoing queue."""
    op.create_table(
        "mails",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
    )
    op.create_index(op.f("ix_mails_created_at"), "mails", ["created_at"], unique=False)
    op.create_index(op.f("ix_mails_due_at"), "mails", ["due_at"], unique=False)


def demonstrate() -> None:
    """The access number, and two rooms: one open, one with a PIN for hosts and one for guests, both made now."""
    connection = op.get_bind()
    tables = sa.MetaData()
    automates = sa.Table("automate_ranges", tables, autoload_with=connection)
    ranges = sa.Table("conference_ranges", tables, autoload_with=connection)
    rooms = sa.Table("conference_rooms", tables, autoload_with=connection)
    connection.execute(
        automates.insert().values(
            first_number=str(ACCESS), count=1, application="conference", parameters={}, enabled=True
        )
    )
    connection.execute(ranges.insert().values(domain="", first_number=str(FIRST), count=LAST - FIRST + 1))
    host_pin = guest_pin = _pin()
    while guest_pin == host_pin:
        guest_pin = _pin()
    plain = {
        "kind": "permanent",
        "owner_address": "",
        "domain": "",
        "host_leaves": "go_on",
        "host_grace": 30.0,
        "entry_sound": "tone",
        "exit_sound": "tone",
        "announce_count": False,
        "music": True,
        "start_muted": False,
        "record": "off",
        "record_automatically": False,
        "consent": "announced",
        "language": "en",
        "loudest": 8,
        "max_participants": 500,
        "enabled": True,
    }
    opened = {"number": "9001", "name": "Open room", "lobby": "off"}
    closed = {"number": "9010", "name": "Meeting room", "lobby": "until_host"}
    connection.execute(rooms.insert().values(plain | opened))
    connection.execute(rooms.insert().values(plain | closed | {"host_pin": host_pin, "guest_pin": guest_pin}))


def _pin() -> str:
    return str(secrets.randbelow(10**PIN_DIGITS)).zfill(PIN_DIGITS)


def _in_use() -> bool:
    """Whether there was a first start already."""
    return bool(op.get_bind().execute(sa.text("SELECT count(*) FROM admins")).scalar_one())


def _numbers_are_free() -> bool:
    """Whether no automate, line or prefix dialled over a link means a number of the demonstration."""
    connection = op.get_bind()
    wanted = range(ACCESS, LAST + 1)
    for first, count in connection.execute(sa.text("SELECT first_number, count FROM automate_ranges")):
        if len(first) == len(str(ACCESS)) and int(first) <= LAST and int(first) + count > ACCESS:
            return False
    lines = set(connection.execute(sa.text("SELECT number FROM lines")).scalars())
    prefixes = connection.execute(sa.text("SELECT dialled_prefixes FROM links")).scalars()
    dialled = tuple(prefix for each in prefixes for prefix in each.split())
    return not any(str(number) in lines or (dialled and str(number).startswith(dialled)) for number in wanted)
