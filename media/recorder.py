"""Recording many legs at once, off the tick.

``RecordingWriter`` keeps the disk away from the tick. The tick calls ``open``, ``append`` and ``close``,
which touch memory only and never wait; a thread of its own, begun with the first recording, opens and
writes the files (``media.wav.WavRecorder``: valid to the last second at any moment) and leaves one
``RecordingClosed`` for each, whatever ended it. It is meant to be used so:

- ``append`` is called every tick, silence included, so that the file keeps time: it costs a list append,
  and once a second a join and a queue put. The seconds of different recordings are spread over the ticks.
- ``take_events`` is called every tick or so. A recording may end on its own (full disk, stalled disk,
  length limit): then its later appends are ignored, and ``close`` is still allowed.
- All calls come from one thread. ``stop`` closes what is open and waits for the disk, but not for ever.

A disk that does not take what it is given for ``BACKLOG_SECONDS`` loses the recording, not the call and not
the memory of the worker.
"""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from media.wav import BYTES_PER_SAMPLE, MAX_SECONDS, RESERVE_BYTES, RecordingError, WavRecorder, repair

__all__ = ["RecordingClosed", "RecordingError", "RecordingWriter", "WavRecorder", "repair"]

BACKLOG_SECONDS = 15  # a few seconds of a busy disk are common; 15 s of 1,000 legs are 240 MB
_SPREAD = 0.618  # golden section: successive handles begin their seconds far apart

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RecordingClosed:
    """The one event of a recording: its file is closed (or was never made) and can be read.

    ``reason`` is None after ``close``, else the label of the ``RecordingError`` that ended it.
    """

    handle: int
    path: str
    samples: int
    reason: str | None
    detail: str = ""


@dataclass(slots=True)
class _Recording:
    """Both sides of one recording. The tick's thread owns the first part, the writer's the second."""

    handle: int
    path: str
    rate: int
    channels: int
    max_seconds: int
    write_at: int  # bytes gathered that make a batch; the first batch is shorter, to spread the seconds
    blocks: list[bytes] = field(default_factory=list)
    gathered: int = 0
    handed_over: int = 0
    stalled: bool = False
    # The writer's side. Reading it from the tick may be a moment late, and that is all.
    taken: int = 0
    over: bool = False
    file: WavRecorder | None = None


@dataclass(frozen=True, slots=True)
class _Job:
    """One thing for the thread to do: begin the file (no data yet), add data, or end it."""

    recording: _Recording
    data: bytes = b""
    last: bool = False


class RecordingWriter:
    """Writes many recordings on one thread of its own; see the module's text for how to use it."""

    def __init__(self, *, max_seconds: int = MAX_SECONDS, reserve_bytes: int = RESERVE_BYTES) -> None:
        self.max_seconds = max_seconds
        """Of a recording begun from now on."""
        self._reserve_bytes = reserve_bytes
        self._handles = itertools.count(1)
        self._open: dict[int, _Recording] = {}
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._events: deque[RecordingClosed] = deque()
        self._thread: threading.Thread | None = None

    def open(self, path: str | Path, *, rate: int = 8000, channels: int = 1) -> int:
        """Begin a recording and return its handle at once; failure to make the file comes as its event."""
        self._start()
        handle = next(self._handles)
        second = rate * channels * BYTES_PER_SAMPLE
        first = int(second * (handle * _SPREAD % 1.0))
        recording = _Recording(handle, str(path), rate, channels, self.max_seconds, write_at=first)
        self._open[handle] = recording
        self._jobs.put(_Job(recording))
        return handle

    def append(self, handle: int, data: bytes) -> None:
        """Add little-endian 16-bit samples. Never blocks or raises; a handle that is over is ignored."""
        recording = self._open.get(handle)
        if recording is None or recording.over or recording.stalled:
            return
        recording.blocks.append(data)
        recording.gathered += len(data)
        if recording.gathered >= recording.write_at:
            self._hand_over(recording)

    def flush(self) -> None:
        """Hand over what is gathered now, for a user that does not append every tick."""
        for recording in self._open.values():
            if recording.blocks:
                self._hand_over(recording)

    def close(self, handle: int) -> None:
        """End a recording; its event follows. A handle that is over or unknown is ignored."""
        recording = self._open.pop(handle, None)
        if recording is not None:
            self._jobs.put(_Job(recording, b"".join(recording.blocks), last=True))
            recording.blocks = []

    def take_events(self) -> list[RecordingClosed]:
        """The recordings that ended since the last call."""
        events = []
        while self._events:
            event = self._events.popleft()
            self._open.pop(event.handle, None)
            events.append(event)
        return events

    def stop(self, timeout: float = 3.0) -> bool:
        """Close what is open and wait; False when the disk took longer than ``timeout`` seconds."""
        for handle in list(self._open):
            self.close(handle)
        if self._thread is None:
            return True
        self._jobs.put(None)
        self._thread.join(timeout)
        ended = not self._thread.is_alive()
        self._thread = None
        return ended

    def _start(self) -> None:
        if self._thread is None:
            self._jobs = queue.SimpleQueue()
            self._thread = threading.Thread(
                target=self._run, args=(self._jobs,), name="recordings", daemon=True
            )
            self._thread.start()

    def _hand_over(self, recording: _Recording) -> None:
        """Give the thread what is gathered, or give the recording up when the disk is too far behind."""
        second = recording.rate * recording.channels * BYTES_PER_SAMPLE
        if recording.handed_over - recording.taken > BACKLOG_SECONDS * second:
            recording.stalled = True
            recording.blocks = []
            self._jobs.put(_Job(recording, last=True))
            return
        self._jobs.put(_Job(recording, b"".join(recording.blocks)))
        recording.handed_over += recording.gathered
        recording.blocks = []
        recording.gathered = 0
        recording.write_at = second

    # The thread.

    def _run(self, jobs: queue.SimpleQueue[_Job | None]) -> None:
        while (job := jobs.get()) is not None:
            if job.recording.over:
                continue
            try:
                self._do(job)
            except RecordingError as error:
                self._over(job.recording, error)
            except Exception as error:  # the driver's last line: one recording is lost, not all of them
                _log.exception("recording %s failed", job.recording.path)
                self._over(job.recording, RecordingError("internal", repr(error)))

    def _do(self, job: _Job) -> None:
        recording = job.recording
        if recording.file is None:
            recording.file = WavRecorder(
                recording.path,
                recording.rate,
                recording.channels,
                max_seconds=recording.max_seconds,
                reserve_bytes=self._reserve_bytes,
            )
        if job.data:
            recording.file.append_bytes(job.data)
            recording.file.flush()
            recording.taken += len(job.data)
        if job.last:
            recording.file.close()
            self._over(recording, RecordingError("stalled") if recording.stalled else None)

    def _over(self, recording: _Recording, error: RecordingError | None) -> None:
        recording.over = True
        samples = 0
        if recording.file is not None:
            recording.file.abandon()
            samples = recording.file.samples
            recording.file = None
        reason, detail = (error.reason, error.detail) if error is not None else (None, "")
        self._events.append(RecordingClosed(recording.handle, recording.path, samples, reason, detail))
