"""What the rules of a room share: its definition, its state, and how a change is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from conference.announcements import Announcement, Phrase, Words
from conference.attendance import LeaveReason
from conference.definition import RoomDefinition
from conference.events import ROOM, Actor, Detail, Event, EventKind
from conference.meeting_state import MeetingState
from conference.outputs import HangUp, Leave, Mix, Output, Say, SayInRoom
from conference.participant import Participant
from conference.refusals import Reason, Refused
from conference.role import Role


def media_room(key: str) -> str:
    """What the media plane knows the mix of the room ``key`` by."""
    return f"conference {key}"


@dataclass(slots=True)
class Waiting:
    """What follows once something was said. until: ``now`` after which it counts as not said."""

    then: Callable[[bool], None]
    until: float


@dataclass(slots=True)
class Meeting:
    """One meeting as the rules see it. ``now`` is the time of the input that is being handled."""

    definition: RoomDefinition
    id: str
    epoch: float
    now: float
    state: MeetingState = field(default_factory=MeetingState)
    outputs: list[Output] = field(default_factory=list)
    waiting: dict[int, Waiting] = field(default_factory=dict)
    last_token: int = 0

    @property
    def media_room(self) -> str:
        """The name of the room the media plane mixes."""
        return media_room(self.definition.key)

    def side_room(self, aside: int) -> str:
        """That of a side talk."""
        return f"{self.media_room} aside {aside}"

    def note(
        self, kind: EventKind, participant: int | None = None, actor: Actor = ROOM, /, **details: Detail
    ) -> None:
        """Change something: it is an event, and the event is the change."""
        event = Event(self.state.sequence + 1, self.epoch + self.now, kind, participant, actor, details)
        self.state.apply(event)
        self.outputs.append(event)

    # ---- whom it concerns

    def one(self, participant: int) -> Participant:
        """An entry of the list. Raises Refused."""
        found = self.state.participants.get(participant)
        if found is None:
            raise Refused(Reason.UNKNOWN_PARTICIPANT)
        return found

    def one_in(self, participant: int) -> Participant:
        """Somebody who takes part. Raises Refused."""
        found = self.one(participant)
        if not found.takes_part:
            raise Refused(Reason.NOT_IN_ROOM)
        return found

    def acts_as_host(self, by: Actor) -> bool:
        """Whether an actor has a host's rights."""
        return isinstance(by, str) or self.one(by).role is Role.HOST

    # ---- what is wanted done

    def put_out(self, output: Output) -> None:
        """Have the driver do it."""
        self.outputs.append(output)

    def mix(self, participant: int) -> None:
        """Have it mixed as its entry says."""
        one = self.state.participants[participant]
        self.outputs.append(Mix(participant, one.silent, one.gain_db, one.volume_db))

    def say(self, participant: int, words: Words, number: int | None = None) -> None:
        """Say it to one."""
        self.outputs.append(Say(participant, Phrase(words, number)))

    def say_to_hosts(self, words: Words, but: Actor = ROOM) -> None:
        """Say it to every host who is in the room, but not to who caused it."""
        for each in sorted(self.state.hosts & self.state.present):
            if each != but:
                self.say(each, words)

    def say_in_room(self, what: Announcement) -> None:
        """Say it to all, if anybody is there."""
        if self.state.present:
            self.outputs.append(SayInRoom(what))

    def token(self, then: Callable[[bool], None], seconds: float) -> int:
        """A number for something that is said; ``then`` is called once, with whether it was heard."""
        self.last_token += 1
        self.waiting[self.last_token] = Waiting(then, self.now + seconds)
        return self.last_token

    def send_away(
        self, participant: int, reason: LeaveReason, by: Actor = ROOM, words: Words | None = None
    ) -> None:
        """Off the list, out of the mix and, after what it is told, out of the line."""
        self.note(EventKind.LEFT, participant, by, reason=reason.value)
        self.outputs.append(Leave(participant))
        if words is not None:
            self.say(participant, words)
        self.outputs.append(HangUp(participant, reason))
