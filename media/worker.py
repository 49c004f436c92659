"""The media worker process: ``python -m media.worker FD``, started by ``media.supervisor``.

A plain loop. It sleeps until the next tick is due, carries out the commands that have come, and lets
``Dispatch`` make one tick; what happened is told in one go after it. So a worker wakes fifty times a second
and no more, however many calls come and go: waking costs more than what most commands do, and nobody hears
of a command before the next tick anyway. What becomes of a tick that is late, ``TickClock`` says.

When the control process dies, its calls go on here until the next one takes them over; a worker without calls,
or one that nobody has come for in time, ends. FD is a listening Unix socket, or a connected one, with which the
worker ends.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
import time

from media import control, huge_pages
from media.dispatch import Dispatch
from media.engine_channel import EngineChannel
from media.load_meter import LoadMeter
from media.tick_clock import TickClock

STATISTICS_SECONDS = 1.0
"""Often enough to be a sign of life."""
FIRST_PATIENCE = 10.0
"""Seconds a worker waits for the engine that started it."""

_log = logging.getLogger("media.worker")


class Worker:
    """The loop, and the channel it sleeps on."""

    def __init__(self, given: socket.socket) -> None:
        self._channel = EngineChannel(given, self._greeting)
        self._dispatch = Dispatch(self._channel.emit)
        self._leave_at = time.monotonic() + FIRST_PATIENCE
        self._served = False
        self._clock = TickClock(time.monotonic())

    def run(self) -> None:
        """Work until ``Shutdown`` is done, or no engine is there or comes."""
        self._clock = clock = TickClock(time.monotonic())
        meter = LoadMeter(time.monotonic(), time.process_time())
        next_statistics = clock.wake + STATISTICS_SECONDS
        while not self._dispatch.stopping:
            now = time.monotonic()
            if now < clock.wake:
                time.sleep(clock.wake - now)
                continue
            if not self._is_wanted(now):
                break
            for frame in self._channel.read():
                self._dispatch.handle(control.decode_command(frame), now)
            skipped = clock.start(now)
            if skipped:
                self._dispatch.skip(skipped)
            self._dispatch.tick(now, punctual=clock.punctual, number=clock.number)
            if meter.due and (load := meter.look(now, time.process_time(), clock.late)):
                self._channel.emit(load)
            if now >= next_statistics:
                next_statistics = now + STATISTICS_SECONDS
                self._channel.emit(self._statistics())
            self._channel.flush()
        if not self._dispatch.stopping:
            self._dispatch.stop(time.monotonic())  # leave nothing half done
        self._channel.finish()

    def _is_wanted(self, now: float) -> bool:
        """Whether an engine is there, or may still come for the legs."""
        if self._channel.connected:
            self._served = True
            return True
        if self._served:  # it has just been lost
            self._served = False
            lonely = self._dispatch.orphan_seconds if self._dispatch.legs else 0.0
            self._leave_at = now + lonely
            if not self._channel.may_return:
                return False
            _log.warning("the engine is gone; its %d legs go on for %g s", self._dispatch.legs, lonely)
        return self._channel.accept() or now < self._leave_at

    def _greeting(self) -> control.Started:
        return self._dispatch.greeting(os.getpid())

    def _statistics(self) -> control.WorkerStatistics:
        return control.WorkerStatistics(
            ticks=self._clock.ticks,
            late_ticks=self._clock.late,
            skipped_ticks=self._clock.skipped,
            legs=self._dispatch.legs,
            ports=self._dispatch.ports,
            cpu_seconds=time.process_time(),
            counters=self._dispatch.counters,
        )


def main() -> None:
    """Take the control channel by its number and work on it."""
    logging.basicConfig(level=logging.WARNING, format="worker %(process)d %(levelname)s %(message)s")
    # a terminal's ^C goes to the whole group; when to end is the engine's to say
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    sys.setswitchinterval(0.001)  # the recorder's thread must not keep a tick waiting
    worker = Worker(socket.socket(fileno=int(sys.argv[1])))
    gc.collect()
    gc.freeze()
    huge_pages.collapse()
    worker.run()


if __name__ == "__main__":
    main()
