"""What lies in the file of a recording, for those who list recordings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from media.recording.sidecar import SidecarError, load, sidecar_of
from media.wav import Coding, RecordingError, inspect


@dataclass(frozen=True, slots=True)
class RecordingFile:
    """``format``: ``wav``, ``g711``, ``flac``, ``ogg`` or ``tracks``; empty when there is no file of ours.

    rate: Hz, of tracks the highest. ``pauses``: how often it was paused. ``lost``: seconds its worker was dead.
    """

    format: str = ""
    rate: int = 0
    channels: int = 0
    tracks: int = 0
    pauses: int = 0
    lost: float = 0.0


def describe(path: Path) -> RecordingFile:
    """What a recording is made of, from its file and its sidecar, also while it is made. Blocks; never raises."""
    pauses, lost, channels, rate, tracks = 0, 0.0, 1, 0, 0
    try:
        notes = load(path if path.suffix == ".json" else sidecar_of(path))
    except SidecarError:
        pass
    else:
        pauses = sum(mark.what != "lost" for mark in notes.marks)
        lost = sum((mark.ms or 0) / 1000 for mark in notes.marks if mark.what == "lost")
        channels = max(1, len(notes.channels))
        tracks = len(notes.tracks)
        rate = max((track.rate for track in notes.tracks), default=0)
    if path.suffix == ".wav":
        try:
            sound = inspect(path).sound
        except RecordingError:
            return RecordingFile()
        form = "wav" if sound.coding is Coding.PCM else "g711"
        return RecordingFile(form, sound.rate, sound.channels, 0, pauses, lost)
    if path.suffix == ".json":
        return RecordingFile("tracks" if tracks else "", rate, channels, tracks, pauses, lost)
    try:
        with path.open("rb") as file:
            rate, channels = _encoded(file.read(64))
    except OSError:
        return RecordingFile()
    return RecordingFile(path.suffix.removeprefix("."), rate, channels, 0, pauses, lost)


def _encoded(head: bytes) -> tuple[int, int]:
    """Rate and channels by the beginning of a FLAC (RFC 9639 section 8.2) or Ogg/Opus file (RFC 7845 section 5.1)."""
    if head.startswith(b"fLaC"):
        field = int.from_bytes(head[18:22], "big")
        return field >> 12, (field >> 9 & 7) + 1
    if head[28:36] == b"OpusHead":
        return int.from_bytes(head[40:44], "little"), head[37]
    return 0, 0
