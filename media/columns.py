"""Structures of arrays: a column per field, a row per leg slot."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class Columns:
    """Its array attributes are the columns, all of one capacity. Subclasses only declare them."""

    _blank: list[tuple[npt.NDArray[Any], Any]] | None = None
    """Each column and its zero, found once a capacity: a slot is cleared at every call's begin and end."""

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """The columns by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)}

    def grow(self, capacity: int) -> None:
        """Replace every column by a longer one with the same content; new rows are zero."""
        for name, old in self.columns().items():
            new = np.zeros((capacity, *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)
        self._blank = None

    def clear(self, slot: int) -> None:
        """Set a row to zero, for the leg that comes next."""
        if self._blank is None:
            # a structured column takes no plain 0
            self._blank = [(column, np.zeros((), column.dtype)[()]) for column in self.columns().values()]
        for column, zero in self._blank:
            column[slot] = zero
