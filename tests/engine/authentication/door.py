"""An authenticator over a store of its own, on a clock that stands still; nothing waits for a thread."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, ensureDeferred, maybeDeferred, succeed
from twisted.python.failure import Failure

from engine.authentication.authenticator import Authenticator, SessionLimits
from engine.authentication.refusal import NotAdmitted, Why
from engine.store import Store
from sip.guessing import GuessingSettings

T = TypeVar("T")
HERE, ELSEWHERE = "192.0.2.7", "192.0.2.8"


class Desk:
    """The store's thread, without one."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def call(self, function: Callable[..., T], *arguments: Any) -> Deferred[T]:
        self.asked.append(function.__name__)
        return maybeDeferred(function, *arguments)

    def later(self, what: str, function: Callable[..., Any], *arguments: Any) -> None:
        function(*arguments)


class Door:
    """What stands before the engine. hashing: what becomes of a hash that is to be computed."""

    def __init__(self, store: Store) -> None:
        self.now = 1000.0
        self.store = store
        self.desk = Desk()
        self.hashing: Callable[[Callable[[], Any]], Any] = lambda function: succeed(function())
        self.authenticator = Authenticator(
            self.desk,  # type: ignore[arg-type]  # has no thread
            store,
            lambda function: self.hashing(function),
            GuessingSettings(),
            SessionLimits(idle=600.0, longest=3600.0),
            csrf_key=b"key",
            seconds=lambda: self.now,
            wall=lambda: self.now + 1e9,
        )

    def opens(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The answer, which has come."""
        found: list[T | Failure] = []
        ensureDeferred(coroutine).addBoth(found.append)
        if isinstance(found[0], Failure):
            found[0].raiseException()
        return found[0]  # type: ignore[return-value]  # it raises

    def refuses(self, coroutine: Coroutine[Any, Any, Any]) -> Why:
        """Why it was not let in."""
        try:
            self.opens(coroutine)
        except NotAdmitted as error:
            return error.why
        raise AssertionError("let in")
