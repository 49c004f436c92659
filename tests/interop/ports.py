"""Free ports for programs that cannot choose one themselves."""

from __future__ import annotations

import contextlib
import random
import socket
from collections import deque

from tests.port_share import port_share

_drawn: deque[int] = deque(maxlen=20)
"""What was drawn last may not be bound yet. SIPp binds the third and fourth after its media port as well."""


def free_port(*, pair: bool = False) -> int:
    """A port of ours that is free now for UDP and TCP on loopback; ``pair``: the next one too (SIP's TLS port)."""
    ours = port_share().programs
    for _ in range(200):
        port = random.randrange(ours[0], ours[-1], 2)
        if any(abs(port - other) < 4 for other in _drawn):
            continue
        if not any(in_use(number) for number in range(port, port + (2 if pair else 1))):
            _drawn.append(port)
            return port
    raise OSError("no free port found")


def in_use(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody is bound to that port of a loopback address, UDP or TCP."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with contextlib.closing(socket.socket(socket.AF_INET, kind)) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                return True
    return False
