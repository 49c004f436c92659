"""Who may use what: authorisations of a grantee on an object, and direct answers to "why may she?".

What nobody is authorised to is forbidden. There is no rule that forbids: so every answer is one authorisation that
is enough, or that there is none. A user has what she, a group she is in (groups in groups included) or a queue she
serves was given. An object is covered by an authorisation on itself, on a group it is in, on its domain, or on its
company.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from engine.domain.structure import Node, Path, Structure


class ObjectKind(StrEnum):
    """What can be authorised. The object is of that kind itself, or is whose call journal, calendar... it is."""

    APPLICATION = "application"
    DIRECTORY = "directory"
    CALENDAR = "calendar"
    INTERCOM_GROUP = "intercom-group"
    QUEUE = "queue"
    CALL_JOURNAL = "call-journal"
    STATISTICS = "statistics"
    RECORDINGS = "recordings"
    LINE_PRESENCE = "line-presence"
    PRESENCE = "presence"


ACROSS_DOMAINS = frozenset(
    {
        ObjectKind.APPLICATION,
        ObjectKind.DIRECTORY,
        ObjectKind.CALENDAR,
        ObjectKind.LINE_PRESENCE,
        ObjectKind.PRESENCE,
    }
)
"""What a user of one domain may be given of another one of the same company; the rest stays in its domain."""


@dataclass(frozen=True, slots=True)
class Authorisation:
    """``grantee`` may use ``object``.

    grantee: the identity of a user, a group or a queue. object: an identity; of an application its name.
    company: the identity of the company it was given in.
    """

    uid: str
    company: str
    grantee: str
    kind: ObjectKind
    object: str


@dataclass(frozen=True, slots=True)
class Why:
    """One reason why she may: an authorisation, the way from her to its grantee, and from the object to its own."""

    authorisation: str
    grantee: Path
    object: Path


class Rights:
    """The authorisations of all companies, asked one user and one object at a time."""

    def __init__(self, structure: Structure, authorisations: Iterable[Authorisation] = ()) -> None:
        self._structure = structure
        self._given: dict[str, list[Authorisation]] = {}
        for each in authorisations:
            self._given.setdefault(each.grantee, []).append(each)
        for given in self._given.values():
            given.sort(key=lambda each: each.uid)

    def may(self, user: str, kind: ObjectKind, object_: str) -> bool:
        """Whether ``user`` may use the object."""
        return bool(self.why(user, kind, object_))

    def why(self, user: str, kind: ObjectKind, object_: str) -> tuple[Why, ...]:
        """Every authorisation that lets ``user`` use the object, the most direct first; none: she may not."""
        one = self._structure.find(user)
        if one is None:
            return ()
        covering = self._covering(one, kind, object_)
        found = [
            Why(given.uid, way, covering[given.object])
            for grantee, way in self._grantees(user).items()
            for given in self._given.get(grantee, ())
            if given.kind is kind and given.object in covering and given.company == one.company
        ]
        return tuple(sorted(found, key=lambda why: (len(why.grantee), len(why.object), why.authorisation)))

    def given(self, user: str) -> list[tuple[Authorisation, Path]]:
        """Everything ``user`` was given, itself or through others, with the way to who was given it."""
        one = self._structure.find(user)
        company = None if one is None else one.company
        return [
            (given, way)
            for grantee, way in self._grantees(user).items()
            for given in self._given.get(grantee, ())
            if given.company == company
        ]

    def _grantees(self, user: str) -> dict[str, Path]:
        return {user: (user,), **self._structure.groups_of(user)}

    def _covering(self, user: Node, kind: ObjectKind, object_: str) -> dict[str, Path]:
        """What an authorisation may name so that it holds for the object; nothing outside the user's reach."""
        if kind is ObjectKind.APPLICATION:
            return {object_: (object_,)}
        what = self._structure.find(object_)
        if what is None or what.company != user.company:
            return {}
        if kind not in ACROSS_DOMAINS and what.domain != user.domain:
            return {}
        return self._structure.above(object_)
