"""What a worker tells the engine."""

from __future__ import annotations

from typing import Literal

import msgspec

from media.control.terms import RoomPart
from media.control.version import VERSION


class LegOpened(msgspec.Struct, frozen=True, tag=True):
    leg: int
    local_port: int


class LegRefused(msgspec.Struct, frozen=True, tag=True):
    leg: int
    reason: str


class LegClosed(msgspec.Struct, frozen=True, tag=True):
    """The last word about a leg: its sockets are shut and its ports rest."""

    leg: int


class PlayFinished(msgspec.Struct, frozen=True, tag=True):
    leg: int
    tag: int
    interrupted: bool
    cause: Literal["", "digit", "speech"] = ""
    """What of the caller's interrupted it."""
    position_ms: int = 0
    """Where it was when it was interrupted."""


class DigitReceived(msgspec.Struct, frozen=True, tag=True):
    leg: int
    digit: str
    duration_ms: int


class DigitsSent(msgspec.Struct, frozen=True, tag=True):
    """All digits queued on the leg are out. ``ok`` False: neither events nor tones were agreed on."""

    leg: int
    ok: bool


class RecordingClosed(msgspec.Struct, frozen=True, tag=True):
    """A recording's file can be read. ``reason`` is None when it was asked for, else what ended it."""

    leg: int
    path: str
    samples: int
    reason: str | None
    rate: int = 8000


class RoomShared(msgspec.Struct, frozen=True, tag=True):
    """Where others can hear what this worker's legs say in a room; None: there is no memory for it."""

    room: str
    part: RoomPart | None


class RoomRecordingClosed(msgspec.Struct, frozen=True, tag=True):
    """As ``RecordingClosed``, of a room. Of tracks ``path`` is the sidecar, and ``samples`` is their timeline."""

    room: str
    path: str
    samples: int
    reason: str | None
    rate: int = 8000


class RoomPlayFinished(msgspec.Struct, frozen=True, tag=True):
    """What was played into a room is over. ``interrupted``: it was stopped, nobody was there, or it is not known."""

    room: str
    tag: int
    interrupted: bool


class LegFailed(msgspec.Struct, frozen=True, tag=True):
    """A command could not be carried out, or (reason ``worker_lost``) the leg is gone."""

    leg: int
    reason: str


class Talkers(msgspec.Struct, frozen=True, tag=True):
    """Who talks in a room now, when it is others than before: legs and their levels, the loudest first.

    Levels are dBov as in RFC 6464: 0 is the loudest, 127 silence.
    """

    room: str
    talkers: list[tuple[int, int]]


class LegMoved(msgspec.Struct, frozen=True, tag=True):
    """Said by the pool: the leg's worker was lost, and another process carries it now, perhaps on another port."""

    leg: int
    local_port: int


class SourceLearned(msgspec.Struct, frozen=True, tag=True):
    leg: int
    host: str
    port: int


class LegQuality(msgspec.Struct, frozen=True, kw_only=True):
    """How a leg has sounded (``media.quality``), from rated intervals of some seconds."""

    mos: float
    """Of the last interval, 1.0 to 4.5; with the delay, so conversational."""
    mos_lowest: float
    mos_average: float
    r_factor: float
    jitter_average_ms: float
    jitter_most_ms: float
    delay_ms: float
    """One way, mouth to ear, as far as it is known."""
    burst_density: float
    """Lost within bursts, 0 to 1; as the next three by RFC 3611 section 4.7.2."""
    gap_density: float
    burst_ms: float
    gap_ms: float
    remote_mos: float | None
    """What the peer says of what it hears (RFC 3611), when it does."""


class LegStatistics(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Totals of the leg so far. ``final``: the leg is being closed."""

    leg: int
    packets_sent: int
    octets_sent: int
    packets_received: int
    octets_received: int
    lost: int
    late: int
    """Came after its turn to be played."""
    jitter_ms: float
    """RFC 3550 appendix A.8; packets are timed by the tick, so in steps of 20 ms before smoothing."""
    round_trip_ms: float | None
    remote_lost: int
    """Cumulative loss the peer reported of our packets."""
    strangers: int
    """Datagrams dropped while learning the source: from elsewhere, or not fit to be learned from."""
    flooded: int
    """Dropped over 200 packets/s (security F8)."""
    malformed: int
    final: bool
    unauthentic: int = 0
    """SRTP packets whose tag was wrong (security F4)."""
    quality: LegQuality | None = None
    """None: too little was heard."""


class PromptLoaded(msgspec.Struct, frozen=True, tag=True):
    name: str
    frames: int


class PromptRefused(msgspec.Struct, frozen=True, tag=True):
    name: str
    reason: str


class WorkerStatistics(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Every second: totals since the worker began, and what it holds now. ``ports``: pairs of its share in use."""

    ticks: int
    late_ticks: int
    skipped_ticks: int
    legs: int
    ports: int = 0
    cpu_seconds: float
    counters: dict[str, int]


class WorkerLoad(msgspec.Struct, frozen=True, tag=True):
    """When it has changed: how much of a core the worker uses, and the share of its ticks that came late."""

    share: float
    late: float


class Started(msgspec.Struct, frozen=True, tag=True):
    """The first message to each engine. ``ports`` is the share it was given, by this engine or one before it."""

    pid: int
    version: int = VERSION
    ports: tuple[int, int] | None = None
    legs: list[int] = []
    prompts: dict[str, str] = {}
    """Those it was asked to load, with their paths."""
    shared: list[str] = []
    """Rooms other workers hear its part of."""


class Stopped(msgspec.Struct, frozen=True, tag=True):
    """Answer to ``Shutdown``; the last message."""


LegEvent = (
    PlayFinished
    | DigitReceived
    | DigitsSent
    | RecordingClosed
    | LegFailed
    | LegMoved
    | SourceLearned
    | LegStatistics
)
Event = (
    LegEvent
    | LegOpened
    | LegRefused
    | LegClosed
    | Talkers
    | RoomShared
    | RoomRecordingClosed
    | RoomPlayFinished
    | PromptLoaded
    | PromptRefused
    | WorkerStatistics
    | WorkerLoad
    | Started
    | Stopped
)
