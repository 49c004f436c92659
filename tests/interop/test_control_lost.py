"""``kill -9`` of the control process: workers carry the calls on, and the next one takes them up."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.interop.bridged_pair import bridged_pair
from tests.interop.crowd import Crowd
from tests.interop.engine_process import Engine, alive
from tests.interop.ports import free_port
from tests.interop.quiet_log import assert_no_exception
from tests.interop.wire_phone import WirePhone
from tests.interop.wire_sound import Voice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    settings = {"sip.port": str(free_port(pair=True)), "media.workers": "2", "media.orphan_time": "20"}
    with Engine(tmp_path, settings) as running:
        yield running
        assert_no_exception(running)


def crash(engine: Engine) -> tuple[int, ...]:
    """kill -9 of the control process; its workers."""
    workers = engine.ready.workers
    engine.kill()
    return workers


def assert_heard(voice: Voice) -> None:
    """Sound comes back before long, and goes on for a second."""
    end = time.monotonic() + 15
    heard = 0
    while heard < 35:
        assert time.monotonic() < end, f"{heard} packets in a second"
        before = voice.arrivals
        time.sleep(1.0)
        heard = voice.arrivals - before


def test_a_hundred_calls_go_on_without_a_gap(engine: Engine) -> None:
    """Echo, rooms and announcements; each can be hung up afterwards, from either end."""
    numbers = [("5000", "7000", "8000", "8001")[index % 4] for index in range(100)]
    with contextlib.ExitStack() as stack:
        phones = [stack.enter_context(WirePhone(engine.ready.address())) for _ in numbers]
        for phone, number in zip(phones, numbers, strict=True):
            assert phone.call(number).status == 200
        with Crowd(phones) as crowd:
            time.sleep(1.0)
            killed_at = time.monotonic()
            workers = crash(engine)
            time.sleep(0.5)
            assert all(alive(pid) for pid in workers)
            engine.start()
            time.sleep(1.0)
            longest = max(crowd.gaps(killed_at))
        assert sorted(engine.ready.workers) == sorted(workers)
        assert longest < 1.0, f"nothing for {longest:.3f} s"  # the figure itself is the bench's
        status = engine.status()
        assert (status["calls"], status["counters"]["calls_adopted"]) == (100, 100)
        assert status["counters"]["legs_adopted"] == 100
        for phone in phones[:50]:
            assert phone.hang_up().status == 200
        threads = [threading.Thread(target=phone.listen, args=(5.0,)) for phone in phones[50:]]
        for thread in threads:
            thread.start()
        engine.stop()
        for thread in threads:
            thread.join()
        assert all(phone.ended_by_engine is not None for phone in phones[50:])
    assert not (engine.data / "run").exists()
    assert not (engine.data / "calls.journal").exists()
    engine.start()
    assert engine.status()["calls"] == 0


def test_a_bridge_goes_on(engine: Engine) -> None:
    """Two phones hear each other through the crash and after it; the BYE of one reaches the other."""
    with bridged_pair(engine) as pair:
        time.sleep(1.0)
        crash(engine)
        engine.start()
        time.sleep(0.5)
    assert min(pair.kept()) > 0.9
    assert engine.status()["calls"] == 0


def test_everything_dies_at_once(engine: Engine) -> None:
    """Control process and workers: the next one opens the legs again, on their ports; nobody gets a BYE."""
    address = engine.ready.address()
    with WirePhone(address) as echo, WirePhone(address) as one, WirePhone(address) as two:
        for phone, number in ((echo, "5000"), (one, "8000"), (two, "8000")):
            assert phone.call(number).status == 200
        time.sleep(0.4)
        for pid in crash(engine):
            os.kill(pid, signal.SIGKILL)
        engine.start()
        with Crowd([echo, one, two]) as crowd:
            time.sleep(1.0)
            assert max(crowd.gaps(time.monotonic() - 0.5)) < 0.4
        for phone in (echo, one, two):
            assert phone.asked == []
            assert phone.hang_up().status == 200


def test_a_worker_dies_after_the_take_over(engine: Engine) -> None:
    """What the first process told a leg is known to the second, and told to a third."""
    with WirePhone(engine.ready.address()) as phone:
        assert phone.call("5000").status == 200
        time.sleep(0.4)  # the journal is written five times a second
        crash(engine)
        for pid in engine.start().workers:
            os.kill(pid, signal.SIGKILL)
        with Voice(phone) as voice:
            assert_heard(voice)
        assert phone.hang_up().status == 200


def test_nobody_comes(tmp_path: Path) -> None:
    """Workers without calls end at once; with calls after ``media.orphan_time``, RTCP BYE and all."""
    settings = {"media.orphan_time": "2", "media.workers": "2"}
    engine = Engine(tmp_path, settings)
    engine.start()
    with WirePhone(engine.ready.address()) as phone:
        assert phone.call("5000").status == 200
        workers = crash(engine)
        time.sleep(1.0)
        assert sum(alive(pid) for pid in workers) == 1
        time.sleep(2.5)
        assert not any(alive(pid) for pid in workers)
    with engine:
        assert engine.status()["calls"] <= 1


def test_a_worker_of_another_layout_ends(tmp_path: Path) -> None:
    """Its ports are not those the new configuration gives it: the calls go on in a worker of our own."""
    port = str(free_port(pair=True))
    engine = Engine(tmp_path, {"sip.port": port, "media.workers": "1"})
    engine.start()
    with WirePhone(engine.ready.address()) as phone:
        assert phone.call("5000").status == 200
        time.sleep(0.4)  # the journal is written five times a second
        workers = crash(engine)
        with Engine(tmp_path, {"sip.port": port, "media.workers": "2"}) as later:
            with Voice(phone) as voice:
                assert_heard(voice)
            assert not any(alive(pid) for pid in workers)
            assert phone.hang_up().status == 200
            assert later.status()["calls"] == 0
