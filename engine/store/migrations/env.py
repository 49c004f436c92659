"""How Alembic runs here: always on the connection and in the transaction ``engine.store.migrate`` opened."""

from __future__ import annotations

from alembic import context

from engine.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite cannot alter most of a table in place
)
with context.begin_transaction():
    context.run_migrations()
