"""One scenario: calls placed, sound exchanged for a while, and what that cost the server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import numpy as np

from engine.bench.engine_under_test import BenchError
from engine.bench.media.caller import Call, Caller
from engine.bench.media.processes import family, resident_mb
from engine.bench.media.scenarios import Scenario
from engine.bench.media.sounds import SILENCE, sound_set
from engine.bench.media.streams import Pace, Streams
from engine.bench.processor_time import tree_seconds

TICK = 0.02
SETUP_RATE = 100.0
"""Calls a second while setting up."""
MOST_LEAVING = 5.0
"""Seconds until the last BYE must be answered."""


@dataclass(frozen=True, slots=True)
class MediaResult:
    """What was measured. Cores are processor seconds per second; ``kernel_cores`` is the bare loop's."""

    scenario: str
    codec: str
    srtp: bool
    calls: int
    up: int
    answers: dict[str, int]
    dropped: int
    talkers: int
    shared_port: bool
    seconds: float
    server_cores: float
    calls_per_core: int | None
    kernel_cores: float | None
    ratio_to_kernel: float | None
    rss_mb: float
    kb_per_call: float
    rx_ratio: float
    rx_ratio_worst: float
    packets_lost: int
    gap_ms_p50: int | None
    gap_ms_p99: int | None
    gap_ms_p999: int | None
    gap_ms_max: int | None
    setup_ms_p50: float
    setup_ms_p99: float
    level_rms: float | None
    generator_cores: float
    generator_late_ticks: int
    least_a_core: int | None
    aim_a_core: int | None
    most_cores: float | None
    kept: bool | None
    others: dict[str, object] | None


@dataclass(slots=True)
class Server:
    """Where the calls go, and the processes that are charged with them."""

    address: tuple[str, int]
    pids: Sequence[int]

    def seconds(self) -> float:
        """Processor time of all of them with their children."""
        return sum(tree_seconds(pid) for pid in self.pids)

    def rss_mb(self) -> float:
        """Memory of all of them with their children."""
        return sum(resident_mb(pid) for root in self.pids for pid in family(root))


class Run:
    """The calls of one scenario. ``place`` first, then ``exchange``, in the end ``leave``."""

    def __init__(self, scenario: Scenario, server: Server) -> None:
        self.scenario = scenario
        self.server = server
        self.caller = Caller(server.address)
        self.streams = Streams(
            sound_set(scenario.codec, dtx=scenario.dtx),
            scenario.calls,
            self.caller.host,
            srtp=scenario.srtp,
        )
        self.calls: list[Call] = []

    def place(self, count: int | None = None) -> None:
        """Place calls at a steady rate until there are ``count`` (None: all), and wait for their answers.

        Those that are up begin to stream. Raises BenchError: none is.
        """
        count = self.scenario.calls if count is None else count
        began, already = time.monotonic(), len(self.calls)
        pace = Pace(TICK)
        while len(self.calls) < count or self.caller.unanswered:
            now = time.monotonic()
            if len(self.calls) < count and now >= began + (len(self.calls) - already) / SETUP_RATE:
                self._place_next()
            self.step(pace)
        if not any(call.up for call in self.calls):
            raise BenchError(f"no call was answered: {dict(self.caller.answers)}")

    def _place_next(self) -> None:
        index = len(self.calls)
        offer = self.streams.describe(index)
        self.calls.append(self.caller.place(index, self.scenario.number_of(index), lambda: offer))

    def step(self, pace: Pace) -> bool:
        """Do what is due; whether that was a tick."""
        ticked = pace.due()
        if ticked:
            self.streams.send()
            self.caller.retransmit(time.monotonic())
        for call in self.caller.poll():
            self._begin(call)
        self.streams.receive()
        return ticked

    def _begin(self, call: Call) -> None:
        address, section = call.media_address, call.audio
        if address is not None and section is not None and self.streams.agree(call.index, section):
            self.streams.open(call.index, address, self._sound(call.index))

    def _sound(self, call: int) -> int | None:
        if self.scenario.talks(call):
            return 1 + call % self.streams.sounds.tones
        return SILENCE if self.scenario.silent else None

    def exchange(self, seconds: float, begin: Callable[[], None] | None = None, warm_up: float = 0.0) -> Pace:
        """Stream for ``seconds``; ``begin`` is called when the warm-up is over."""
        pace, start = Pace(TICK), time.monotonic()
        while time.monotonic() - start < warm_up:
            self.step(pace)
        pace.late = 0
        self.streams.heard.reset()
        if begin is not None:
            begin()
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            self.step(pace)
        return pace

    def leave(self) -> None:
        """Hang up."""
        for call in self.calls:
            self.caller.hang_up(call)
        end = time.monotonic() + MOST_LEAVING
        while self.caller.calls and (now := time.monotonic()) < end:
            for _ in self.caller.poll():
                pass
            self.caller.retransmit(now)
            time.sleep(0.01)
        self.caller.close()
        self.streams.close_socket()


def measure(
    scenario: Scenario, server: Server, *, seconds: float, warm_up: float, kernel_cores: float | None = None
) -> MediaResult:
    """Run a scenario against a server. Raises BenchError: no call came about."""
    idle_mb = server.rss_mb()
    run = Run(scenario, server)
    spent: list[float] = []
    try:
        run.place()
        pace = run.exchange(
            seconds, lambda: spent.extend((server.seconds(), time.monotonic(), time.process_time())), warm_up
        )
        used, wall = server.seconds() - spent[0], time.monotonic() - spent[1]
        return _result(run, pace, used, wall, time.process_time() - spent[2], idle_mb, kernel_cores)
    finally:
        run.leave()


def _result(
    run: Run, pace: Pace, used: float, wall: float, own: float, idle_mb: float, kernel: float | None
) -> MediaResult:
    scenario, heard = run.scenario, run.streams.heard
    up = [call for call in run.calls if call.status and call.status < 300]
    places = np.array([call.index for call in up])
    setup = sorted(1000 * call.setup for call in up)
    share = heard.packets[places] / (wall / TICK)
    rss, cores = run.server.rss_mb(), used / wall
    per_core = round(len(up) / cores) if cores > 0 and run.server.pids else None
    level = run.streams.level
    return MediaResult(
        scenario=scenario.name,
        codec=scenario.codec,
        srtp=scenario.srtp,
        calls=scenario.calls,
        up=len(up),
        answers={str(status): count for status, count in sorted(run.caller.answers.items())},
        dropped=sum(call.dropped for call in up),
        talkers=sum(scenario.talks(call.index) for call in up),
        shared_port=scenario.shared_port,
        seconds=round(wall, 1),
        server_cores=round(cores, 4),
        calls_per_core=per_core,
        kernel_cores=None if kernel is None else round(kernel, 4),
        ratio_to_kernel=None if not kernel else round(cores / kernel, 2),
        rss_mb=round(rss, 1),
        kb_per_call=round(1024 * (rss - idle_mb) / len(up), 1),
        rx_ratio=round(float(share.mean()), 4),
        rx_ratio_worst=round(float(share.min()), 4),
        packets_lost=int(heard.lost[places].sum()),
        gap_ms_p50=heard.gap_percentile(0.5),
        gap_ms_p99=heard.gap_percentile(0.99),
        gap_ms_p999=heard.gap_percentile(0.999),
        gap_ms_max=heard.longest_gap,
        setup_ms_p50=round(setup[len(setup) // 2], 1),
        setup_ms_p99=round(setup[min(len(setup) - 1, len(setup) * 99 // 100)], 1),
        level_rms=None if level is None else round(level, 1),
        generator_cores=round(own / wall, 3),
        generator_late_ticks=pace.late,
        least_a_core=scenario.least_a_core,
        aim_a_core=scenario.aim_a_core,
        most_cores=scenario.most_cores,
        kept=_kept(scenario, per_core, cores),
        others=None if scenario.others is None else asdict(scenario.others),
    )


def _kept(scenario: Scenario, per_core: int | None, cores: float) -> bool | None:
    """Whether the figure asked for was reached; None when none is asked."""
    if per_core is not None and scenario.least_a_core is not None:
        return per_core >= scenario.least_a_core
    return None if scenario.most_cores is None else cores <= scenario.most_cores


# ---- the kernel's own share


def kernel_share(scenario: Scenario, *, seconds: float, cpu: int | None) -> float:
    """Cores the bare loop uses for as many calls on the same kind of sockets, driven by the same generator."""
    streams = Streams(sound_set(scenario.codec, dtx=scenario.dtx), scenario.calls, "127.0.0.1")
    kind = "shared" if scenario.shared_port else "own"
    peers = [(streams.source(call), streams.port) for call in range(scenario.calls)]
    command = [sys.executable, "-m", "engine.bench.media.bare_loop", kind]
    command.append("both" if scenario.answered else "receive")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            if cpu is not None:
                os.sched_setaffinity(process.pid, {cpu})
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(peers) + "\n")
            process.stdin.flush()
            ports = json.loads(process.stdout.readline())
            for call, port in enumerate(ports):
                silence = SILENCE if scenario.silent else None
                streams.open(call, ("127.0.0.1", port), 1 if scenario.talks(call) else silence)
            return _bare_cores(streams, process.pid, seconds)
        finally:
            process.kill()
            streams.close_socket()


def _bare_cores(streams: Streams, pid: int, seconds: float) -> float:
    pace, start = Pace(TICK), time.monotonic()
    used, since = 0.0, 0.0
    while not since or time.monotonic() - since < seconds:
        if not since and time.monotonic() - start > 1.0:
            used, since = tree_seconds(pid), time.monotonic()
        if pace.due():
            streams.send()
        streams.receive()
    return (tree_seconds(pid) - used) / (time.monotonic() - since)


# ---- processes


@contextmanager
def apart(cpu: int | None) -> Iterator[None]:
    """Keep this process, the generator, off the server's core as long as there is another."""
    before = os.sched_getaffinity(0)
    others = before - {cpu} if cpu is not None else before
    os.sched_setaffinity(0, others or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
