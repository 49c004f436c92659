"""What there is belongs to a company: names and numbers are one company's, and another may have the same.

All that is there already is the default company's, the first of its table (migration 0008).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

DEFAULT_COMPANY = "1"
OWNED = {
    "links": ("name",),
    "automate_ranges": None,
    "lines": ("number",),
    "prompts": ("name",),
    "recordings": None,
    "calls": None,
    "conference_rooms": ("number",),
    "conference_ranges": ("first_number",),
    "conference_policies": ("scope", "name"),
}
"""Each table, and what was unique in it and is so in a company from now on."""
LONGEST_KEY = 32


def upgrade() -> None:
    """The column everywhere; rooms of meetings that were held are named with their company."""
    for table, unique in OWNED.items():
        with op.batch_alter_table(table) as batch:
            batch.add_column(
                sa.Column("company_id", sa.Integer(), nullable=False, server_default=DEFAULT_COMPANY)
            )
            batch.create_foreign_key(
                op.f(f"fk_{table}_company_id"),
                "companies",
                ["company_id"],
                ["id"],
                ondelete="CASCADE" if table == "calls" else "RESTRICT",
            )
            batch.create_index(op.f(f"ix_{table}_company_id"), ["company_id"], unique=False)
            if unique is not None:
                batch.drop_constraint(op.f(f"uq_{table}_{'_'.join(unique)}"), type_="unique")
                columns = ("company_id", *unique)
                batch.create_unique_constraint(op.f(f"uq_{table}_{'_'.join(columns)}"), list(columns))
    for table in ("conference_events", "conference_held"):
        with op.batch_alter_table(table) as batch:
            batch.alter_column(
                "number",
                existing_type=sa.String(length=20),
                type_=sa.String(length=LONGEST_KEY),
                existing_nullable=False,
            )
