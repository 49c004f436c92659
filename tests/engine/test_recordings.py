"""Recordings and the store: from the first second to after a crash."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from engine.recording_files import RecordingFile, describe
from engine.recordings import GATHER_SECONDS, INTERRUPTED, Recordings
from engine.store import Recording, Store
from media.recording.sidecar import Mark, Notes, Track, load, save
from media.wav import Coding, Sound, header


class SameThread:
    """The store's thread, here and now."""

    def later(self, what: str, function: Callable[..., Any], *arguments: Any) -> None:
        function(*arguments)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        return succeed(function(*arguments))


class Reactor(Clock):
    """A clock, and children that end when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.children: list[tuple[Any, list[str]]] = []
        self.killed = 0

    def spawnProcess(self, protocol: Any, program: str, command: list[str], **_settings: Any) -> Any:
        self.children.append((protocol, command[3:]))
        return self

    def signalProcess(self, _signal: str) -> None:
        self.killed += 1

    def child_ends(self, error: Exception | None = None) -> None:
        """The oldest conversion is done, or failed."""
        protocol, (source, target) = self.children.pop(0)
        if error is None:
            Path(source).rename(target)
        protocol.processEnded(Failure(error or ProcessDone(0)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "recordings"
    made.mkdir()
    return made


@pytest.fixture
def clock() -> Reactor:
    return Reactor()


@pytest.fixture
def recordings(folder: Path, store: Store, clock: Reactor) -> Recordings:
    return Recordings(folder, SameThread(), store, clock)  # type: ignore[arg-type]


def cut_off(path: Path, seconds: float) -> None:
    """What a killed worker leaves: sound behind a header that knows nothing of the last second."""
    path.write_bytes(header(0, 8000, 1) + bytes(int(seconds * 16000)))


def length(path: Path) -> float:
    with wave.open(str(path)) as file:
        return float(file.getnframes() / file.getframerate())


def stored(store: Store) -> list[tuple[str, str, float, str]]:
    return [(each.number, each.caller, each.seconds, each.reason) for each in store.recordings.all()]


def test_a_recording_is_known_while_it_is_made(
    recordings: Recordings, folder: Path, store: Store, clock: Reactor
) -> None:
    """With number and caller; a name of chance only, in the folder; its length comes with its end."""
    path = recordings.begin("6000", "0612")
    assert path.parent == folder
    assert "0612" not in path.name
    clock.advance(GATHER_SECONDS)
    assert stored(store) == [("6000", "0612", 0.0, "")]
    recordings.closed(path, 2.0, None)
    clock.advance(GATHER_SECONDS)
    assert stored(store) == [("6000", "0612", 2.0, "closed")]


def test_what_ended_it_is_kept(recordings: Recordings, store: Store) -> None:
    """A full disk, a length limit."""
    recordings.closed(recordings.begin("6000", "0612"), 1.0, "disk_full")
    recordings.flush()
    assert stored(store) == [("6000", "0612", 1.0, "disk_full")]


def test_a_hostile_caller_is_only_text(recordings: Recordings, store: Store) -> None:
    """Control characters go, and nothing of it gets into the name (security reference G5)."""
    path = recordings.begin("6000", "../../etc\r\nx")
    recordings.flush()
    assert ".." not in str(path.name)
    assert stored(store)[0][1] == "../../etc  x"


def test_after_a_crash_the_next_start_mends(recordings: Recordings, store: Store) -> None:
    """The file is whole, and the store says how long it is, who called and that it was interrupted."""
    path = recordings.begin("6000", "0612")
    recordings.flush()
    cut_off(path, 2.5)
    assert recordings.recover() == 1
    assert length(path) == 2.5
    assert stored(store) == [("6000", "0612", 2.5, INTERRUPTED)]
    assert recordings.recover() == 0


def test_a_recording_the_store_has_not_heard_of(recordings: Recordings, folder: Path, store: Store) -> None:
    """Begun in the last moment before the crash: found by its file."""
    cut_off(folder / "one.wav", 1.0)
    assert recordings.recover() == 1
    assert stored(store) == [("", "", 1.0, INTERRUPTED)]
    assert store.recordings.all()[0].started_at > 1_000_000_000


def test_what_is_not_ours_is_left_alone(recordings: Recordings, folder: Path, store: Store) -> None:
    """Somebody's own file in the folder: untouched, not stored; other names are not even opened."""
    foreign, text = folder / "music.wav", folder / "notes.txt"
    foreign.write_bytes(b"RIFF....WAVEfmt something else")
    text.write_bytes(b"x")
    before = foreign.read_bytes()
    assert recordings.recover() == 0
    assert foreign.read_bytes() == before
    assert stored(store) == []


def test_finished_recordings_are_not_opened_again(
    recordings: Recordings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start does not read through years of them."""
    path = recordings.begin("6000", "0612")
    cut_off(path, 1.0)
    recordings.closed(path, 1.0, None)
    recordings.flush()
    monkeypatch.setattr("engine.recordings.mend", lambda path: pytest.fail("opened"))
    assert recordings.recover() == 0


def test_what_a_worker_goes_on_with_is_left_to_it(
    recordings: Recordings, store: Store, clock: Reactor
) -> None:
    """It outlived the engine; its closing event finishes the recording as ever."""
    path = recordings.begin("6000", "0612")
    recordings.flush()
    cut_off(path, 2.0)
    assert recordings.recover({str(path)}) == 0
    assert stored(store) == [("6000", "0612", 0.0, "")]
    recordings.closed(path, 3.0, None)
    recordings.flush()
    assert stored(store) == [("6000", "0612", 3.0, "closed")]


def test_a_file_that_was_never_made(recordings: Recordings, store: Store) -> None:
    """The crash came first: stored as empty, so that no later start looks for it."""
    recordings.begin("6000", "0612")
    recordings.flush()
    assert recordings.recover() == 0
    assert stored(store) == [("6000", "0612", 0.0, "unwritable")]


def test_what_another_node_records_is_its_own(recordings: Recordings, store: Store) -> None:
    """Several nodes may share a database; each has its own folder."""
    store.recordings.add(
        Recording(number="6000", caller="1", path="/elsewhere/1.wav", started_at=1.0, seconds=0.0, reason="")
    )
    assert recordings.recover() == 0
    assert stored(store) == [("6000", "1", 0.0, "")]


def test_a_worker_that_dies_leaves_a_whole_recording(recordings: Recordings, store: Store) -> None:
    """Mended at once: the engine still runs."""
    path = recordings.begin("6000", "0612")
    cut_off(path, 3.0)
    recordings.lost(path)
    assert length(path) == 3.0
    assert stored(store) == [("6000", "0612", 3.0, INTERRUPTED)]


def test_what_began_and_ended_together_is_one_transaction(
    recordings: Recordings, store: Store, clock: Reactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thirty calls in a fifth of a second, some of them over already."""
    written: list[tuple[int, int]] = []
    real = store.recordings.journal
    monkeypatch.setattr(
        store.recordings,
        "journal",
        lambda begun, ended: (written.append((len(begun), len(ended))), real(begun, ended)),
    )
    paths = [recordings.begin("6000", str(caller)) for caller in range(30)]
    for path in paths[:10]:
        recordings.closed(path, 0.1, None)
    clock.advance(GATHER_SECONDS)
    recordings.flush()
    assert written == [(30, 10)]
    assert [each.reason for each in store.recordings.all()] == ["closed"] * 10 + [""] * 20
    assert clock.getDelayedCalls() == []


def test_a_recording_is_converted_when_it_is_over(
    recordings: Recordings, store: Store, clock: Reactor
) -> None:
    """One child at a time; the store names the new file, and a failure leaves the WAV."""
    recordings.format = "ogg"
    paths = [recordings.begin("6000", "1", form) for form in ("flac", None, "wav", "flac")]
    assert [path.suffixes for path in paths] == [
        [".flac", ".wav"],
        [".ogg", ".wav"],
        [".wav"],
        [".flac", ".wav"],
    ]
    for path in paths:
        cut_off(path, 1.0)
        recordings.closed(path, 1.0, None)
    assert [command for _, command in clock.children] == [[str(paths[0]), str(paths[0].with_suffix(""))]]
    clock.child_ends()
    clock.child_ends(ProcessTerminated(1))
    clock.child_ends()
    assert clock.children == []
    expected = [paths[0].with_suffix(""), paths[1], paths[2], paths[3].with_suffix("")]
    assert [each.path for each in store.recordings.all()] == list(map(str, expected))
    assert recordings.counters == {"recordings_converted": 2, "recordings_not_converted": 1}


def test_a_conversion_outlives_a_stop(
    recordings: Recordings, folder: Path, store: Store, clock: Reactor
) -> None:
    """The child is ended, its half file removed at the next start, and the recording converted then."""
    for _ in range(2):
        path = recordings.begin("6000", "1", "flac")
        cut_off(path, 1.0)
        recordings.closed(path, 1.0, None)
    recordings.stop()
    assert clock.killed == 1
    clock.children[0][0].processEnded(Failure(ProcessTerminated(signal=9)))
    assert len(clock.children) == 1
    (folder / "x.flac.partial").write_bytes(b"half")
    after, reactor = again(folder, store)
    assert not list(folder.glob("*.partial"))
    after.take_up()
    reactor.child_ends()
    reactor.child_ends()
    assert sorted(path.suffix for path in folder.iterdir()) == [".flac", ".flac"]
    assert all(each.path.endswith(".flac") for each in store.recordings.all())


def again(folder: Path, store: Store) -> tuple[Recordings, Reactor]:
    """Another process, recovered."""
    reactor = Reactor()
    after = Recordings(folder, SameThread(), store, reactor)  # type: ignore[arg-type]
    after.recover()
    return after, reactor


def test_converted_in_the_last_moment(recordings: Recordings, folder: Path, store: Store) -> None:
    """The file was made, the store not told."""
    path = recordings.begin("6000", "1", "flac")
    recordings.closed(path, 1.0, None)
    recordings.flush()
    path.with_suffix("").write_bytes(b"fLaC")
    again(folder, store)
    assert [each.path for each in store.recordings.all()] == [str(path.with_suffix(""))]


def test_a_crash_while_recording_for_another_format(
    recordings: Recordings, folder: Path, store: Store
) -> None:
    """Mended as the WAV it is, and then converted; also when the engine lived on and only the worker died."""
    path = recordings.begin("6000", "1", "ogg")
    recordings.flush()
    cut_off(path, 2.5)
    after, reactor = again(folder, store)
    after.take_up()
    assert [command for _, command in reactor.children] == [[str(path), str(path.with_suffix(""))]]
    other = after.begin("6000", "1", "flac")
    cut_off(other, 1.5)
    after.lost(other)
    reactor.child_ends()
    reactor.child_ends()
    assert [(each.seconds, each.reason) for each in store.recordings.all()] == [
        (2.5, INTERRUPTED),
        (1.5, INTERRUPTED),
    ]


def test_tracks_are_mended_together(recordings: Recordings, folder: Path, store: Store) -> None:
    """The recording is its sidecar; its tracks are no recordings of their own."""
    path = folder / "a.json"
    notes = Notes(kind="tracks", began=1.0)
    for number, offset_ms in ((1, 0), (2, 4000)):
        cut_off(folder / f"a.track-{number}.wav", 3.0)
        notes.tracks.append(Track(file=f"a.track-{number}.wav", label="x", offset_ms=offset_ms, rate=8000))
    save(notes, path)
    store.recordings.add(
        Recording(number="8000", caller="", path=str(path), started_at=1.0, seconds=0.0, reason="")
    )
    assert recordings.recover() == 1
    assert stored(store) == [("8000", "", 7.0, INTERRUPTED)]
    assert [(track.ms, track.reason) for track in load(path).tracks] == [(3000, "interrupted")] * 2
    assert length(folder / "a.track-2.wav") == 3.0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.wav", RecordingFile("wav", 8000, 2, 0, 1, 1.5)),
        ("a.flac", RecordingFile("flac", 16000, 2, 0, 1, 1.5)),
        ("a.ogg", RecordingFile("ogg", 16000, 2, 0, 1, 1.5)),
        ("b.wav", RecordingFile("g711", 8000, 1)),
        ("t.json", RecordingFile("tracks", 16000, 1, 2)),
        ("gone.flac", RecordingFile()),
        ("c.wav", RecordingFile()),
        ("c.flac", RecordingFile("flac")),
    ],
)
def test_what_a_file_holds(folder: Path, name: str, expected: RecordingFile) -> None:
    """By its beginning and its sidecar."""
    marks = [Mark(what="cut", at_ms=0, ms=20), Mark(what="lost", at_ms=20, ms=1500)]
    save(Notes(kind="both", began=1.0, channels=["says", "hears"], marks=marks), folder / "a.json")
    tracks = [Track(file="t.track-1.wav", label="", offset_ms=0, rate=rate, ms=20) for rate in (8000, 16000)]
    save(Notes(kind="tracks", began=1.0, tracks=tracks), folder / "t.json")
    (folder / "a.wav").write_bytes(header(0, 8000, 2))
    (folder / "b.wav").write_bytes(Sound(8000, 1, Coding.ULAW).header(0))
    for each in ("c.wav", "c.flac"):
        (folder / each).write_bytes(b"?")
    for each, form, subtype in (("a.flac", "FLAC", "PCM_16"), ("a.ogg", "OGG", "OPUS")):
        soundfile.write(folder / each, np.zeros((160, 2)), 16000, subtype=subtype, format=form)
    assert describe(folder / name) == expected


def test_finishing_twice_changes_nothing(store: Store) -> None:
    """The first end is the one that counts."""
    store.recordings.add(
        Recording(number="6000", caller="1", path="/r/1.wav", started_at=1.0, seconds=0.0, reason="")
    )
    assert store.recordings.finish("/r/1.wav", 2.0, "closed")
    assert not store.recordings.finish("/r/1.wav", 9.0, "again")
    assert store.recordings.finished_paths() == {"/r/1.wav"}
    assert store.recordings.unfinished() == []
