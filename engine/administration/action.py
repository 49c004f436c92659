"""What a noun can do besides the five things every noun does: a verb of one thing, or of them all.

Each noun lists its own in ``actions``; REST serves them under the noun's path, describes them, and the tests of rights
try them, as they do the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from engine.domain.actor import Actor, Role
from engine.store.errors import Forbidden

Perform = Callable[[Any, Actor, str, Any], Any]
"""(noun, actor, uid, body) to the answer. uid: empty for a verb of them all. body: of the action's type, else None."""


@dataclass(frozen=True, slots=True)
class Action:
    """A verb.

    path: its segments, under those of the thing ("try", "dial-plan/try"), or of the noun where it is not ``of_one``.
    method: GET where it changes nothing and has no body but parameters of the query.
    summary: what it does, for the API's description.
    perform: blocks, in the store's thread; where it is ``live`` it runs in the reactor's and may be a coroutine. Raises
    what the methods of a noun raise. Whether the actor sees the thing is for it to check, her role and scopes are not.
    body: of what is sent; for GET, the parameters, whose values are read from text.
    answer: of what comes back; None: nothing. Octets are answered as they are, as ``media_type``.
    least: the role it takes; None: the one that reads, or writes, the noun.
    changes: whether it writes, so that a scope to read is not enough; None: unless it is GET.
    """

    path: str
    method: Literal["GET", "POST", "PUT", "DELETE"]
    summary: str
    perform: Perform
    body: type[msgspec.Struct] | None = None
    answer: Any = None
    media_type: str = "application/json"
    of_one: bool = True
    least: Role | None = None
    changes: bool | None = None
    live: bool = False

    @property
    def writes(self) -> bool:
        """Whether it takes the right to write."""
        return self.method != "GET" if self.changes is None else self.changes


def check(noun: Any, action: Action, actor: Actor) -> None:
    """Raise Forbidden unless her role and scopes allow ``action`` of ``noun``."""
    least = action.least
    if least is None:
        least = noun.writes if action.writes else noun.reads
    if actor.role < least:
        raise Forbidden(f"the role {least.name.lower().replace('_', '-')}")
    if not actor.may(noun.name, writes=action.writes, least=least):
        raise Forbidden(f"the scope {noun.name}:{'write' if action.writes else 'read'}")
