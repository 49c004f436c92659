"""A worker's end of its control channel, which outlives the engine at the other end.

The worker is given a listening Unix socket and serves one engine at a time. When that one dies its channel
ends, and with it whatever was sent in part; events go on being gathered, and the next engine gets them after
``Started``, which says whom it has before it. A worker that is given a connected socket instead serves that
and nobody else.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
from collections.abc import Callable

from media import control

MOST_UNREAD = 8 << 20
"""Octets of events waiting for an engine that does not read. More, and a connected one is taken for dead; with
none there, the rest is dropped."""
_READ = 65536
_MOST_READS = 16
"""So a megabyte is taken in a tick at most: a thousand legs that come back at once."""
_CREDENTIALS = struct.Struct("3i")

_log = logging.getLogger("media.worker")


class EngineChannel:
    """Frames to and from whichever engine is connected."""

    def __init__(self, given: socket.socket, greeting: Callable[[], control.Started]) -> None:
        given.setblocking(False)
        listens = bool(given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        self._listener = given if listens else None
        self._socket: socket.socket | None = None
        self._reader = control.FrameReader()
        self._unsent = bytearray()  # whole frames
        self._partial = 0  # octets of the first one that are out already
        self._greeting = greeting
        self._given = None if listens else given

    @property
    def connected(self) -> bool:
        """Whether an engine is there."""
        return self._socket is not None

    @property
    def may_return(self) -> bool:
        """Whether another engine can come."""
        return self._listener is not None or self._given is not None

    def accept(self) -> bool:
        """Take an engine that waits, if it runs in our name; whether there is one now."""
        given, self._given = self._given, None
        end = self._next() if given is None else given
        if end is None:
            return False
        end.setblocking(False)
        self._socket = end
        self._reader = control.FrameReader()
        self._unsent[:0] = control.encode_frame(self._greeting())
        return True

    def _next(self) -> socket.socket | None:
        """Whoever has connected."""
        if self._listener is None:
            return None
        try:
            end, _ = self._listener.accept()
        except BlockingIOError:
            return None
        except OSError as error:
            _log.warning("no engine could be accepted: %s", error)
            return None
        credentials = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        if _CREDENTIALS.unpack(credentials)[1] != os.getuid():
            _log.warning("another user's process asked for the control channel")
            end.close()
            return None
        return end

    def read(self) -> list[bytes]:
        """The frames that have come. Raises ControlError."""
        frames: list[bytes] = []
        for _ in range(_MOST_READS):
            if self._socket is None:
                break
            try:
                data = self._socket.recv(_READ)
            except BlockingIOError:
                break
            except ConnectionError:
                data = b""
            if not data:
                self._lost()
                break
            frames += self._reader.receive(data)
            if len(data) < _READ:
                break
        return frames

    def emit(self, event: control.Event) -> None:
        """Tell the engine, or the next one. Totals and talkers are of no use later."""
        if self._socket is None:
            passing = isinstance(event, control.WorkerStatistics | control.WorkerLoad | control.Talkers)
            if passing or len(self._unsent) > MOST_UNREAD:
                return
        self._unsent += control.encode_frame(event)

    def flush(self) -> None:
        """Write what the channel takes."""
        if not self._unsent or self._socket is None:
            return
        try:
            with memoryview(self._unsent) as unsent:
                self._partial += self._socket.send(unsent[self._partial :])
        except BlockingIOError:
            if len(self._unsent) > MOST_UNREAD:
                _log.error("the engine does not read its events; leaving it")
                self._lost()
            return
        except ConnectionError:
            self._lost()
            return
        whole = control.whole_frames(self._unsent, self._partial)
        del self._unsent[:whole]
        self._partial -= whole

    def _lost(self) -> None:
        """The engine is gone; a frame it got in part is the next one's."""
        if self._socket is not None:
            self._socket.close()
            self._socket, self._partial = None, 0

    def finish(self) -> None:
        """Say the last words."""
        if self._socket is not None:
            self._socket.settimeout(1.0)
            with contextlib.suppress(OSError):  # the engine closed its channel first
                self._socket.sendall(self._unsent[self._partial :])
