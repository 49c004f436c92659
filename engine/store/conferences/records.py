"""What the store keeps of conferences, as frozen records; a room's own rules are ``conference.definition``."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum

from conference.attendance import Attendance, MeetingReport, Talk
from conference.definition import RoomDefinition
from conference.events import Event
from conference.policy import PolicyChoices
from conference.role import Role
from engine.domain.scope import DEFAULT_COMPANY


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceRoom:
    """A room somebody can call.

    definition: without its policy, which is the owner's (``Policies.of``). owner_address: where invitations come
    from and reports go to, an e-mail address; empty: nowhere.
    """

    definition: RoomDefinition
    owner_address: str = ""
    enabled: bool = True
    company_id: int = DEFAULT_COMPANY
    id: int = 0

    @property
    def number(self) -> str:
        """The number it answers under."""
        return self.definition.number


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomRange:
    """Numbers set aside for the rooms of a domain: ``first_number`` and ``count`` - 1 after it."""

    first_number: str
    count: int = 1
    domain: str = ""
    company_id: int = DEFAULT_COMPANY
    id: int = 0


class PolicyScope(StrEnum):
    """Whose meetings a policy is for, the weakest first."""

    DEFAULT = "default"
    GROUP = "group"
    USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferencePolicy:
    """What one level says about meetings.

    name: of the group or user (the ``owner`` of rooms); empty for the default. members: the users of a group.
    """

    scope: PolicyScope
    name: str = ""
    members: tuple[str, ...] = ()
    choices: PolicyChoices = field(default_factory=PolicyChoices)
    company_id: int = DEFAULT_COMPANY
    id: int = 0

    @property
    def key(self) -> str:
        """How people name it: ``default``, ``group:sales``, ``user:101``."""
        return f"{self.scope}:{self.name}" if self.name else str(self.scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitee:
    """Somebody invited to a planned meeting.

    role: a host is sent the host's PIN, a guest the guests'. told: the SEQUENCE (RFC 5545 section 3.8.7.4) of the
    last message made for this address, None before the first.
    """

    address: str
    name: str = ""
    language: str = "en"
    role: Role = Role.GUEST
    told: int | None = None


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """An event of the meeting ``meeting`` in the room of the scoped number ``number``."""

    meeting: str
    number: str
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldMeeting:
    """A meeting that is over, without the list of who was there. number: the room's scoped one."""

    meeting: str
    number: str
    name: str
    owner: str | None
    language: str
    opened_at: float
    closed_at: float
    reason: str
    most: int
    recorded: bool
    events: int
    id: int = 0


CHOICES = tuple(each.name for each in fields(PolicyChoices))
"""The columns of a policy that are its choices."""
DEFINITION = tuple(each.name for each in fields(RoomDefinition) if each.name not in ("policy", "scope"))
"""The columns of a room that are its definition."""

__all__ = [
    "CHOICES",
    "DEFINITION",
    "Attendance",
    "ConferencePolicy",
    "ConferenceRoom",
    "HeldMeeting",
    "Invitee",
    "JournalEntry",
    "MeetingReport",
    "PolicyScope",
    "RoomRange",
    "Talk",
]
