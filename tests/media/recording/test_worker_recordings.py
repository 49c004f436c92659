"""A real worker records: killed in the middle of it, and with a disk that takes no more."""

from __future__ import annotations

import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from media import control
from media.codecs.g711 import ulaw_decode
from media.recording.sidecar import load, mend_tracks, save
from media.wav import Coding, mend
from tests.media.recording.paper_plane import octets
from tests.media.worker_process import Phone, WorkerProcess, pace

TICKS = 150


@pytest.fixture
def phone() -> Iterator[Phone]:
    made = Phone()
    yield made
    made.close()


def channel(path: Path) -> bytes:
    """What was said, as octets of mu-law or as samples, by the file's coding; only the first channel."""
    found = mend(path)
    data = path.read_bytes()[found.sound.header_size :]
    if found.sound.channels == 2:
        return np.frombuffer(data, np.int16)[::2].tobytes()
    return data


def longest_run(path: Path, said: list[bytes]) -> int:
    """How many frames follow each other in the file as they were said, at most."""
    coded = mend(path).sound.coding is Coding.ULAW
    known = {}
    for number, frame in enumerate(said):
        known[frame if coded else ulaw_decode(np.frombuffer(frame, np.uint8)).tobytes()] = number
    data = channel(path)
    size = 160 if coded else 320
    best = run = 0
    expected: int | None = None
    for at in range(0, len(data) - size + 1, size):
        number = known.get(data[at : at + size])
        run = run + 1 if number is not None and number == expected else int(number is not None)
        expected = None if number is None else number + 1
        best = max(best, run)
    return best


def test_kill_9_costs_less_than_a_second_of_anything(phone: Phone, tmp_path: Path) -> None:
    """16 bits, G.711, both directions, a room's mix and its tracks: all of them whole, then gone on with."""
    names = ("pcm.wav", "coded.wav", "both.wav")
    commands = (
        control.Record(1, str(tmp_path / "pcm.wav")),
        control.Record(2, str(tmp_path / "coded.wav"), coded=True),
        control.Record(3, str(tmp_path / "both.wav"), "both"),
    )
    worker = WorkerProcess()
    ports = [worker.open(leg, phone.spec()) for leg in (1, 2, 3)]
    began = time.time()
    worker.send(
        *commands,
        control.RecordRoom("blue", str(tmp_path / "mix.wav")),
        control.RecordRoom("blue", str(tmp_path / "tracks.json"), "tracks"),
        control.JoinRoom(1, "blue", "one"),
        control.JoinRoom(2, "blue", "two"),
    )
    said = octets(1, TICKS)
    sequence, timestamp = phone.sequence, phone.timestamp

    def say(tick: int) -> None:
        for port in ports:  # the same from each; the legs do not mind
            phone.sequence, phone.timestamp = (
                (sequence + tick) & 0xFFFF,
                (timestamp + 160 * tick) & 0xFFFFFFFF,
            )
            phone.say(said[tick], port)

    pace(TICKS, say)
    worker.process.send_signal(signal.SIGKILL)
    worker.process.wait(5)
    took = time.time() - began
    worker.close()
    for name in names:
        found = mend(tmp_path / name)
        assert took - 1.3 < found.seconds < took + 0.3, name
        assert longest_run(tmp_path / name, said) > 40, name
    assert took - 1.3 < mend(tmp_path / "mix.wav").seconds < took + 0.3
    notes = load(tmp_path / "tracks.json")
    mend_tracks(notes, tmp_path)
    save(notes, tmp_path / "tracks.json")
    assert [track.label for track in notes.tracks] == ["one", "two"]
    assert all(took - 1.3 < (track.ms or 0) / 1000 < took + 0.3 for track in notes.tracks)
    assert longest_run(tmp_path / "tracks.track-1.wav", said) > 40

    successor = WorkerProcess()
    successor.open(1, phone.spec())
    successor.send(control.Record(1, str(tmp_path / "pcm.wav"), continues_from=began))
    time.sleep(0.5)
    successor.send(control.StopRecording(1))
    closed = successor.wait_for(control.RecordingClosed)
    assert closed.reason is None
    assert abs(closed.samples / 8000 - (time.time() - began)) < 0.4
    (mark,) = load(tmp_path / "pcm.json").marks
    assert mark.what == "lost"
    successor.close()


def test_a_full_disk_ends_the_recording_and_nothing_else(phone: Phone, tmp_path: Path) -> None:
    """A real limit of the system: both recordings end with what fitted and the reason, and the call goes on."""
    worker = WorkerProcess()
    port = worker.open(1, phone.spec())
    worker.open(2, phone.spec())
    resource.prlimit(worker.process.pid, resource.RLIMIT_FSIZE, (20_000, 20_000))
    worker.send(
        control.Echo(1, on=True),
        control.Record(1, str(tmp_path / "a.wav")),
        control.RecordRoom("blue", str(tmp_path / "b.json"), "tracks"),
        control.JoinRoom(2, "blue"),
    )
    said = octets(2, 125)
    pace(125, lambda tick: phone.say(said[tick], port))
    closed = worker.wait_for(control.RecordingClosed)
    assert (closed.reason, closed.samples) == ("disk_full", (20_000 - 44) // 2)
    assert mend(tmp_path / "a.wav").samples == closed.samples
    assert worker.wait_for(control.RoomRecordingClosed).reason == "disk_full"
    phone.sound()
    phone.heard.clear()
    pace(25, lambda tick: phone.say(said[tick], port))
    assert len(phone.sound()) > 15 * 160
    worker.close()


def test_a_wide_leg_is_recorded_at_its_rate(phone: Phone, tmp_path: Path) -> None:
    """L16 at 16 kHz loses nothing on the way: every sample that was said is in the file, one after the other."""
    worker = WorkerProcess()
    spec = phone.spec(codec="L16", rate=16000, clock_rate=16000, payload_type=96, event_type=None)
    port = worker.open(1, spec)
    worker.send(
        control.Record(1, str(tmp_path / "leg.wav")), control.Record(1, str(tmp_path / "wide.wav"), "both")
    )
    worker.send(control.Echo(1, on=True))
    said = np.random.default_rng(3).integers(-20000, 20000, (100, 320)).astype(np.int16)

    def say(tick: int) -> None:
        phone.timestamp = 320 * tick
        phone.say(said[tick].astype(">i2").tobytes(), port, 96)

    pace(100, say)
    time.sleep(0.3)
    worker.send(control.CloseLeg(1))
    first = worker.wait_for(control.RecordingClosed)
    closed = worker.wait_for(control.RecordingClosed)
    assert (first.path, first.reason) == (str(tmp_path / "leg.wav"), None)  # one recording a leg
    assert (closed.rate, closed.reason) == (16000, None)
    found = mend(tmp_path / "wide.wav")
    assert (found.sound.rate, found.sound.channels) == (16000, 2)
    data = np.frombuffer((tmp_path / "wide.wav").read_bytes()[44:], np.int16).reshape(-1, 320, 2)
    known = {frame.tobytes(): number for number, frame in enumerate(said)}
    for side in (0, 1):  # what it says, and the echo it hears
        numbers = [known.get(frame.tobytes(), -1) for frame in np.ascontiguousarray(data[:, :, side])]
        heard = [number for number in numbers if number >= 0]
        assert heard == sorted(heard)
        assert len(heard) > 80, side
    worker.close()
