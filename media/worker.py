"""The media worker process: ``python -m media.worker FD``, started by ``media.supervisor``.

A plain loop. It sleeps until the next tick is due, carries out the commands that have come, and lets
``Dispatch`` make one tick; what happened is told in one go after it. So a worker wakes fifty times a second
and no more, however many calls come and go: waking costs more than what most commands do, and nobody hears
of a command before the next tick anyway. A tick that is late is made at once, and those it held up right
after it; more than ``MOST_CATCH_UP`` of them are skipped, time going on. Both are counted. The worker ends
when the control channel does.
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
from media.plane import TICK_SECONDS

MOST_CATCH_UP = 5
"""Ticks made in a burst after a stall: 100 ms, what receivers buffer."""
LATE_SECONDS = 0.01
"""A tick begun later than this is counted as late."""
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
        self._ticks = self._late = self._skipped = 0

    def run(self) -> None:
        """Work until the channel closes or ``Shutdown`` is done."""
        self._emit(control.Started(os.getpid()))
        self._flush()
        due = time.monotonic() + TICK_SECONDS
        next_statistics = due + STATISTICS_SECONDS
        while self._open and not self._dispatch.stopping:
            now = time.monotonic()
            if now < due:
                time.sleep(due - now)
                continue
            self._read()
            due += self._tick(now, due)
            if now >= next_statistics:
                next_statistics = now + STATISTICS_SECONDS
                self._emit(self._statistics())
            self._flush()
        self._finish()

    def _tick(self, now: float, due: float) -> float:
        """Make the tick that is due. Returns how far the next one is from it, in seconds."""
        late = now - due
        if late > LATE_SECONDS:
            self._late += 1
        skipped = int(late / TICK_SECONDS)
        if skipped > MOST_CATCH_UP:
            self._skipped += skipped
            self._dispatch.skip(skipped)
        else:
            skipped = 0
        self._dispatch.tick(now)
        self._ticks += 1
        return TICK_SECONDS * (1 + skipped)

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
            ticks=self._ticks,
            late_ticks=self._late,
            skipped_ticks=self._skipped,
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
