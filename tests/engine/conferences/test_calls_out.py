"""Calls that meetings place: into a room, and out of it, by the rules of the routing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conference import commands as c
from conference.attendance import LeaveReason
from conference.definition import RoomDefinition
from conference.events import Event, EventKind
from conference.participant import Caller, ParticipantKind
from conference.refusals import Refused
from conference.role import Role
from engine.automates.application import AutomateContext
from engine.automates.catalogue import APPLICATIONS
from engine.call.dialling import Dialling
from engine.conferences.limits import ConferenceLimits
from engine.conferences.live_room import LiveRoom
from engine.conferences.meeting_journal import MeetingFiles
from engine.conferences.seat import Seat
from engine.domain.dial_plan import DialPlan, DialSettings, starting_rules
from engine.store import AutomateRange, Link
from media.control import LegEvent
from tests.engine.call.town import PASSWORD, PaperMedia, Phone, Town

HOST, ALICE, BOB = "1000", "1001", "1002"
LINK = Link(id=1, name="pbx", host="203.0.113.90", port=5060, register=False, dialled_prefixes="0")


class HallMedia(PaperMedia):
    """With rooms nobody hears."""

    def has_prompt(self, name: str) -> bool:
        return False

    def set_room(self, room: str, *, loudest: int) -> None:
        """Nothing is mixed on paper."""


class Doorman:
    """The application: whoever calls comes in, 1000 as host; who was called, as the room says."""

    def __init__(self, context: AutomateContext) -> None:
        self._context = context
        self._seat: Seat | None = None

    def answered(self) -> None:
        conferences, party = self._context.services.conferences, self._context.party
        if "dial" in self._context.parameters:
            try:
                self._seat = conferences.join_called(self._context.parameters, party, self)
            except Refused:
                self._context.hang_up()
        else:
            role = Role.HOST if self._context.caller == HOST else Role.GUEST
            caller = Caller(number=self._context.caller, identity=party.identity, role=role)
            self._seat = conferences.join("9001", caller, party, self)

    def digit(self, digit: str) -> None:
        """No menus here."""

    def leg_event(self, event: LegEvent) -> None:
        if self._seat is not None:
            self._seat.leg_event(event)

    def seat_left(self, reason: LeaveReason) -> None:
        """Its call goes on, or is ended by the seat."""

    def ended(self) -> None:
        if self._seat is not None:
            self._seat.ended()


class House:
    """A room with a host in it, and lines of people who can be called."""

    def __init__(self, folder: Path) -> None:
        room = AutomateRange(id=9, first_number="9001", application="conference", parameters={"room": "9001"})
        self.town = Town(lines=(HOST, ALICE, BOB), links=(LINK,), ranges=(room,))
        self.town.parts.services.media = self.town.media = HallMedia()  # type: ignore[assignment]
        self.conferences = self.town.parts.services.conferences
        self.conferences.keep_in(None, MeetingFiles(folder, "boot"))
        self.conferences.define([RoomDefinition(number="9001", owner=HOST)])
        self.events: list[Event] = []
        self.conferences.watch(lambda _live, events: self.events.extend(events))
        self.host = self.town.phone(HOST, "192.0.2.10", registered=True)
        self.alice = self.town.phone(ALICE, "192.0.2.11", registered=True)
        self.enter(self.host)

    def enter(self, phone: Phone) -> int:
        """Call the room; the participant it becomes."""
        phone.dial("9001", password=PASSWORD if phone.number in (HOST, ALICE, BOB) else None)
        self.town.pass_time(0.5)
        return self.live.room.state.last_id

    @property
    def live(self) -> LiveRoom:
        return self.conferences.live["9001"]

    @property
    def numbers(self) -> list[str]:
        """Who is on the list."""
        return [each.number for each in self.live.room.participants]

    def ended(self) -> dict[str, Any]:
        """How the last dial ended."""
        last = [each for each in self.events if each.kind is EventKind.DIAL_ENDED][-1]
        return {name: last.details[name] for name in ("result", "status")}

    def dial(self, number: str, role: Role = Role.GUEST) -> None:
        self.live.act(c.DialOut(number, "Called", role), 1)
        self.town.pass_time(1.0)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setitem(APPLICATIONS, "conference", Doorman)
    return House(tmp_path)


def test_called_in(house: House) -> None:
    """Who answers comes in, with the name and in the role it was called by."""
    house.dial(ALICE, Role.HOST)
    assert house.numbers == [HOST, ALICE]
    called = house.live.room.participants[1]
    assert (called.name, called.role, called.identity) == ("Called", Role.HOST, ALICE)
    assert house.ended() == {"result": "answered", "status": 200}
    house.alice.call.hangup()
    house.town.pass_time(0.5)
    assert house.numbers == [HOST]


def test_a_number_is_dialled_as_people_write_it(house: House) -> None:
    """By the dial plan of the line in whose name it is dialled."""
    plan = DialPlan.of(DialSettings(), starting_rules("33"))
    house.town.parts.routing.dialling = Dialling({1: plan}, {1: 1})
    pbx = house.town.phone("pbx", "203.0.113.90")
    house.dial("+33 (0) 1 23-45-67.89")
    assert pbx.last_invite().request_uri.user_text == "00123456789"
    assert house.ended()["result"] == "answered"
    house.dial("10 01")
    assert house.numbers == [HOST, "00123456789", ALICE]


def test_an_automate_is_called_in_as_a_bot(house: House) -> None:
    """It is called over our own address, as anybody would call it."""
    house.dial("5000")
    assert house.numbers == [HOST, "5000"]
    assert house.live.room.participants[1].kind is ParticipantKind.BOT


def test_answered_and_there_is_no_place(house: House) -> None:
    """The call ends, and nobody waits for it any more."""
    house.alice.status = 180
    house.dial(ALICE)
    house.conferences.limits = ConferenceLimits(participants=1)
    house.alice.pick_up()
    house.town.pass_time(0.5)
    assert house.ended() == {"result": "refused", "status": 0}
    assert house.numbers == [HOST]
    assert house.alice.ended is not None


@pytest.mark.parametrize(
    ("status", "result"), [(486, "busy"), (603, "refused"), (480, "no_answer"), (404, "unreachable")]
)
def test_called_in_vain(house: House, status: int, result: str) -> None:
    house.alice.status = status
    house.dial(ALICE)
    assert house.ended() == {"result": result, "status": status}
    assert house.numbers == [HOST]


def test_nobody_answers(house: House) -> None:
    house.alice.status = 180
    house.dial(ALICE)
    house.town.pass_time(house.town.parts.services.ring_timeout + 1.0)
    assert house.ended() == {"result": "no_answer", "status": 480}
    assert house.alice.ended is not None, "it rings no longer"


@pytest.mark.parametrize(("number", "status"), [("4321", 404), (BOB, 480)])
def test_nobody_is_there(house: House, number: str, status: int) -> None:
    house.dial(number)
    assert house.ended() == {"result": "unreachable", "status": status}


def test_a_number_the_line_may_not_dial(house: House) -> None:
    """Behind a link: in the name of a line of ours only. The room has an owner without a line here."""
    house.conferences.define([RoomDefinition(number="9001", owner="nobody")])
    house.host.call.hangup()
    house.town.pass_time(0.5)
    stranger = house.town.phone("77", "192.0.2.77")
    house.enter(stranger)
    house.live.act(c.DialOut("0123"), "admin")
    house.town.pass_time(0.5)
    assert house.ended() == {"result": "refused", "status": 403}
    assert house.town.count("conference_dial_refused") == 1


def test_the_meeting_ends_while_somebody_is_called(house: House) -> None:
    house.alice.status = 180
    house.dial(ALICE)
    house.live.act(c.End(), 1)
    house.town.pass_time(20.0)
    assert house.alice.ended is not None
    assert house.conferences.live == {}
    house.town.at_rest()


def test_connected_with_a_number(house: House) -> None:
    """The participant leaves the room when the number answers, and both talk, as a bridge."""
    guest = house.enter(house.alice)
    bob = house.town.phone(BOB, "192.0.2.12", registered=True)
    house.live.act(c.Transfer(guest, BOB), 1)
    house.town.pass_time(1.0)
    assert house.numbers == [HOST]
    assert house.town.count("conference_transferred") == 1
    mine, other = house.town.media.open[-2:]
    assert mine.bridged is other
    bob.call.hangup()
    house.town.pass_time(1.0)
    assert house.alice.ended is not None
    assert house.numbers == [HOST]


def test_back_in_the_room_when_the_number_does_not_answer(house: House) -> None:
    guest = house.enter(house.alice)
    house.live.act(c.Mute(guest), 1)
    bob = house.town.phone(BOB, "192.0.2.12", registered=True)
    bob.status = 486
    house.live.act(c.Transfer(guest, BOB), 1)
    house.town.pass_time(1.0)
    assert house.numbers == [HOST, ALICE]
    assert house.live.room.participants[1].muted_by_host
    assert house.town.count("conference_transfer_failed") == 1


def test_gone_while_it_is_transferred(house: House) -> None:
    guest = house.enter(house.alice)
    bob = house.town.phone(BOB, "192.0.2.12", registered=True)
    bob.status = 180
    house.live.act(c.Transfer(guest, BOB), 1)
    house.town.pass_time(1.0)
    house.alice.call.hangup()
    house.town.pass_time(1.0)
    assert bob.ended is not None, "nobody is left to be connected with"
    assert house.numbers == [HOST]
