"""Rooms on several workers, as the engine has them made: each lets the others hear its part (``media.cascade``).

A worker is asked for its part; when it has said where that is, all workers of the room are told of whose parts it is
the sum. A room that was on several workers stays so until nobody is in it: to change it back would be heard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from media.control import Command, HearRoom, RoomPart, RoomShared, ShareRoom, UnshareRoom


class RoomShares:
    """Rooms by name. ``send`` tells a worker, by its index; ``token`` gives a random number of 63 bits."""

    def __init__(self, send: Callable[[int, Command], None], token: Callable[[], int]) -> None:
        self._send = send
        self._token = token
        self._parts: dict[str, dict[int, RoomPart | None]] = {}  # by worker; None: asked for

    def workers(self, room: str) -> list[int]:
        """The workers that have or are asked for a part of a room; none where it is one worker's alone."""
        return list(self._parts.get(room, ()))

    def spread(self, room: str, workers: Iterable[int]) -> None:
        """A room is on these workers, and shall be the same on all."""
        parts = self._parts.setdefault(room, {})
        for worker in workers:
            if worker not in parts:
                parts[worker] = None
                self._send(worker, ShareRoom(room, self._token()))

    def shared(self, worker: int, event: RoomShared) -> bool:
        """A worker has said where its part is; False when it could not make one."""
        parts = self._parts.get(event.room)
        if parts is None or worker not in parts:  # over meanwhile
            return True
        parts[worker] = event.part
        known = [part for _, part in sorted(parts.items()) if part is not None]
        for each, part in parts.items():
            if part is not None:
                self._send(each, HearRoom(event.room, known))
        return event.part is not None

    def lost(self, worker: int) -> None:
        """A worker died, and its parts with it."""
        for parts in self._parts.values():
            parts.pop(worker, None)

    def adopt(self, worker: int, rooms: Iterable[str], places: Callable[[str], Iterable[int]]) -> None:
        """What a worker shared for an earlier engine: go on, or end it if nobody is in the room any more."""
        for room in rooms:
            if any(places(room)):
                self.spread(room, [worker])
            else:
                self._send(worker, UnshareRoom(room))

    def over(self, room: str) -> None:
        """Nobody is in a room any more."""
        for worker in self._parts.pop(room, ()):
            self._send(worker, UnshareRoom(room))
