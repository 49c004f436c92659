"""Whether the calls of a link, and of a line's phones, are protected by SRTP."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; empty means that ``media.srtp`` of the configuration decides."""
    op.add_column("links", sa.Column("srtp", sa.String(length=8), nullable=True))
    op.add_column("lines", sa.Column("srtp", sa.String(length=8), nullable=True))
