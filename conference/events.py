"""The journal of a room: every change is one event, numbered from 1 without a gap.

A meeting is what its events say and nothing else: ``conference.meeting_state`` applies each, and who reads them all
has the list as the room has it. Details are plain values; a participant's that are not told are as a newcomer's.
"""

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
    """What changed; the words of the REST API's event stream and of the stored journal. Then: the details."""

    OPENED = "opened"
    """``number``, ``name``, ``owner``."""
    JOINED = "joined"
    """On the list. ``state``: ``lobby`` or ``entering``; ``kind``, ``name``, ``number``, ``role``, ..."""
    ADMITTED = "admitted"
    """From the lobby on its way in."""
    ENTERED = "entered"
    """Hears the room, and is heard."""
    WAITING = "waiting"
    """Sent to the lobby again, since the last host has left."""
    LEFT = "left"
    """Off the list: ``reason``."""
    MUTED = "muted"
    """``by_host``."""
    UNMUTED = "unmuted"
    """``by_host``: what hosts did is undone; else what it did itself."""
    ALL_MUTED = "all_muted"
    """Every guest, and those that still come."""
    ALL_UNMUTED = "all_unmuted"
    HAND_RAISED = "hand_raised"
    HAND_LOWERED = "hand_lowered"
    ROLE = "role"
    """``role``."""
    RENAMED = "renamed"
    """``name``."""
    VOLUME = "volume"
    """``volume_db``."""
    GAIN = "gain"
    """``gain_db``."""
    LISTEN_ONLY = "listen_only"
    """``on``, ``by_host``."""
    ASIDE = "aside"
    """``aside``: the number of the side talk."""
    BACK = "back"
    """From a side talk: ``state``, ``in`` or ``entering``."""
    CONSENT = "consent"
    """``agrees``."""
    TALKING = "talking"
    """``level``, dB below overload (RFC 6464)."""
    SILENT = "silent"
    RECORDING_ASKED = "recording_asked"
    """``kind``: everybody is told first."""
    RECORDING_STARTED = "recording_started"
    RECORDING_PAUSED = "recording_paused"
    """``cause``: ``host`` or ``consent`` (somebody in the room does not agree, or could not be told)."""
    RECORDING_RESUMED = "recording_resumed"
    """``cause``."""
    RECORDING_STOPPED = "recording_stopped"
    RECORDING_FAILED = "recording_failed"
    """``cause``: ``announcement`` (it could not be said) or ``file``."""
    COUNT_ANNOUNCED = "count_announced"
    """``count``."""
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    DIALLED = "dialled"
    """``dial``, ``number``, ``name``, ``role``."""
    DIAL_ENDED = "dial_ended"
    """``dial``, ``number``, ``result``, ``status`` (of SIP; 0: none)."""
    HOST_AWAITED = "host_awaited"
    """The last host has left. ``until``: Unix seconds, when the meeting ends; None: the guests wait."""
    HOST_BACK = "host_back"
    MERGED = "merged"
    """``into``: the number of the room everybody goes to."""
    CLOSED = "closed"
    """``reason``."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change. at: Unix seconds. participant: whom it concerns; None: the room."""

    sequence: int
    at: float
    kind: EventKind
    participant: int | None = None
    actor: Actor = ROOM
    details: Mapping[str, Detail] = field(default_factory=dict)
