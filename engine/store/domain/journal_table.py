"""The table of the call journal."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from engine.domain.identity import LONGEST
from engine.store.tables import NounRow


class JournalRow(NounRow):
    """``JournalCall``: a call in the journal of one of our numbers. The journal of a company goes with it."""

    __tablename__ = "call_journal"
    __table_args__ = (
        Index("ix_call_journal_company_id_started_at", "company_id", "started_at"),
        Index("ix_call_journal_user_started_at", "user", "started_at"),
    )
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id", ondelete="CASCADE"))
    line: Mapped[str] = mapped_column(String(32))
    user: Mapped[str | None] = mapped_column(String(LONGEST))
    direction: Mapped[str] = mapped_column(String(8))
    number: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(128))
    started_at: Mapped[float]
    seconds: Mapped[float]
    answered_by: Mapped[str] = mapped_column(String(255))
    mos: Mapped[float | None]
    recording: Mapped[str] = mapped_column(String(255))
    call_id: Mapped[str] = mapped_column(String(255), index=True)
    search_text: Mapped[str] = mapped_column(Text)
