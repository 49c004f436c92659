"""One heap of deadlines for many owners, with lazy deletion."""

from __future__ import annotations

import heapq
from typing import Generic, Protocol, TypeVar


class Timed(Protocol):
    """An owner of one deadline; ``armed_at`` belongs to the heap."""

    armed_at: float | None

    @property
    def deadline(self) -> float | None:
        """Say when its ``handle_timer`` is due, None when never."""


T = TypeVar("T", bound=Timed)


class Deadlines(Generic[T]):
    """Keeps who is due when.

    An owner has at most one live entry. A deadline that moves later, or goes away, leaves its entry
    in place: when that comes up it is put back at the true time or dropped. So moving a deadline
    later costs nothing, which is what every answered request does.
    """

    __slots__ = ("_heap", "_serial")

    def __init__(self) -> None:
        """Begin empty."""
        self._heap: list[tuple[float, int, T]] = []
        self._serial = 0

    def __len__(self) -> int:
        """Count the entries, dead ones included: a bound on memory."""
        return len(self._heap)

    def update(self, owner: T) -> None:
        """Note the deadline of ``owner`` after anything that may have changed it."""
        at = owner.deadline
        if at is None or (owner.armed_at is not None and owner.armed_at <= at):
            return
        owner.armed_at = at
        self._serial += 1
        heapq.heappush(self._heap, (at, self._serial, owner))

    @property
    def next(self) -> float | None:
        """Say when to call ``due`` next: never too late, perhaps too early."""
        heap = self._heap
        while heap:
            at, _, owner = heap[0]
            if owner.armed_at == at:
                if owner.deadline is not None:
                    return at
                owner.armed_at = None
            heapq.heappop(heap)  # nobody waits for it any more
        return None

    def due(self, now: float) -> list[T]:
        """Take the owners whose deadline has come; call ``update`` for each after serving it."""
        taken: list[T] = []
        heap = self._heap
        while heap and heap[0][0] <= now:
            at, _, owner = heapq.heappop(heap)
            if owner.armed_at != at:
                continue  # replaced by an earlier entry
            owner.armed_at = None
            deadline = owner.deadline
            if deadline is None:
                continue
            if deadline <= now:
                taken.append(owner)
            else:
                self.update(owner)
        return taken
