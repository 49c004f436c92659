"""Those who must be served while an engine is under attack, and what the engine's processes hold."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.interop.wire_phone import NotAnswered, WirePhone, ask_over_tcp
from tests.interop.wire_sound import Voice

if TYPE_CHECKING:
    from tests.interop.engine_process import Engine

ASKING = 9
PAUSE = 0.1
"""Seconds between the honest questions."""
CALL_EVERY = 1.0


@dataclass
class Served:
    """Seconds each honest request took, and what went wrong."""

    udp: list[float] = field(default_factory=list)
    tcp: list[float] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def worst(self, share: float = 0.99) -> float:
        """The time that this share of the questions, over UDP and over new connections, was answered within."""
        times = sorted(self.udp + self.tcp)
        return times[max(0, int(len(times) * share + 0.5) - 1)]

    def __str__(self) -> str:
        def told(times: list[float]) -> str:
            return f"{len(times)} (worst {1000 * max(times, default=0):.0f} ms)"

        return f"UDP {told(self.udp)}, TCP {told(self.tcp)}, calls {told(self.calls)}, failed {len(self.failures)}"


class Honest(threading.Thread):
    """Holds one call to the echo and talks on it all the time; asks, connects and calls beside it.

    Its address is its own: connections are counted by address, and attackers have their share of them.
    """

    def __init__(self, engine: str, host: str) -> None:
        super().__init__(daemon=True)
        self._engine = engine
        self._host = host
        self._over = threading.Event()
        self._served = Served()
        self._phone = WirePhone(engine, host=host)
        assert self._phone.call("5000").status == 200
        self.voice = Voice(self._phone)
        self.voice.start()

    def take_served(self) -> Served:
        """How it went since the last time."""
        served, self._served = self._served, Served()
        return served

    def run(self) -> None:
        next_call = time.monotonic()
        with WirePhone(self._engine, host=self._host) as asking:
            while not self._over.wait(PAUSE):
                try:
                    self._served.udp.append(asking.options().seconds)
                    self._served.tcp.append(ask_over_tcp(self._engine, host=self._host))
                    if time.monotonic() >= next_call:
                        next_call = time.monotonic() + CALL_EVERY
                        self._call()
                except (NotAnswered, OSError) as error:
                    self._served.failures.append(repr(error))

    def _call(self) -> None:
        with WirePhone(self._engine, host=self._host, user="other") as phone:
            answer = phone.call("7000")
            self._served.calls.append(answer.seconds)
            if answer.status != 200 or phone.hang_up().status != 200:
                raise NotAnswered(str(answer))

    def finish(self) -> None:
        """Hang up, if the call is still there, and rest. Raises NotAnswered."""
        self._over.set()
        self.join(10)
        self.voice.finish()
        self._phone.listen(0.05)
        lost = self._phone.ended_by_engine
        if lost is None and self._phone.up:
            self._phone.hang_up()
        self._phone.close()
        if lost is not None:
            raise NotAnswered("the engine ended the honest call")


@dataclass(frozen=True)
class Holdings:
    """What one process holds."""

    pid: int
    resident_mib: float
    descriptors: int


def holdings(engine: Engine) -> list[Holdings]:
    """Of the control process and its workers."""
    return [_holdings(pid) for pid in (engine.ready.pid, *engine.ready.workers)]


def _holdings(pid: int) -> Holdings:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    descriptors = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return Holdings(pid, pages * os.sysconf("SC_PAGE_SIZE") / 2**20, descriptors)


def warm_up(engine: str) -> None:
    """What an engine does in its first minutes, so that its caches are filled and its arrays have grown."""

    def ask(times: int) -> None:
        with WirePhone(engine) as phone:
            for _ in range(times):
                phone.options()

    with ThreadPoolExecutor(ASKING) as pool:  # one alone is answered 25 times a second: messages are gathered
        for done in [pool.submit(ask, 4500 // ASKING) for _ in range(ASKING)]:
            done.result()
    with WirePhone(engine) as phone:
        for number in ("5000", "7000", "6999", "7001") * 25:
            phone.call(number)
            phone.hang_up()
    for _ in range(200):
        ask_over_tcp(engine)
