"""The verbs, as data: what a menu, the REST API or a program asks of a room (``Room.act``).

participant: whom it concerns. What a command needs besides the rights of its actor is checked by the room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from conference.definition import RecordKind
from conference.role import Role, Verb


@dataclass(frozen=True, slots=True)
class _One:
    """A command about one participant."""

    participant: int


@dataclass(frozen=True, slots=True)
class Mute(_One):
    """Not heard any more. By another than itself: only a host undoes it."""

    verb: ClassVar[Verb] = Verb.MUTE


@dataclass(frozen=True, slots=True)
class Unmute(_One):
    """Heard again. A host undoes what hosts did; whoever muted itself stays muted until it says otherwise."""

    verb: ClassVar[Verb] = Verb.UNMUTE


@dataclass(frozen=True, slots=True)
class MuteAll:
    """Every guest is muted, as by a host."""

    verb: ClassVar[Verb] = Verb.MUTE_ALL


@dataclass(frozen=True, slots=True)
class UnmuteAll:
    """No guest is muted by a host any more."""

    verb: ClassVar[Verb] = Verb.UNMUTE_ALL


@dataclass(frozen=True, slots=True)
class RaiseHand(_One):
    """Asks to speak."""

    verb: ClassVar[Verb] = Verb.RAISE_HAND


@dataclass(frozen=True, slots=True)
class LowerHand(_One):
    """No longer asks to speak."""

    verb: ClassVar[Verb] = Verb.LOWER_HAND


@dataclass(frozen=True, slots=True)
class Admit:
    """From the lobby into the room; None: everybody who waits."""

    participant: int | None = None
    verb: ClassVar[Verb] = Verb.ADMIT


@dataclass(frozen=True, slots=True)
class Deny(_One):
    """Who waits in the lobby is told so and leaves."""

    verb: ClassVar[Verb] = Verb.DENY


@dataclass(frozen=True, slots=True)
class Expel(_One):
    """Out of the room."""

    verb: ClassVar[Verb] = Verb.EXPEL


@dataclass(frozen=True, slots=True)
class SetRole(_One):
    """Host or guest from now on."""

    role: Role
    verb: ClassVar[Verb] = Verb.SET_ROLE


@dataclass(frozen=True, slots=True)
class Rename(_One):
    """Another name on the list."""

    name: str
    verb: ClassVar[Verb] = Verb.RENAME


@dataclass(frozen=True, slots=True)
class SetVolume(_One):
    """How loud the participant hears the room, dB."""

    volume_db: float
    verb: ClassVar[Verb] = Verb.SET_VOLUME


@dataclass(frozen=True, slots=True)
class SetGain(_One):
    """How loud the others hear the participant, dB."""

    gain_db: float
    verb: ClassVar[Verb] = Verb.SET_GAIN


@dataclass(frozen=True, slots=True)
class ListenOnly(_One):
    """Hears, and is not heard, as long as it is on."""

    on: bool
    verb: ClassVar[Verb] = Verb.LISTEN_ONLY


@dataclass(frozen=True, slots=True)
class StepAside:
    """A private side talk: these leave the mix of the room for one of their own.

    aside: the number of a side talk that exists already, to join it; None: a new one.
    """

    participants: tuple[int, ...]
    aside: int | None = None
    verb: ClassVar[Verb] = Verb.STEP_ASIDE


@dataclass(frozen=True, slots=True)
class StepBack(_One):
    """Back from a side talk."""

    verb: ClassVar[Verb] = Verb.STEP_BACK


@dataclass(frozen=True, slots=True)
class GiveConsent(_One):
    """Agrees to be recorded, or does not."""

    agrees: bool
    verb: ClassVar[Verb] = Verb.CONSENT


@dataclass(frozen=True, slots=True)
class StartRecording:
    """Record the room once everybody has been told; ``OFF`` is what the room is defined with, or the mix."""

    kind: RecordKind = RecordKind.OFF
    verb: ClassVar[Verb] = Verb.START_RECORDING


@dataclass(frozen=True, slots=True)
class StopRecording:
    """Close the recording."""

    verb: ClassVar[Verb] = Verb.STOP_RECORDING


@dataclass(frozen=True, slots=True)
class PauseRecording:
    """Keep nothing of what is said, until resumed."""

    verb: ClassVar[Verb] = Verb.PAUSE_RECORDING


@dataclass(frozen=True, slots=True)
class ResumeRecording:
    """Keep what is said again."""

    verb: ClassVar[Verb] = Verb.RESUME_RECORDING


@dataclass(frozen=True, slots=True)
class AnnounceCount:
    """Say how many are in the room: to one participant, or (None) to all."""

    participant: int | None = None
    verb: ClassVar[Verb] = Verb.ANNOUNCE_COUNT


@dataclass(frozen=True, slots=True)
class Lock:
    """Nobody comes in any more but hosts."""

    verb: ClassVar[Verb] = Verb.LOCK


@dataclass(frozen=True, slots=True)
class Unlock:
    """Open again."""

    verb: ClassVar[Verb] = Verb.UNLOCK


@dataclass(frozen=True, slots=True)
class DialOut:
    """Call somebody into the room ("call them"; "call me" from a browser or the API is the same)."""

    number: str
    name: str = ""
    role: Role = Role.GUEST
    verb: ClassVar[Verb] = Verb.DIAL_OUT


@dataclass(frozen=True, slots=True)
class Transfer(_One):
    """Out of the room, to a number or (``room``) another room."""

    number: str
    room: bool = False
    verb: ClassVar[Verb] = Verb.TRANSFER


@dataclass(frozen=True, slots=True)
class Merge:
    """Everybody goes over into another room, with role and name; this one closes."""

    into: str
    verb: ClassVar[Verb] = Verb.MERGE


@dataclass(frozen=True, slots=True)
class End:
    """The meeting is over for everybody."""

    verb: ClassVar[Verb] = Verb.END


Command = (
    Mute
    | Unmute
    | MuteAll
    | UnmuteAll
    | RaiseHand
    | LowerHand
    | Admit
    | Deny
    | Expel
    | SetRole
    | Rename
    | SetVolume
    | SetGain
    | ListenOnly
    | StepAside
    | StepBack
    | GiveConsent
    | StartRecording
    | StopRecording
    | PauseRecording
    | ResumeRecording
    | AnnounceCount
    | Lock
    | Unlock
    | DialOut
    | Transfer
    | Merge
    | End
)
