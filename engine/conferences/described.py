"""The types of what is sent and answered about conferences, for the API's description; ``values.py`` checks them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from types import GenericAlias
from typing import Any, get_type_hints

import msgspec

from conference.definition import RoomDefinition
from conference.policy import PolicyChoices
from conference.schedule import PlannedMeeting
from engine.letters.planning import Told
from engine.store.conferences.records import DEFINITION, ConferencePolicy, ConferenceRoom, Invitee


def _of(kind: type[Any], names: Iterable[str]) -> list[tuple[str, Any]]:
    hints = get_type_hints(kind)
    return [(name, hints[name]) for name in names]


def _sent(name: str, text: str, fields: list[tuple[str, Any]]) -> type[msgspec.Struct]:
    """What may be sent: any of the fields."""
    optional = [(field, kind | msgspec.UnsetType, msgspec.UNSET) for field, kind in fields]
    return msgspec.defstruct(
        name, optional, kw_only=True, forbid_unknown_fields=True, namespace={"__doc__": text}
    )


def _answered(name: str, text: str, fields: list[tuple[str, Any]]) -> type[msgspec.Struct]:
    """What is answered: all of the fields."""
    return msgspec.defstruct(name, fields, kw_only=True, namespace={"__doc__": text})


def many(kind: Any) -> Any:
    """The type of a list of such things."""
    return GenericAlias(list, (kind,))


_ROOM = [*_of(RoomDefinition, DEFINITION), *_of(ConferenceRoom, ("owner_address", "enabled"))]
_CHOICES = _of(PolicyChoices, get_type_hints(PolicyChoices))
_MEMBERS = _of(ConferencePolicy, ("members",))
_WHEN_AND_WHAT = [each for each in get_type_hints(PlannedMeeting) if each not in {"uid", "room", "id"}]
_PLANNED = _of(PlannedMeeting, [name for name in _WHEN_AND_WHAT if name not in {"sequence", "cancelled"}])
_INVITED = _of(Invitee, ("address", "name", "language", "role"))

RoomBody: Any = _sent("RoomBody", "A room, or what is to be different about it.", _ROOM)
RoomAnswer: Any = _answered(
    "RoomAnswer", "A room; live: whether a meeting is held in it.", [*_ROOM, ("live", bool)]
)
PolicyBody: Any = _sent("PolicyBody", "What one level says; null: nothing.", [*_CHOICES, *_MEMBERS])
PolicyAnswer: Any = _answered("PolicyAnswer", "A policy.", [("key", str), *_MEMBERS, *_CHOICES])
InviteeBody: Any = msgspec.defstruct(
    "InviteeBody",
    [("address", str), *((name, kind | msgspec.UnsetType, msgspec.UNSET) for name, kind in _INVITED[1:])],
    kw_only=True,
    forbid_unknown_fields=True,
)
InviteeAnswer: Any = _answered("InviteeAnswer", "Somebody who is invited.", _INVITED)
MeetingBody: Any = _sent(
    "MeetingBody",
    "A planned meeting, or what is to be different about it.",
    [*_PLANNED, ("invitees", list[InviteeBody])],
)
MeetingAnswer: Any = msgspec.defstruct(
    "MeetingAnswer",
    [
        ("uid", str),
        ("room", str),
        *_of(PlannedMeeting, _WHEN_AND_WHAT),
        ("next", datetime | None),
        ("invitees", many(InviteeAnswer)),
        ("told", Told | msgspec.UnsetType, msgspec.UNSET),
    ],
    kw_only=True,
    namespace={"__doc__": "A planned meeting; told: how many messages a change had queued."},
)
VerbBody: Any = dict[str, Any]
"""A verb's body: what it takes differs from verb to verb."""
