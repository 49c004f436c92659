"""Participants: one list, and one kind of entry, for everybody who can be in a room."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from conference.role import Role


class ParticipantKind(StrEnum):
    """What somebody is in the room with."""

    PHONE = "phone"
    BOT = "bot"
    BROWSER = "browser"


class ParticipantState(StrEnum):
    """Where a participant is."""

    LOBBY = "lobby"
    """Waits, hears nothing of the room."""
    ENTERING = "entering"
    """Is told that the room is recorded, or asked to agree, before anything of it is recorded."""
    IN = "in"
    ASIDE = "aside"
    """In a side talk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who wants to come in. role: as the way in found out (PIN, own line).

    identity: the line it proved to be; None for everybody else. codec: for the list (``PCMU/8000``).
    language: what it is spoken to in; None: the room's.
    dial: the call of the room's own it answered (``Dial.dial``): such a one was invited and does not wait.
    was: the entry it had in another meeting, or in this one before a transfer that came to nothing; it keeps its
    mute and volumes and does not wait.
    """

    kind: ParticipantKind = ParticipantKind.PHONE
    name: str = ""
    number: str = ""
    identity: str | None = None
    role: Role = Role.GUEST
    codec: str = ""
    language: str | None = None
    has_recorded_name: bool = False
    listen_only: bool = False
    dial: int | None = None
    was: Participant | None = None

    @property
    def anonymous(self) -> bool:
        """Nothing is known of it."""
        return not self.number and not self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """One entry of the list; replaced, never changed, so that whoever was given one has a true copy of then.

    id: of this meeting, from 1, never used again. admitted: past the lobby, by a host or an invitation.
    aside: number of the side talk it is in. muted, listen_only: by itself; by_host: only a host undoes it.
    gain_db: how the others hear it; volume_db: how it hears the room. consents: was told that the room is
    recorded, and agreed where that is asked. joined_at, entered_at, talking_since: Unix seconds.
    level: of the last report, dB below overload as in RFC 6464 (0 the loudest, 127 silence). mos: 1 to 4.5, of its
    stream as we receive it.
    """

    id: int
    kind: ParticipantKind
    name: str
    number: str
    identity: str | None
    role: Role
    state: ParticipantState
    joined_at: float
    language: str
    entered_at: float | None = None
    codec: str = ""
    has_recorded_name: bool = False
    admitted: bool = False
    aside: int | None = None
    muted: bool = False
    muted_by_host: bool = False
    listen_only: bool = False
    listen_only_by_host: bool = False
    hand: bool = False
    gain_db: float = 0.0
    volume_db: float = 0.0
    consents: bool = False
    talking: bool = False
    talking_since: float | None = None
    talk_seconds: float = 0.0
    level: float | None = None
    mos: float | None = None

    @property
    def silent(self) -> bool:
        """Nobody hears it, whoever wanted it so."""
        return self.muted or self.muted_by_host or self.listen_only or self.listen_only_by_host

    @property
    def takes_part(self) -> bool:
        """It is in the meeting: in its room or in a side talk."""
        return self.state in (ParticipantState.IN, ParticipantState.ASIDE)
