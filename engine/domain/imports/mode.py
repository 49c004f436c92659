"""What an import may do to users: the four modes."""

from __future__ import annotations

from enum import Enum


class Mode(Enum):
    """Every mode updates; who left the source is removed, disabled or left alone."""

    INSERT_UPDATE_DELETE = "insert-update-delete"
    INSERT_UPDATE_DISABLE = "insert-update-disable"
    INSERT_UPDATE = "insert-update"
    UPDATE = "update"

    @property
    def inserts(self) -> bool:
        """Whether users that are not here yet are made."""
        return self is not Mode.UPDATE

    @property
    def deletes(self) -> bool:
        """Whether a user who left the source is removed."""
        return self is Mode.INSERT_UPDATE_DELETE

    @property
    def disables(self) -> bool:
        """Whether a user who left the source is disabled."""
        return self is Mode.INSERT_UPDATE_DISABLE
