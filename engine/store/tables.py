"""The tables, as SQLAlchemy maps them. A change here needs a migration; a test compares the two."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from engine.domain.scope import DEFAULT_COMPANY
from engine.store.records import DtmfMode

# Constraints need names: SQLite's batch migrations and PostgreSQL can only drop what has one.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """What all tables share."""

    metadata = MetaData(naming_convention=NAMING)


class Row(Base):
    """A table of records: one integer key, and a column for every other field of the record."""

    __abstract__ = True
    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)


class OwnedRow(Row):
    """A table of what belongs to a company, by names or numbers that another company may have as well."""

    __abstract__ = True
    company_id: Mapped[int] = mapped_column(
        ForeignKey("companies.id", ondelete="RESTRICT"),
        default=DEFAULT_COMPANY,
        server_default=str(DEFAULT_COMPANY),
        index=True,
    )


class LinkRow(OwnedRow):
    """``Link``."""

    __tablename__ = "links"
    __table_args__ = (UniqueConstraint("company_id", "name"),)
    name: Mapped[str] = mapped_column(String(64))
    host: Mapped[str] = mapped_column(String(255))
    port: Mapped[int | None]
    transport: Mapped[str] = mapped_column(String(8))
    pbx_type: Mapped[str] = mapped_column(String(32))
    realm: Mapped[str | None] = mapped_column(String(255))
    username: Mapped[str | None] = mapped_column(String(255))
    password: Mapped[str | None] = mapped_column(String(255))
    register: Mapped[bool]
    rate_limit: Mapped[int | None]
    nat: Mapped[bool]
    dtmf: Mapped[DtmfMode] = mapped_column(String(8))
    symmetric: Mapped[bool]
    dialled_prefixes: Mapped[str] = mapped_column(String(255))
    enabled: Mapped[bool]
    srtp: Mapped[str | None] = mapped_column(String(8))


class AutomateRangeRow(OwnedRow):
    """``AutomateRange``."""

    __tablename__ = "automate_ranges"
    link_id: Mapped[int | None] = mapped_column(ForeignKey("links.id", ondelete="RESTRICT"), index=True)
    first_number: Mapped[str] = mapped_column(String(32))
    count: Mapped[int]
    password: Mapped[str | None] = mapped_column(String(255))
    application: Mapped[str] = mapped_column(String(32))
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON)
    enabled: Mapped[bool]


class LineRow(OwnedRow):
    """``Line``."""

    __tablename__ = "lines"
    __table_args__ = (UniqueConstraint("company_id", "number"),)
    number: Mapped[str] = mapped_column(String(32))
    display_name: Mapped[str] = mapped_column(String(128))
    realm: Mapped[str] = mapped_column(String(255))
    ha1: Mapped[dict[str, Any]] = mapped_column(JSON)
    enabled: Mapped[bool]
    srtp: Mapped[str | None] = mapped_column(String(8))


class BindingRow(Row):
    """``sip.bindings.Binding``, its times turned into wall-clock ones."""

    __tablename__ = "bindings"
    aor: Mapped[str] = mapped_column(String(255), index=True)
    expires_at: Mapped[float]
    content: Mapped[dict[str, Any]] = mapped_column(JSON)


class PromptRow(OwnedRow):
    """``Prompt``."""

    __tablename__ = "prompts"
    __table_args__ = (UniqueConstraint("company_id", "name"),)
    name: Mapped[str] = mapped_column(String(64))
    path: Mapped[str] = mapped_column(Text)
    seconds: Mapped[float]
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    source_name: Mapped[str] = mapped_column(String(255))


class RecordingRow(OwnedRow):
    """``Recording``."""

    __tablename__ = "recordings"
    number: Mapped[str] = mapped_column(String(255), index=True)
    caller: Mapped[str] = mapped_column(String(255))
    path: Mapped[str] = mapped_column(Text)
    started_at: Mapped[float] = mapped_column(index=True)
    seconds: Mapped[float]
    reason: Mapped[str] = mapped_column(String(64))


class CallRow(OwnedRow):
    """``CallRecord``. The calls of a company go with it."""

    __tablename__ = "calls"
    company_id: Mapped[int] = mapped_column(
        ForeignKey("companies.id", ondelete="CASCADE"),
        default=DEFAULT_COMPANY,
        server_default=str(DEFAULT_COMPANY),
        index=True,
    )
    call_id: Mapped[str] = mapped_column(String(255))
    number: Mapped[str] = mapped_column(String(255), index=True)
    direction: Mapped[str] = mapped_column(String(8))
    link: Mapped[str] = mapped_column(String(64))
    codec: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[float] = mapped_column(index=True)
    seconds: Mapped[float]
    packets_sent: Mapped[int]
    packets_received: Mapped[int]
    lost: Mapped[int]
    late: Mapped[int]
    remote_lost: Mapped[int]
    jitter_average_ms: Mapped[float]
    jitter_most_ms: Mapped[float]
    delay_ms: Mapped[float | None]
    mos_lowest: Mapped[float | None]
    mos_average: Mapped[float | None]
    remote_mos: Mapped[float | None]


class SecretRow(Base):
    """Random bytes made once and kept, such as the one nonces are signed with."""

    __tablename__ = "secrets"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(String(255))  # hexadecimal
