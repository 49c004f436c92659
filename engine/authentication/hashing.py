"""Where passwords are hashed, and directories asked: away from the reactor, and from the store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

R = TypeVar("R")


class Hashing(Protocol):
    """Runs what takes a processor, or a peer, for long."""

    def __call__(self, function: Callable[[], R], /) -> Awaitable[R]:
        """Its result, or its exception."""
