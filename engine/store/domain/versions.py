"""The versions of things whose view tells of others: what changes there changes them too."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.orm import Session

from engine.store.tables import NounRow


def touch(session: Session, row: type[NounRow], *keys: int | None) -> None:
    """Give rows a new version: who has read one has an old view of it. None among the keys is none."""
    known = {key for key in keys if key is not None}
    if known:
        session.execute(update(row).where(row.id.in_(known)).values(version=row.version + 1))
