"""A leg on its way, and where it goes when it is to join a room."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from media.control import LegSpec, Stream
from media.leg import Leg
from media.supervisor import WorkerProcess

MOST_ROOM_LEGS = 1000
"""Of one room on one worker, by default: half of what a core carries, so that neither is at its limit."""


@dataclass(slots=True, eq=False)
class Opening:
    """A leg that its worker has not opened yet."""

    worker: WorkerProcess
    spec: LegSpec
    stream: Stream
    leg: Deferred[Leg]
    bound: bool
    """It has to be on this worker, for another leg is there."""
    room: str | None = None
    again: bool = False
    """It was opened once already, on a worker that died; not a third time, since it may be what kills them."""


def place_in_room(
    counts: Mapping[int, int],
    most: int,
    running: Sequence[WorkerProcess],
    able: Collection[int],
    burden: Callable[[WorkerProcess], tuple[float, int]],
) -> WorkerProcess | None:
    """The first worker of a room that has place for a leg, else another one, else the least loaded of them all.

    counts: the room's legs by worker, in the order in which it came to them; most: of them on one worker; able: those
    with headroom. None: no worker runs.
    """
    workers = {each.index: each for each in running}
    for index, legs in counts.items():
        if index in able and index in workers and legs < most:
            return workers[index]
    others = [each for each in running if each.index in able and each.index not in counts]
    return min(
        others or [each for each in running if each.index in able] or running, key=burden, default=None
    )
