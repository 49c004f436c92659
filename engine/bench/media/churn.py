"""Calls that come and go for a while, of every codec and to every automate: what an engine keeps that it should not.

Each call lasts a random time; in the end all hang up, and after the ports have rested the engine must be as it was
before: no leg, no socket, no more memory than it had when it was warm.
"""

from __future__ import annotations

import heapq
import random
import time
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.bench.engine_under_test import EngineUnderTest
from engine.bench.media.caller import Call, Caller
from engine.bench.media.churn_result import ChurnResult, failures_of
from engine.bench.media.measure import MOST_LEAVING, TICK
from engine.bench.media.memory_watch import MemoryWatch
from engine.bench.media.processes import (
    family,
    machine_stalled_seconds,
    open_files,
    resident_mb,
    waited_seconds,
)
from engine.bench.media.sounds import sound_set
from engine.bench.media.streams import Pace, Streams
from engine.cli.engine_client import read
from engine.data_directory import DataDirectory

NUMBERS = ("5000", "6000", "7000", *(str(8000 + room) for room in range(10)))
SAMPLE_SECONDS = 1.0
REST_SECONDS = 8.0
"""After the last call: ports rest five seconds, recordings are closed."""
PORTS_FREED = 2.0
"""Seconds before a slot of the generator is used again."""
MOST_WARM_UP = 5.0
"""Minutes, when nobody says how many: as long as it takes until pools and tables are as large as they get."""
WARM_UP_SHARE = 0.25
"""Of the time, when that is less."""


@dataclass(slots=True)
class _Kind:
    """Calls of one codec."""

    name: str
    streams: Streams
    free: deque[int]
    resting: deque[tuple[float, int]] = field(default_factory=deque)

    def take(self, now: float) -> int | None:
        while self.resting and self.resting[0][0] <= now:
            self.free.append(self.resting.popleft()[1])
        return self.free.popleft() if self.free else None

    def give_back(self, slot: int, now: float) -> None:
        self.streams.close(slot)
        self.resting.append((now + PORTS_FREED, slot))


class Churn:
    """The calls, and the clock that lets them come and go."""

    def __init__(self, sip: tuple[str, int], rate: float, shortest: float, longest: float, seed: int) -> None:
        self._random = random.Random(seed)
        self._rate, self._shortest, self._longest = rate, shortest, longest
        self.caller = Caller(sip)
        most = int(rate * (longest + PORTS_FREED) * 1.5) + 10
        self._kinds = [
            _Kind(name, Streams(sound_set(codec), most, self.caller.host, srtp=srtp), deque(range(most)))
            for name, codec, srtp in (
                ("PCMU", "PCMU", False),
                ("PCMA", "PCMA", False),
                ("G722", "G722", False),
                ("opus", "opus", False),
                ("PCMU-SRTP", "PCMU", True),
            )
        ]
        self._ends: list[tuple[float, int, Call, _Kind, int]] = []
        self._of: dict[Call, tuple[_Kind, int]] = {}
        self.placed: Counter[str] = Counter()
        self.dropped = self.most_at_once = 0
        self._next = time.monotonic()

    def step(self, pace: Pace, *, more: bool) -> None:
        """Do what is due; ``more``: new calls may come."""
        if pace.due():
            now = time.monotonic()
            for kind in self._kinds:
                kind.streams.send()
            while more and now >= self._next:
                self._next += self._random.expovariate(self._rate)
                self._place(now)
            while self._ends and self._ends[0][0] <= now:
                self._end(heapq.heappop(self._ends), now)
            self.caller.retransmit(now)
            self.most_at_once = max(self.most_at_once, len(self._ends))
        for call in self.caller.poll():
            self._answered(call)
        for kind in self._kinds:
            kind.streams.receive()

    def _place(self, now: float) -> None:
        kind = self._random.choice(self._kinds)
        slot = kind.take(now)
        if slot is None:
            return
        number = self._random.choice(NUMBERS)
        offer = kind.streams.describe(slot)
        call = self.caller.place(slot, number, lambda: offer)
        self.placed[kind.name] += 1
        self._of[call] = (kind, slot)
        length = self._random.uniform(self._shortest, self._longest)
        heapq.heappush(self._ends, (now + length, sum(self.placed.values()), call, kind, slot))

    def _answered(self, call: Call) -> None:
        kind, slot = self._of[call]
        address, section = call.media_address, call.audio
        if address is not None and section is not None and kind.streams.agree(slot, section):
            sounds = kind.streams.sounds
            kind.streams.open(slot, address, self._random.randint(0, sounds.tones))

    def _end(self, ending: tuple[float, int, Call, _Kind, int], now: float) -> None:
        _, _, call, kind, slot = ending
        self.dropped += call.dropped
        self.caller.hang_up(call)
        del self._of[call]
        kind.give_back(slot, now)

    @property
    def up(self) -> int:
        """Calls that are not over."""
        return len(self._ends)

    def finish(self, pace: Pace) -> None:
        """Let nobody call any more, hang up at once, and wait for the last answers."""
        now = time.monotonic()
        while self._ends:
            self._end(heapq.heappop(self._ends), now)
        end = now + MOST_LEAVING
        while self.caller.calls and time.monotonic() < end:
            self.step(pace, more=False)

    @property
    def lost(self) -> int:
        """Packets that did not come."""
        return sum(int(kind.streams.heard.lost.sum()) for kind in self._kinds)

    def close(self) -> None:
        """The end."""
        self.caller.close()
        for kind in self._kinds:
            kind.streams.close_socket()


class _Engine:
    """The engine under test, as the kernel and its own status see it."""

    def __init__(self, engine: EngineUnderTest) -> None:
        self._engine = engine
        self._names = {engine.pid: "control"}
        self._names |= {pid: f"worker-{index}" for index, pid in enumerate(engine.worker_pids)}
        self.files, self.sockets = self._open()
        self._stalled, self._waited, self._began = machine_stalled_seconds(), self._wait(), time.monotonic()

    def memory(self) -> dict[str, float]:
        """MiB by the name of each process; its children together."""
        found = dict.fromkeys((*self._names.values(), "others"), 0.0)
        for pid in family(self._engine.pid):
            found[self._names.get(pid, "others")] += resident_mb(pid)
        return found

    def status(self) -> dict[str, Any]:
        """What it says of itself."""
        found: dict[str, Any] = read(DataDirectory(Path(self._engine.data)), "status")
        return found

    def _open(self) -> tuple[int, int]:
        counts = [open_files(pid) for pid in self._names]
        return sum(files for files, _ in counts), sum(sockets for _, sockets in counts)

    def left_open(self) -> tuple[int, int]:
        """Descriptors, and of them sockets."""
        return self._open()

    def _wait(self) -> float:
        return sum(waited_seconds(pid) for pid in self._engine.worker_pids)

    def starved(self) -> tuple[float, float]:
        """Percent of the time since the beginning that the workers, and that anybody here, waited for a core."""
        passed = time.monotonic() - self._began
        waited = (self._wait() - self._waited) / len(self._engine.worker_pids)
        return 100 * waited / passed, 100 * (machine_stalled_seconds() - self._stalled) / passed


def churn(
    engine: EngineUnderTest,
    *,
    minutes: float,
    warm_up: float | None = None,
    rate: float = 20.0,
    shortest: float = 1.0,
    longest: float = 20.0,
    seed: int = 1,
) -> ChurnResult:
    """Let calls come and go; what is left when they are gone. Raises BenchError.

    warm_up: minutes after which memory is looked at; None: a fourth of the time, at most five.
    """
    if warm_up is None:
        warm_up = min(MOST_WARM_UP, WARM_UP_SHARE * minutes)
    watched = _Engine(engine)
    load = Churn(("127.0.0.1", engine.sip_port), rate, shortest, longest, seed)
    start, pace = time.monotonic(), Pace(TICK)
    watch, sampled = MemoryWatch(60 * warm_up), -SAMPLE_SECONDS
    try:
        while (passed := time.monotonic() - start) < 60 * minutes:
            load.step(pace, more=True)
            if passed - sampled >= SAMPLE_SECONDS:
                sampled = passed
                watch.add(passed, load.up, watched.memory())
        late, starved = pace.late, watched.starved()
        load.finish(pace)
        time.sleep(REST_SECONDS)
        return _result(load, engine, watched, watch, warm_up, late, starved, time.monotonic() - start)
    finally:
        load.close()


def _result(
    load: Churn,
    engine: EngineUnderTest,
    watched: _Engine,
    watch: MemoryWatch,
    warm_up: float,
    late: int,
    starved: tuple[float, float],
    seconds: float,
) -> ChurnResult:
    files, sockets = watched.left_open()  # before we ask: that takes a socket, too
    status = watched.status()
    counters: dict[str, int] = status["counters"]
    calls_warm, calls_end = watch.calls_up()
    ticks = seconds / TICK * len(engine.worker_pids)
    result = ChurnResult(
        minutes=round((seconds - REST_SECONDS) / 60, 1),
        warm_up_minutes=round(warm_up, 2),
        calls=sum(load.placed.values()),
        answers={str(answer): count for answer, count in sorted(load.caller.answers.items())},
        by_codec=dict(load.placed),
        dropped=load.dropped,
        most_at_once=load.most_at_once,
        packets_lost=load.lost,
        memory=watch.growth(),
        window_seconds=round(watch.window, 1),
        calls_up_warm=round(calls_warm, 1),
        calls_up_end=round(calls_end, 1),
        sockets_before=watched.sockets,
        sockets_after=sockets,
        descriptors_before=watched.files,
        descriptors_after=files,
        legs_after=sum(each["legs"] for each in status["workers"]),
        ports_after=sum(each["ports"] for each in status["workers"]),
        ticks_late=counters.get("ticks_late", 0),
        ticks_skipped=counters.get("ticks_skipped", 0),
        late_percent=round(100 * counters.get("ticks_late", 0) / ticks, 3),
        workers_waited_percent=round(starved[0], 2),
        machine_stalled_percent=round(starved[1], 2),
        generator_late_ticks=late,
        counters=counters,
        failures=[],
        kept=True,
    )
    failures = failures_of(result)
    return replace(result, failures=failures, kept=not failures)
