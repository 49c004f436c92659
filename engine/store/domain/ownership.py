"""What belongs to a company, when the company is to go."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.domain.scope import scope_of
from engine.store.conferences.tables import (
    ConferenceEventRow,
    ConferencePolicyRow,
    ConferenceRoomRow,
    HeldMeetingRow,
    RoomRangeRow,
)
from engine.store.tables import AutomateRangeRow, LineRow, LinkRow, PromptRow, RecordingRow

_OWNED: tuple[tuple[str, InstrumentedAttribute[str], InstrumentedAttribute[int]], ...] = (
    ("line", LineRow.number, LineRow.company_id),
    ("automate range", AutomateRangeRow.first_number, AutomateRangeRow.company_id),
    ("link", LinkRow.name, LinkRow.company_id),
    ("prompt", PromptRow.name, PromptRow.company_id),
    ("recording", RecordingRow.path, RecordingRow.company_id),
    ("room", ConferenceRoomRow.number, ConferenceRoomRow.company_id),
    ("room range", RoomRangeRow.first_number, RoomRangeRow.company_id),
    ("meeting policy", ConferencePolicyRow.scope, ConferencePolicyRow.company_id),
)


def first_owned(session: Session, company: int) -> str | None:
    """Something that needs the company, in words; None when nothing does."""
    for what, name, owner in _OWNED:
        found = session.scalar(select(name).where(owner == company).order_by(name).limit(1))
        if found is not None:
            return f"{what} {found}"
    return None


def forget_meetings(session: Session, company: int) -> None:
    """Remove the journals of the meetings in a company's rooms, which are known by their scoped numbers.

    A company that comes later may be given the same id.
    """
    suffix = scope_of(company)
    for row in (ConferenceEventRow, HeldMeetingRow):
        session.execute(delete(row).where(row.number.endswith(suffix, autoescape=True)))
