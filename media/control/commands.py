"""What the engine tells a worker. A leg's id is the engine's choice, unique in a worker's life."""

from __future__ import annotations

from typing import Literal

import msgspec

from media.control.terms import LegSpec, RoomPart, Stream

PauseMode = Literal["silence", "cut"]


class Configure(msgspec.Struct, frozen=True, tag=True):
    """The first message: the worker's share of the ports, and those that must rest first (security F7)."""

    port_first: int
    port_last: int
    resting: list[int] = []
    kept: list[int] = []
    """Ports of legs that will be opened again, on these very ports."""
    plugins: list[str] = []
    """Names of those that are given sound (``media.hook_loading``)."""
    plugin_budget_ms: int = 2
    orphan_seconds: float = 0.0
    """How long legs are carried on without an engine."""


class LimitRecordings(msgspec.Struct, frozen=True, tag=True):
    """How long a recording may become that is begun from now on."""

    seconds: int


class OpenLeg(msgspec.Struct, frozen=True, tag=True):
    """Give a leg its sockets. After a loss it gets ``port`` again, if that can be bound, and its ``stream`` goes on."""

    leg: int
    spec: LegSpec
    port: int | None = None
    stream: Stream | None = None


class KeepLegs(msgspec.Struct, frozen=True, tag=True):
    """From an engine that came after another: close every leg but these."""

    legs: list[int]


class ModifyLeg(msgspec.Struct, frozen=True, tag=True):
    """A new offer/answer. ``spec`` is whole; the local address is not changed."""

    leg: int
    spec: LegSpec


class LockSource(msgspec.Struct, frozen=True, tag=True):
    """Serve this source, which another worker had learned for the leg (security F1)."""

    leg: int
    host: str
    port: int


class CloseLeg(msgspec.Struct, frozen=True, tag=True):
    leg: int


class Play(msgspec.Struct, frozen=True, tag=True):
    leg: int
    items: list[str]
    loop: bool = False
    tag: int = 0
    skip: int = 0
    """Ticks of it that were played already, before its worker was lost."""
    stop_on_digit: bool = False
    """The first key pressed ends it (barge-in)."""
    stop_on_speech: bool = False
    """So does a voice: 100 ms above -35 dBov."""
    gain_db: float = 0.0
    under: bool = False
    """A leg in a room goes on hearing it, the prompt mixed in; in no room it is a play like any."""


class PausePlaying(msgspec.Struct, frozen=True, tag=True):
    """Hold what is played where it is, or go on. A leg that is held hears what it would without a prompt."""

    leg: int
    on: bool


class SeekPlaying(msgspec.Struct, frozen=True, tag=True):
    """Go on from ``ms``: from the beginning of all that is played, or from here. Before it is the beginning."""

    leg: int
    ms: int
    relative: bool = False


class StopPlaying(msgspec.Struct, frozen=True, tag=True):
    leg: int


class Echo(msgspec.Struct, frozen=True, tag=True):
    leg: int
    on: bool


class Record(msgspec.Struct, frozen=True, tag=True):
    """Write what a leg says (``both``: and what it hears, as the second channel) to a WAV file.

    ``coded``: keep G.711 as it came, one octet a sample. ``continues_from``: go on with the file that was begun at
    that time (Unix seconds), silence in the place of what is missing. ``paused``: it begins so.
    """

    leg: int
    path: str
    kind: Literal["leg", "both"] = "leg"
    coded: bool = False
    continues_from: float | None = None
    paused: PauseMode | None = None


class PauseRecording(msgspec.Struct, frozen=True, tag=True):
    """Put silence in the place of what is said, or leave the time out, until ``ResumeRecording``."""

    leg: int
    mode: PauseMode = "silence"


class ResumeRecording(msgspec.Struct, frozen=True, tag=True):
    leg: int


class RecordRoom(msgspec.Struct, frozen=True, tag=True):
    """Write a room's mix to a WAV file (``room``), or a track a talker with a sidecar at ``path`` (``tracks``).

    It ends with ``StopRoomRecording``, or when the room was entered and is empty again. Of tracks each worker of a room
    writes those of its own legs, all into one sidecar; ``joins``: another one began it. The rest as in ``Record``.
    """

    room: str
    path: str
    kind: Literal["room", "tracks"] = "room"
    continues_from: float | None = None
    paused: PauseMode | None = None
    worker: int = 0
    joins: bool = False


class PauseRoomRecording(msgspec.Struct, frozen=True, tag=True):
    """As ``PauseRecording``, for all recordings of a room; ``mode`` None: go on."""

    room: str
    mode: PauseMode | None


class StopRoomRecording(msgspec.Struct, frozen=True, tag=True):
    """End the recordings of a room."""

    room: str


class PlayInRoom(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Play prompts in turn to all who hear a room, after what is being played into it; ``RoomPlayFinished`` follows.

    ``music``: beneath all that, in the place of other music; it fades in and out, and ends unsaid.
    """

    room: str
    items: list[str]
    loop: bool = False
    tag: int = 0
    gain_db: float = 0.0
    music: bool = False


class StopPlayingInRoom(msgspec.Struct, frozen=True, tag=True):
    """End all that is and is to be played into a room (``music``: its music, and that only)."""

    room: str
    music: bool = False


class StopRecording(msgspec.Struct, frozen=True, tag=True):
    leg: int


class Bridge(msgspec.Struct, frozen=True, tag=True):
    """Join two legs of this worker both ways; ``other`` None parts them."""

    leg: int
    other: int | None


class JoinRoom(msgspec.Struct, frozen=True, tag=True):
    """Mix a leg with the others in a room of this worker, instead of those of the room it is in.

    ``label`` names it where the room is recorded talker by talker.
    """

    leg: int
    room: str
    label: str = ""


class LeaveRoom(msgspec.Struct, frozen=True, tag=True):
    leg: int


class SetParticipant(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """How a leg is mixed, in the room it is in and in those after it. Whole: what is not said is as at first."""

    leg: int
    muted: bool = False
    gain_db: float = 0.0
    """How much louder the others hear it."""
    volume_db: float = 0.0
    """How much louder it hears the room."""
    agc: bool = False
    gate: bool = False
    denoise: bool = False


class SetRoom(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """How a room is mixed; it holds until the room is empty, and may come before its first leg."""

    room: str
    loudest: int = 8
    """Talkers mixed at once, the loudest; 0: everybody."""
    max_rate_hz: int = 48000
    """The best rate it is mixed at, however good the codecs in it: 8000, 16000 or 48000."""
    levels: bool = False
    """Tell ``Talkers`` five times a second while somebody talks, for a display of levels."""


class ShareRoom(msgspec.Struct, frozen=True, tag=True):
    """Let other workers hear what this one's legs say in a room; ``RoomShared`` says how.

    ``token``: what they know it by. Said again it changes nothing, and is answered again.
    """

    room: str
    token: int


class HearRoom(msgspec.Struct, frozen=True, tag=True):
    """Of which workers a room is the sum, this one among them: all are told them in the same order."""

    room: str
    parts: list[RoomPart]


class UnshareRoom(msgspec.Struct, frozen=True, tag=True):
    """A room that was shared is over."""

    room: str


class SendDigits(msgspec.Struct, frozen=True, tag=True):
    leg: int
    digits: str


class WatchLeg(msgspec.Struct, frozen=True, tag=True):
    """Report ``LegStatistics`` every five seconds from now on, or no longer."""

    leg: int
    on: bool


class ForgetPrompt(msgspec.Struct, frozen=True, tag=True):
    """Nobody will ask for it again; who plays it hears it to its end, then its memory is free."""

    name: str


class LoadPrompt(msgspec.Struct, frozen=True, tag=True):
    name: str
    path: str
    later: bool = False
    """Read it when it is first played; until then it takes no memory."""


class Shutdown(msgspec.Struct, frozen=True, tag=True):
    """Close every leg and recording, answer ``Stopped`` and exit."""


LegCommand = (
    ModifyLeg
    | LockSource
    | CloseLeg
    | Play
    | PausePlaying
    | SeekPlaying
    | StopPlaying
    | Echo
    | Record
    | PauseRecording
    | ResumeRecording
    | StopRecording
    | Bridge
    | JoinRoom
    | LeaveRoom
    | SetParticipant
    | SendDigits
    | WatchLeg
)
"""What concerns a leg that is open."""
RoomCommand = SetRoom | RecordRoom | PauseRoomRecording | StopRoomRecording | PlayInRoom | StopPlayingInRoom
Command = (
    Configure
    | LimitRecordings
    | OpenLeg
    | KeepLegs
    | LegCommand
    | RoomCommand
    | ShareRoom
    | HearRoom
    | UnshareRoom
    | LoadPrompt
    | ForgetPrompt
    | Shutdown
)
