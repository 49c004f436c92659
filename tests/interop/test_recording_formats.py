"""A running engine records: every format, kill -9 in the middle of it, and a room talker by talker."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.interop.engine_process import Engine
from tests.interop.quiet_log import assert_no_exception
from tests.interop.wire_phone import WirePhone
from tests.interop.wire_sound import Voice

pytestmark = pytest.mark.slow

CONVERSION = 10.0
LOUD = 4000


def kill_worker(engine: Engine) -> None:
    (worker,) = (each["pid"] for each in engine.status()["workers"])
    os.kill(worker, signal.SIGKILL)


def recording(engine: Engine) -> dict[str, object] | None:
    """The one recording of the engine, as its command tells it."""
    found = json.loads(engine.cli("recordings", "--json").stdout)
    return found[0] if found else None


def wait_until_closed(engine: Engine, suffix: str) -> dict[str, object]:
    end = time.monotonic() + CONVERSION
    while time.monotonic() < end:
        found = recording(engine)
        if found is not None and found["reason"] == "closed" and str(found["path"]).endswith(suffix):
            return found
        time.sleep(0.3)
    raise AssertionError(f"not closed as {suffix}: {recording(engine)}")


def loud(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Whether each 100 ms is loud, bool [blocks, channels]."""
    sound, rate = soundfile.read(path, dtype="int16", always_2d=True)
    size = rate // 10
    blocks = sound[: len(sound) // size * size].reshape(-1, size, sound.shape[1])
    found: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = np.abs(blocks.astype(int)).max(axis=1) > LOUD
    return found


@pytest.mark.parametrize(("form", "suffix"), [("flac", ".flac"), ("ogg", ".ogg")])
def test_a_killed_worker_costs_a_second_in_every_format(tmp_path: Path, form: str, suffix: str) -> None:
    """It goes on in the same recording, which keeps time and tells what is missing."""
    with Engine(tmp_path, {"media.recording_format": form}) as engine:
        with WirePhone(engine.ready.address()) as phone:
            assert phone.call("6000").status == 200
            with Voice(phone):
                folder = engine.data / "recordings"
                end = time.monotonic() + 12
                while not list(folder.glob("*.wav")) and time.monotonic() < end:
                    time.sleep(0.02)
                began = time.monotonic()
                time.sleep(1.5)
                kill_worker(engine)
                time.sleep(1.7)
                took = time.monotonic() - began
            assert phone.hang_up().status == 200
        found = wait_until_closed(engine, suffix)
        assert_no_exception(engine)
    path = Path(str(found["path"]))
    assert found["format"] == form
    assert found["seconds"] == pytest.approx(took, abs=0.7)
    assert 0 < float(str(found["lost"])) < 2.0
    blocks = loud(path)[:, 0]
    assert len(blocks) / 10 == pytest.approx(float(str(found["seconds"])), abs=0.11)
    assert blocks[:5].all()
    assert np.count_nonzero(blocks[-15:]) >= 5  # the end is quiet from the last word to the BYE
    assert not list(folder.glob("*.partial"))
    assert (suffix == ".wav") == bool(list(folder.glob("*.wav")))


def test_a_room_talker_by_talker(tmp_path: Path) -> None:
    """Two callers, the second later: a track each, that lie on the timeline as they spoke."""
    with Engine(tmp_path) as engine:
        engine.cli("automates", "add", "7100", "room", "--record", "tracks")
        address = engine.ready.address()
        with WirePhone(address) as first, WirePhone(address) as second:
            assert first.call("7100").status == 200
            with Voice(first, 500):
                time.sleep(1.0)
                assert second.call("7100").status == 200
                with Voice(second, 700):
                    time.sleep(1.0)
                assert second.hang_up().status == 200
                time.sleep(0.5)
            assert first.hang_up().status == 200
        found = wait_until_closed(engine, ".json")
        assert (found["format"], found["tracks"]) == ("tracks", 2)
        target = tmp_path / "room.flac"
        engine.cli("recordings", "export", str(found["id"]), str(target), "--layout", "channels")
        assert_no_exception(engine)
    blocks = loud(target)
    assert len(blocks) >= 22
    assert blocks[3:20, 0].all()
    assert not blocks[:8, 1].any()
    assert np.count_nonzero(blocks[10:, 1]) >= 6
    assert not blocks[-2:, 1].any()
