"""How digits travel on a link."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every link that is there goes on as ``auto``: events where the PBX has them."""
    with op.batch_alter_table("links") as links:
        links.add_column(sa.Column("dtmf", sa.String(length=8), nullable=False, server_default="auto"))
    with op.batch_alter_table("links") as links:
        links.alter_column("dtmf", server_default=None)
