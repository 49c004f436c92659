"""What a room is before anybody is in it: its numbers, PINs and rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from conference.policy import MeetingPolicy

MOST_DIGITS = 20
PIN_LENGTHS = range(4, 13)
MOST_NAME = 80
"""Characters of a name, of a room or a participant."""


class RoomKind(StrEnum):
    """How a room came to be."""

    PERMANENT = "permanent"
    PERSONAL = "personal"
    SCHEDULED = "scheduled"
    AD_HOC = "ad_hoc"


class Lobby(StrEnum):
    """Whether guests wait before they are in."""

    OFF = "off"
    UNTIL_HOST = "until_host"
    """As long as no host is in the room."""
    ADMIT = "admit"
    """Until a host admits them."""


class Sound(StrEnum):
    """What the room hears when somebody comes or goes."""

    NONE = "none"
    TONE = "tone"
    NAME = "name"
    """The name the participant recorded; a tone where there is none."""


class RecordKind(StrEnum):
    """What is recorded of a room."""

    OFF = "off"
    MIX = "mix"
    TRACKS = "tracks"


class Consent(StrEnum):
    """What must be before a room is recorded. Either way nobody is recorded who was not told."""

    ANNOUNCED = "announced"
    """Everybody has heard that the room is recorded."""
    ASKED = "asked"
    """Everybody has heard it and agreed by key."""


class HostLeaves(StrEnum):
    """What happens when the last host leaves."""

    GO_ON = "go_on"
    WAIT = "wait"
    """The guests wait in the lobby for a host."""
    END = "end"
    """The meeting ends, ``host_grace`` seconds later unless a host is back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomDefinition:
    """One room. Raises ValueError, its text the field's name and what is wrong with it, for what cannot be.

    owner: the organiser's line or user, whose policy ``policy`` is. host_pin, guest_pin: digits; None: nobody is
    asked, and without a host PIN only the owner (by its line) comes in as host. domain: for limits by domain.
    record: what is recorded; record_automatically: from the first participant on, else when a host asks.
    scope: what follows its number where another company has a room of the same one; rooms are told apart by ``key``.
    host_grace: seconds. loudest: talkers mixed at once when more talk (as of any room of the mixer); 0 for everybody.
    """

    number: str
    name: str = ""
    kind: RoomKind = RoomKind.PERMANENT
    owner: str | None = None
    domain: str = ""
    host_pin: str | None = field(default=None, repr=False)
    guest_pin: str | None = field(default=None, repr=False)
    lobby: Lobby = Lobby.OFF
    host_leaves: HostLeaves = HostLeaves.GO_ON
    host_grace: float = 30.0
    entry_sound: Sound = Sound.TONE
    exit_sound: Sound = Sound.TONE
    announce_count: bool = False
    music: bool = True
    start_muted: bool = False
    record: RecordKind = RecordKind.OFF
    record_automatically: bool = False
    consent: Consent = Consent.ANNOUNCED
    language: str = "en"
    loudest: int = 8
    max_participants: int = 500
    policy: MeetingPolicy = field(default_factory=MeetingPolicy)
    scope: str = ""

    def __post_init__(self) -> None:
        if not (self.number.isascii() and self.number.isdigit() and len(self.number) <= MOST_DIGITS):
            raise ValueError(f"number: {MOST_DIGITS} digits at most, and nothing else")
        for name in ("host_pin", "guest_pin"):
            pin = getattr(self, name)
            if pin is not None and not (pin.isascii() and pin.isdigit() and len(pin) in PIN_LENGTHS):
                raise ValueError(f"{name}: {PIN_LENGTHS[0]} to {PIN_LENGTHS[-1]} digits")
        if self.host_pin is not None and self.host_pin == self.guest_pin:
            raise ValueError("guest_pin: must not be the host's")
        if len(self.name) > MOST_NAME:
            raise ValueError(f"name: {MOST_NAME} characters at most")
        if self.max_participants < 1:
            raise ValueError("max_participants: at least 1")
        if self.loudest < 0:
            raise ValueError("loudest: 0 or more")
        if not 0 <= self.host_grace <= 3600:
            raise ValueError("host_grace: 0 to 3600 seconds")

    @property
    def key(self) -> str:
        """What sets it apart from every other room."""
        return self.number + self.scope

    @property
    def capacity(self) -> int:
        """How many come in, by the room's own limit and its organiser's policy."""
        return min(self.max_participants, self.policy.max_participants)
