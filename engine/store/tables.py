"""The tables, as SQLAlchemy maps them. A change here needs a migration; a test compares the two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, ForeignKey, MetaData, String, Text, UniqueConstraint, inspect
from sqlalchemy.orm import DeclarativeBase, InstanceState, Mapped, mapped_column

from engine.domain.identity import LONGEST, new_uid
from engine.domain.scope import DEFAULT_COMPANY, DEFAULT_DOMAIN
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


class NounRow(Row):
    """A thing that is administered: known outside by its ``uid``; ``version`` is one more after every change."""

    __abstract__ = True
    uid: Mapped[str] = mapped_column(String(LONGEST), unique=True)
    version: Mapped[int]
    if TYPE_CHECKING:
        company_id: Mapped[int]  # of every kind, though not always a column of its own

    @property
    def is_new(self) -> bool:
        """Whether it has never been stored: it has no ``id`` yet."""
        state: InstanceState[NounRow] = inspect(self)
        return state.transient


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


class LineRow(OwnedRow, NounRow):
    """A line; ``Line`` is what calls know of it. Phones are told the rest, and CTI links."""

    __tablename__ = "lines"
    __table_args__ = (UniqueConstraint("company_id", "number"),)
    uid: Mapped[str] = mapped_column(String(LONGEST), unique=True, default=lambda: new_uid("lin"))
    version: Mapped[int] = mapped_column(default=1)
    domain_id: Mapped[int] = mapped_column(
        ForeignKey("domains.id", ondelete="RESTRICT"), index=True, default=DEFAULT_DOMAIN
    )
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), index=True)
    number: Mapped[str] = mapped_column(String(32), index=True)
    display_name: Mapped[str] = mapped_column(String(128))
    protocol: Mapped[str] = mapped_column(String(8), default="sip")
    realm: Mapped[str] = mapped_column(String(255))
    ha1: Mapped[dict[str, Any]] = mapped_column(JSON)
    cti_password: Mapped[str | None] = mapped_column(String(255))
    ip: Mapped[str] = mapped_column(String(45), default="")
    video: Mapped[bool] = mapped_column(default=False)
    call_appearances: Mapped[int] = mapped_column(default=2)
    one_number: Mapped[bool] = mapped_column(default=False)
    sip_user: Mapped[str] = mapped_column(String(64), default="")
    proxy: Mapped[str] = mapped_column(String(255), default="")
    proxy_port: Mapped[int | None]
    stun: Mapped[str] = mapped_column(String(255), default="")
    expiry: Mapped[int | None]
    dtmf: Mapped[str] = mapped_column(String(8), default="auto")
    g729: Mapped[bool] = mapped_column(default=True)
    tls: Mapped[bool] = mapped_column(default=False)
    client_port: Mapped[int | None]
    enabled: Mapped[bool]
    srtp: Mapped[str | None] = mapped_column(String(8))
    search_text: Mapped[str] = mapped_column(Text, default="")


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
