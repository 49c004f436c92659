"""A noun: one kind of thing that is administered, with all that can be done to it.

The REST API, its OpenAPI description, the commands and the tests of rights walk over the nouns of ``catalogue.py``;
what a noun says of itself is all they know. ``TableNoun`` is one whose things are the rows of a table.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Generic

import msgspec

from engine.administration.action import Action
from engine.administration.query import Filter, Page, Query, Versioned, ViewT
from engine.domain.actor import Actor, Role
from engine.store.errors import Forbidden, Invalid


class Noun(ABC, Generic[ViewT]):
    """One kind of thing. Its methods block, so they run in the store's thread.

    Every method raises Forbidden when the actor's role or scopes do not allow it, before it looks at anything. What
    lies outside the actor's companies does not exist: NotFound, as for an identity that never was.
    """

    name: ClassVar[str]
    """Plural, in kebab-case: the segment of the path, the command, the beginning of its events."""
    singular: ClassVar[str]
    view: type[ViewT]
    """What is answered."""
    draft: ClassVar[type[msgspec.Struct]]
    """What a new one is made from."""
    patch: ClassVar[type[msgspec.Struct]]
    """What one is changed by: ``patch_of(draft)``."""
    filters: ClassVar[Mapping[str, Filter]] = {}
    search: ClassVar[tuple[str, ...]] = ()
    """Fields of the view in which the words of a search are looked for; none: there is no search."""
    orders: ClassVar[tuple[str, ...]]
    """Fields of the view a list can be ordered by; the first is the usual one."""
    multiline: ClassVar[frozenset[str]] = frozenset()
    """Fields of the draft whose text may have several lines; in all others it has one."""
    engine_writes: ClassVar[bool] = False
    """Whether the engine alone adds and changes them; they are read, and removed."""
    reads: ClassVar[Role] = Role.READ_ONLY
    writes: ClassVar[Role] = Role.ADMINISTRATOR
    """The least role that adds, changes and removes."""

    actions: ClassVar[tuple[Action, ...]] = ()
    """Its verbs, besides the five things every noun does."""

    @abstractmethod
    def page(self, actor: Actor, query: Query) -> Page[ViewT]:
        """Some of those the actor sees. Raises Invalid for a filter, an order, a field or a cursor that is none."""

    @abstractmethod
    def get(self, actor: Actor, uid: str) -> Versioned[ViewT]:
        """One of them. Raises NotFound."""

    @abstractmethod
    def add(self, actor: Actor, draft: msgspec.Struct) -> Versioned[ViewT]:
        """Make one. Raises Invalid, Taken, or NotFound for something the draft refers to."""

    @abstractmethod
    def change(
        self, actor: Actor, uid: str, patch: msgspec.Struct, if_version: int | None = None
    ) -> Versioned[ViewT]:
        """Change the fields that are set. Raises NotFound, Stale, and what ``add`` raises.

        if_version: the only version that may be changed; None for whichever there is.
        """

    @abstractmethod
    def remove(self, actor: Actor, uid: str, if_version: int | None = None) -> None:
        """Remove one. Raises NotFound, Stale, or InUse where something needs it."""

    def require_read(self, actor: Actor) -> None:
        """Raise Forbidden unless the actor may read such things."""
        self._require(actor, self.reads, writes=False)

    def require_write(self, actor: Actor) -> None:
        """Raise Forbidden unless the actor may change such things."""
        self._require(actor, self.writes, writes=True)

    def _require(self, actor: Actor, least: Role, *, writes: bool) -> None:
        if actor.role < least:
            raise Forbidden(f"the role {least.name.lower().replace('_', '-')}")
        if not actor.may(self.name, writes=writes, least=least):
            raise Forbidden(f"the scope {self.name}:{'write' if writes else 'read'}")


def patch_of(draft: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """The type of a change to what ``draft`` makes: the same fields, each of which may be left out."""
    fields = [
        (each.name, each.type | msgspec.UnsetType, msgspec.UNSET) for each in msgspec.structs.fields(draft)
    ]
    return msgspec.defstruct(
        draft.__name__.replace("Draft", "") + "Patch",
        fields,
        kw_only=True,
        forbid_unknown_fields=True,
        module=draft.__module__,
    )


def fields_given(body: msgspec.Struct, multiline: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The fields of a draft, or those of a patch that are set.

    Raises Invalid for text that is more than one line or has control characters; in ``multiline`` fields, only for
    what no database keeps.
    """
    given = {
        name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET
    }
    for name, value in given.items():
        if name in multiline:
            if any("\0" in text for text in _texts(value)):
                raise Invalid(name, "text without the character U+0000")
        elif not all(text.isprintable() for text in _texts(value)):
            raise Invalid(name, "one line, without control characters")
    return given


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for pair in value.items():
                for each in pair:
                    yield from _texts(each)
        case list() | tuple() | set() | frozenset():
            for each in value:
                yield from _texts(each)
