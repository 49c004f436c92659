"""The ports of this process's own: tests that run beside each other must not draw the same ones.

A port that was found free and is bound a moment later, or bound again after a crash, may be taken meanwhile by
whoever draws from the same range. So every process that runs tests, of this run or of another on the machine,
claims a share of the ports below the system's own range for outgoing sockets, where nobody else draws.
"""

from __future__ import annotations

import socket
from functools import cache
from typing import NamedTuple

FIRST = 10000
SHARES = 20
ENGINES, PROGRAMS, SOUND = 800, 200, 100  # ports of one share


class PortShare(NamedTuple):
    """Ports for the media of engines, for programs that cannot choose one themselves, and for what they say."""

    engines: range
    programs: range
    sound: range

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last of those of engines."""
        return self.engines[0], self.engines[-1]

    @property
    def media_ports(self) -> str:
        """Those of engines, as ``media.ports`` has them."""
        return f"{self.engines[0]}-{self.engines[-1]}"


@cache
def port_share() -> PortShare:
    """The share of this process, its own until it ends. Raises OSError: all are taken."""
    for number in range(SHARES):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0polyphony-tests-ports-{number}")  # the system gives it back when the process dies
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        first = FIRST + number * (ENGINES + PROGRAMS + SOUND)
        programs, sound = first + ENGINES, first + ENGINES + PROGRAMS
        return PortShare(range(first, programs), range(programs, sound), range(sound, sound + SOUND))
    raise OSError(f"{SHARES} runs of the tests have all ports")


_claims: list[socket.socket] = []
