"""Links may be declared symmetric (RFC 4961); those there are keep a port a call."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; alembic runs this inside the transaction of engine.store.migrate."""
    with op.batch_alter_table("links") as links:
        links.add_column(sa.Column("symmetric", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("links") as links:
        links.alter_column("symmetric", server_default=None)
