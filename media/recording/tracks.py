"""Recordings of tracks, as the writer's thread keeps them: a sidecar, and a WAV file for each talker."""

from __future__ import annotations

from pathlib import Path

from media.recording.files import TICK_MS, TICKS_PER_SECOND, keep
from media.recording.jobs import Recording, Session
from media.recording.sidecar import Notes, SidecarError, Track, load, mend_tracks


def begin(session: Session, at: float) -> str | None:
    """Write the sidecar, or take up the one that is there. at: Unix seconds. Returns why that failed."""
    path = Path(session.path)
    if session.continues and path.exists():
        try:
            session.notes = notes = load(path)
        except SidecarError:
            return "not_ours"
        mend_tracks(notes, path.parent)
        session.base_ms = _take_up(notes, at)
    elif path.exists():
        return "exists"
    return None if keep(session.notes, path) else "unwritable"


def _take_up(notes: Notes, at: float) -> int:
    """Where on the timeline it goes on; what its process missed is noted, as lost or as part of the pause."""
    ended_ms = notes.ms
    now_ms = max(ended_ms, round((at - notes.began) * TICKS_PER_SECOND) * TICK_MS - notes.cut_ms)
    if notes.marks and notes.marks[-1].ms is None:
        open_mark = notes.marks[-1]
        if open_mark.what == "cut":
            notes.end_mark(max(0, now_ms - open_mark.at_ms))
            return max(ended_ms, open_mark.at_ms)
        notes.end_mark(max(0, ended_ms - open_mark.at_ms))
    notes.mark("lost", ended_ms, now_ms - ended_ms)
    return now_ms


def next_path(session: Session) -> str:
    """The file of the next track: ``x.track-1.wav`` and so on, beside the sidecar ``x.json``."""
    path = Path(session.path)
    number = len(session.notes.tracks) + 1
    return str(path.with_name(f"{path.name.partition('.')[0]}.track-{number}.wav"))


def joined(session: Session, recording: Recording) -> None:
    """Add the track whose file has just been made."""
    session.notes.tracks.append(
        Track(
            file=Path(recording.path).name,
            label=recording.label,
            offset_ms=session.base_ms + recording.offset_ms,
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
