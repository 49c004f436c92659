"""Rooms, policies and verbs as plain values from outside (JSON), checked field by field, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass, replace
from datetime import datetime
from enum import EnumType
from typing import Any, get_args, get_type_hints

import msgspec

from conference import commands as c
from conference.definition import MOST_DIGITS, RoomDefinition, RoomKind
from conference.policy import PolicyChoices
from conference.role import Verb
from engine.store.conferences.records import DEFINITION, ConferencePolicy, ConferenceRoom, PolicyScope
from engine.store.conferences.rules import LONGEST_OWNER, check_line, room_definition
from engine.store.errors import Invalid

Values = Mapping[str, object]
"""A JSON object."""

_ROOM = ("owner_address", "enabled")
_POLICY = ("members",)
COMMANDS: dict[Verb, type[Any]] = {each.verb: each for each in get_args(c.Command)}


# ---- rooms


def is_number(text: str) -> bool:
    """Whether a room could have it."""
    return 0 < len(text) <= MOST_DIGITS and text.isascii() and text.isdigit()


def room_of(values: Values, before: ConferenceRoom | None = None) -> ConferenceRoom:
    """A room, or one as it is ``before`` with some fields changed. Raises Invalid, naming the field."""
    refuse_unknown(values, {*DEFINITION, *_ROOM})
    known = converted(RoomDefinition, {name: values[name] for name in DEFINITION if name in values})
    own = converted(ConferenceRoom, {name: values[name] for name in _ROOM if name in values})
    if known.get("kind") is RoomKind.AD_HOC:
        raise Invalid("kind", "permanent, personal or scheduled")
    if before is None:
        if "number" not in known:
            raise Invalid("number", "the number it answers under")
        return ConferenceRoom(definition=room_definition(**known), **own)
    kept = {name: getattr(before.definition, name) for name in DEFINITION}
    return replace(before, definition=room_definition(**(kept | known)), **own)


def ad_hoc_of(values: Values) -> RoomDefinition:
    """A room that is in no store. Raises Invalid."""
    refuse_unknown(values, set(DEFINITION) - {"kind"})
    known = converted(RoomDefinition, values)
    if "number" not in known or not known["number"]:
        raise Invalid("number", "the number it answers under")
    return room_definition(**known, kind=RoomKind.AD_HOC)


def room_values(room: ConferenceRoom) -> dict[str, object]:
    """All of a room; PINs included, so for administrators only."""
    values = {name: getattr(room.definition, name) for name in DEFINITION}
    return values | {name: getattr(room, name) for name in _ROOM}


# ---- policies


def policy_key(key: str) -> tuple[PolicyScope, str]:
    """``default``, ``group:NAME`` or ``user:NAME`` taken apart. Raises Invalid."""
    scope, colon, name = key.partition(":")
    if scope not in set(PolicyScope) or bool(colon) is (scope == PolicyScope.DEFAULT):
        raise Invalid("key", "default, group:NAME or user:NAME")
    check_line("key", name, LONGEST_OWNER)
    return PolicyScope(scope), name


def policy_of_values(key: str, values: Values, identity: int) -> ConferencePolicy:
    """A policy, whole: what is not named is not said at this level. Raises Invalid."""
    scope, name = policy_key(key)
    choices = {each.name for each in fields(PolicyChoices)}
    refuse_unknown(values, {*choices, *_POLICY})
    said = converted(PolicyChoices, {name: value for name, value in values.items() if name in choices})
    own = converted(ConferencePolicy, {name: value for name, value in values.items() if name not in choices})
    return ConferencePolicy(scope=scope, name=name, choices=PolicyChoices(**said), id=identity, **own)


def policy_values(policy: ConferencePolicy) -> dict[str, object]:
    """All of a policy."""
    return {"key": policy.key, "members": policy.members, **asdict(policy.choices)}


# ---- verbs


def command_of(verb: str, values: Values) -> c.Command | None:
    """What is asked of a room; None: there is no such verb. Raises Invalid, naming the field."""
    if verb not in set(Verb):
        return None
    kind = COMMANDS[Verb(verb)]
    refuse_unknown(values, {each.name for each in fields(kind)})
    given = converted(kind, values)
    for each in fields(kind):
        if each.default is MISSING and each.name not in given:
            raise Invalid(each.name, _expected(_hints(kind)[each.name]))
    found: c.Command = kind(**given)
    return found


# ---- fields


def refuse_unknown(values: Values, known: set[str]) -> None:
    """Raises Invalid: a field nobody knows."""
    for name in values:
        if name not in known:
            raise Invalid(name[:64], f"nothing: the fields are {', '.join(sorted(known)) or 'none'}")


def converted(kind: type[Any], values: Values) -> dict[str, Any]:
    """Values of a dataclass' fields, each of its type. Raises Invalid."""
    hints = _hints(kind)
    found = {}
    for name, value in values.items():
        try:
            found[name] = msgspec.convert(value, hints[name])
        except msgspec.ValidationError:
            # its own words may repeat the value, which may be a PIN
            raise Invalid(name, _expected(hints[name])) from None
    return found


def _hints(kind: type[Any]) -> dict[str, Any]:
    assert is_dataclass(kind)
    return get_type_hints(kind)


_WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false", type(None): "null"}
_WORDS[datetime] = "a date and time such as 2027-01-31T09:30:00"


def _expected(hint: Any) -> str:
    """What a field takes, in words."""
    if isinstance(hint, EnumType):
        return " or ".join(str(each) for each in hint)  # type: ignore[var-annotated]  # the enums here are of texts
    if hint in _WORDS:
        return _WORDS[hint]
    parts = get_args(hint)
    if type(None) in parts:
        return " or ".join(_expected(each) for each in parts)
    return f"a list, each {_expected(parts[0])}"
