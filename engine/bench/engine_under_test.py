"""An engine started for a measurement, in a directory of its own, on free ports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

START_TIMEOUT = 30.0
STOP_TIMEOUT = 10.0


class BenchError(Exception):
    """The measurement could not be made; the text says why."""


@dataclass(frozen=True, slots=True)
class EngineUnderTest:
    """Where it answers.

    sip_port: the UDP port on 127.0.0.1. data: its data directory. api: the base URL.
    """

    pid: int
    sip_port: int
    worker_pids: tuple[int, ...]
    data: str
    api: str


@contextmanager
def running_engine(
    workers: int = 1, *, more: Sequence[str] = (), cpu: int | None = None
) -> Iterator[EngineUnderTest]:
    """Start ``polyphony serve`` and stop it again.

    more: settings, ``key=value``. cpu: the only core it may use.

    Raises:
        BenchError: it did not become ready.
    """
    with tempfile.TemporaryDirectory(prefix="polyphony-bench-") as data:
        settings = (
            "sip.port=0",
            'sip.bind=["127.0.0.1"]',
            "http.port=0",
            f"media.workers={workers}",
            *more,
        )
        command = [sys.executable, "-m", "engine", "serve", "--data", data]
        for setting in settings:
            command += ["--set", setting]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            if cpu is not None:
                os.sched_setaffinity(process.pid, {cpu})  # before it has any children
            yield _ready(process, data)
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ready(process: subprocess.Popen[str], data: str) -> EngineUnderTest:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("ready "):
            told = json.loads(line.removeprefix("ready "))
            uri = next(each for each in told["sip"] if each.endswith("transport=udp"))
            port = int(uri.partition(";")[0].rpartition(":")[2])
            return EngineUnderTest(told["pid"], port, tuple(told["workers"]), data, told["api"])
    raise BenchError(f"the engine ended with status {process.wait()} before it was ready")
