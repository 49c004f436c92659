"""Structures of arrays: a column per field, a row per leg slot."""

from __future__ import annotations

import math
import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

WIDE = 256
"""Octets of a row from which on a column lies in pages of its own."""
_AHEAD = 4
"""How far such a column can grow where it is: pages nobody has written to cost nothing."""

Column = npt.NDArray[Any]


def pages(rows: int, like: Column) -> Column:
    """Zeros in the shape of ``like`` but with so many rows, of memory that is taken page by page when written to.

    It goes back to the system as a whole. In the heap a table that has grown leaves holes, as large as itself.
    """
    shape = (rows, *like.shape[1:])
    count = math.prod(shape)
    memory = mmap.mmap(-1, max(1, count * like.dtype.itemsize), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    column: Column = np.frombuffer(memory, like.dtype, count).reshape(shape)
    return column


class Columns:
    """Its array attributes are the columns, all of one capacity. Subclasses only declare them."""

    _blank: list[tuple[Column, Any]] | None = None
    """Each narrow column and its zero, found once a capacity: a slot is cleared at every call's begin and end."""
    _wide: tuple[Column, ...] = ()
    _room: dict[str, Column] | None = None
    """What the wide columns are the beginning of, by name."""

    def columns(self) -> dict[str, Column]:
        """The columns by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}

    def grow(self, capacity: int) -> None:
        """Replace every column by a longer one with the same content; new rows are zero."""
        for name, old in self.columns().items():
            setattr(self, name, self._longer(name, old, capacity))
        self._blank = None

    def _longer(self, name: str, old: Column, capacity: int) -> Column:
        if not _is_wide(old):
            new = np.zeros((capacity, *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            return new
        room = {} if self._room is None else self._room
        self._room = room
        kept = room.get(name)
        if kept is None or len(kept) < capacity:
            kept = room[name] = pages(_AHEAD * capacity, old)
            used = np.flatnonzero(old.reshape(len(old), -1).view(np.uint8).any(axis=1))
            kept[used] = old[used]
        return kept[:capacity]

    def clear(self, slot: int) -> None:
        """Set a row to zero, for the leg that comes next."""
        if self._blank is None:
            columns = list(self.columns().values())
            # a structured column takes no plain 0
            self._blank = [(each, np.zeros((), each.dtype)[()]) for each in columns if not _is_wide(each)]
            self._wide = tuple(each for each in columns if _is_wide(each))
        for column, zero in self._blank:
            column[slot] = zero
        for column in self._wide:
            if column[slot].any():  # a page is not to be taken for zeros
                column[slot] = 0


def _is_wide(column: Column) -> bool:
    return column.ndim > 1 and column.strides[0] >= WIDE
