"""Where requests concerning nouns are carried out: off the reactor, with the engine told of what was written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from engine.administration.noun import Noun
    from engine.store_thread import StoreThread

P = ParamSpec("P")
R = TypeVar("R")


async def _nobody(noun: str) -> None:
    """Nothing in the running engine depends on it."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The nouns, and the thread they are asked in.

    written: told the name of a noun after one of its things was written, before whoever wrote it is answered: what is
    written holds from then on.
    """

    nouns: Sequence[Noun[Any]]
    thread: StoreThread
    written: Callable[[str], Awaitable[None]] = field(default=_nobody)

    def read(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Deferred[R]:
        """Ask a noun something; fires with the answer or the refusal."""
        return self.thread.call(function, *args, **kwargs)

    async def write(self, noun: Noun[Any], function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Have a noun change something, and the engine take it up."""
        done = await self.thread.call(function, *args, **kwargs)
        await self.written(noun.name)
        return done
