"""What administrators' one-time codes are checked by. Nobody has any at first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An empty table."""
    op.create_table(
        "admin_factors",
        sa.Column("admin_id", sa.Integer(), nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("recovery", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["admin_id"], ["admins.id"], name=op.f("fk_admin_factors_admin_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("admin_id", name=op.f("pk_admin_factors")),
    )
