"""What the tick hands to the writer's thread, and the recordings both know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from media.recording.samples import Histories
from media.recording.sidecar import Notes
from media.rtp import Octets
from media.wav import Sound, WavRecorder

PauseMode = Literal["silence", "cut"]
"""What a pause leaves in the file: silence of its length, or nothing at all."""


@dataclass(frozen=True, slots=True)
class RecordingClosed:
    """The one event of a recording: its file is closed (or was never made) and can be read.

    ``reason`` is None after it was stopped, else the label of the ``RecordingError`` that ended it. A recording of
    tracks counts the samples of its timeline at ``rate``.
    """

    handle: int
    path: str
    samples: int
    rate: int
    reason: str | None
    detail: str = ""


@dataclass(slots=True, eq=False)
class Session:
    """A recording of tracks; ``path`` is its sidecar, which names them all. The writer owns what changes."""

    handle: int
    path: str
    notes: Notes
    continues: bool = False
    worker: int = 0
    """Whose tracks these are; others may have some in the same sidecar."""
    joins: bool = False
    """Another worker began it, and notes its pauses."""
    base_ms: int = 0
    """Where on the timeline the first tick of this process is; offsets and notes are counted from it."""
    open_tracks: int = 0
    ended: bool = False
    over: bool = False
    """Reading it from the tick may be a moment late, and that is all."""


@dataclass(slots=True, eq=False)
class Recording:
    """One file. The tick's thread owns the first part, the writer's the second."""

    handle: int
    path: str
    sound: Sound
    max_seconds: int
    notes: Notes
    """What is known of it beside its sound; kept on disk as soon as there is something to tell."""
    continues: bool = False
    """Go on with the file that is there, with silence for the time nothing was written."""
    session: Session | None = None
    label: str = ""
    offset_ms: int = 0
    handed_over: int = 0  # frames of 20 ms
    stalled: bool = False
    # The writer's side. Reading it from the tick may be a moment late, and that is all.
    taken: int = 0
    over: bool = False
    file: WavRecorder | None = field(default=None, repr=False)
    histories: Histories = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Begin:
    """Make the file. at: wall-clock time of its first tick, Unix seconds."""

    recording: Recording
    at: float


@dataclass(frozen=True, slots=True)
class Piece:
    """Frames ``begin`` to ``end`` of the rows from ``row`` on, one a channel. law: 0 mu-law, 1 A-law, -1 PCM."""

    recording: Recording
    row: int
    begin: int
    end: int
    law: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Sound of many recordings. data: uint8 [rows, bytes of a second] at ``rate``, of one spool."""

    data: Octets
    rate: int
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class Fill:
    """Silence for ticks that were not made."""

    recording: Recording
    frames: int


@dataclass(frozen=True, slots=True)
class Note:
    """Write down that a pause begins where the recording has come to; ``end``: it took ``frames`` ticks."""

    recording: Recording
    what: Literal["silence", "cut", "end"]
    frames: int = 0


@dataclass(frozen=True, slots=True)
class End:
    recording: Recording


@dataclass(frozen=True, slots=True)
class SessionBegin:
    """Write the sidecar, or take up the one there is. at: as in ``Begin``."""

    session: Session
    at: float


@dataclass(frozen=True, slots=True)
class SessionNote:
    """As ``Note``, for all tracks together; ``at_ms``: since this process began it, pauses that cut left out."""

    session: Session
    what: Literal["silence", "cut", "end"]
    at_ms: int
    frames: int = 0


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """No track will be added; the session is over when its last one is."""

    session: Session


FileJob = Begin | Fill | Note | End
SessionJob = SessionBegin | SessionNote | SessionEnd
Job = FileJob | Batch | SessionJob
