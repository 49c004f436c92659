"""Many recordings on one thread: the caller never waits, and each one ends with exactly one event."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from media.recorder import BACKLOG_SECONDS, RecordingClosed, RecordingWriter
from media.wav import Pcm, WavRecorder

SECOND = 16000  # bytes
TICK = 320


@pytest.fixture
def writer() -> Iterator[RecordingWriter]:
    """A writer that does not look at how full the disk of the test machine is, stopped in the end."""
    writer = RecordingWriter(reserve_bytes=0)
    yield writer
    assert writer.stop(10)


def read(path: Path) -> bytes:
    """The samples, as another reader finds them."""
    sound: Pcm = soundfile.read(path, dtype="int16")[0]
    return sound.tobytes()


def noise(seed: int, size: int) -> bytes:
    """Bytes that differ from one recording to the next."""
    return np.random.default_rng(seed).bytes(size)


class Gate:
    """A disk that takes nothing until it is let go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._real = os.pwrite
        self._open = threading.Event()
        self.reached = threading.Event()
        monkeypatch.setattr("media.wav.os.pwrite", self._pwrite)

    def _pwrite(self, fd: int, data: bytes, offset: int) -> int:
        self.reached.set()
        assert self._open.wait(30)
        return self._real(fd, data, offset)

    def go_on(self) -> None:
        """Let everything through from now on."""
        self._open.set()


def ended(writer: RecordingWriter) -> list[RecordingClosed]:
    """Every event, once the writer has done all it was given."""
    assert writer.stop(10)
    return sorted(writer.take_events(), key=lambda event: event.handle)


def test_many_recordings_each_get_their_own_sound(writer: RecordingWriter, tmp_path: Path) -> None:
    """Twenty legs of different lengths, block by block in turn, as the tick does."""
    sounds = [noise(leg, TICK * (40 + leg * 7)) for leg in range(20)]
    handles = [writer.open(tmp_path / f"{leg}.wav") for leg in range(20)]
    for tick in range(40 + 20 * 7):
        for handle, sound in zip(handles, sounds, strict=True):
            if block := sound[tick * TICK : (tick + 1) * TICK]:
                writer.append(handle, block)
            else:
                writer.close(handle)
    events = ended(writer)
    assert [event.handle for event in events] == handles
    for event, sound in zip(events, sounds, strict=True):
        assert (event.reason, event.samples) == (None, len(sound) // 2)
        assert read(Path(event.path)) == sound


def test_two_channels_at_another_rate(writer: RecordingWriter, tmp_path: Path) -> None:
    """Samples are counted a channel."""
    handle = writer.open(tmp_path / "call.wav", rate=16000, channels=2)
    writer.append(handle, noise(1, 6400))
    writer.close(handle)
    assert ended(writer) == [RecordingClosed(handle, str(tmp_path / "call.wav"), 1600, None)]
    info = soundfile.info(tmp_path / "call.wav")
    assert (info.samplerate, info.channels) == (16000, 2)


def test_nothing_recorded_leaves_an_empty_file(writer: RecordingWriter, tmp_path: Path) -> None:
    """Closed at once; a second close and a late append say nothing more."""
    handle = writer.open(tmp_path / "call.wav")
    writer.close(handle)
    writer.close(handle)
    writer.append(handle, noise(1, TICK))
    writer.close(999)
    assert [(event.samples, event.reason) for event in ended(writer)] == [(0, None)]
    assert read(tmp_path / "call.wav") == b""


def test_a_name_that_is_taken_comes_as_the_event(writer: RecordingWriter, tmp_path: Path) -> None:
    """Opening never raises in the tick; the other file is not touched, later appends are ignored."""
    (tmp_path / "call.wav").write_bytes(b"precious")
    handle = writer.open(tmp_path / "call.wav")
    for _ in range(200):
        writer.append(handle, noise(1, TICK))
    writer.close(handle)
    assert [(event.samples, event.reason) for event in ended(writer)] == [(0, "exists")]
    assert (tmp_path / "call.wav").read_bytes() == b"precious"


def test_one_full_disk_does_not_end_another_recording(
    writer: RecordingWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failing one keeps what fitted and is reported without being closed; the other goes on."""
    real = os.pwrite

    def pwrite(fd: int, data: bytes, offset: int) -> int:
        if Path(f"/proc/self/fd/{fd}").readlink().name == "full.wav" and offset >= 44 + SECOND:
            raise OSError(errno.ENOSPC, "full")
        return real(fd, data, offset)

    monkeypatch.setattr("media.wav.os.pwrite", pwrite)
    full, good = writer.open(tmp_path / "full.wav"), writer.open(tmp_path / "good.wav")
    for _ in range(4 * 50):
        writer.append(full, b"\1" * TICK)
        writer.append(good, b"\2" * TICK)
    writer.close(good)
    first, second = ended(writer)
    assert (first.handle, first.reason) == (full, "disk_full")
    assert SECOND // 2 <= first.samples < 4 * SECOND // 2
    assert read(tmp_path / "full.wav") == b"\1" * first.samples * 2
    assert (second.reason, second.samples) == (None, 4 * SECOND // 2)


def test_a_slow_disk_never_makes_the_caller_wait(
    writer: RecordingWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten seconds of sound are given while the disk takes nothing; all of it is there in the end."""
    gate = Gate(monkeypatch)
    handle = writer.open(tmp_path / "call.wav")
    sound = noise(2, 10 * SECOND)
    for start in range(0, len(sound), TICK):
        writer.append(handle, sound[start : start + TICK])
    writer.close(handle)
    assert gate.reached.wait(10)
    assert writer.take_events() == []
    gate.go_on()
    assert [(event.reason, event.samples) for event in ended(writer)] == [(None, len(sound) // 2)]
    assert read(tmp_path / "call.wav") == sound


def test_a_disk_that_stands_still_costs_the_recording_not_the_memory(
    writer: RecordingWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the backlog the rest is not kept; what was handed over is written when the disk comes back."""
    gate = Gate(monkeypatch)
    handle = writer.open(tmp_path / "call.wav")
    sound = noise(3, (BACKLOG_SECONDS + 30) * SECOND)
    for start in range(0, len(sound), TICK):
        writer.append(handle, sound[start : start + TICK])
    writer.close(handle)
    gate.go_on()
    (event,) = ended(writer)
    assert event.reason == "stalled"
    assert BACKLOG_SECONDS * SECOND < event.samples * 2 <= (BACKLOG_SECONDS + 1) * SECOND
    assert read(tmp_path / "call.wav") == sound[: event.samples * 2]


def test_stop_does_not_wait_for_ever(
    writer: RecordingWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that stands still is left behind, and said so."""
    gate = Gate(monkeypatch)
    handle = writer.open(tmp_path / "call.wav")
    writer.append(handle, noise(1, TICK))
    stuck = writer._thread
    assert stuck is not None
    assert gate.reached.wait(10)
    assert not writer.stop(0)
    gate.go_on()
    stuck.join(10)
    assert [event.reason for event in writer.take_events()] == [None]


def test_stop_closes_what_is_open_and_the_writer_can_be_used_again(
    writer: RecordingWriter, tmp_path: Path
) -> None:
    """What was gathered is not lost; with nothing begun, stopping does nothing."""
    idle = RecordingWriter()
    assert idle.stop()
    for name in ("one", "two"):
        handle = writer.open(tmp_path / f"{name}.wav")
        writer.append(handle, name.encode() + b"." * 97)
        assert writer.stop(10)
        assert [(event.handle, event.samples) for event in writer.take_events()] == [(handle, 50)]
        assert read(tmp_path / f"{name}.wav").startswith(name.encode())


def test_flush_writes_what_is_gathered(
    writer: RecordingWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For users that do not append every tick: the samples reach the disk without a full second."""
    flushed = threading.Event()
    real = WavRecorder.flush

    def flush(self: WavRecorder) -> None:
        real(self)
        flushed.set()

    monkeypatch.setattr(WavRecorder, "flush", flush)
    handle = writer.open(tmp_path / "call.wav")
    writer.open(tmp_path / "quiet.wav")
    writer.append(handle, noise(1, TICK))
    writer.flush()
    assert flushed.wait(10)
    assert read(tmp_path / "call.wav") == noise(1, TICK)


def test_the_seconds_of_recordings_begun_together_are_spread(writer: RecordingWriter, tmp_path: Path) -> None:
    """Fifty legs begun in one tick do not all write in the same later tick."""
    recordings = [writer._open[writer.open(tmp_path / f"{leg}.wav")] for leg in range(50)]
    ticks = {recording.write_at // TICK for recording in recordings}
    assert len(ticks) > 40
    assert max(recording.write_at for recording in recordings) < SECOND


def test_a_defect_costs_one_recording(
    writer: RecordingWriter,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever goes wrong with one file is logged and reported; its descriptor is given back."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    real = WavRecorder.flush

    def flush(self: WavRecorder) -> None:
        if self.path.endswith("bad.wav"):
            raise RuntimeError("defect")
        real(self)

    monkeypatch.setattr(WavRecorder, "flush", flush)
    bad, good = writer.open(tmp_path / "bad.wav"), writer.open(tmp_path / "good.wav")
    for handle in (bad, good):
        writer.append(handle, noise(4, SECOND))
        writer.close(handle)
    assert [(event.handle, event.reason) for event in ended(writer)] == [(bad, "internal"), (good, None)]
    assert "bad.wav failed" in caplog.text
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_length_limit_ends_a_recording(tmp_path: Path) -> None:
    """Two seconds allowed: the event comes without a close."""
    writer = RecordingWriter(max_seconds=2, reserve_bytes=0)
    handle = writer.open(tmp_path / "call.wav")
    for _ in range(200):
        writer.append(handle, b"\1" * TICK)
    assert [(event.handle, event.reason, event.samples) for event in ended(writer)] == [
        (handle, "too_long", SECOND)
    ]
