"""What the transports and the endpoint ask of Twisted's reactor."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorFDSet, IReactorSocket, IReactorTCP, IReactorTime


class Reactor(IReactorTime, IReactorTCP, IReactorSocket, IReactorFDSet):
    """Clock, connections, descriptors, and sockets bound by ourselves: every POSIX reactor has these."""
