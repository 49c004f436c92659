"""The journal of a room: every change is one event, numbered from 1 without a gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Actor = int | str
"""Who does something: a participant by its id, an administrator or a program by its name."""
ROOM: Actor = ""
"""The room itself, by its rules."""
Detail = str | int | float | bool | None


class EventKind(StrEnum):
    """What changed; the words of the REST API's event stream and of the stored journal."""

    OPENED = "opened"
    JOINED = "joined"
    """Somebody is on the list: ``state`` says where (lobby, entering, in)."""
    WAITING = "waiting"
    """Sent to the lobby again."""
    ENTERED = "entered"
    LEFT = "left"
    ADMITTED = "admitted"
    MUTED = "muted"
    UNMUTED = "unmuted"
    ALL_MUTED = "all_muted"
    ALL_UNMUTED = "all_unmuted"
    HAND_RAISED = "hand_raised"
    HAND_LOWERED = "hand_lowered"
    ROLE = "role"
    RENAMED = "renamed"
    VOLUME = "volume"
    GAIN = "gain"
    LISTEN_ONLY = "listen_only"
    ASIDE = "aside"
    BACK = "back"
    CONSENT = "consent"
    TALKING = "talking"
    SILENT = "silent"
    RECORDING_ASKED = "recording_asked"
    RECORDING_STARTED = "recording_started"
    RECORDING_PAUSED = "recording_paused"
    RECORDING_RESUMED = "recording_resumed"
    RECORDING_STOPPED = "recording_stopped"
    RECORDING_FAILED = "recording_failed"
    COUNT_ANNOUNCED = "count_announced"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    DIALLED = "dialled"
    DIAL_ENDED = "dial_ended"
    HOST_AWAITED = "host_awaited"
    """The last host has left; the meeting ends soon unless one is back."""
    HOST_BACK = "host_back"
    MERGED = "merged"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Event:
    """One change. at: Unix seconds. participant: whom it concerns; None: the room. details: plain values."""

    sequence: int
    at: float
    kind: EventKind
    participant: int | None = None
    actor: Actor = ROOM
    details: Mapping[str, Detail] = field(default_factory=dict)
