"""The media worker process: ``python -m media.worker FD``, started by ``media.supervisor``.

A plain loop. It sleeps until the next tick is due, carries out the commands that have come, and lets
``Dispatch`` make one tick; what happened is told in one go after it. So a worker wakes fifty times a second
and no more, however many calls come and go: waking costs more than what most commands do, and nobody hears
of a command before the next tick anyway. What becomes of a tick that is late, ``TickClock`` says. The worker
ends when the control channel does.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
import time

from media import control
from media.dispatch import Dispatch
from media.load_meter import LoadMeter
from media.tick_clock import TickClock

STATISTICS_SECONDS = 5.0
MOST_UNREAD = 8 << 20
"""Octets of events waiting for an engine that does not read; more, and it is taken for dead."""
_READ = 16384

_log = logging.getLogger("media.worker")


class Worker:
    """The loop, and the channel it sleeps on."""

    def __init__(self, channel: socket.socket) -> None:
        channel.setblocking(False)
        self._channel = channel
        self._reader = control.FrameReader()
        self._unsent = bytearray()
        self._dispatch = Dispatch(self._emit)
        self._open = True
        self._clock = TickClock(time.monotonic())

    def run(self) -> None:
        """Work until the channel closes or ``Shutdown`` is done."""
        self._emit(control.Started(os.getpid()))
        self._flush()
        self._clock = clock = TickClock(time.monotonic())
        meter = LoadMeter(time.monotonic(), time.process_time())
        next_statistics = clock.wake + STATISTICS_SECONDS
        while self._open and not self._dispatch.stopping:
            now = time.monotonic()
            if now < clock.wake:
                time.sleep(clock.wake - now)
                continue
            self._read()
            skipped = clock.start(now)
            if skipped:
                self._dispatch.skip(skipped)
            self._dispatch.tick(now, punctual=clock.punctual)
            if meter.due and (load := meter.look(now, time.process_time(), clock.late)):
                self._emit(load)
            if now >= next_statistics:
                next_statistics = now + STATISTICS_SECONDS
                self._emit(self._statistics())
            self._flush()
        self._finish()

    def _read(self) -> None:
        try:
            data = self._channel.recv(_READ)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            self._open = False
            return
        now = time.monotonic()
        for frame in self._reader.receive(data):
            self._dispatch.handle(control.decode_command(frame), now)

    def _emit(self, event: control.Event) -> None:
        self._unsent += control.encode_frame(event)

    def _flush(self) -> None:
        """Write what the channel takes."""
        if not self._unsent:
            return
        try:
            del self._unsent[: self._channel.send(self._unsent)]
        except BlockingIOError:
            if len(self._unsent) > MOST_UNREAD:
                _log.error("the engine does not read its events; ending")
                self._open = False
        except ConnectionError:
            self._open = False

    def _statistics(self) -> control.WorkerStatistics:
        return control.WorkerStatistics(
            ticks=self._clock.ticks,
            late_ticks=self._clock.late,
            skipped_ticks=self._clock.skipped,
            legs=self._dispatch.legs,
            cpu_seconds=time.process_time(),
            counters=self._dispatch.counters,
        )

    def _finish(self) -> None:
        """Leave nothing half done, whether we were asked to end or the engine is gone."""
        if not self._dispatch.stopping:
            self._dispatch.stop(time.monotonic())
        if self._open:
            self._channel.settimeout(1.0)
            try:
                self._channel.sendall(self._unsent)
            except OSError:
                _log.warning("the engine closed its channel first")


def main() -> None:
    """Take the control channel by its number and work on it."""
    logging.basicConfig(level=logging.WARNING, format="worker %(process)d %(levelname)s %(message)s")
    # a terminal's ^C goes to the whole group; when to end is the engine's to say
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.setswitchinterval(0.001)  # the recorder's thread must not keep a tick waiting
    channel = socket.socket(fileno=int(sys.argv[1]))
    worker = Worker(channel)
    gc.collect()
    gc.freeze()
    worker.run()


if __name__ == "__main__":
    main()
