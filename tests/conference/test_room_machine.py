"""Whatever people, hosts, administrators and the clock do to a room: what always holds."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from conference import commands as c
from conference.definition import Consent, HostLeaves, Lobby, RecordKind, RoomDefinition, Sound
from conference.events import Actor, Event
from conference.outputs import (
    Closed,
    Dial,
    DialResult,
    Enter,
    HangUp,
    HoldRecording,
    Leave,
    Mix,
    Move,
    Music,
    Output,
    Record,
    Say,
    SayInRoom,
    TransferTo,
)
from conference.participant import Caller, ParticipantState
from conference.refusals import Reason, Refused
from conference.role import RIGHTS, Right, Role, Verb
from conference.room import Room

EPOCH = 1_800_000_000.0
CAPACITY = 5

definitions = st.builds(
    RoomDefinition,
    number=st.just("9001"),
    owner=st.just("1000"),
    lobby=st.sampled_from(Lobby),
    host_leaves=st.sampled_from(HostLeaves),
    host_grace=st.sampled_from([0.0, 10.0]),
    entry_sound=st.sampled_from(Sound),
    announce_count=st.booleans(),
    start_muted=st.booleans(),
    record_automatically=st.booleans(),
    consent=st.sampled_from(Consent),
    max_participants=st.just(CAPACITY),
)
callers = st.builds(
    Caller,
    name=st.sampled_from(["", "Ann", "Bob"]),
    number=st.sampled_from(["", "1001", "1002"]),
    identity=st.sampled_from([None, None, None, "1000"]),
    role=st.sampled_from(Role),
    listen_only=st.booleans(),
)
STRANGER = 99
places = st.integers(0, CAPACITY)
"""Whom a rule is about: a place on the list, hosts first; the last is of nobody."""
one_of_them = [
    c.Mute, c.Unmute, c.RaiseHand, c.LowerHand, c.Admit, c.Deny, c.Expel, c.StepBack,
]  # fmt: skip
nobody = [
    c.MuteAll, c.UnmuteAll, c.Admit, c.StartRecording, c.StopRecording, c.PauseRecording, c.ResumeRecording,
    c.AnnounceCount, c.Lock, c.Unlock,
]  # fmt: skip


commands: st.SearchStrategy[c.Command] = st.one_of(
    *(st.builds(each, places) for each in one_of_them),
    *(st.builds(each) for each in nobody),
    st.builds(c.SetRole, places, st.sampled_from(Role)),
    st.builds(c.ListenOnly, places, st.booleans()),
    st.builds(c.GiveConsent, places, st.booleans()),
    st.builds(c.SetGain, places, st.sampled_from([-30.0, -3.0, 0.0, 6.0])),
    st.builds(c.SetVolume, places, st.sampled_from([-30.0, -3.0, 0.0, 6.0])),
    st.builds(c.Rename, places, st.sampled_from(["", "Eve", "\u202e\n"])),
    st.builds(c.StepAside, st.lists(places, max_size=3).map(tuple), st.sampled_from([None, 1, 2])),
    st.builds(c.DialOut, st.sampled_from(["0123", "x", "+33123"])),
    st.builds(c.Transfer, places, st.sampled_from(["0123", "9002"]), st.booleans()),
)
ends: st.SearchStrategy[c.Command] = st.sampled_from([c.End(), c.Merge("9002"), c.Merge("9001")])


class RoomMachine(RuleBasedStateMachine):
    """The room, and a driver that only believes its outputs."""

    room: Room

    @initialize(definition=definitions)
    def define(self, definition: RoomDefinition) -> None:
        self.definition = definition
        self.now = 50.0
        self.open()

    def open(self) -> None:
        self.room = Room(self.definition, "m", self.now, EPOCH)
        self.events: list[Event] = []
        self.mixed_in: dict[int, str] = {}
        self.muted: dict[int, bool] = {}
        self.recording: RecordKind | None = None
        self.held = False
        self.tokens: list[int] = []
        self.dials: list[int] = []
        self.ways_out: dict[int, int] = {}
        self.closed: Closed | None = None
        self.carry_out()
        for role in (Role.HOST, Role.GUEST, Role.GUEST):
            self.join(Caller(name="Ann", number="1003", role=role))

    # ---- what a driver would do

    def carry_out(self) -> None:
        for output in self.room.take_outputs():
            assert self.closed is None, "closed is the last word"
            self._do(output)
            if self.recording is not None and not self.held:
                self._all_in_the_mix_agree()
        if self.closed is not None:
            self._check_end(self.closed)
            self.open()
        else:
            assert self.held is (self.room.state.paused or self.room.state.held)

    def _check_end(self, closed: Closed) -> None:
        assert not self.room.participants
        assert not self.mixed_in
        assert self.recording is None
        assert self.room.deadline is None
        assert closed.report.events == len(self.events)
        assert {each.participant for each in closed.report.attendances} == set(self.ways_out)

    def _do(self, output: Output) -> None:  # a row for each output
        match output:
            case Event():
                assert output.sequence == len(self.events) + 1
                self.events.append(output)
            case Enter(participant=one, media_room=room):
                assert one in self.muted, "mixed as its entry says before it is mixed"
                self.mixed_in[one] = room
            case Leave(participant=one):
                self.mixed_in.pop(one, None)
            case Mix(participant=one, muted=muted):
                self.muted[one] = muted
            case Say(participant=one, token=token):
                assert one not in self.ways_out
                self.tokens += [token] if token else []
            case SayInRoom(token=token):
                self.tokens += [token] if token else []
            case Music(participant=one):
                assert one not in self.ways_out
            case HangUp(participant=one):
                self._out(one)
            case TransferTo(participant=gone) | Move(participant=gone):
                self._out(gone.id)
            case Record(kind=kind):
                assert (kind is None) is not (self.recording is None)
                self.recording, self.held = kind, False
            case HoldRecording(on=on):
                assert self.recording is not None
                assert on is not self.held
                self.held = on
            case Dial(dial=dial):
                self.dials.append(dial)
            case Closed():
                self.closed = output
            case _:
                pass

    def _out(self, one: int) -> None:
        self.ways_out[one] = self.ways_out.get(one, 0) + 1
        self.mixed_in.pop(one, None)

    def _all_in_the_mix_agree(self) -> None:
        people = self.room.state.participants
        for one, room in self.mixed_in.items():
            if room == self.room.media_room and one in people and one not in self.ways_out:
                left = people[one].state is not ParticipantState.IN
                assert left or people[one].consents, "recorded without having been told"

    def who(self, place: int) -> int:
        """The participant at a place of the list, hosts first; or one who is not on it."""
        people = sorted(self.room.participants, key=lambda each: each.role is not Role.HOST)
        return people[place].id if place < len(people) else STRANGER

    def about(self, command: c.Command, by: Actor, on_self: bool) -> c.Command:
        """The command, about those who are at its places; of itself if that is wanted."""
        if isinstance(command, c.StepAside):
            return replace(command, participants=tuple(map(self.who, command.participants)))
        one: Any = command
        place = getattr(command, "participant", None)
        if place is None:
            return command
        changed: c.Command = replace(
            one, participant=by if on_self and isinstance(by, int) else self.who(place)
        )
        return changed

    # ---- what happens to it

    @rule(caller=callers)
    def come(self, caller: Caller) -> None:
        self.join(caller)

    def join(self, caller: Caller) -> None:
        before = len(self.room.participants)
        try:
            self.room.join(caller, self.now)
        except Refused:
            assert self.room.take_outputs() == []
            assert len(self.room.participants) == before
        else:
            assert before < CAPACITY
        self.carry_out()

    @rule(place=places)
    def leave(self, place: int) -> None:
        participant = self.who(place)
        if participant in self.room.state.participants:
            self._out(participant)
        self.room.leave(participant, self.now)
        self.carry_out()

    @rule(command=commands, place=places, admin=st.integers(0, 4), on_self=st.booleans())
    def act(self, command: c.Command, place: int, admin: int, on_self: bool) -> None:
        by: Actor = self.who(place) if admin else "admin"
        self._act(self.about(command, by, on_self), by)

    @rule(command=ends, place=places, chance=st.integers(0, 9))
    def finish(self, command: c.Command, place: int, chance: int) -> None:
        if chance == 9:
            self._act(command, self.who(place))

    def _act(self, command: c.Command, by: Actor) -> None:
        before = self._picture()
        actor = self.room.state.participants.get(by) if isinstance(by, int) else None
        refused: Reason | None = None
        try:
            self.room.act(command, by, self.now)
        except Refused as error:
            refused = error.reason
        if refused is not None:
            assert self.room.take_outputs() == []
            assert self._picture() == before
            assert isinstance(by, int) or refused is not Reason.NOT_HOST
        else:
            if isinstance(by, int):
                assert actor is not None
                host_only = RIGHTS[command.verb] is Right.HOST
                assert actor.role is Role.HOST or not host_only, "only hosts do what hosts do"
                assert actor.takes_part or command.verb is Verb.CONSENT
            if isinstance(command, c.End | c.Merge):
                assert not self.room.participants
        self.carry_out()

    @rule(place=places, on=st.booleans())
    def talk(self, place: int, on: bool) -> None:
        self.room.talking(self.who(place), on, 20.0, self.now)
        self.carry_out()

    @precondition(lambda self: self.tokens)
    @rule(heard=st.booleans())
    def said(self, heard: bool) -> None:
        self.room.said(self.tokens.pop(0), heard, self.now)
        self.carry_out()

    @precondition(lambda self: self.dials)
    @rule(result=st.sampled_from([*DialResult]))
    def dial_ends(self, result: DialResult) -> None:
        dial = self.dials.pop(0)
        if result is DialResult.ANSWERED:
            with contextlib.suppress(Refused):
                self.room.join(Caller(number="0123", dial=dial), self.now)
        self.room.dialled(dial, result, self.now)
        self.carry_out()

    @rule(seconds=st.sampled_from([0.1, 3.0, 15.0, 70.0]))
    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while (due := self.room.deadline) is not None and due <= end:
            self.now = max(self.now, due)
            self.room.handle_timer(self.now)
            self.carry_out()
            again = self.room.deadline
            assert again is None or again > due or again > self.now, "what was due is done"
        self.now = end

    @rule(places=st.sets(places, max_size=2))
    def another_process_takes_over(self, places: set[int]) -> None:
        """The control process is killed: all that is known is the journal."""
        lost = set(map(self.who, places))
        self.room = Room.restored(self.definition, "m", self.events, self.now, EPOCH)
        self.tokens, self.dials = [], []
        for one in lost & set(self.room.state.participants):
            self._out(one)
        self.room.go_on(lost, self.now)
        self.carry_out()

    def _picture(self) -> dict[str, Any]:
        state = self.room.state
        return {
            "people": dict(state.participants),
            "sequence": state.sequence,
            "dials": dict(state.dials),
            "deadline": self.room.deadline,
        }

    # ---- what always holds

    @invariant()
    def the_mix_is_what_the_list_says(self) -> None:
        """Who waits hears nothing of the room, who is in is in its mix, and who is silent is not heard."""
        for one in self.room.participants:
            room = self.mixed_in.get(one.id)
            if one.state is ParticipantState.IN:
                assert room == self.room.media_room
            elif one.state is ParticipantState.ASIDE:
                assert room == f"{self.room.media_room} aside {one.aside}"
            else:
                assert room is None
            if room is not None:
                assert self.muted[one.id] is one.silent
            assert not (one.silent and one.talking)

    @invariant()
    def whoever_is_gone_left_one_way(self) -> None:
        """Nobody who is off the list is still in a mix, or was sent away twice."""
        listed = set(self.room.state.participants)
        assert set(self.mixed_in) <= listed
        assert not listed & set(self.ways_out)
        assert set(self.ways_out.values()) <= {1}
        assert {each.participant for each in self.room.state.gone} == set(self.ways_out)

    @invariant()
    def never_too_many(self) -> None:
        assert len(self.room.participants) <= CAPACITY

    @invariant()
    def the_journal_says_it_all(self) -> None:
        """Whoever reads the events has the same list."""
        again = Room.restored(self.definition, "m", self.events, self.now, EPOCH)
        assert again.state == self.room.state

    @invariant()
    def the_last_host_left(self) -> None:
        """What the room's rule says has happened."""
        state = self.room.state
        if state.hosts or not state.host_awaited:
            return
        if self.definition.host_leaves is HostLeaves.END:
            assert self.room.deadline is not None
            assert self.room.deadline <= self.now + self.definition.host_grace + 1e-6
        else:
            assert self.definition.host_leaves is HostLeaves.WAIT


TestRoom = RoomMachine.TestCase
TestRoom.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
