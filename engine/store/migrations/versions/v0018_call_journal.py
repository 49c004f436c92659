"""The call journal; calls of before this version are in no journal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An empty table."""
    op.create_table(
        "call_journal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.String(length=32), nullable=False),
        sa.Column("user", sa.String(length=32), nullable=True),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("number", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("answered_by", sa.String(length=255), nullable=False),
        sa.Column("mos", sa.Double(), nullable=True),
        sa.Column("recording", sa.String(length=255), nullable=False),
        sa.Column("call_id", sa.String(length=255), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["company_id"], ["companies.id"], name=op.f("fk_call_journal_company_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_journal")),
        sa.UniqueConstraint("uid", name=op.f("uq_call_journal_uid")),
    )
    op.create_index(
        "ix_call_journal_company_id_started_at", "call_journal", ["company_id", "started_at"], unique=False
    )
    op.create_index("ix_call_journal_user_started_at", "call_journal", ["user", "started_at"], unique=False)
    op.create_index(op.f("ix_call_journal_call_id"), "call_journal", ["call_id"], unique=False)
