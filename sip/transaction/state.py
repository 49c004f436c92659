"""The states of the four machines (RFC 3261 figures 5 to 8, with RFC 6026)."""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """Where a transaction is; ACCEPTED is RFC 6026's state after a 2xx to INVITE."""

    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"
