"""A room with people in it, and what its driver would have done: for the tests of this folder."""

from __future__ import annotations

from typing import TypeVar

from conference.definition import RoomDefinition
from conference.events import Event, EventKind
from conference.outputs import Output, Say, SayInRoom
from conference.participant import Caller, Participant
from conference.role import Role
from conference.room import Room

EPOCH = 1_800_000_000.0
T = TypeVar("T")

HOST = Caller(name="Hanna", number="1000", role=Role.HOST)
GUEST = Caller(name="Gaston", number="1001")
OTHER = Caller(name="Olga", number="1002")


class Meeting:
    """A room on a clock of its own; ``heard`` is what it put out since it was last asked."""

    def __init__(self, **rules: object) -> None:
        self.definition = RoomDefinition(number="9001", **rules)  # type: ignore[arg-type]  # the test's own rules
        self.now = 100.0
        self.room = Room(self.definition, "m1", self.now, EPOCH)
        self.events: list[Event] = []
        self._heard: list[Output] = []

    def join(self, caller: Caller = GUEST) -> int:
        """Somebody comes."""
        return self.room.join(caller, self.now)

    def one(self, participant: int) -> Participant:
        """An entry of the list."""
        return self.room.state.participants[participant]

    def outputs(self) -> list[Output]:
        """What it wants done since the last call."""
        taken = self.room.take_outputs()
        self.events += [each for each in taken if isinstance(each, Event)]
        return taken

    def told(self, kind: type[T]) -> list[T]:
        """Of what it wants done since the last call, that of one kind."""
        return [each for each in self.outputs() if isinstance(each, kind)]

    def kinds(self) -> list[EventKind]:
        """The events since the last call."""
        return [each.kind for each in self.told(Event)]

    def tokens(self) -> list[int]:
        """What it wants to be told of, of what was said since the last call."""
        return [each.token for each in self.outputs() if isinstance(each, Say | SayInRoom) and each.token]

    def wait(self, seconds: float) -> None:
        """Time passes; what is due in it happens at its time."""
        end = self.now + seconds
        while (due := self.room.deadline) is not None and due <= end:
            self.now = max(self.now, due)
            self.room.handle_timer(self.now)
        self.now = end
