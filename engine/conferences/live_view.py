"""Live meetings as whoever administers them sees them: plain records, made when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conference.participant import Participant
    from engine.conferences.live_room import LiveRoom
    from engine.store.conferences.records import JournalEntry


@dataclass(frozen=True, slots=True)
class DialView:
    """A call the room has placed, which rings."""

    dial: int
    number: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class LiveRoomView:
    """A meeting. position: of its last event, to follow it from there. recording: ``off``, ``asked``, ``on``,
    ``paused`` (by a host) or ``held`` (somebody does not agree). Times are Unix seconds."""

    number: str
    name: str
    kind: str
    meeting: str
    position: str
    opened_at: float
    owner: str | None
    language: str
    participants: int
    waiting: int
    hosts: int
    talking: tuple[int, ...]
    locked: bool
    guests_muted: bool
    recording: str
    host_awaited: bool
    awaited_until: float | None
    capacity: int
    dials: tuple[DialView, ...]


@dataclass(frozen=True, slots=True)
class ParticipantView:
    """One entry of the list, with the words of ``conference.participant.Participant``."""

    id: int
    kind: str
    name: str
    number: str
    identity: str | None
    role: str
    state: str
    aside: int | None
    muted: bool
    muted_by_host: bool
    listen_only: bool
    listen_only_by_host: bool
    hand: bool
    talking: bool
    level: float | None
    talk_seconds: float
    gain_db: float
    volume_db: float
    consents: bool
    language: str
    codec: str
    mos: float | None
    joined_at: float
    entered_at: float | None


def room_view(live: LiveRoom) -> LiveRoomView:
    """A meeting as it is now."""
    definition, state = live.room.definition, live.room.state
    return LiveRoomView(
        number=definition.number,
        name=definition.name,
        kind=definition.kind.value,
        meeting=live.room.meeting,
        position=f"{live.room.meeting}:{state.sequence}",
        opened_at=state.opened_at,
        owner=definition.owner,
        language=definition.language,
        participants=len(state.taking_part),
        waiting=len(state.participants) - len(state.taking_part),
        hosts=len(state.hosts),
        talking=tuple(each.id for each in live.room.participants if each.talking),
        locked=state.locked,
        guests_muted=state.guests_muted,
        recording=_recording(live),
        host_awaited=state.host_awaited,
        awaited_until=state.awaited_until,
        capacity=definition.capacity,
        dials=tuple(
            DialView(number, each.number, each.name, each.role.value) for number, each in state.dials.items()
        ),
    )


def _recording(live: LiveRoom) -> str:
    state = live.room.state
    if state.recording is None:
        return "off"
    if not state.recording_on:
        return "asked"
    if state.paused:
        return "paused"
    return "held" if state.held else "on"


def participant_view(one: Participant, now: float) -> ParticipantView:
    """An entry as it is now; who talks has talked until now."""
    since = one.talking_since
    return ParticipantView(
        id=one.id,
        kind=one.kind.value,
        name=one.name,
        number=one.number,
        identity=one.identity,
        role=one.role.value,
        state=one.state.value,
        aside=one.aside,
        muted=one.muted,
        muted_by_host=one.muted_by_host,
        listen_only=one.listen_only,
        listen_only_by_host=one.listen_only_by_host,
        hand=one.hand,
        talking=one.talking,
        level=one.level,
        talk_seconds=one.talk_seconds + (max(0.0, now - since) if one.talking and since is not None else 0.0),
        gain_db=one.gain_db,
        volume_db=one.volume_db,
        consents=one.consents,
        language=one.language,
        codec=one.codec,
        mos=one.mos,
        joined_at=one.joined_at,
        entered_at=one.entered_at,
    )


def event_values(entry: JournalEntry) -> dict[str, object]:
    """An event as it is told outside."""
    event = entry.event
    return {
        "meeting": entry.meeting,
        "number": entry.number,
        "sequence": event.sequence,
        "at": event.at,
        "kind": event.kind.value,
        "participant": event.participant,
        "actor": event.actor,
        "details": dict(event.details),
    }
