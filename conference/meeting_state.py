"""What a meeting is at a moment: the sum of its events. ``apply`` is the only way it changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

from conference.attendance import Attendance, CloseReason, LeaveReason, Talk
from conference.definition import RecordKind
from conference.events import Actor, Detail, Event, EventKind
from conference.participant import Participant, ParticipantKind, ParticipantState
from conference.role import Role


@dataclass(frozen=True, slots=True)
class PendingDial:
    """A number that is being called. actor: who asked for it."""

    number: str
    name: str
    role: Role
    actor: Actor


@dataclass(slots=True)
class MeetingState:
    """The list and the room's own switches. Changed by ``apply`` only; everybody else reads.

    lobby, present: the ids of those who wait and of those in the room, so that nobody has to look for them among
    thousands; not_agreed: those of the latter who may not be recorded (yet); taking_part: in the room or in a side
    talk; hosts: the hosts of these.
    recording: what is, or is to be, recorded. recording_on: there is a file. paused: by a host; held: somebody in
    the room was not told or does not agree. host_awaited, awaited_until: the last host has left.
    had_host: one is in, or was last. most: participants at once.
    """

    sequence: int = 0
    opened_at: float = 0.0
    participants: dict[int, Participant] = field(default_factory=dict)
    lobby: set[int] = field(default_factory=set)
    present: set[int] = field(default_factory=set)
    not_agreed: set[int] = field(default_factory=set)
    taking_part: set[int] = field(default_factory=set)
    hosts: set[int] = field(default_factory=set)
    dials: dict[int, PendingDial] = field(default_factory=dict)
    gone: list[Attendance] = field(default_factory=list)
    talks: list[Talk] = field(default_factory=list)
    last_id: int = 0
    last_dial: int = 0
    last_aside: int = 0
    most: int = 0
    locked: bool = False
    guests_muted: bool = False
    had_host: bool = False
    host_awaited: bool = False
    awaited_until: float | None = None
    recording: RecordKind | None = None
    recording_on: bool = False
    recording_since: float = 0.0
    recorded: bool = False
    paused: bool = False
    held: bool = False
    closed: CloseReason | None = None
    closed_at: float = 0.0

    def apply(self, event: Event) -> None:
        """Take up one change. Raises ValueError, KeyError: no event of this meeting, or not the next."""
        if event.sequence != self.sequence + 1:
            raise ValueError(f"event {event.sequence} after {self.sequence}")
        _APPLY[event.kind](self, event)
        self.sequence = event.sequence

    def put(self, participant: Participant) -> None:
        """A new or changed entry of the list."""
        number = participant.id
        self.participants[number] = participant
        is_in, takes_part = participant.state is ParticipantState.IN, participant.takes_part
        _mark(self.lobby, number, participant.state is ParticipantState.LOBBY)
        _mark(self.present, number, is_in)
        _mark(self.not_agreed, number, is_in and not participant.consents)
        _mark(self.taking_part, number, takes_part)
        _mark(self.hosts, number, takes_part and participant.role is Role.HOST)

    def remove(self, number: int) -> Participant:
        """No longer on the list."""
        for index in (self.lobby, self.present, self.not_agreed, self.taking_part, self.hosts):
            index.discard(number)
        return self.participants.pop(number)

    def change(self, event: Event, **changes: Any) -> None:
        """The entry the event concerns, with these fields changed."""
        self.put(replace(self.of(event), **changes))

    def of(self, event: Event) -> Participant:
        """Whom the event concerns."""
        if event.participant is None:
            raise ValueError(f"{event.kind} concerns a participant")
        return self.participants[event.participant]


def _mark(index: set[int], number: int, on: bool) -> None:
    if on:
        index.add(number)
    else:
        index.discard(number)


Apply = Callable[[MeetingState, Event], None]


def _nothing(_state: MeetingState, _event: Event) -> None:
    """What is only told."""


def _opened(state: MeetingState, event: Event) -> None:
    state.opened_at = event.at


def _joined(state: MeetingState, event: Event) -> None:
    told: dict[str, Any] = dict(event.details)
    told.update(
        id=event.participant,
        joined_at=event.at,
        kind=ParticipantKind(str(told["kind"])),
        role=Role(str(told["role"])),
        state=ParticipantState(str(told["state"])),
    )
    joined = Participant(**told)
    state.put(joined)
    state.last_id = joined.id


def _left(state: MeetingState, event: Event) -> None:
    gone = state.remove(state.of(event).id)
    talked = gone.talk_seconds
    if gone.talking_since is not None:
        talked += event.at - gone.talking_since
        state.talks.append(Talk(participant=gone.id, began=gone.talking_since, ended=event.at))
    state.gone.append(
        Attendance(
            participant=gone.id,
            kind=gone.kind,
            name=gone.name,
            number=gone.number,
            role=gone.role,
            joined_at=gone.joined_at,
            entered_at=gone.entered_at,
            left_at=event.at,
            reason=LeaveReason(str(event.details["reason"])),
            talk_seconds=talked,
            codec=gone.codec,
            mos=gone.mos,
        )
    )


def _entered(state: MeetingState, event: Event) -> None:
    found = state.of(event)
    state.change(
        event,
        state=ParticipantState.IN,
        entered_at=event.at if found.entered_at is None else found.entered_at,
    )
    state.had_host = state.had_host or bool(state.hosts)
    state.most = max(state.most, len(state.taking_part))


def _admitted(state: MeetingState, event: Event) -> None:
    state.change(event, state=ParticipantState.ENTERING, admitted=True)


def _waiting(state: MeetingState, event: Event) -> None:
    state.change(event, state=ParticipantState.LOBBY, aside=None, hand=False)


def _muted(state: MeetingState, event: Event) -> None:
    state.change(event, **{"muted_by_host" if event.details["by_host"] else "muted": True})


def _unmuted(state: MeetingState, event: Event) -> None:
    state.change(event, **{"muted_by_host" if event.details["by_host"] else "muted": False})


def _all_guests(muted: bool) -> Apply:
    def apply(state: MeetingState, _event: Event) -> None:
        state.guests_muted = muted
        for each in list(state.participants.values()):
            if each.role is Role.GUEST and each.muted_by_host is not muted:
                state.put(replace(each, muted_by_host=muted))

    return apply


def _hand(up: bool) -> Apply:
    return lambda state, event: state.change(event, hand=up)


def _role(state: MeetingState, event: Event) -> None:
    role = Role(str(event.details["role"]))
    state.change(event, role=role)
    state.had_host = state.had_host or bool(state.hosts)


def _value(name: str) -> Apply:
    return lambda state, event: state.change(event, **{name: event.details[name]})


def _listen_only(state: MeetingState, event: Event) -> None:
    name = "listen_only_by_host" if event.details["by_host"] else "listen_only"
    state.change(event, **{name: event.details["on"]})


def _aside(state: MeetingState, event: Event) -> None:
    number = cast("int", event.details["aside"])
    state.change(event, state=ParticipantState.ASIDE, aside=number)
    state.last_aside = max(state.last_aside, number)


def _back(state: MeetingState, event: Event) -> None:
    state.change(event, state=ParticipantState(str(event.details["state"])), aside=None)


def _consent(state: MeetingState, event: Event) -> None:
    state.change(event, consents=event.details["agrees"])


def _talking(state: MeetingState, event: Event) -> None:
    state.change(event, talking=True, talking_since=event.at, level=event.details["level"])


def _silent(state: MeetingState, event: Event) -> None:
    found = state.of(event)
    since = event.at if found.talking_since is None else found.talking_since
    state.talks.append(Talk(participant=found.id, began=since, ended=event.at))
    talked = found.talk_seconds + event.at - since
    state.change(event, talking=False, talking_since=None, talk_seconds=talked)


def _recording_asked(state: MeetingState, event: Event) -> None:
    state.recording = RecordKind(str(event.details["kind"]))


def _recording_started(state: MeetingState, event: Event) -> None:
    state.recording_on = state.recorded = True
    state.recording_since = event.at


def _recording_held(on: bool) -> Apply:
    def apply(state: MeetingState, event: Event) -> None:
        if event.details["cause"] == "host":
            state.paused = on
        else:
            state.held = on

    return apply


def _recording_over(state: MeetingState, _event: Event) -> None:
    """Whoever agreed, or was told, agreed to this recording and to no other."""
    state.recording = None
    state.recording_on = state.paused = state.held = False
    for each in list(state.participants.values()):
        if each.consents:
            state.put(replace(each, consents=False))


def _locked(on: bool) -> Apply:
    def apply(state: MeetingState, _event: Event) -> None:
        state.locked = on

    return apply


def _dialled(state: MeetingState, event: Event) -> None:
    told = event.details
    state.last_dial = cast("int", told["dial"])
    state.dials[state.last_dial] = PendingDial(
        str(told["number"]), str(told["name"]), Role(str(told["role"])), event.actor
    )


def _dial_ended(state: MeetingState, event: Event) -> None:
    del state.dials[cast("int", event.details["dial"])]


def _host_awaited(state: MeetingState, event: Event) -> None:
    state.host_awaited, state.had_host = True, False
    state.awaited_until = cast("float | None", event.details["until"])


def _host_back(state: MeetingState, _event: Event) -> None:
    state.host_awaited, state.awaited_until = False, None


def _closed(state: MeetingState, event: Event) -> None:
    state.closed = CloseReason(str(event.details["reason"]))
    state.closed_at = event.at


_APPLY: dict[EventKind, Apply] = {
    EventKind.OPENED: _opened,
    EventKind.JOINED: _joined,
    EventKind.ADMITTED: _admitted,
    EventKind.ENTERED: _entered,
    EventKind.WAITING: _waiting,
    EventKind.LEFT: _left,
    EventKind.MUTED: _muted,
    EventKind.UNMUTED: _unmuted,
    EventKind.ALL_MUTED: _all_guests(True),
    EventKind.ALL_UNMUTED: _all_guests(False),
    EventKind.HAND_RAISED: _hand(True),
    EventKind.HAND_LOWERED: _hand(False),
    EventKind.ROLE: _role,
    EventKind.RENAMED: _value("name"),
    EventKind.VOLUME: _value("volume_db"),
    EventKind.GAIN: _value("gain_db"),
    EventKind.LISTEN_ONLY: _listen_only,
    EventKind.ASIDE: _aside,
    EventKind.BACK: _back,
    EventKind.CONSENT: _consent,
    EventKind.TALKING: _talking,
    EventKind.SILENT: _silent,
    EventKind.RECORDING_ASKED: _recording_asked,
    EventKind.RECORDING_STARTED: _recording_started,
    EventKind.RECORDING_PAUSED: _recording_held(True),
    EventKind.RECORDING_RESUMED: _recording_held(False),
    EventKind.RECORDING_STOPPED: _recording_over,
    EventKind.RECORDING_FAILED: _recording_over,
    EventKind.COUNT_ANNOUNCED: _nothing,
    EventKind.LOCKED: _locked(True),
    EventKind.UNLOCKED: _locked(False),
    EventKind.DIALLED: _dialled,
    EventKind.DIAL_ENDED: _dial_ended,
    EventKind.HOST_AWAITED: _host_awaited,
    EventKind.HOST_BACK: _host_back,
    EventKind.MERGED: _nothing,
    EventKind.CLOSED: _closed,
}


def newcomer(participant: Participant) -> dict[str, Detail]:
    """The details of ``joined``: all that is not as in every newcomer."""
    told: dict[str, Detail] = {
        "kind": participant.kind.value,
        "name": participant.name,
        "number": participant.number,
        "identity": participant.identity,
        "role": participant.role.value,
        "state": participant.state.value,
        "language": participant.language,
    }
    for name in _SELDOM:
        value: Detail = getattr(participant, name)
        if value:
            told[name] = value
    return told


_SELDOM = (
    "codec",
    "has_recorded_name",
    "admitted",
    "muted",
    "muted_by_host",
    "listen_only",
    "listen_only_by_host",
    "gain_db",
    "volume_db",
)
