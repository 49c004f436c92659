"""Lines belong to a domain, and to a user or nobody; they have what phones and CTI links are told of them."""

from __future__ import annotations

import secrets
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


def upgrade() -> None:
    """The columns with what a line of before has in them, then its identity, then what holds among them."""
    with op.batch_alter_table("lines") as batch:
        batch.add_column(sa.Column("uid", sa.String(length=32), nullable=True))
        batch.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        batch.add_column(sa.Column("domain_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("user_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("protocol", sa.String(length=8), nullable=False, server_default="sip"))
        batch.add_column(sa.Column("cti_password", sa.String(length=255), nullable=True))
        batch.add_column(sa.Column("ip", sa.String(length=45), nullable=False, server_default=""))
        batch.add_column(sa.Column("video", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("call_appearances", sa.Integer(), nullable=False, server_default="2"))
        batch.add_column(sa.Column("one_number", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("sip_user", sa.String(length=64), nullable=False, server_default=""))
        batch.add_column(sa.Column("proxy", sa.String(length=255), nullable=False, server_default=""))
        batch.add_column(sa.Column("proxy_port", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("stun", sa.String(length=255), nullable=False, server_default=""))
        batch.add_column(sa.Column("expiry", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("dtmf", sa.String(length=8), nullable=False, server_default="auto"))
        batch.add_column(sa.Column("g729", sa.Boolean(), nullable=False, server_default=sa.true()))
        batch.add_column(sa.Column("tls", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("client_port", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("search_text", sa.Text(), nullable=False, server_default=""))
    _fill()
    with op.batch_alter_table("lines") as batch:
        batch.alter_column("uid", existing_type=sa.String(length=32), nullable=False)
        batch.alter_column("domain_id", existing_type=sa.Integer(), nullable=False)
        batch.create_unique_constraint(op.f("uq_lines_uid"), ["uid"])
        batch.create_foreign_key(
            op.f("fk_lines_domain_id"), "domains", ["domain_id"], ["id"], ondelete="RESTRICT"
        )
        batch.create_foreign_key(op.f("fk_lines_user_id"), "users", ["user_id"], ["id"], ondelete="RESTRICT")
        for column in ("domain_id", "user_id", "number"):
            batch.create_index(op.f(f"ix_lines_{column}"), [column], unique=False)


def _fill() -> None:
    """Each line in the first domain of its company, with an identity and the words it is found by."""
    connection = op.get_bind()
    firsts = sa.text("SELECT company_id, min(id) FROM domains GROUP BY company_id")
    domains: dict[int, int] = {row[0]: row[1] for row in connection.execute(firsts)}
    change = sa.text("UPDATE lines SET uid = :uid, domain_id = :domain, search_text = :words WHERE id = :id")
    for key, company, number, name in connection.execute(
        sa.text("SELECT id, company_id, number, display_name FROM lines")
    ).all():
        if company not in domains:
            raise RuntimeError(f"line {number}: its company has no domain; give it one first")
        uid = f"lin_{''.join(secrets.choice(ALPHABET) for _ in range(20))}"
        values = {"uid": uid, "domain": domains[company], "words": _fold(f"{number} {name}"), "id": key}
        connection.execute(change, values)


def _fold(text: str) -> str:
    bare = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return " ".join(unicodedata.normalize("NFKD", bare.casefold()).split())
