"""What is played into rooms, as the engine knows it: until all workers of a room are through."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from media.control import PlayInRoom, RoomPlayFinished


@dataclass(slots=True)
class _Played:
    """An announcement that is being played, and the workers that have not yet said that it is over."""

    command: PlayInRoom
    waiting: set[int]
    heard: bool = False
    """Somewhere to its end."""


class RoomPlays:
    """Announcements and music by room."""

    def __init__(self) -> None:
        self._plays: dict[str, dict[int, _Played]] = {}
        self._music: dict[str, PlayInRoom] = {}

    def begin(self, command: PlayInRoom, workers: Iterable[int]) -> None:
        """Something is played on these workers."""
        if command.music:
            self._music[command.room] = command
        else:
            self._plays.setdefault(command.room, {})[command.tag] = _Played(command, set(workers))

    def stop_music(self, room: str) -> None:
        """A room has no music any more."""
        self._music.pop(room, None)

    def ended(self, worker: int, event: RoomPlayFinished) -> RoomPlayFinished | None:
        """A worker is through; what is to be told once all are. It is interrupted where nobody heard its end."""
        plays = self._plays.get(event.room, {})
        play = plays.get(event.tag)
        if play is None:
            return None  # of an engine before this one
        play.heard |= not event.interrupted
        play.waiting.discard(worker)
        if play.waiting:
            return None
        self._forget(event.room, event.tag)
        return RoomPlayFinished(event.room, event.tag, interrupted=not play.heard)

    def lost(self, worker: int) -> list[RoomPlayFinished]:
        """A worker is gone, and no successor plays on; what is over with that."""
        over = []
        for room, plays in list(self._plays.items()):
            for tag, play in list(plays.items()):
                if play.waiting == {worker}:
                    self._forget(room, tag)
                    over.append(RoomPlayFinished(room, tag, interrupted=not play.heard))
                play.waiting.discard(worker)
        return over

    def _forget(self, room: str, tag: int) -> None:
        del self._plays[room][tag]
        if not self._plays[room]:
            del self._plays[room]

    def again(self, worker: int, rooms: Iterable[str]) -> list[PlayInRoom]:
        """What a worker that starts anew must play in these rooms; what was cut short begins again."""
        commands = []
        for room in rooms:
            if room in self._music:
                commands.append(self._music[room])
            waiting = self._plays.get(room, {}).values()
            commands += [play.command for play in waiting if worker in play.waiting]
        return commands

    def music(self, room: str) -> PlayInRoom | None:
        """The music of a room, for a worker the room spreads to."""
        return self._music.get(room)

    def empty(self, room: str) -> None:
        """Nobody is in the room any more: its music ends; announcements are ended by the workers."""
        self._music.pop(room, None)
