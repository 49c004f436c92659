"""Recordings and the store: from the first second to after a crash."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from engine.recordings import GATHER_SECONDS, INTERRUPTED, Recordings
from engine.store import Recording, Store
from media.wav import header


class SameThread:
    """The store's thread, here and now."""

    def later(self, what: str, function: Callable[..., Any], *arguments: Any) -> None:
        function(*arguments)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "recordings"
    made.mkdir()
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recordings(folder: Path, store: Store, clock: Clock) -> Recordings:
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
    recordings: Recordings, folder: Path, store: Store, clock: Clock
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
    recordings: Recordings, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
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


def test_finishing_twice_changes_nothing(store: Store) -> None:
    """The first end is the one that counts."""
    store.recordings.add(
        Recording(number="6000", caller="1", path="/r/1.wav", started_at=1.0, seconds=0.0, reason="")
    )
    assert store.recordings.finish("/r/1.wav", 2.0, "closed")
    assert not store.recordings.finish("/r/1.wav", 9.0, "again")
    assert store.recordings.finished_paths() == {"/r/1.wav"}
    assert store.recordings.unfinished() == []
