"""Recordings of tracks, as the writer's thread keeps them: a sidecar, and a WAV file for each talker."""

from __future__ import annotations

from pathlib import Path

from media.recording.files import TICK_MS, keep
from media.recording.jobs import Recording, Session
from media.recording.sidecar import SidecarError, Track, load, mend_tracks


def begin(session: Session) -> str | None:
    """Write the sidecar, or take up the one that is there. Returns why that failed."""
    path = Path(session.path)
    if session.continues and path.exists():
        try:
            session.notes = load(path)
        except SidecarError:
            return "not_ours"
        mend_tracks(session.notes, path.parent)
        session.notes.end_mark(0)
    elif path.exists():
        return "exists"
    return None if keep(session.notes, path) else "unwritable"


def joined(session: Session, recording: Recording) -> None:
    """Add the track whose file has just been made."""
    session.notes.tracks.append(
        Track(
            file=Path(recording.path).name,
            label=recording.label,
            offset_ms=recording.offset_ms,
            rate=recording.sound.rate,
        )
    )
    keep(session.notes, session.path)


def left(session: Session, recording: Recording, samples: int, reason: str | None) -> None:
    """Note how long a track became, and what ended it when it was not its leaving."""
    name = Path(recording.path).name
    for track in session.notes.tracks:
        if track.file == name:
            track.ms, track.reason = samples * 1000 // track.rate // TICK_MS * TICK_MS, reason
    keep(session.notes, session.path)
