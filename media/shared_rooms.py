"""What a worker does with the engine's commands about rooms that are on other workers, too (``media.cascade``)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable

from media import control
from media.cascade import Cascade
from media.control import RoomPart
from media.room_memory import NoMemory, RoomMemory

Command = control.ShareRoom | control.HearRoom | control.UnshareRoom


class SharedRooms:
    """The rooms of one worker that others hear. ``emit`` takes each event for the engine."""

    def __init__(self, cascade: Cascade, emit: Callable[[control.Event], None]) -> None:
        self._cascade = cascade
        self._emit = emit
        self._pid = os.getpid()
        self._others: dict[str, dict[RoomPart, RoomMemory]] = {}
        self._counters: Counter[str] = Counter()

    @property
    def counters(self) -> Counter[str]:
        """What was missed or went wrong, by label."""
        return self._counters + self._cascade.counters

    @property
    def names(self) -> list[str]:
        """The rooms."""
        return list(self._cascade.rooms)

    def handle(self, command: Command) -> None:
        """Carry out a command."""
        match command:
            case control.ShareRoom(room=room, token=token):
                self._share(room, token)
            case control.HearRoom(room=room, parts=parts):
                self._hear(room, parts)
            case control.UnshareRoom(room=room):
                self._others.pop(room, None)
                self._cascade.drop(room)

    def _share(self, room: str, token: int) -> None:
        try:
            own = self._cascade.share(room, token)
        except OSError:
            self._counters["room_parts_refused"] += 1
            self._emit(control.RoomShared(room, None))
            return
        self._emit(control.RoomShared(room, RoomPart(self._pid, own.fd, own.token)))

    def _hear(self, room: str, parts: list[RoomPart]) -> None:
        shared = self._cascade.rooms.get(room)
        if shared is None:
            return
        known = self._others.get(room, {})
        others: dict[RoomPart, RoomMemory] = {}
        memories = []
        for part in parts:
            if part.pid == self._pid and part.fd == shared.own.fd:
                memories.append(shared.own)
                continue
            try:
                others[part] = known.get(part) or RoomMemory.attach(part.pid, part.fd, part.token)
            except NoMemory:  # it died meanwhile, or is hidden from us
                self._counters["room_parts_refused"] += 1
                continue
            memories.append(others[part])
        self._others[room] = others
        self._cascade.hear(room, memories)
