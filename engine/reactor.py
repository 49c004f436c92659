"""The one place that chooses the reactor: asyncio's, so that aiortc can live in the same process.

Twisted installs its default reactor at the first ``from twisted.internet import reactor``; call
:func:`install` before anything can do that. The rest of the code gets the reactor as an argument.
"""

from __future__ import annotations

import asyncio
import select
import sys
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor
    from twisted.internet.interfaces import IReadDescriptor

QUANTUM = 0.04
"""Seconds between two looks for messages while there is much to do."""
_REMEMBERED = 8
_BEGIN, _END = 0.08, _REMEMBERED * QUANTUM * 1.5
"""There is much to do from when so many wake-ups lie within the first time until they take longer than the second:
a third of the looks finds nothing then."""


class Gathering(Protocol):
    """A part that sends at the end of a turn what all messages read in it give rise to."""

    def begin_turn(self) -> None:
        """Messages are going to be served."""

    def end_turn(self) -> None:
        """All have been."""


class DirectReading:
    """Descriptors that say ``raises_nothing``: SIP over UDP, and the channels to the media workers.

    They are called without Twisted's wrapping, which sets up a logging context in five nested calls for each
    event. And while there is much to do they are looked at once a quantum only, so that several messages are
    served at once: a process that wakes for each of them finds its code and data out of the cache each time,
    which costs more than what most messages do (decision 0007). When there is little to do, nothing waits.

    What is sent goes out at the end of such a turn: sending wakes the receiver, which then takes our place on the
    processor, and the kernel's own code is in the cache from the second message on.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._epoll = select.epoll()
        self._readers: dict[int, IReadDescriptor] = {}
        self._wakes = deque([-1.0] * _REMEMBERED, _REMEMBERED)
        self._paced: asyncio.TimerHandle | None = None
        self._gathering: list[Gathering] = []
        loop.add_reader(self._epoll.fileno(), self._ready)

    def __contains__(self, reader: object) -> bool:
        return reader in self._readers.values()

    def readers(self) -> list[IReadDescriptor]:
        """All of them."""
        return list(self._readers.values())

    def join_turns(self, part: Gathering) -> None:
        """Tell a part of each turn's beginning and end."""
        self._gathering.append(part)

    def add(self, reader: IReadDescriptor) -> None:
        """Watch a descriptor."""
        if reader not in self:
            fd = reader.fileno()
            self._epoll.register(fd, select.EPOLLIN)
            self._readers[fd] = reader

    def remove(self, reader: IReadDescriptor) -> None:
        """Watch it no longer; its file must still be open."""
        for fd in [fd for fd, each in self._readers.items() if each is reader]:
            self._epoll.unregister(fd)
            del self._readers[fd]

    def _ready(self) -> None:
        self._serve()
        if self._last_wakes() < _BEGIN:
            self._loop.remove_reader(self._epoll.fileno())
            self._paced = self._loop.call_later(QUANTUM, self._look)

    def _look(self) -> None:
        drained = self._serve()
        if self._last_wakes() < _END:
            # a flood must not fill the sockets' queues: what honest peers send is in there, too
            self._paced = self._loop.call_later(QUANTUM if drained else 0, self._look)
        else:
            self._paced = None
            self._loop.add_reader(self._epoll.fileno(), self._ready)

    def _serve(self) -> bool:
        """Serve what has come. Returns whether that was all."""
        found = self._epoll.poll(0)
        if not found:
            return True
        self._wakes.append(self._loop.time())
        for part in self._gathering:
            part.begin_turn()
        drained = True
        for fd, _ in found:
            reader = self._readers.get(fd)
            if reader is not None:  # one may close another
                reader.doRead()
                drained &= getattr(reader, "drained", True)
        for part in self._gathering:
            part.end_turn()
        return drained

    def _last_wakes(self) -> float:
        """Seconds since the first of those remembered."""
        return self._loop.time() - self._wakes[0]

    def close(self) -> None:
        """Let go of everything."""
        if self._paced is not None:
            self._paced.cancel()
        else:
            self._loop.remove_reader(self._epoll.fileno())
        self._readers.clear()
        self._epoll.close()


def _reactor_class() -> type[AsyncioSelectorReactor]:
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor

    class DirectReactor(AsyncioSelectorReactor):
        """Twisted's, with a way of its own for the descriptors most messages come from."""

        def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
            self._direct = DirectReading(loop)
            super().__init__(loop)

        def join_turns(self, part: Gathering) -> None:
            """Tell a part of the beginning and end of each turn in which messages are served."""
            self._direct.join_turns(part)

        def addReader(self, reader: IReadDescriptor) -> None:  # noqa: N802
            if getattr(reader, "raises_nothing", False):
                self._direct.add(reader)
            else:
                super().addReader(reader)  # type: ignore[no-untyped-call]

        def removeReader(self, reader: IReadDescriptor) -> None:  # noqa: N802
            if reader in self._direct:
                self._direct.remove(reader)
            else:
                super().removeReader(reader)  # type: ignore[no-untyped-call]

        def getReaders(self) -> list[Any]:  # noqa: N802
            return [*super().getReaders(), *self._direct.readers()]  # type: ignore[no-untyped-call]

        def removeAll(self) -> list[Any]:  # noqa: N802
            direct = self._direct.readers()
            for reader in direct:
                self._direct.remove(reader)
            return [*super().removeAll(), *direct]  # type: ignore[no-untyped-call]

    return DirectReactor


def join_turns(reactor: object, *parts: Gathering) -> None:
    """Have parts send at the end of a turn, where the reactor has turns: ours has, a clock in a test has none."""
    join = getattr(reactor, "join_turns", None)
    if join is not None:
        for part in parts:
            join(part)


def install() -> AsyncioSelectorReactor:
    """Install the asyncio reactor (once) and return it.

    Raises:
        RuntimeError: another kind of reactor is installed already.
    """
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor
    from twisted.internet.main import installReactor

    if "twisted.internet.reactor" not in sys.modules:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        installReactor(_reactor_class()(loop))
    reactor = sys.modules["twisted.internet.reactor"]
    if not isinstance(reactor, AsyncioSelectorReactor):
        raise RuntimeError(f"the asyncio reactor is needed, {type(reactor).__name__} is installed")
    return cast("AsyncioSelectorReactor", reactor)
