"""``kill -9`` of a media worker: its calls end with BYE, the next ones have another worker, and somebody is told."""

from __future__ import annotations

import os
import signal
import threading
import time
import wave
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.interop.engine_process import Engine, alive
from tests.interop.quiet_log import assert_no_exception
from tests.interop.wire_phone import WirePhone
from tests.interop.wire_sound import Voice

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

PASSWORD = "a-long-enough-password"
NEW_CALLS = 2.0
"""Seconds after the loss within which a new call must be up, with sound."""


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


def test_a_lost_worker_costs_its_calls_and_no_more(engine: Engine) -> None:
    """BYE at once to whom it served, a new call within 2 s, the loss logged and counted."""
    address = engine.ready.address()
    with WirePhone(address) as lost, WirePhone(address) as other:
        assert lost.call("5000").status == 200
        killed_at = time.monotonic()
        worker = kill_worker(engine)
        assert_hears_itself(other)
        assert time.monotonic() - killed_at < NEW_CALLS + 1.0  # of which one second was spent listening
        lost.listen(NEW_CALLS)
        assert lost.ended_by_engine is not None, "the call whose leg was lost got no BYE"
        assert lost.ended_by_engine - killed_at < NEW_CALLS
    status = engine.status()
    counters = status["counters"]
    assert (status["worker_restarts"], counters["workers_lost"], counters["legs_lost"]) == (1, 1, 1)
    assert status["calls"] == 0
    assert f"media worker 0 (pid {worker}) is gone" in engine.log
    assert not alive(worker)
    assert [each["pid"] for each in status["workers"]] != [worker]


def test_both_sides_of_a_bridge_are_told(engine: Engine) -> None:
    """Two phones that talk through the engine lose both their legs; each gets a BYE."""
    engine.add_line("200", PASSWORD)
    address = engine.ready.address()
    with WirePhone(address, user="200", password=PASSWORD) as called, WirePhone(address) as caller:
        assert called.register().status == 200
        called.picks_up = True
        listening = threading.Thread(target=called.listen, args=(10.0,))
        listening.start()
        assert caller.call("200").status == 200
        with Voice(caller) as voice, Voice(called, 700) as other:
            time.sleep(1.0)
        assert (voice.kept(700) > 0.7, other.kept(500) > 0.7) == (True, True)
        killed_at = time.monotonic()
        kill_worker(engine)
        caller.listen(NEW_CALLS)
        listening.join()
        for phone in (caller, called):
            assert phone.ended_by_engine is not None
            assert phone.ended_by_engine - killed_at < NEW_CALLS
    assert engine.status()["counters"]["legs_lost"] == 2
    assert engine.status()["calls"] == 0


def test_losses_in_a_row(engine: Engine) -> None:
    """A worker that dies again is started after a pause; calls meanwhile get 503, and nothing is left over."""
    address = engine.ready.address()
    for losses in range(1, 4):
        with WirePhone(address) as phone:
            assert phone.call("7000").status == 200
            kill_worker(engine)
            phone.listen(NEW_CALLS)
            assert phone.ended_by_engine is not None
        assert engine.status()["worker_restarts"] == losses
        end = time.monotonic() + NEW_CALLS
        while not engine.status()["workers"] and time.monotonic() < end:
            with WirePhone(address) as early:
                assert early.call("5000").status in (200, 503)
                if early.up:
                    early.hang_up()
            time.sleep(0.05)
        with WirePhone(address) as phone:
            assert_hears_itself(phone)
    assert engine.status()["calls"] == 0


def test_a_call_that_waits_for_its_leg(engine: Engine) -> None:
    """A worker stopped dead, then killed, while an INVITE waits for it: its successor takes the call."""
    (worker,) = engine.ready.workers
    os.kill(worker, signal.SIGSTOP)
    waiting = threading.Timer(0.3, os.kill, (worker, signal.SIGKILL))
    with WirePhone(engine.ready.address()) as phone:
        waiting.start()
        assert_hears_itself(phone)
    assert engine.status()["counters"]["legs_moved"] == 1
    assert engine.status()["calls"] == 0


def test_a_recording_survives_its_worker(engine: Engine) -> None:
    """What a killed worker recorded can be read, up to the last second or so."""
    with WirePhone(engine.ready.address()) as phone:
        assert phone.call("6000").status == 200
        with Voice(phone):
            recorded = wait_for_recording(engine)
            time.sleep(2.5)
            kill_worker(engine)
            phone.listen(NEW_CALLS)
    with wave.open(str(recorded)) as sound:
        assert sound.getframerate() == 8000
        assert sound.getnframes() / 8000 > 1.0


def wait_for_recording(engine: Engine) -> Path:
    """The file of the recording that has begun (after its announcement)."""
    end = time.monotonic() + 12
    while time.monotonic() < end:
        found = list((engine.data / "recordings").glob("*.wav"))
        if found:
            return found[0]
        time.sleep(0.05)
    raise AssertionError("no recording was begun")
