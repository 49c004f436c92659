"""Timer values of RFC 3261 table 4, in seconds."""

from __future__ import annotations

import math
from typing import Final

T1: Final = 0.5
"""Estimate of the round-trip time (17.1.1.1)."""
T2: Final = 4.0
"""Longest interval between repeats of a non-INVITE request or an INVITE response."""
T4: Final = 5.0
"""Longest time a message stays in the network."""
TIMEOUT: Final = 64 * T1
"""Timers B, F, H, J, L and M: how long a transaction waits, or lingers."""
TIMER_D: Final = 32.0
"""How long a client keeps answering repeated 300-699 responses over UDP (17.1.1.2)."""
TRYING_AFTER: Final = 0.12
"""A server sends 100 by itself when its user stays silent so long: within the 200 ms of 17.2.1, with what a
driver that serves timers together may add."""
GRID: Final = 0.5


def linger_until(now: float, seconds: float) -> float:
    """Say when a transaction that only absorbs repeats may go: ``seconds`` from now, or up to 0.5 s later.

    All of them end on a common grid, so that thousands cost the driver two wake-ups a second.
    """
    return math.ceil((now + seconds) / GRID) * GRID
