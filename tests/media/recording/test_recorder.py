"""Recording many legs: every sample where it belongs, the tick never waits, one event for each recording."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from media.codecs.g711 import Pcm, alaw_decode, ulaw_decode
from media.recording.gathering import Gathering, Taking
from media.recording.jobs import RecordingClosed
from media.recording.recorder import BACKLOG_SECONDS, Recorder
from media.recording.sidecar import Mark, load, sidecar_of
from media.wav import Coding, Sound, WavRecorder, header, inspect
from tests.media.recording.paper_plane import ALAW, FRAMES_A_SECOND, ULAW, PaperPlane, octets

NOW = 1_700_000_000.0


@pytest.fixture
def plane() -> PaperPlane:
    return PaperPlane()


def recorder_of(plane: PaperPlane, **settings: int) -> Recorder:
    """One that does not look at how full the disk of the test machine is."""
    return Recorder(plane, **{"reserve_bytes": 0, **settings})  # type: ignore[arg-type]


@pytest.fixture
def recorder(plane: PaperPlane) -> Iterator[Recorder]:
    recorder = recorder_of(plane)
    yield recorder
    assert recorder.close(10)


def read(path: Path) -> Pcm:
    """The samples, as another reader finds them."""
    sound: Pcm = soundfile.read(path, dtype="int16")[0]
    return sound


def heard(frames: list[bytes], law: int = ULAW) -> Pcm:
    decode = alaw_decode if law else ulaw_decode
    return decode(np.frombuffer(b"".join(frames), np.uint8))


def ended(recorder: Recorder) -> list[RecordingClosed]:
    """Every event, once all that was asked for is done."""
    assert recorder.close(10)
    return sorted(recorder.take_events(), key=lambda event: event.handle)


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


def test_many_legs_each_get_their_own_sound(plane: PaperPlane, recorder: Recorder, tmp_path: Path) -> None:
    """Eighty legs of both laws, of different lengths, begun and ended in different ticks."""
    sounds = [octets(leg, 40 + leg * 3) for leg in range(80)]
    handles: dict[int, int] = {}
    for leg in range(0, 80, 3):
        plane.set_law(leg, ALAW)
    for tick in range(80 + 40 + 80 * 3):
        for leg in range(80):
            if tick == leg:
                handles[leg] = recorder.record(leg, str(tmp_path / f"{leg}.wav"), NOW)
            if tick == leg + len(sounds[leg]):
                recorder.stop(handles[leg])
        plane.tick(
            {leg: sounds[leg][tick - leg] for leg in range(80) if leg <= tick < leg + len(sounds[leg])}
        )
        recorder.gather()
    events = ended(recorder)
    assert [event.handle for event in events] == list(handles.values())
    for leg, event in enumerate(events):
        law = ALAW if leg % 3 == 0 else ULAW
        assert (event.reason, event.samples, event.rate) == (None, 160 * len(sounds[leg]), 8000)
        assert np.array_equal(read(Path(event.path)), heard(sounds[leg], law)), leg
    assert not list(tmp_path.glob("*.json"))


@pytest.mark.parametrize("law", [ULAW, ALAW])
def test_g711_kept_as_it_came(plane: PaperPlane, recorder: Recorder, tmp_path: Path, law: int) -> None:
    """One octet a sample, the very octets; other readers decode them."""
    plane.set_law(5, law)
    sound = octets(1, 120)
    recorder.record(5, str(tmp_path / "call.wav"), NOW, coded=True)
    for frame in sound:
        plane.tick({5: frame})
        recorder.gather()
    assert [event.samples for event in ended(recorder)] == [120 * 160]
    assert (tmp_path / "call.wav").read_bytes()[58:] == b"".join(sound)
    assert np.array_equal(read(tmp_path / "call.wav"), heard(sound, law))
    assert soundfile.info(tmp_path / "call.wav").subtype == ("ALAW" if law else "ULAW")


@pytest.mark.parametrize("coded", [False, True])
def test_both_directions_are_two_channels(
    plane: PaperPlane, recorder: Recorder, tmp_path: Path, coded: bool
) -> None:
    """Left what the leg says, right what it hears: silence in the ticks it is sent nothing."""
    says, hears = octets(1, 130), octets(2, 130)
    path = tmp_path / "call.wav"
    recorder.record(7, str(path), NOW, kind="both", coded=coded)
    for tick in range(130):
        plane.tick({7: says[tick]}, {7: hears[tick]} if tick % 40 < 30 else {})
        recorder.gather()
    assert [event.samples for event in ended(recorder)] == [130 * 160]
    sound = read(path)
    expected = [hears[tick] if tick % 40 < 30 else plane.silence(7) for tick in range(130)]
    assert np.array_equal(sound[:, 0], heard(says))
    assert np.array_equal(sound[:, 1], heard(expected))
    assert load(sidecar_of(path)).channels == ["says", "hears"]


def test_a_leg_may_change_its_law(plane: PaperPlane, recorder: Recorder, tmp_path: Path) -> None:
    """By a re-INVITE in the middle of a second: each octet is decoded as what it was."""
    sound = octets(3, 100)
    recorder.record(0, str(tmp_path / "pcm.wav"), NOW)
    recorder.record(1, str(tmp_path / "coded.wav"), NOW, coded=True)
    for tick, frame in enumerate(sound):
        if tick == 33:
            plane.set_law(0, ALAW)
            plane.set_law(1, ALAW)
        plane.tick({0: frame, 1: frame})
        recorder.gather()
    ended(recorder)
    expected = np.concatenate([heard(sound[:33]), heard(sound[33:], ALAW)])
    assert np.array_equal(read(tmp_path / "pcm.wav"), expected)
    coded = read(tmp_path / "coded.wav").astype(np.int32)  # A-law as mu-law: within a step of either
    assert np.array_equal(coded[: 33 * 160], expected[: 33 * 160])
    assert np.abs(coded - expected).max() <= 1024


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_a_coded_leg_is_recorded_at_its_rate(
    plane: PaperPlane, recorder: Recorder, tmp_path: Path, rate: int
) -> None:
    """Both ways, sample by sample; G.711 is what it has not, so that is not asked of it."""
    says, hears = (
        np.random.default_rng(seed).integers(-30000, 30000, (90, rate // 50)).astype(np.int16)
        for seed in (1, 2)
    )
    plane.set_coded(4, rate)
    recorder.record(4, str(tmp_path / "leg.wav"), NOW, coded=True)
    recorder.record(4, str(tmp_path / "both.wav"), NOW, kind="both")
    for tick in range(90):
        plane.coded.pcm[4, : rate // 50] = says[tick]
        plane.coded.outbound.heard = {4: hears[tick]} if tick < 60 else {}
        plane.tick({})
        recorder.gather()
    assert [(event.samples, event.rate) for event in ended(recorder)] == [(90 * rate // 50, rate)] * 2
    assert np.array_equal(read(tmp_path / "leg.wav"), says.reshape(-1))
    hears[60:] = 0
    assert np.array_equal(read(tmp_path / "both.wav").T, [says.reshape(-1), hears.reshape(-1)])
    assert soundfile.info(tmp_path / "leg.wav").samplerate == rate


def test_a_coded_leg_that_hears_a_prompt(plane: PaperPlane, recorder: Recorder, tmp_path: Path) -> None:
    """Prompts are of 8 kHz; in the file they are of the leg's rate, the same tone at the same level."""
    tone = (
        np.rint(8000 * np.sin(2 * np.pi * 400 * np.arange(16000) / 8000)).astype(np.int16).reshape(100, 160)
    )
    plane.set_coded(4, 48000)
    recorder.record(4, str(tmp_path / "both.wav"), NOW, kind="both")
    for frame in tone:
        plane.coded.outbound.heard = {4: frame}
        plane.tick({})
        recorder.gather()
    ended(recorder)
    heard_there = read(tmp_path / "both.wav")[4800:, 1].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(heard_there * np.hanning(len(heard_there))))
    assert abs(np.argmax(spectrum) * 48000 / len(heard_there) - 400) < 2
    assert abs(np.sqrt(np.mean(heard_there**2)) / 8000 * np.sqrt(2) - 1) < 0.02


def test_two_recordings_of_one_leg(plane: PaperPlane, recorder: Recorder, tmp_path: Path) -> None:
    """The leg is listened to until the last of them ends."""
    sound = octets(4, 100)
    first = recorder.record(3, str(tmp_path / "first.wav"), NOW)
    recorder.record(3, str(tmp_path / "second.wav"), NOW, kind="both")
    for tick, frame in enumerate(sound):
        if tick == 60:
            recorder.stop(first)
        plane.tick({3: frame})
        recorder.gather()
    assert plane.recorded.tolist() == [3]
    ended(recorder)
    plane.tick({})
    assert plane.recorded.tolist() == []
    assert np.array_equal(read(tmp_path / "first.wav"), heard(sound[:60]))
    assert np.array_equal(read(tmp_path / "second.wav")[:, 0], heard(sound))


STEPS = st.lists(
    st.tuples(st.sampled_from(["silence", "cut", "resume", "law", "skip", "flush"]), st.integers(0, 70)),
    max_size=12,
)


class Expectation:
    """What a file must hold, worked out tick by tick beside the recorder."""

    def __init__(self) -> None:
        self.frames: list[Pcm] = [np.zeros(0, np.int16)]
        self.marks: list[Mark] = []
        self.mode: str | None = None
        self.ticks = self.begun = 0

    def pause(self, mode: Literal["silence", "cut"]) -> None:
        if self.mode != mode:
            self.resume()
            self.marks.append(Mark(what=mode, at_ms=20 * (len(self.frames) - 1)))
            self.mode, self.begun = mode, self.ticks

    def resume(self) -> None:
        if self.mode is not None:
            self.marks[-1].ms = 20 * (self.ticks - self.begun)
        self.mode = None

    def tick(self, said: Pcm, silence: Pcm) -> None:
        self.ticks += 1
        if self.mode != "cut":
            self.frames.append(said if self.mode is None else silence)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, both=st.booleans(), coded=st.booleans())
def test_pauses_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]], both: bool, coded: bool
) -> None:
    """Whatever is asked for when: each sample of the file is the one that belongs there, every mark is true."""
    plane, path = PaperPlane(), tmp_path_factory.mktemp("r") / "call.wav"
    recorder, expected = recorder_of(plane), Expectation()
    handle = recorder.record(2, str(path), NOW, kind="both" if both else "leg", coded=coded)
    nothing = np.zeros(160, np.int16)
    for number, (step, length) in enumerate(steps):
        law = int(plane.jitter_buffer.law[2])
        if step == "silence" or step == "cut":
            recorder.pause(handle, step)
            expected.pause(step)
        elif step == "resume":
            recorder.resume(handle)
            expected.resume()
        elif step == "law" and not coded:  # an octet in the other law is not the same sample
            plane.set_law(2, law := 1 - law)
        elif step == "flush":
            recorder.flush()
        elif step == "skip" and length:
            recorder.skip(length)
            for _ in range(length):
                expected.tick(nothing, nothing)
        for frame in octets(number, length):
            plane.tick({2: frame}, {2: frame})
            recorder.gather()
            expected.tick(heard([frame], law), heard([plane.silence(2)], law))
    (event,) = ended(recorder)
    expected.resume()
    sound = np.concatenate(expected.frames)
    assert (event.samples, event.reason) == (len(sound), None)
    for channel in read(path).reshape(len(sound), 2 if both else 1).T:
        assert np.array_equal(channel, sound)
    assert (load(sidecar_of(path)).marks if sidecar_of(path).exists() else []) == expected.marks


def test_a_recording_goes_on_after_its_worker_died(plane: PaperPlane, tmp_path: Path) -> None:
    """Another process takes the file up: what happened between is silence, and the timeline is true."""
    path = tmp_path / "call.wav"
    first, second = octets(1, 75), octets(2, 60)
    dying = recorder_of(plane)
    dying.record(0, str(path), NOW)
    for frame in first:
        plane.tick({0: frame})
        dying.gather()
    dying.flush()
    dying._writer.stop(10)
    path.write_bytes(path.read_bytes() + b"\1\2\3")  # killed in the middle of a write
    plane = PaperPlane()
    after = recorder_of(plane)
    after.record(9, str(path), NOW + 2.5, began=NOW)
    for frame in second:
        plane.tick({9: frame})
        after.gather()
    assert [(event.reason, event.samples) for event in ended(after)] == [(None, (125 + 60) * 160)]
    sound = read(path)
    assert np.array_equal(sound[: 75 * 160], heard(first))
    assert not sound[75 * 160 + 1 : 125 * 160].any()  # one sample of the half-written ones is kept
    assert np.array_equal(sound[125 * 160 :], heard(second))
    (mark,) = load(sidecar_of(path)).marks
    assert (mark.what, mark.at_ms, mark.ms) == ("lost", 1500, 1000)


def test_going_on_with_nothing_begins(plane: PaperPlane, recorder: Recorder, tmp_path: Path) -> None:
    """The worker died before it made the file: there is one now, and it says what is missing."""
    recorder.record(0, str(tmp_path / "call.wav"), NOW + 1.0, began=NOW)
    plane.tick({0: octets(1, 1)[0]})
    recorder.gather()
    assert [(event.reason, event.samples) for event in ended(recorder)] == [(None, 51 * 160)]


@pytest.mark.parametrize("content", [b"precious", header(0, 16000, 1), Sound(8000, 1, Coding.ULAW).header(0)])
def test_nobody_elses_file_is_gone_on_with(recorder: Recorder, tmp_path: Path, content: bytes) -> None:
    """Another sound, or no sound at all."""
    (tmp_path / "call.wav").write_bytes(content)
    recorder.record(0, str(tmp_path / "call.wav"), NOW, began=NOW)
    assert [event.reason for event in ended(recorder)] == ["not_ours"]
    assert (tmp_path / "call.wav").read_bytes() == content


def test_nothing_recorded_leaves_an_empty_file(recorder: Recorder, tmp_path: Path) -> None:
    """Stopped at once; a second stop says nothing more."""
    handle = recorder.record(0, str(tmp_path / "call.wav"), NOW)
    recorder.stop(handle)
    recorder.stop(handle)
    recorder.pause(handle, "cut")
    recorder.resume(handle)
    recorder.stop(999)
    assert [(event.samples, event.reason) for event in ended(recorder)] == [(0, None)]
    assert len(read(tmp_path / "call.wav")) == 0


def test_a_name_that_is_taken_comes_as_the_event(
    plane: PaperPlane, recorder: Recorder, tmp_path: Path
) -> None:
    """Beginning never raises in the tick; the other file is not touched, later ticks are ignored."""
    (tmp_path / "call.wav").write_bytes(b"precious")
    recorder.record(0, str(tmp_path / "call.wav"), NOW)
    for frame in octets(1, 200):
        plane.tick({0: frame})
        recorder.gather()
    assert [(event.samples, event.reason) for event in ended(recorder)] == [(0, "exists")]
    assert (tmp_path / "call.wav").read_bytes() == b"precious"


def test_one_full_disk_does_not_end_another_recording(
    plane: PaperPlane, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failing one keeps what fitted and is reported without being stopped; the other goes on."""
    real = os.pwrite

    def pwrite(fd: int, data: bytes, offset: int) -> int:
        if Path(f"/proc/self/fd/{fd}").readlink().name == "full.wav" and offset >= 44 + 16000:
            raise OSError(errno.ENOSPC, "full")
        return real(fd, data, offset)

    monkeypatch.setattr("media.wav.os.pwrite", pwrite)
    full = recorder.record(0, str(tmp_path / "full.wav"), NOW)
    recorder.record(1, str(tmp_path / "good.wav"), NOW)
    sound = octets(1, 200)
    for frame in sound:
        plane.tick({0: frame, 1: frame})
        recorder.gather()
    first, second = ended(recorder)
    assert (first.handle, first.reason) == (full, "disk_full")
    assert 8000 <= first.samples < 200 * 160
    assert np.array_equal(read(tmp_path / "full.wav"), heard(sound)[: first.samples])
    assert (second.reason, second.samples) == (None, 200 * 160)


def test_a_slow_disk_never_makes_the_tick_wait(
    plane: PaperPlane, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten seconds are said while the disk takes nothing; all of it is there in the end, and it was counted."""
    gate = Gate(monkeypatch)
    recorder.record(0, str(tmp_path / "call.wav"), NOW)
    sound = octets(2, 10 * FRAMES_A_SECOND)
    for frame in sound:
        plane.tick({0: frame})
        recorder.gather()
    assert gate.reached.wait(10)
    assert recorder.take_events() == []
    assert recorder.counters["recordings_behind"] == 6
    gate.go_on()
    assert [(event.reason, event.samples) for event in ended(recorder)] == [(None, 80_000)]
    assert np.array_equal(read(tmp_path / "call.wav"), heard(sound))


def test_a_disk_that_stands_still_costs_the_recording_not_the_memory(
    plane: PaperPlane, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the backlog the rest is not kept; what was handed over is written when the disk comes back."""
    gate = Gate(monkeypatch)
    handle = recorder.record(0, str(tmp_path / "call.wav"), NOW)
    sound = octets(3, (BACKLOG_SECONDS + 30) * FRAMES_A_SECOND)
    for frame in sound:
        plane.tick({0: frame})
        recorder.gather()
    assert plane.recorded.tolist() == []
    recorder.stop(handle)
    gate.go_on()
    (event,) = ended(recorder)
    assert event.reason == "stalled"
    assert BACKLOG_SECONDS <= event.samples / 8000 <= BACKLOG_SECONDS + 1
    assert np.array_equal(read(tmp_path / "call.wav"), heard(sound)[: event.samples])


def test_closing_does_not_wait_for_ever(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that stands still is left behind, and said so."""
    gate = Gate(monkeypatch)
    recorder.record(0, str(tmp_path / "call.wav"), NOW)
    stuck = recorder._writer._thread
    assert stuck is not None
    assert gate.reached.wait(10)
    assert not recorder.close(0)
    gate.go_on()
    stuck.join(10)
    assert [event.reason for event in recorder.take_events()] == [None]


def test_closing_ends_what_is_open_and_it_can_be_used_again(
    plane: PaperPlane, recorder: Recorder, tmp_path: Path
) -> None:
    """What was gathered is not lost; with nothing begun, closing does nothing."""
    assert recorder_of(plane).close()
    for name in ("one", "two"):
        handle = recorder.record(0, str(tmp_path / f"{name}.wav"), NOW)
        plane.tick({})
        recorder.gather()
        assert recorder.close(10)
        assert [(event.handle, event.samples) for event in recorder.take_events()] == [(handle, 160)]


def test_the_seconds_of_recordings_begun_together_are_spread(
    plane: PaperPlane, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred legs begun in one tick are not all handed over in the same later tick."""
    batches: list[int] = []
    for leg in range(100):
        recorder.record(leg, str(tmp_path / f"{leg}.wav"), NOW)
    real = recorder._hand_over

    def hand_over(gathering: Gathering, takings: list[Taking]) -> None:
        batches.append(len(takings))
        real(gathering, takings)

    monkeypatch.setattr(recorder, "_hand_over", hand_over)
    for _ in range(2 * FRAMES_A_SECOND):
        plane.tick({})
        recorder.gather()
    assert max(batches) <= 4
    assert sum(batches) == 200


def test_a_defect_costs_one_recording(
    plane: PaperPlane,
    recorder: Recorder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever goes wrong with one file is logged and reported; its descriptor is given back."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    real = WavRecorder.write

    def write(self: WavRecorder, data: bytes) -> None:
        if self.path.endswith("bad.wav"):
            raise RuntimeError("defect")
        real(self, data)

    monkeypatch.setattr(WavRecorder, "write", write)
    bad = recorder.record(0, str(tmp_path / "bad.wav"), NOW)
    good = recorder.record(1, str(tmp_path / "good.wav"), NOW)
    for _ in range(60):
        plane.tick({})
        recorder.gather()
    assert [(event.handle, event.reason) for event in ended(recorder)] == [(bad, "internal"), (good, None)]
    assert "bad.wav failed" in caplog.text
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_length_limit_ends_a_recording(plane: PaperPlane, tmp_path: Path) -> None:
    """Two seconds allowed: the event comes without a stop, also where a gap would pass the limit."""
    recorder = recorder_of(plane, max_seconds=2)
    recorder.record(0, str(tmp_path / "call.wav"), NOW)
    recorder.record(1, str(tmp_path / "gap.wav"), NOW)
    for tick in range(200):
        plane.tick({})
        recorder.gather()
        if tick == 30:
            recorder.skip(1000)
    events = ended(recorder)
    assert [(event.reason, event.samples) for event in events] == [("too_long", 16000)] * 2
    assert inspect(tmp_path / "gap.wav").samples == 16000
