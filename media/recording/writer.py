"""Writing many recordings on one thread, away from the tick.

The tick puts jobs into the writer's queue, which touches memory only and never waits; the thread, begun with the
first job, opens and writes the files (``media.wav.WavRecorder``: whole at any moment) and leaves one
``RecordingClosed`` for each recording, whatever ended it. One may end on its own (full disk, length limit): later
jobs for it are ignored. ``stop`` waits for the disk, but not for ever.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import Counter, defaultdict, deque
from pathlib import Path

from media.recording import tracks
from media.recording.files import TICK_MS, FreeSpace, go_on, keep, open_file, write
from media.recording.jobs import (
    Batch,
    Begin,
    End,
    FileJob,
    Fill,
    Job,
    Note,
    Piece,
    Recording,
    RecordingClosed,
    Session,
    SessionBegin,
    SessionEnd,
    SessionJob,
    SessionNote,
)
from media.recording.samples import PCM, decode
from media.recording.sidecar import sidecar_of
from media.recording.spool import FRAMES
from media.rtp import Octets
from media.wav import RESERVE_BYTES, Coding, RecordingError

_log = logging.getLogger(__name__)


class RecordingWriter:
    """The queue, the thread and what it leaves behind."""

    def __init__(self, *, reserve_bytes: int = RESERVE_BYTES) -> None:
        self._reserve_bytes = reserve_bytes
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._events: deque[RecordingClosed] = deque()
        self._free: defaultdict[Path, FreeSpace] = defaultdict(FreeSpace)  # by folder
        self._thread: threading.Thread | None = None
        self.counters: Counter[str] = Counter()
        """Written by the thread, read by whoever wants to know."""

    def put(self, job: Job) -> None:
        """Give the thread something to do."""
        if self._thread is None:
            self._jobs = queue.SimpleQueue()
            self._thread = threading.Thread(
                target=self._run, args=(self._jobs,), name="recordings", daemon=True
            )
            self._thread.start()
        self._jobs.put(job)

    def take_events(self) -> list[RecordingClosed]:
        """The recordings that ended since the last call."""
        events = []
        while self._events:
            events.append(self._events.popleft())
        return events

    def stop(self, timeout: float = 3.0) -> bool:
        """Do what is left and end; False when the disk took longer than ``timeout`` seconds."""
        if self._thread is None:
            return True
        self._jobs.put(None)
        self._thread.join(timeout)
        ended = not self._thread.is_alive()
        self._thread = None
        return ended

    # The thread.

    def _run(self, jobs: queue.SimpleQueue[Job | None]) -> None:
        while (job := jobs.get()) is not None:
            match job:
                case Batch():
                    self._write_batch(job)
                case SessionBegin() | SessionNote() | SessionEnd():
                    self._do_session(job)
                case _:
                    if not job.recording.over:
                        self._do(job)

    def _do(self, job: FileJob) -> None:
        """One job for one recording; whatever goes wrong ends that one and no other."""
        recording = job.recording
        try:
            match job:
                case Begin(at=at):
                    self._begin(recording, at)
                case Fill(frames=frames) if recording.file is not None:
                    recording.file.fill(frames * recording.sound.rate // FRAMES)
                case Note() if recording.file is not None:
                    self._note(recording, job)
                case End() if recording.file is not None:
                    recording.file.close()
                    self._over(recording, RecordingError("stalled") if recording.stalled else None)
        except RecordingError as error:
            self._over(recording, error)
        except Exception as error:  # the driver's last line: one recording is lost, not all of them
            self._defect(recording, error)

    def _begin(self, recording: Recording, at: float) -> None:
        if recording.session is not None:
            self._begin_track(recording, recording.session)
            return
        recording.file = open_file(recording, self._reserve_bytes, self._free[Path(recording.path).parent])
        if recording.continues:
            go_on(recording, recording.file, at)
            self._keep(recording)
        elif recording.notes.channels:
            self._keep(recording)

    def _begin_track(self, recording: Recording, session: Session) -> None:
        if session.over:  # refused, or failed already: no track more
            recording.over = True
            return
        folder = Path(session.path).parent
        try:
            with tracks.changing(session):
                recording.path = tracks.next_path(session)
                recording.file = open_file(recording, self._reserve_bytes, self._free[folder])
                session.open_tracks += 1
                tracks.joined(session, recording)
        except OSError as error:
            raise RecordingError("unwritable", str(error)) from error

    def _write_batch(self, batch: Batch) -> None:
        """Decode what its files want decoded at once, then write each piece."""
        data: dict[int, Octets] = {}
        for piece in batch.pieces:
            recording = piece.recording
            if recording.over or recording.file is None:
                continue
            try:
                law = piece.law
                if law != PCM and recording.sound.coding is Coding.PCM:
                    if law not in data:
                        data[law] = decode(batch.data, law).view("u1")
                    self._write(piece, data[law], PCM, batch.rate)
                else:
                    self._write(piece, batch.data, law, batch.rate)
            except RecordingError as error:
                self._over(recording, error)
            except Exception as error:  # as above
                self._defect(recording, error)

    def _write(self, piece: Piece, data: Octets, law: int, rate: int) -> None:
        recording, frame = piece.recording, data.shape[1] // FRAMES
        rows = range(piece.row, piece.row + recording.sound.channels)
        write(recording, [data[row, piece.begin * frame : piece.end * frame] for row in rows], law, rate)
        recording.taken += piece.end - piece.begin

    def _note(self, recording: Recording, job: Note) -> None:
        assert recording.file is not None
        if job.what == "end":
            recording.notes.end_mark(job.frames * TICK_MS)
        else:
            recording.notes.mark(job.what, recording.file.samples * 1000 // recording.sound.rate)
        self._keep(recording)

    def _keep(self, recording: Recording) -> None:
        if not keep(recording.notes, sidecar_of(recording.path)):
            self.counters["recording_sidecars_lost"] += 1

    def _defect(self, recording: Recording, error: Exception) -> None:
        _log.error("recording %s failed", recording.path, exc_info=error)
        self._over(recording, RecordingError("internal", repr(error)))

    def _over(self, recording: Recording, error: RecordingError | None) -> None:
        """A recording ended: its file is closed, and whoever waits for it is told."""
        begun, samples = recording.file is not None, 0
        if recording.file is not None:
            recording.file.abandon()
            samples = recording.file.samples
            recording.file = None
        recording.over = True
        reason, detail = (error.reason, error.detail) if error is not None else (None, "")
        if recording.session is not None:
            tracks.left(recording.session, recording, samples, reason)
            recording.session.open_tracks -= begun
            self._session_over(recording.session, reason, detail)
            return
        rate = recording.sound.rate
        self._events.append(RecordingClosed(recording.handle, recording.path, samples, rate, reason, detail))

    # Recordings of tracks.

    def _do_session(self, job: SessionJob) -> None:
        session = job.session
        if session.over:
            return
        match job:
            case SessionBegin(at=at):
                self._session_over(session, tracks.begin(session, at))
            case SessionNote(what=what, at_ms=at_ms, frames=frames):
                if not tracks.note(session, what, at_ms, frames * TICK_MS):
                    self.counters["recording_sidecars_lost"] += 1
            case SessionEnd():
                session.ended = True
                self._session_over(session, None)

    def _session_over(self, session: Session, reason: str | None, detail: str = "") -> None:
        """Tell the end: of the last track after it was asked for, or of any that failed."""
        if session.over or (reason is None and (session.open_tracks or not session.ended)):
            return
        session.over = True
        rate = max((each.rate for each in session.notes.tracks), default=8000)
        samples = session.notes.ms * rate // 1000
        self._events.append(RecordingClosed(session.handle, session.path, samples, rate, reason, detail))
