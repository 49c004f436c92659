"""Where routes are put: one Klein application behind one guard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import count
from typing import TYPE_CHECKING

from admin_api.guard import TO_CHANGE, TO_READ

if TYPE_CHECKING:
    from klein import Klein

    from admin_api.guard import Guard, Handler, Need

Resource = Callable[..., Awaitable[bytes]]


class Routes:
    """For administrators, to read or to change something; for everybody, to read."""

    def __init__(self, klein: Klein, guard: Guard) -> None:
        self._klein = klein
        self._guard = guard
        self._names = count(1)

    def read(self, path: str, handler: Resource, *, need: Need | None = TO_READ) -> None:
        """GET, and HEAD."""
        self._add("GET", path, self._guard.for_administrators(handler, need))

    def change(self, method: str, path: str, handler: Resource, *, need: Need | None = TO_CHANGE) -> None:
        """A method that changes something."""
        self._add(method, path, self._guard.for_changes(handler, need))

    def enter(self, path: str, handler: Resource) -> None:
        """POST, by whoever is not known yet."""
        self._add("POST", path, self._guard.for_entering(handler))

    def read_by_all(self, path: str, handler: Callable[..., bytes]) -> None:
        """GET, and HEAD, without a password."""
        self._add("GET", path, self._guard.for_everybody(handler))

    def _add(self, method: str, path: str, handler: Handler) -> None:
        self._klein.route(path, methods=[method], endpoint=f"route-{next(self._names)}")(handler)
