"""The registrar's bindings, kept for the next start of the engine.

The registrar counts in monotonic seconds, which mean nothing to another process: they are stored as
wall-clock times. ``now`` is always the registrar's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec
from sqlalchemy import delete, select

from engine.store.database import Database
from engine.store.tables import BindingRow
from sip.bindings import Binding


class Bindings:
    """Bindings, by address of record."""

    def __init__(self, database: Database, wall_clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._wall_clock = wall_clock

    def all(self, now: float) -> list[Binding]:
        """Every binding that is still good after a restart; the others are forgotten.

        A contact registered over a connection went with it: the engine opens none to a registered
        address (security reference B5), so its phone has to come again.
        """
        offset = now - self._wall_clock()
        with self._database.writing() as session:
            session.execute(delete(BindingRow).where(BindingRow.expires_at <= self._wall_clock()))
            good = []
            for row in session.scalars(select(BindingRow).order_by(BindingRow.id)):
                binding = _parsed(row.content)
                if binding is None or (binding.flow is not None and binding.flow.reliable):
                    session.delete(row)
                else:
                    good.append(_moved(binding, offset))
            return good

    def replace(self, aor: str, bindings: Sequence[Binding], now: float) -> None:
        """Store the bindings of one address of record instead of those it had; none forgets it."""
        offset = self._wall_clock() - now
        with self._database.writing() as session:
            session.execute(delete(BindingRow).where(BindingRow.aor == aor))
            for binding in bindings:
                stored = _moved(binding, offset)
                content = msgspec.to_builtins(stored)
                session.add(BindingRow(aor=aor, expires_at=stored.expires_at, content=content))


def _moved(binding: Binding, offset: float) -> Binding:
    return replace(
        binding, expires_at=binding.expires_at + offset, registered_at=binding.registered_at + offset
    )


def _parsed(content: object) -> Binding | None:
    """The binding, or None when another version wrote it: a registration is soft state."""
    try:
        return msgspec.convert(content, Binding, strict=False)
    except msgspec.ValidationError:
        return None
