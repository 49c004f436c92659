"""Where routes are put: one Klein application behind one guard."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import count
from typing import TYPE_CHECKING, Protocol

from admin_api.guard import TO_CHANGE, TO_READ
from admin_api.operations import Described, Operation

if TYPE_CHECKING:
    from klein import Klein

    from admin_api.guard import Guard, Handler, Need

Resource = Callable[..., Awaitable[bytes]]


class Served(Protocol):
    """Part of the API."""

    def serve(self, routes: Routes) -> None:
        """Put its routes there."""


class Routes:
    """For administrators, to read or to change something; for everybody, to read.

    described: every route, in the order it was put here, with what it says of itself.
    """

    def __init__(self, klein: Klein, guard: Guard) -> None:
        self._klein = klein
        self._guard = guard
        self._names = count(1)
        self.described: list[Described] = []

    def read(
        self, path: str, handler: Resource, operation: Operation, *, need: Need | None = TO_READ
    ) -> None:
        """GET, and HEAD."""
        self._add("GET", path, self._guard.for_administrators(handler, need), operation)

    def change(
        self,
        method: str,
        path: str,
        handler: Resource,
        operation: Operation,
        *,
        need: Need | None = TO_CHANGE,
    ) -> None:
        """A method that changes something."""
        self._add(method, path, self._guard.for_changes(handler, need, operation.bodies), operation)

    def enter(self, path: str, handler: Resource, operation: Operation) -> None:
        """POST, by whoever is not known yet."""
        self._add("POST", path, self._guard.for_entering(handler), operation)

    def read_by_all(self, path: str, handler: Callable[..., bytes], operation: Operation) -> None:
        """GET, and HEAD, without a password."""
        self._add("GET", path, self._guard.for_everybody(handler), operation)

    def _add(self, method: str, path: str, handler: Handler, operation: Operation) -> None:
        self.described.append(Described(method, path, operation))
        self._klein.route(path, methods=[method], endpoint=f"route-{next(self._names)}")(handler)
