"""What the transports and the endpoint ask of Twisted's reactor."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorSocket, IReactorTCP, IReactorTime


class Reactor(IReactorTime, IReactorTCP, IReactorSocket):
    """Clock, connections, and sockets bound by ourselves: every POSIX reactor has these."""
