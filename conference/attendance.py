"""Who was in a meeting, from when to when: the data of its closing report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from conference.participant import ParticipantKind
from conference.role import Role


class LeaveReason(StrEnum):
    """Why somebody is no longer on the list."""

    HUNG_UP = "hung_up"
    DENIED = "denied"
    EXPELLED = "expelled"
    TRANSFERRED = "transferred"
    MOVED = "moved"
    """To another room."""
    ENDED = "ended"
    LOST = "lost"
    """Its worker or connection is gone."""


class CloseReason(StrEnum):
    """Why a meeting is over."""

    EMPTY = "empty"
    ENDED = "ended"
    HOST_LEFT = "host_left"
    MERGED = "merged"
    STOPPED = "stopped"
    """The engine stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """One participant from its coming to its going. Times: Unix seconds.

    entered_at: None for who never came further than the lobby. mos: None when not known.
    """

    participant: int
    kind: ParticipantKind
    name: str
    number: str
    role: Role
    joined_at: float
    entered_at: float | None
    left_at: float
    reason: LeaveReason
    talk_seconds: float
    codec: str
    mos: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """Somebody talked. Unix seconds."""

    participant: int
    began: float
    ended: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingReport:
    """A meeting that is over. Times: Unix seconds; ``talks`` in the order they ended, for the picture.

    most: participants in the room at once at the busiest moment. events: the number of the last one.
    """

    meeting: str
    number: str
    name: str
    owner: str | None
    language: str
    opened_at: float
    closed_at: float
    reason: CloseReason
    attendances: tuple[Attendance, ...]
    talks: tuple[Talk, ...]
    most: int
    recorded: bool
    events: int
