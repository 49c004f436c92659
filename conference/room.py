"""One meeting in one room: who is where, who may do what, and what follows from it. Does no I/O.

After each call carry out what ``take_outputs`` returns, in its order, and call ``handle_timer`` at ``deadline``.
``now``: monotonic seconds.
"""

from __future__ import annotations

from conference.commands import Command
from conference.definition import RoomDefinition
from conference.events import Actor
from conference.outputs import DialResult, Output
from conference.participant import Caller, Participant


class Room:
    """The state machine. ``act`` raises :class:`conference.refusals.Refused` and then has changed nothing."""

    def __init__(self, definition: RoomDefinition, meeting: str, now: float, epoch: float) -> None:
        """meeting: its id, for journal and report. epoch: Unix seconds at ``now`` 0."""
        raise NotImplementedError

    @property
    def participants(self) -> tuple[Participant, ...]:
        """The list, those who wait included, in the order they came."""
        raise NotImplementedError

    @property
    def deadline(self) -> float | None:
        """When ``handle_timer`` is due."""
        raise NotImplementedError

    def join(self, caller: Caller, now: float) -> int:
        """Somebody is at the door, past PIN and lobby questions; returns its id. Raises Refused."""
        raise NotImplementedError

    def leave(self, participant: int, now: float) -> None:
        """It has hung up."""
        raise NotImplementedError

    def act(self, command: Command, by: Actor, now: float) -> None:
        """Do a verb, in the name of a participant (int) or an administrator (str)."""
        raise NotImplementedError

    def said(self, token: int, spoken: bool, now: float) -> None:
        """What ``Say`` or ``SayInRoom`` asked for was heard to its end, or could not be played."""
        raise NotImplementedError

    def dialled(self, dial: int, result: DialResult, now: float, status: int = 0) -> None:
        """What came of a call; who answers joins with ``Caller.dial``."""
        raise NotImplementedError

    def take_outputs(self) -> list[Output]:
        """What is to be done now."""
        raise NotImplementedError
