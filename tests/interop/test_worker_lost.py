"""``kill -9`` of a media worker: its calls go on in another, on the same ports, and nobody hears a BYE."""

from __future__ import annotations

import os
import signal
import threading
import time
import wave
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.interop.bridged_pair import bridged_pair
from tests.interop.engine_process import Engine, alive
from tests.interop.quiet_log import assert_no_exception
from tests.interop.wire_phone import WirePhone
from tests.interop.wire_sound import Voice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = pytest.mark.slow

RECOVERY = 2.0
"""Seconds after the loss in which every call has sound again, on a machine that is not busy."""
PATIENCE = 20.0


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path) as running:
        yield running
        assert_no_exception(running)


def kill_worker(engine: Engine) -> int:
    """kill -9 of the worker that runs now; its process id."""
    (worker,) = (each["pid"] for each in engine.status()["workers"])
    os.kill(worker, signal.SIGKILL)
    return int(worker)


def assert_hears_itself(phone: WirePhone) -> None:
    """A call to the echo works, with sound, and ends as it should."""
    answer = phone.call("5000")
    assert answer.status == 200, answer.message.reason
    with Voice(phone) as voice:
        time.sleep(1.0)
    assert voice.kept() >= 0.8  # the first 100 ms and the last block are on their way
    assert phone.hang_up().status == 200


def assert_sound_again(voices: Sequence[Voice], killed_at: float) -> None:
    """Soon after the loss everybody hears, and goes on hearing; how soon is measured in ``bench/survival.py``."""
    time.sleep(max(0.0, killed_at + RECOVERY - time.monotonic()))
    end = time.monotonic() + PATIENCE
    while True:
        before = [voice.arrivals for voice in voices]
        time.sleep(1.0)
        heard = [voice.arrivals - earlier for voice, earlier in zip(voices, before, strict=True)]
        if min(heard) >= 35:
            return
        assert time.monotonic() < end, f"packets heard in a second: {heard}"


def test_a_lost_worker_costs_no_call(engine: Engine) -> None:
    """Its calls have sound again on the ports they had; new ones are served; the loss is logged and counted."""
    address = engine.ready.address()
    with WirePhone(address) as lost, WirePhone(address) as other:
        assert lost.call("5000").status == 200
        with Voice(lost) as voice:
            time.sleep(0.3)
            killed_at = time.monotonic()
            worker = kill_worker(engine)
            assert_sound_again([voice], killed_at)
        assert_hears_itself(other)
        assert lost.asked == []  # neither BYE nor re-INVITE
        assert lost.hang_up().status == 200
    status = engine.status()
    counters = status["counters"]
    assert (status["worker_restarts"], counters["workers_lost"], counters["legs_moved"]) == (1, 1, 1)
    assert "legs_lost" not in counters
    assert status["calls"] == 0
    assert f"media worker 0 (pid {worker}) is gone" in engine.log
    assert not alive(worker)
    assert [each["pid"] for each in status["workers"]] != [worker]


def test_both_sides_of_a_bridge_go_on(engine: Engine) -> None:
    """Two phones that talk through the engine hear each other again."""
    with bridged_pair(engine) as pair:
        time.sleep(1.0)
        killed_at = time.monotonic()
        kill_worker(engine)
        assert_sound_again(pair, killed_at)
    assert min(pair.kept()) > 0.5
    assert engine.status()["counters"]["legs_moved"] == 2
    assert engine.status()["calls"] == 0


def test_losses_in_a_row(engine: Engine) -> None:
    """A worker that dies again and again is started after longer pauses; at the fourth loss its calls end with BYE."""
    address = engine.ready.address()
    with WirePhone(address) as phone:
        assert phone.call("5000").status == 200
        for losses in range(1, 4):
            kill_worker(engine)
            with Voice(phone) as voice:
                assert_sound_again([voice], time.monotonic())
            assert engine.status()["worker_restarts"] == losses
        kill_worker(engine)
        phone.listen(RECOVERY)
        assert phone.ended_by_engine is not None
    with WirePhone(address) as early:
        assert early.call("5000").status == 503
    end = time.monotonic() + 4
    while not engine.status()["workers"] and time.monotonic() < end:
        time.sleep(0.05)
    with WirePhone(address) as phone:
        assert_hears_itself(phone)
    assert engine.status()["calls"] == 0
    assert engine.status()["counters"]["legs_lost"] == 1


def test_a_call_that_waits_for_its_leg(engine: Engine) -> None:
    """A worker stopped dead, then killed, while an INVITE waits for it: its successor takes the call."""
    (worker,) = engine.ready.workers
    os.kill(worker, signal.SIGSTOP)
    waiting = threading.Timer(0.3, os.kill, (worker, signal.SIGKILL))
    with WirePhone(engine.ready.address()) as phone:
        waiting.start()
        assert_hears_itself(phone)
    assert engine.status()["counters"]["openings_moved"] == 1
    assert engine.status()["calls"] == 0


def test_a_recording_survives_its_worker(engine: Engine) -> None:
    """It goes on in the same file, with silence in the place of what happened between, and keeps time."""
    with WirePhone(engine.ready.address()) as phone:
        assert phone.call("6000").status == 200
        with Voice(phone):
            recorded = wait_for_recording(engine)
            began = time.monotonic()
            time.sleep(2.5)
            kill_worker(engine)
            time.sleep(3.0)
        took = time.monotonic() - began
        assert phone.hang_up().status == 200
    time.sleep(1.0)
    with wave.open(str(recorded)) as sound:
        assert sound.getframerate() == 8000
        assert sound.getnframes() / 8000 == pytest.approx(took, abs=0.7)
        samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16).reshape(-1)
    loud = np.abs(samples[: len(samples) // 800 * 800].reshape(-1, 800)).max(axis=1) > 4000
    assert loud[:10].all()
    assert loud[-15:-5].all()
    assert np.count_nonzero(~loud) < 15 + 5  # blocks of 100 ms: the second not yet on disk, and the gap


def wait_for_recording(engine: Engine) -> Path:
    """The file of the recording that has begun (after its announcement)."""
    end = time.monotonic() + 12
    while time.monotonic() < end:
        found = list((engine.data / "recordings").glob("*.wav"))
        if found:
            return found[0]
        time.sleep(0.05)
    raise AssertionError("no recording was begun")
