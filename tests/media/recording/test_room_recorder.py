"""Recordings of rooms: the mix, and tracks that lie right on their common timeline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from media.codecs.g711 import Pcm, ulaw_decode
from media.recording.export import export
from media.recording.jobs import RecordingClosed
from media.recording.recorder import Recorder
from media.recording.sidecar import Mark, load, save
from tests.media.recording.paper_plane import PaperPlane, octets

NOW = 1_700_000_000.0
LEGS = 5
HOST = 5
"""Stays in the room all the time; an empty one would end its recordings."""


@pytest.fixture
def plane() -> PaperPlane:
    return PaperPlane()


@pytest.fixture
def recorder(plane: PaperPlane) -> Iterator[Recorder]:
    recorder = recorder_of(plane)
    yield recorder
    assert recorder.close(10)


def recorder_of(plane: PaperPlane, **settings: int) -> Recorder:
    return Recorder(plane, reserve_bytes=0, label=lambda slot: f"leg {slot}", **settings)  # type: ignore[arg-type]


def read(path: Path) -> Pcm:
    sound: Pcm = soundfile.read(path, dtype="int16")[0]
    return sound


def heard(frame: bytes) -> Pcm:
    return ulaw_decode(np.frombuffer(frame, np.uint8))


def ended(recorder: Recorder) -> list[RecordingClosed]:
    assert recorder.close(10)
    return recorder.take_events()


def mix(seed: int, rate: int, ticks: int) -> Pcm:
    return np.random.default_rng(seed).integers(-30000, 30000, (ticks, rate // 50)).astype(np.int16)


def test_the_mix_of_a_room(plane: PaperPlane, recorder: Recorder, tmp_path: Path) -> None:
    """Every sample, at the rate it is mixed at; silence while it is paused."""
    plane.mixer.rooms.rate[0] = 48000
    handle = recorder.rooms.record("blue", str(tmp_path / "a.wav"), NOW, "room", None, None)
    sound = mix(1, 48000, 120)
    for tick in range(120):
        if tick == 50:
            recorder.pause(handle, "silence")
        if tick == 70:
            recorder.resume(handle)
        plane.mixer.room_sound = {"blue": sound[tick]}
        plane.tick({})
        recorder.gather()
    assert [(event.samples, event.rate, event.reason) for event in ended(recorder)] == [
        (120 * 960, 48000, None)
    ]
    sound[50:70] = 0
    assert np.array_equal(read(tmp_path / "a.wav"), sound.reshape(-1))
    assert load(tmp_path / "a.json").marks == [Mark(what="silence", at_ms=1000, ms=400)]


def test_a_room_whose_best_codec_changes(plane: PaperPlane, recorder: Recorder, tmp_path: Path) -> None:
    """The file keeps its rate; a tone goes on at its pitch and level, and time goes on."""
    recorder.rooms.record("blue", str(tmp_path / "a.wav"), NOW, "room", None, None)
    for tick in range(200):
        rate = 8000 if tick < 100 else 48000
        if tick == 100:
            plane.mixer.rooms.rate[0] = rate
            plane._changed = True
        at = np.arange(tick * rate // 50, (tick + 1) * rate // 50)
        plane.mixer.room_sound = {
            "blue": np.rint(8000 * np.sin(2 * np.pi * 400 * at / rate)).astype(np.int16)
        }
        plane.tick({})
        recorder.gather()
    assert [(event.samples, event.rate) for event in ended(recorder)] == [(32000, 8000)]
    sound = read(tmp_path / "a.wav").astype(np.float64)
    for part in (sound[1000:15000], sound[17000:31000]):
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
        assert abs(np.argmax(spectrum) * 8000 / len(part) - 400) < 1
        assert abs(np.sqrt(np.mean(part**2)) * np.sqrt(2) / 8000 - 1) < 0.02


def test_an_empty_room_ends_its_recordings(plane: PaperPlane, recorder: Recorder, tmp_path: Path) -> None:
    """Once somebody was in it; before that it is waited for."""
    plane.mixer.rooms.empty = {"blue"}
    recorder.rooms.record("blue", str(tmp_path / "a.wav"), NOW, "room", None, None)
    recorder.rooms.record("blue", str(tmp_path / "b.json"), NOW, "tracks", None, None)
    steps = [(10, {"blue"}, None), (30, set(), "blue"), (10, {"blue"}, None)]
    for ticks, empty, room in steps:
        plane.mixer.rooms.empty = empty
        plane.enter(1, room)
        for _ in range(ticks):
            plane.tick({})
            recorder.gather()
    assert recorder._writer.stop(10)
    events = recorder.take_events()
    assert sorted((Path(event.path).name, event.reason) for event in events) == [
        ("a.wav", None),
        ("b.json", None),
    ]
    assert not recorder.rooms.active
    assert plane.recorded.tolist() == []


class Script:
    """Who is in the room when, and what every track must hold: silence outside, so that they are aligned."""

    def __init__(self, plane: PaperPlane, recorder: Recorder, path: Path) -> None:
        self.plane, self.recorder = plane, recorder
        plane.enter(HOST, "blue")
        self.handle = recorder.rooms.record("blue", str(path), NOW, "tracks", None, None)
        self.timeline: list[dict[int, Pcm]] = []
        self.present = {HOST: 0}  # by slot, which of the tracks it is
        self.muted: set[int] = set()
        self.tracks = [HOST]  # their slots
        self.mode: str | None = None
        self.seed = 0
        self.pending: list[tuple[int, bool]] = []

    def tick(self) -> None:
        """20 ms; who came or went is followed at the end of it."""
        self.seed += 1
        frames = {slot: octets(self.seed * 10 + slot, 1)[0] for slot in range(LEGS + 1)}
        self.plane.tick(frames)
        self.recorder.gather()
        if self.mode != "cut":
            silent = {slot for slot in self.present if slot in self.muted or self.mode == "silence"}
            self.timeline.append(
                {
                    track: np.zeros(160, np.int16) if slot in silent else heard(frames[slot])
                    for slot, track in self.present.items()
                }
            )
        for slot, inside in self.pending:
            if inside and slot not in self.present:
                self.present[slot] = len(self.tracks)
                self.tracks.append(slot)
            elif not inside:
                self.present.pop(slot, None)
        self.pending = []
        self.muted = set(np.flatnonzero(self.plane.mixer.people.muted).tolist())

    def go(self, slot: int, *, inside: bool) -> None:
        self.plane.enter(slot, "blue" if inside else None)
        self.pending = [each for each in self.pending if each[0] != slot] + [(slot, inside)]

    def pause(self, mode: str | None) -> None:
        if mode is None:
            self.recorder.resume(self.handle)
        else:
            self.recorder.pause(self.handle, mode)  # type: ignore[arg-type]
        self.mode = mode

    def expected(self, track: int) -> Pcm:
        nothing = np.zeros(160, np.int16)
        return np.concatenate([nothing[:0], *(each.get(track, nothing) for each in self.timeline)])


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["enter", "enter", "leave", "mute", "unmute", "silence", "cut", "resume"]),
        st.integers(0, LEGS - 1),
        st.integers(1, 60),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=50, deadline=None)
@given(actions=ACTIONS)
def test_tracks_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, actions: list[tuple[str, int, int]]
) -> None:
    """Whoever comes, goes, is muted and whatever is paused: each sample of each track is where it was said."""
    folder = tmp_path_factory.mktemp("r")
    plane = PaperPlane()
    script = Script(plane, recorder_of(plane), folder / "a.json")
    for action, slot, ticks in actions:
        match action:
            case "enter" | "leave":
                script.go(slot, inside=action == "enter")
            case "mute" | "unmute":
                plane.mute(slot, on=action == "mute")
            case "resume":
                script.pause(None)
            case _:
                script.pause(action)
        for _ in range(ticks):
            script.tick()
    (event,) = ended(script.recorder)
    assert (event.reason, event.path) == (None, str(folder / "a.json"))
    notes = load(folder / "a.json")
    assert [track.label for track in notes.tracks] == [f"leg {slot}" for slot in script.tracks]
    assert all(mark.ms is not None for mark in notes.marks)
    paths = export(folder / "a.json", folder / "x.wav", "tracks")
    assert len(paths) == len(script.tracks)
    for number, path in enumerate(paths):
        found, said = read(path), script.expected(number)
        assert np.array_equal(found[: len(said)], said[: len(found)]), number
        assert not found[len(said) :].any()
        assert not said[len(found) :].any()


def test_a_track_has_the_rate_of_its_leg(plane: PaperPlane, recorder: Recorder, tmp_path: Path) -> None:
    """A coded leg beside one of G.711: both begin at the same moment."""
    plane.set_coded(2, 16000)
    plane.coded.pcm[2, :320] = 5000
    for slot in (1, 2):
        plane.enter(slot, "blue")
    recorder.rooms.record("blue", str(tmp_path / "a.json"), NOW, "tracks", None, None)
    for frame in octets(1, 30):
        plane.tick({1: frame})
        recorder.gather()
    assert [(event.samples, event.rate) for event in ended(recorder)] == [(30 * 320, 16000)]
    tracks = load(tmp_path / "a.json").tracks
    assert [(track.rate, track.offset_ms, track.ms) for track in tracks] == [(8000, 0, 600), (16000, 0, 600)]
    assert np.all(read(tmp_path / "a.track-2.wav") == 5000)


def test_a_leg_that_closes_is_not_taken_for_the_next_in_its_slot(
    plane: PaperPlane, recorder: Recorder, tmp_path: Path
) -> None:
    """Both are in the room, one after the other, in the same slot: two tracks."""
    plane.enter(3, "blue")
    recorder.rooms.record("blue", str(tmp_path / "a.json"), NOW, "tracks", None, None)
    for tick in range(60):
        if tick == 20:
            recorder.rooms.leave(3)
            plane.enter(3, "blue")
        plane.tick({3: octets(tick, 1)[0]})
        recorder.gather()
    ended(recorder)
    assert [(track.offset_ms, track.ms) for track in load(tmp_path / "a.json").tracks] == [
        (0, 400),
        (420, 780),
    ]


def test_tracks_go_on_after_the_worker_died(plane: PaperPlane, tmp_path: Path) -> None:
    """New tracks in the same sidecar, where the wall clock says; those of the dead are whole."""
    plane.enter(1, "blue")
    dying = recorder_of(plane)
    dying.rooms.record("blue", str(tmp_path / "a.json"), NOW, "tracks", None, None)
    for frame in octets(1, 100):
        plane.tick({1: frame})
        dying.gather()
    dying.flush()
    assert dying._writer.stop(10)
    plane = PaperPlane()
    plane.enter(7, "blue")
    after = recorder_of(plane)
    after.rooms.record("blue", str(tmp_path / "a.json"), NOW + 3.0, "tracks", NOW, None)
    for frame in octets(2, 50):
        plane.tick({7: frame})
        after.gather()
    assert [(event.samples, event.reason) for event in ended(after)] == [(32000, None)]
    notes = load(tmp_path / "a.json")
    tracks = [(track.label, track.offset_ms, track.ms, track.reason) for track in notes.tracks]
    assert tracks == [("leg 1", 0, 2000, "interrupted"), ("leg 7", 3000, 1000, None)]
    assert notes.marks == [Mark(what="lost", at_ms=2000, ms=1000)]


def test_workers_write_tracks_into_one_sidecar(tmp_path: Path) -> None:
    """Each those of its legs, one timeline; one that joins later begins where the clock says, also after a pause that
    cut and after its own death, and touches nobody else's tracks."""
    path = str(tmp_path / "a.json")
    planes = [PaperPlane(), PaperPlane()]
    for slot, plane in enumerate(planes):
        plane.enter(slot, "blue")
    one, other = (recorder_of(plane) for plane in planes)
    handle = one.rooms.record("blue", path, NOW, "tracks", None, None, worker=0)
    settle(one)
    run(one, planes[0], {0: 1}, 50)
    other.rooms.record("blue", path, NOW + 1.0, "tracks", NOW, None, worker=1, joins=True)
    settle(other)
    for recorder, plane, seed in ((one, planes[0], 2), (other, planes[1], 3)):
        run(recorder, plane, {plane is planes[1]: seed}, 50)
    other.flush()
    assert other._writer.stop(10)
    one.pause(handle, "cut")
    run(one, planes[0], {0: 4}, 50)
    one.resume(handle)
    settle(one)
    successor = recorder_of(planes[1])
    successor.rooms.record("blue", path, NOW + 3.5, "tracks", NOW, None, worker=1, joins=True)
    settle(successor)
    run(successor, planes[1], {1: 5}, 25)
    run(one, planes[0], {0: 6}, 50)
    assert ended(successor)[0].reason is None
    assert ended(one)[0].samples == 8000 * 3
    notes = load(path)
    tracks = [(track.worker, track.offset_ms, track.ms, track.reason) for track in notes.tracks]
    assert tracks == [(0, 0, 3000, None), (1, 1000, 1000, "interrupted"), (1, 2500, 500, None)]
    assert notes.marks == [Mark(what="cut", at_ms=2000, ms=1000)]
    assert np.array_equal(read(tmp_path / "a.track-2.wav"), heard(b"".join(octets(3, 50))))
    assert np.array_equal(read(tmp_path / "a.track-3.wav"), heard(b"".join(octets(5, 25))))


def test_who_joins_first_begins_the_sidecar(tmp_path: Path) -> None:
    """The worker that began the recording may be slower to write; then it takes up what is there."""
    path = str(tmp_path / "a.json")
    planes = [PaperPlane(), PaperPlane()]
    for slot, plane in enumerate(planes):
        plane.enter(slot, "blue")
    recorders = [recorder_of(plane) for plane in planes]
    recorders[1].rooms.record("blue", path, NOW + 0.5, "tracks", NOW, None, worker=1, joins=True)
    settle(recorders[1])
    recorders[0].rooms.record("blue", path, NOW + 0.5, "tracks", NOW, None, worker=0)
    for recorder, plane in zip(recorders, planes, strict=True):
        run(recorder, plane, {0: 1}, 50)
        assert [event.reason for event in ended(recorder)] == [None]
    tracks = {track.worker: (track.offset_ms, track.ms) for track in load(path).tracks}
    assert tracks == {0: (500, 1000), 1: (500, 1000)}
    assert not load(path).marks


def run(recorder: Recorder, plane: PaperPlane, says: dict[int, int], ticks: int) -> None:
    """Ticks in which legs say octets made from seeds."""
    sound = {int(slot): octets(seed, ticks) for slot, seed in says.items()}
    for tick in range(ticks):
        plane.tick({slot: frames[tick] for slot, frames in sound.items()})
        recorder.gather()


def settle(recorder: Recorder) -> None:
    """Let the writer's thread do what it was given."""
    assert recorder._writer.stop(10)


@pytest.mark.parametrize(("content", "began"), [(b"{}", NOW), (b"precious", None)])
def test_a_sidecar_of_somebody_else(
    plane: PaperPlane, recorder: Recorder, tmp_path: Path, content: bytes, began: float | None
) -> None:
    """Neither gone on with nor written over; the recording is refused."""
    (tmp_path / "a.json").write_bytes(content)
    recorder.rooms.record("blue", str(tmp_path / "a.json"), NOW, "tracks", began, None)
    plane.enter(1, "blue")
    for _ in range(3):
        plane.tick({})
        recorder.gather()
    assert [event.reason for event in ended(recorder)] == ["exists" if began is None else "not_ours"]
    assert (tmp_path / "a.json").read_bytes() == content


def test_a_track_that_cannot_be_written_ends_them_all(plane: PaperPlane, tmp_path: Path) -> None:
    """One second is allowed: the recording ends with the reason, each track as far as it came."""
    recorder = recorder_of(plane, max_seconds=1)
    for slot in (1, 2):
        plane.enter(slot, "blue")
    recorder.rooms.record("blue", str(tmp_path / "a.json"), NOW, "tracks", None, None)
    events: list[RecordingClosed] = []
    for _ in range(150):
        plane.tick({})
        recorder.gather()
        recorder._writer.stop(10)
        events += recorder.take_events()
    assert [event.reason for event in events] == ["too_long"]
    assert {track.ms for track in load(tmp_path / "a.json").tracks} <= {980, 1000, 1020}
    assert plane.recorded.tolist() == []
    assert not recorder.rooms.active


def test_what_no_sidecar_may_say(tmp_path: Path, plane: PaperPlane, recorder: Recorder) -> None:
    """A track outside the folder, another version."""
    plane.enter(1, "blue")
    recorder.rooms.record("blue", str(tmp_path / "a.json"), NOW, "tracks", None, None)
    plane.tick({})
    recorder.gather()
    ended(recorder)
    notes = load(tmp_path / "a.json")
    for change in ({"file": "../x.wav"}, {"version": 2}):
        changed = load(tmp_path / "a.json")
        changed.version = int(change.get("version", 1))
        changed.tracks[0].file = str(change.get("file", notes.tracks[0].file))
        save(changed, tmp_path / "b.json")
        with pytest.raises(Exception, match=r"version|outside"):
            load(tmp_path / "b.json")
