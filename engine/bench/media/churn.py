"""Calls that come and go for a while, of every codec and to every automate: what an engine keeps that it should not.

Each call lasts a random time; in the end all hang up, and after the ports have rested the engine must be as it was
before: no leg, no socket, no more memory than it had when it was warm.
"""

from __future__ import annotations

import heapq
import random
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.bench.engine_under_test import EngineUnderTest
from engine.bench.media.caller import Call, Caller
from engine.bench.media.measure import TICK, Server
from engine.bench.media.sounds import sound_set
from engine.bench.media.streams import Pace, Streams
from engine.cli.engine_client import read
from engine.data_directory import DataDirectory

NUMBERS = ("5000", "6000", "7000", *(str(8000 + room) for room in range(10)))
WARM_UP_SHARE = 0.2
"""Of the time: until then caches fill and tables grow to what they need."""
SAMPLE_SECONDS = 1.0
REST_SECONDS = 8.0
"""After the last call: ports rest five seconds, recordings are closed."""
PORTS_FREED = 2.0
"""Seconds before a slot of the generator is used again."""


@dataclass(frozen=True, slots=True)
class ChurnResult:
    """What happened, and what was left. ``growth_percent``: of memory, from the warm-up's end to the calls' end."""

    minutes: float
    calls: int
    answers: dict[str, int]
    by_codec: dict[str, int]
    dropped: int
    most_at_once: int
    packets_lost: int
    rss_mb_warm: float
    rss_mb_end: float
    growth_percent: float
    sockets_before: int
    sockets_after: int
    legs_after: int
    ticks_late: int
    ticks_skipped: int
    late_percent: float
    generator_late_ticks: int
    counters: dict[str, int]
    kept: bool


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
        self.caller.forget(call)
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
        end = now + 1.0
        while time.monotonic() < end:
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


def churn(
    engine: EngineUnderTest,
    *,
    minutes: float,
    rate: float = 20.0,
    shortest: float = 1.0,
    longest: float = 20.0,
    seed: int = 1,
) -> ChurnResult:
    """Let calls come and go; what is left when they are gone. Raises BenchError."""
    server = Server(("127.0.0.1", engine.sip_port), (engine.pid,))
    sockets = _sockets(engine)
    load = Churn(server.address, rate, shortest, longest, seed)
    start, pace = time.monotonic(), Pace(TICK)
    rss: list[tuple[float, float]] = []
    try:
        while (passed := time.monotonic() - start) < 60 * minutes:
            load.step(pace, more=True)
            if not rss or passed - rss[-1][0] >= SAMPLE_SECONDS:
                rss.append((passed, server.rss_mb()))
        late = pace.late
        load.finish(pace)
        time.sleep(REST_SECONDS)
        status = read(DataDirectory(Path(engine.data)), "status")
        return _result(load, engine, status, rss, sockets, late, time.monotonic() - start)
    finally:
        load.close()


def _result(
    load: Churn,
    engine: EngineUnderTest,
    status: Mapping[str, Any],
    rss: list[tuple[float, float]],
    sockets: int,
    late: int,
    seconds: float,
) -> ChurnResult:
    warm = [megabytes for passed, megabytes in rss if passed >= WARM_UP_SHARE * rss[-1][0]]
    part = max(1, len(warm) // 5)
    begin, end = sum(warm[:part]) / part, sum(warm[-part:]) / part
    growth = 100 * (end - begin) / begin
    counters: dict[str, int] = status["counters"]
    legs = sum(each["legs"] for each in status["workers"])
    ticks = seconds / TICK * len(engine.worker_pids)
    late_percent = 100 * counters.get("ticks_late", 0) / ticks
    after = _sockets(engine)
    return ChurnResult(
        minutes=round(rss[-1][0] / 60, 1),
        calls=sum(load.placed.values()),
        answers={str(answer): count for answer, count in sorted(load.caller.answers.items())},
        by_codec=dict(load.placed),
        dropped=load.dropped,
        most_at_once=load.most_at_once,
        packets_lost=load.lost,
        rss_mb_warm=round(begin, 1),
        rss_mb_end=round(end, 1),
        growth_percent=round(growth, 2),
        sockets_before=sockets,
        sockets_after=after,
        legs_after=legs,
        ticks_late=counters.get("ticks_late", 0),
        ticks_skipped=counters.get("ticks_skipped", 0),
        late_percent=round(late_percent, 3),
        generator_late_ticks=late,
        counters=counters,
        kept=growth <= 5 and after <= sockets and legs == 0 and late_percent <= 0.1,
    )


def _sockets(engine: EngineUnderTest) -> int:
    """Sockets the workers have open."""
    count = 0
    for pid in engine.worker_pids:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            try:
                count += int(str(entry.readlink()).startswith("socket:"))
            except OSError:
                continue  # closed while we looked
    return count
