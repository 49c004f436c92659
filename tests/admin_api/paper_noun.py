"""A noun on paper: things in a dictionary, with every kind of field, for tests of the routes alone."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from engine.administration.action import Action
from engine.administration.noun import Noun, fields_given, patch_of
from engine.administration.query import Filter, Page, Query, Versioned, filter_value
from engine.domain.actor import Actor, Role
from engine.store.errors import InUse, Invalid, NotFound, Spent, Stale, Taken


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


class Thing(msgspec.Struct, kw_only=True):
    """A thing."""

    uid: str
    name: str
    colour: Colour
    count: int | None
    numbers: list[str]
    has_pin: bool


class ThingDraft(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A new thing."""

    name: Annotated[str, Meta(min_length=1, max_length=20, description="What it is called.")]
    colour: Colour = Colour.RED
    count: Annotated[int, Meta(ge=0, le=9)] | None = None
    numbers: list[Annotated[str, Meta(pattern="^[+0-9]+$")]] = []
    pin: Annotated[str, Meta(pattern="^[0-9]{4}$")] | None = None


class Wanted(msgspec.Struct, kw_only=True):
    """Parameters of a verb."""

    times: Annotated[int, Meta(ge=1, le=3, description="How often.")] = 1


class Said(msgspec.Struct):
    """What a verb answers."""

    text: str


def _say(noun: PaperThings, actor: Actor, uid: str, body: Any) -> Said:
    return Said(noun.get(actor, uid).view.name * (1 if body is None else body.times))


async def _forget(noun: PaperThings, actor: Actor, uid: str, body: Any) -> None:
    noun.kept.clear()


class PaperThings(Noun[Thing]):
    """Ordered by name; "full" is refused as spent, one named "needed" cannot be removed."""

    name = "paper-things"
    singular = "paper thing"
    view = Thing
    draft = ThingDraft
    patch = patch_of(ThingDraft)
    filters: ClassVar[Mapping[str, Filter]] = {"colour": Filter("Those of a colour.", Colour)}
    search = ("name",)
    orders = ("name",)
    actions: ClassVar[tuple[Action, ...]] = (
        Action("said", "GET", "Says its name.", _say, body=Wanted, answer=Said),
        Action("say", "POST", "Says its name.", _say, body=Wanted, answer=Said, least=Role.OPERATOR),
        Action(
            "forget",
            "POST",
            "Forgets all.",
            _forget,
            of_one=False,
            live=True,
        ),
        Action(
            "picture",
            "GET",
            "Its picture.",
            lambda *_: b"<svg/>",
            answer=bytes,
            media_type="image/svg+xml",
        ),
    )

    def __init__(self) -> None:
        self.kept: dict[str, tuple[Thing, int]] = {}
        self._made = 0

    def page(self, actor: Actor, query: Query) -> Page[Thing]:
        self.require_read(actor)
        unknown = (query.fields or set()) - set(Thing.__struct_fields__)
        if unknown or query.order not in (None, "name", "-name"):
            raise Invalid("fields" if unknown else "order", "one there is")
        for name in query.filters:
            if name not in self.filters:
                raise Invalid(name, "a filter")
        found = sorted((each for each, _ in self.kept.values()), key=lambda each: (each.name, each.uid))
        for name, text in query.filters.items():
            value = filter_value(name, self.filters[name], text)
            found = [each for each in found if getattr(each, name) == value]
        found = [each for each in found if (query.q or "") in each.name]
        if query.order == "-name":
            found.reverse()
        if query.cursor is not None and not query.cursor.isdigit():
            raise Invalid("cursor", "one of ours")
        first = int(query.cursor or 0)
        more = len(found) > first + query.limit
        return Page(found[first : first + query.limit], str(first + query.limit) if more else None)

    def get(self, actor: Actor, uid: str) -> Versioned[Thing]:
        self.require_read(actor)
        if uid not in self.kept:
            raise NotFound(self.singular, "that")
        return Versioned(*self.kept[uid])

    def add(self, actor: Actor, draft: msgspec.Struct) -> Versioned[Thing]:
        self.require_write(actor)
        given = fields_given(draft)
        self._check(given.get("name"))
        self._made += 1
        uid = f"thg_{self._made}"
        pin = given.pop("pin")
        self.kept[uid] = Thing(uid=uid, has_pin=pin is not None, **given), 1
        return self.get(actor, uid)

    def change(
        self, actor: Actor, uid: str, patch: msgspec.Struct, if_version: int | None = None
    ) -> Versioned[Thing]:
        self.require_write(actor)
        thing, version = self._at(actor, uid, if_version)
        given = fields_given(patch)
        if given.get("name", thing.name) != thing.name:
            self._check(given["name"])
        if "pin" in given:
            given["has_pin"] = given.pop("pin") is not None
        self.kept[uid] = msgspec.structs.replace(thing, **given), version + 1
        return self.get(actor, uid)

    def remove(self, actor: Actor, uid: str, if_version: int | None = None) -> None:
        self.require_write(actor)
        thing, _ = self._at(actor, uid, if_version)
        if thing.name == "needed":
            raise InUse(self.singular, thing.name, "another")
        del self.kept[uid]

    def add_directly(self, name: str, numbers: list[str]) -> None:
        """Without asking anybody."""
        uid = f"thg_{name}"
        self.kept[uid] = (
            Thing(uid=uid, name=name, colour=Colour.RED, count=None, numbers=numbers, has_pin=False),
            1,
        )

    def _at(self, actor: Actor, uid: str, if_version: int | None) -> tuple[Thing, int]:
        thing, version = (found := self.get(actor, uid)).view, found.version
        if if_version not in (None, version):
            raise Stale(self.singular, uid, version)
        return thing, version

    def _check(self, name: str | None) -> None:
        if name == "full":
            raise Spent("things", 7)
        if any(each.name == name for each, _ in self.kept.values()):
            raise Taken(self.singular, str(name), "another")
