"""Processor time of one complete call: INVITE, 200, ACK, 100 ms of announcement, BYE, 200."""

from __future__ import annotations

import resource
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from engine.bench.engine_under_test import BenchError, EngineUnderTest
from engine.bench.processor_time import tree_seconds

CALL_MS = 100
WARM_UP_CALLS = 200
"""Calls before the measurement: caches fill, the allocator settles."""


@dataclass(frozen=True, slots=True)
class SipCallsResult:
    """``cpu_ms_per_call``: engine and worker together. ``ratio_to_sipp``: to what the caller, in C++, spent itself."""

    calls: int
    failed: int
    rate: int
    cpu_ms_per_call: float
    sipp_cpu_ms_per_call: float
    ratio_to_sipp: float


def measure(engine: EngineUnderTest, *, rate: int, calls: int, number: str = "7000") -> SipCallsResult:
    """Have sipp's built-in ``uac`` place ``calls`` calls at ``rate`` a second.

    Raises:
        BenchError: sipp is not installed.
    """
    if shutil.which("sipp") is None:
        raise BenchError("sipp is not installed (Debian: sip-tester)")
    _place(engine, rate, WARM_UP_CALLS, number)
    engine_before, own_before = tree_seconds(engine.pid), _children_seconds()
    failed = _place(engine, rate, calls, number)
    engine_spent = tree_seconds(engine.pid) - engine_before
    own_spent = _children_seconds() - own_before
    return SipCallsResult(
        calls=calls,
        failed=failed,
        rate=rate,
        cpu_ms_per_call=round(engine_spent / calls * 1000, 3),
        sipp_cpu_ms_per_call=round(own_spent / calls * 1000, 3),
        ratio_to_sipp=round(engine_spent / own_spent, 2) if own_spent else 0.0,
    )


def _place(engine: EngineUnderTest, rate: int, calls: int, number: str) -> int:
    """Run sipp once; returns how many calls failed, as its exit status tells (1: at least one)."""
    with tempfile.TemporaryDirectory(prefix="polyphony-sipp-") as folder:
        command = ["sipp", "-sn", "uac", "-s", number, f"127.0.0.1:{engine.sip_port}", "-i", "127.0.0.1"]
        command += ["-r", str(rate), "-m", str(calls), "-d", str(CALL_MS), "-l", str(rate * 10)]
        command += ["-nostdin", "-trace_stat", "-stf", "statistics.csv", "-fd", "1"]
        done = subprocess.run(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
        )
        if done.returncode not in (0, 1):
            raise BenchError(f"sipp ended with status {done.returncode}: {done.stderr.strip()[-300:]}")
        statistics = Path(folder, "statistics.csv").read_text("ascii").splitlines()
        names, last = statistics[0].split(";"), statistics[-1].split(";")
    return int(dict(zip(names, last, strict=False))["FailedCall(C)"])


def _children_seconds() -> float:
    """Processor time of the sipp processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
