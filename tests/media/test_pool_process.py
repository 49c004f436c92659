"""The pool with a real reactor and a real worker, which is killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.port_share import port_share

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
from twisted.internet import asyncioreactor
asyncioreactor.install()
import os, signal, sys
from twisted.internet import defer, reactor, task
from media.control import LegSpec
from media.pool import WorkerPool
from media.settings import MediaSettings

async def story():
    lost = defer.Deferred()
    pool = WorkerPool(reactor, MediaSettings(workers=1, port_first=int(sys.argv[1]), port_last=int(sys.argv[2])),
                      on_worker_lost=lambda worker, legs: lost.callback(len(legs)))
    await pool.start()
    spec = LegSpec(local_host="127.0.0.1", codec="PCMU", remote_host="127.0.0.1", remote_port=9)
    events = []
    leg = await pool.open_leg(spec)
    leg.on_event = events.append
    os.kill(pool.pids[0], signal.SIGKILL)
    assert await lost == 1
    other = await pool.open_leg(spec)
    print([type(event).__name__ for event in events])
    assert events[0].local_port == leg.local_port != other.local_port
    await pool.stop()
    print("pids", pool.pids)

task.react(lambda _: defer.Deferred.fromCoroutine(story()))
"""


@pytest.mark.slow
def test_kill_9_of_a_worker() -> None:
    """It is noticed, and its leg is there again, on its port, before a new one is opened beside it."""
    ports = port_share().engines
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(ports[0]), str(ports[-1])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == ["['LegMoved']", "pids []"]
