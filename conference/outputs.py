"""What a room wants done, as data: its driver carries it out, in this order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from conference.announcements import Announcement
from conference.attendance import LeaveReason, MeetingReport
from conference.definition import RecordKind
from conference.events import Event
from conference.participant import Participant
from conference.role import Role


class DialResult(StrEnum):
    """What came of a call the room placed; the driver says so (``Room.dialled``)."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    """The routing does not allow the number, or the peer refuses."""
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Enter:
    """Mix the participant in a media room: the meeting's own, or a side talk's. It leaves the one it is in."""

    participant: int
    media_room: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Out of any media room: it hears nothing of the meeting any more."""

    participant: int


@dataclass(frozen=True, slots=True)
class Mix:
    """How the participant is mixed, whenever it is in a media room."""

    participant: int
    muted: bool
    gain_db: float
    volume_db: float


@dataclass(frozen=True, slots=True)
class Say:
    """Say something to one participant. token: not 0: tell the room when it was said (``Room.said``)."""

    participant: int
    what: Announcement
    token: int = 0


@dataclass(frozen=True, slots=True)
class SayInRoom:
    """Say something that all in the meeting's media room hear, and its recording. token: as in ``Say``."""

    what: Announcement
    token: int = 0


@dataclass(frozen=True, slots=True)
class Music:
    """Play music to a participant who is alone or waits; or stop it."""

    participant: int
    on: bool


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the participant's call, after what was said to it last."""

    participant: int
    reason: LeaveReason


@dataclass(frozen=True, slots=True)
class Dial:
    """Call a number in the actor's name, and have it join with this name and role once it answers.

    identity: the line whose rights count; None: the room's owner's.
    """

    dial: int
    number: str
    name: str
    role: Role
    identity: str | None


@dataclass(frozen=True, slots=True)
class CancelDial:
    """Do not call that number any more."""

    dial: int


@dataclass(frozen=True, slots=True)
class Record:
    """Begin a recording of the media room; None: close the one that is made."""

    kind: RecordKind | None


@dataclass(frozen=True, slots=True)
class HoldRecording:
    """Keep nothing of what is said as long as it is on."""

    on: bool


@dataclass(frozen=True, slots=True)
class TransferTo:
    """Connect the participant's call with a number, in the name of the line ``identity``; it is off the list.

    When that comes to nothing, it joins again with ``Caller.was``.
    """

    participant: Participant
    number: str
    identity: str | None


@dataclass(frozen=True, slots=True)
class Move:
    """Have the participant join the meeting of another room; it is off this list.

    keeps: with its role, mute and past the lobby, as in a merge; else as any guest.
    """

    participant: Participant
    room: str
    keeps: bool


@dataclass(frozen=True, slots=True)
class Closed:
    """Nobody is left and nobody comes any more. The last output."""

    report: MeetingReport


Output = (
    Enter
    | Leave
    | Mix
    | Say
    | SayInRoom
    | Music
    | HangUp
    | Dial
    | CancelDial
    | Record
    | HoldRecording
    | TransferTo
    | Move
    | Event
    | Closed
)
