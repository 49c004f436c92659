"""What is kept of calls: who, how long, and how they sounded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An empty table; calls before this version are not known."""
    op.create_table(
        "calls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.String(length=255), nullable=False),
        sa.Column("number", sa.String(length=255), nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("link", sa.String(length=64), nullable=False),
        sa.Column("codec", sa.String(length=16), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("packets_sent", sa.Integer(), nullable=False),
        sa.Column("packets_received", sa.Integer(), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=False),
        sa.Column("late", sa.Integer(), nullable=False),
        sa.Column("remote_lost", sa.Integer(), nullable=False),
        sa.Column("jitter_average_ms", sa.Double(), nullable=False),
        sa.Column("jitter_most_ms", sa.Double(), nullable=False),
        sa.Column("delay_ms", sa.Double(), nullable=True),
        sa.Column("mos_lowest", sa.Double(), nullable=True),
        sa.Column("mos_average", sa.Double(), nullable=True),
        sa.Column("remote_mos", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
    )
    op.create_index(op.f("ix_calls_number"), "calls", ["number"], unique=False)
    op.create_index(op.f("ix_calls_started_at"), "calls", ["started_at"], unique=False)
