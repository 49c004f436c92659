"""Recordings of tracks, as the writer's thread keeps them: a sidecar, and a WAV file for each talker.

The workers of a room write one sidecar: each reads it anew before it changes it, with the folder locked meanwhile.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from media.recording.files import TICK_MS, TICKS_PER_SECOND, keep
from media.recording.jobs import Recording, Session
from media.recording.sidecar import Notes, SidecarError, Track, load, mend_tracks


@contextlib.contextmanager
def _locked(session: Session) -> Iterator[None]:
    """While no other worker changes the sidecar. Raises OSError."""
    folder = os.open(Path(session.path).parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


@contextlib.contextmanager
def changing(session: Session) -> Iterator[None]:
    """The sidecar as it is now, to be changed and kept while no other worker changes it. Raises OSError."""
    with _locked(session):
        with contextlib.suppress(SidecarError):  # lost, or never written: what we know is all there is
            session.notes = load(session.path)
        yield


def begin(session: Session, at: float) -> str | None:
    """Write the sidecar, or take up the one that is there. at: Unix seconds. Returns why that failed."""
    try:
        with _locked(session):
            return _begin(session, at)
    except OSError:
        return "unwritable"


def _begin(session: Session, at: float) -> str | None:
    path, notes = Path(session.path), session.notes
    if session.continues and path.exists():
        try:
            session.notes = notes = load(path)
        except SidecarError:
            return "not_ours"
        mend_tracks(notes, path.parent, session.worker)
        before = notes.marks or any(track.worker == session.worker for track in notes.tracks)
        session.base_ms = _take_up(notes, at) if before and not session.joins else _now_ms(notes, at)
    elif path.exists():
        return "exists"
    elif session.continues:
        session.base_ms = _now_ms(notes, at)
    return None if keep(notes, path) else "unwritable"


def _now_ms(notes: Notes, at: float) -> int:
    """Where on the timeline a moment is, pauses that cut left out, the one that lasts among them. at: Unix seconds."""
    if notes.marks and notes.marks[-1].ms is None and notes.marks[-1].what == "cut":
        return notes.marks[-1].at_ms
    return max(0, round((at - notes.began) * TICKS_PER_SECOND) * TICK_MS - notes.cut_ms)


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
            worker=session.worker,
        )
    )
    keep(session.notes, session.path)


def left(session: Session, recording: Recording, samples: int, reason: str | None) -> None:
    """Note how long a track became, and what ended it when it was not its leaving."""
    name = Path(recording.path).name
    with contextlib.suppress(OSError), changing(session):
        for track in session.notes.tracks:
            if track.file == name:
                track.ms, track.reason = samples * 1000 // track.rate // TICK_MS * TICK_MS, reason
        keep(session.notes, session.path)


def note(session: Session, what: Literal["silence", "cut", "end"], at_ms: int, ms: int) -> bool:
    """Note a pause that begins, or how long the one that is over was; False when the sidecar is not written."""
    if session.joins:
        return True  # whoever began the recording has paused as well
    try:
        with changing(session):
            if what == "end":
                session.notes.end_mark(ms)
            else:
                session.notes.mark(what, session.base_ms + at_ms)
            return keep(session.notes, session.path)
    except OSError:
        return False
