"""The engine's end of a worker's control channel, on the reactor."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Protocol

from twisted.internet.interfaces import IReadWriteDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from media import control

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorFDSet

_READ = 65536

_log = Logger()


class Peer(Protocol):
    """The worker at the other end, as the channel knows it."""

    index: int

    @property
    def is_gathering(self) -> bool:
        """Whether commands wait for the end of the reactor's turn."""

    def event_received(self, event: control.Event) -> None:
        """Take what the worker says."""

    def garbled(self, frame: bytes) -> None:
        """What it says cannot be read."""

    def kill(self) -> None:
        """It is of no use."""

    def channel_closed(self, channel: CommandChannel) -> None:
        """It is gone."""


@implementer(IReadWriteDescriptor)
class CommandChannel:
    """Commands out, events in.

    Its own descriptor rather than a Twisted transport: a command is written at once, or with the others of this
    turn of the reactor, where a transport waits for the next one and asks the kernel three times; a call has four.
    """

    raises_nothing = True
    """The reactor may call ``doRead`` without a safety net."""

    def __init__(self, reactor: IReactorFDSet, end: socket.socket, worker: Peer) -> None:
        end.setblocking(False)
        self._reactor = reactor
        self._socket = end
        self._worker = worker
        self._reader = control.FrameReader()
        self._unsent = bytearray()
        self._full = False
        self._open = True
        reactor.addReader(self)

    def fileno(self) -> int:
        """The socket's number, for the reactor."""
        return self._socket.fileno()

    def logPrefix(self) -> str:  # noqa: N802
        """Who failed, in the reactor's log."""
        return "media channel"

    def write(self, data: bytes) -> None:
        """Write now what the socket takes, and the rest when it takes more."""
        if self._open:
            self._unsent += data
            if not self._worker.is_gathering:
                self.flush()

    def flush(self) -> None:
        """Write what has gathered, unless the socket is full: then it says when it no longer is."""
        if self._open and self._unsent and not self._full:
            self._send()
            if self._unsent:
                self._full = True
                self._reactor.addWriter(self)

    def doWrite(self) -> None:  # noqa: N802
        """Go on with what could not be written."""
        self._send()
        if not self._unsent:
            self._full = False
            self._reactor.removeWriter(self)

    def _send(self) -> None:
        try:
            del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            return
        except OSError:
            self._unsent.clear()  # the reader hears of the end, too

    def doRead(self) -> None:  # noqa: N802
        """Take what the worker says."""
        try:
            data = self._socket.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        frame = b""
        try:
            for frame in self._reader.receive(data):
                if not self._open:
                    return
                self._worker.event_received(control.decode_event(frame))
        except control.ControlError as error:
            _log.error("worker {index}: broken channel: {error}", index=self._worker.index, error=error)
            self._worker.garbled(frame)
        except (
            Exception
        ):  # the driver's last line: what was said cannot be taken in, so the worker is of no use
            _log.failure("worker {index}: its event was not handled", index=self._worker.index)
            self._worker.kill()

    def connectionLost(self, reason: Failure) -> None:
        """The reactor gave the descriptor up."""
        self.close()

    def close(self) -> None:
        """Close our end and say so, once."""
        if not self._open:
            return
        self._open = False
        self._reactor.removeReader(self)
        self._reactor.removeWriter(self)
        self._socket.close()
        self._worker.channel_closed(self)
