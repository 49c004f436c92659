"""Rooms, their number ranges and the policies of their owners in the store, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conference.definition import Consent, HostLeaves, Lobby, RecordKind, RoomDefinition, RoomKind, Sound
from conference.policy import MeetingPolicy, PolicyChoices
from engine.store import AutomateRange, Invalid, Line, NotFound, Store, Taken
from engine.store.conferences.pins import DIGITS, random_pin
from engine.store.conferences.records import ConferencePolicy, ConferenceRoom, PolicyScope, RoomRange
from engine.store.conferences.rules import check_policy, check_range, check_room, room_definition
from engine.store.first_start import fill
from engine.store.numbers import line_secrets

FULL = ConferenceRoom(
    definition=RoomDefinition(
        number="9002",
        name="Zoé's",
        kind=RoomKind.PERSONAL,
        owner="101",
        domain="example.com",
        host_pin="123456",
        guest_pin="654321",
        lobby=Lobby.ADMIT,
        host_leaves=HostLeaves.END,
        host_grace=10.0,
        entry_sound=Sound.NAME,
        exit_sound=Sound.NONE,
        announce_count=True,
        music=False,
        start_muted=True,
        record=RecordKind.TRACKS,
        record_automatically=True,
        consent=Consent.ASKED,
        language="fr",
        loudest=4,
        max_participants=12,
    ),
    owner_address="zoe@example.com",
    enabled=False,
)


def a_room(number: str, domain: str = "", **more: Any) -> ConferenceRoom:
    return ConferenceRoom(definition=RoomDefinition(number=number, domain=domain, **more))


def a_line(number: str) -> Line:
    return Line(number=number, realm="r", ha1=line_secrets(number, "r", "pw"))


def test_every_field_of_a_room_comes_back(store: Store) -> None:
    """What is added is what is read, words as their enumerations, without showing the PINs."""
    added = store.rooms.add(FULL)
    assert store.rooms.get("9002") == added == replace(FULL, id=added.id)
    assert store.rooms.all() == [added]
    assert store.rooms.owned("101") == [added]
    assert store.rooms.owned("102") == []
    assert isinstance(store.rooms.all()[0].definition.lobby, Lobby)
    assert "123456" not in repr(added)
    changed = replace(added, definition=replace(added.definition, number="9003", owner=None, host_pin=None))
    assert store.rooms.update(changed) == changed
    store.rooms.remove("9003")
    assert store.rooms.all() == []


def test_a_number_is_one_thing_only(store: Store) -> None:
    """A room, a range of rooms, an automate and a line refuse each other's numbers, whichever came first."""
    store.rooms.add(a_room("9001"))
    store.room_ranges.add(RoomRange(first_number="9050", count=10))
    with pytest.raises(Taken, match="taken by room 9001"):
        store.automate_ranges.add(AutomateRange(first_number="9000", count=2, application="echo"))
    with pytest.raises(Taken, match="taken by room range 9050-9059"):
        store.automate_ranges.add(AutomateRange(first_number="9059", count=2, application="echo"))
    with pytest.raises(Taken, match="taken by room 9001"):
        store.lines.add(a_line("9001"))
    with pytest.raises(Taken, match="taken by room range"):
        store.lines.add(a_line("9055"))
    with pytest.raises(Taken, match="another room"):
        store.rooms.add(a_room("9001"))
    store.automate_ranges.add(AutomateRange(first_number="0100", count=10, application="echo"))
    store.lines.add(a_line("200"))
    with pytest.raises(Taken, match="taken by automates 0100-0109"):
        store.rooms.add(a_room("0105"))
    with pytest.raises(Taken, match="taken by line 200"):
        store.rooms.add(a_room("200"))
    with pytest.raises(Taken, match="taken by line 200"):
        store.room_ranges.add(RoomRange(first_number="190", count=20))
    store.rooms.add(a_room("100"))  # 0100 is another number


def test_a_domain_has_its_own_numbers(store: Store) -> None:
    """Its rooms stand in its ranges, other domains' do not, and a free number is found in them."""
    store.room_ranges.add(RoomRange(first_number="70", count=3, domain="a"))
    store.room_ranges.add(RoomRange(first_number="80", count=1, domain="b"))
    with pytest.raises(Taken, match="room range 80"):
        store.rooms.add(a_room("80"))
    store.rooms.add(a_room("90"))  # set aside for nobody
    assert store.rooms.free_number("a") == "70"
    for number in ("70", "71", "72"):
        store.rooms.add(a_room(number, "a"))
    with pytest.raises(NotFound, match="free room number in the domain a"):
        store.rooms.free_number("a")
    with pytest.raises(Taken, match="room range 70"):
        store.room_ranges.add(RoomRange(first_number="69", count=5, domain="c"))
    with pytest.raises(Taken, match="room 90"):
        store.room_ranges.add(RoomRange(first_number="90", count=5, domain="c"))


def test_policies_by_level(store: Store) -> None:
    """A user's choice goes before its groups', a group's before the default; each is kept with what it leaves open."""
    levels = [
        ConferencePolicy(scope=PolicyScope.DEFAULT, choices=PolicyChoices(max_participants=40, video=False)),
        ConferencePolicy(
            scope=PolicyScope.GROUP,
            name="sales",
            members=("101", "102"),
            choices=PolicyChoices(max_participants=80, dial_out=False),
        ),
        ConferencePolicy(scope=PolicyScope.USER, name="102", choices=PolicyChoices(dial_out=True)),
    ]
    added = [store.meeting_policies.add(each) for each in levels]
    assert store.meeting_policies.all() == added
    assert store.meeting_policies.get("group:sales") == added[1]
    of = store.meeting_policies.of
    assert of(None) == of("100") == MeetingPolicy(max_participants=40, video=False)
    assert of("101") == MeetingPolicy(max_participants=80, video=False, dial_out=False)
    assert of("102") == MeetingPolicy(max_participants=80, video=False)
    with pytest.raises(Taken):
        store.meeting_policies.add(ConferencePolicy(scope=PolicyScope.USER, name="102"))
    store.meeting_policies.remove("default")
    store.meeting_policies.remove("group:sales")
    assert of("102") == MeetingPolicy()


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("name", {"name": "a\nb"}),
        ("owner", {"owner": " "}),
        ("domain", {"domain": "d" * 65}),
        ("language", {"language": "de"}),
        ("max_participants", {"max_participants": 100_001}),
        ("loudest", {"loudest": 100_001}),
    ],
)
def test_bad_rooms(field: str, change: dict[str, Any]) -> None:
    """A room that could not be shown or reached is refused by the field's name."""
    with pytest.raises(Invalid) as error:
        check_room(ConferenceRoom(definition=RoomDefinition(**{"number": "1", **change})))
    assert error.value.field == field


@pytest.mark.parametrize(
    ("field", "change"),
    [("number", {"number": "12a"}), ("number", {"number": ""}), ("host_pin", {"host_pin": "12"})],
)
def test_bad_definitions(field: str, change: dict[str, Any]) -> None:
    """What the definition itself refuses is told the same way."""
    with pytest.raises(Invalid) as error:
        check_room(ConferenceRoom(definition=room_definition(**{"number": "1", **change})))
    assert error.value.field == field


@pytest.mark.parametrize(
    "address",
    ["zoe", "zoe@", "@b", "a b@c", "a@b\r\nBcc: x@y", "a@b,c@d", "<a@b>", "é@b", "a@" + "b" * 254, "a..b@c"],
)
def test_bad_addresses(address: str) -> None:
    """Nothing that a mail header would read as more than one address gets into the store."""
    with pytest.raises(Invalid) as error:
        check_room(replace(FULL, owner_address=address))
    assert error.value.field == "owner_address"


@pytest.mark.parametrize(
    ("field", "numbers"),
    [
        ("first_number", RoomRange(first_number="a")),
        ("count", RoomRange(first_number="1", count=0)),
        ("count", RoomRange(first_number="95", count=10)),
        ("count", RoomRange(first_number="00000", count=10_001)),
        ("domain", RoomRange(first_number="1", domain="\t")),
    ],
)
def test_bad_ranges(field: str, numbers: RoomRange) -> None:
    """A range that could not be counted is refused by the field's name."""
    with pytest.raises(Invalid) as error:
        check_range(numbers)
    assert error.value.field == field


@pytest.mark.parametrize(
    ("field", "policy"),
    [
        ("name", ConferencePolicy(scope=PolicyScope.DEFAULT, name="x")),
        ("name", ConferencePolicy(scope=PolicyScope.USER)),
        ("members", ConferencePolicy(scope=PolicyScope.USER, name="1", members=("2",))),
        ("members", ConferencePolicy(scope=PolicyScope.GROUP, name="g", members=("2", "2"))),
        ("members", ConferencePolicy(scope=PolicyScope.GROUP, name="g", members=("",))),
        (
            "max_participants",
            ConferencePolicy(scope=PolicyScope.DEFAULT, choices=PolicyChoices(max_participants=0)),
        ),
    ],
)
def test_bad_policies(field: str, policy: ConferencePolicy) -> None:
    """A policy for nobody, or that lets nobody in, is refused by the field's name."""
    with pytest.raises(Invalid) as error:
        check_policy(policy)
    assert error.value.field == field


def test_the_rooms_of_the_first_start(store: Store) -> None:
    """One room is open, the other has two PINs nobody knew before."""
    fill(store)
    opened, closed = store.rooms.all()
    assert (opened.number, opened.definition.host_pin, opened.definition.guest_pin) == ("9001", None, None)
    assert closed.number == "9010"
    assert closed.definition.lobby is Lobby.UNTIL_HOST
    assert closed.definition.host_pin != closed.definition.guest_pin
    assert store.rooms.free_number() == "9002"


def test_random_pins() -> None:
    """As long as they should be, and never the other one."""
    pins = {random_pin() for _ in range(50)}
    assert len(pins) > 1
    assert {len(pin) for pin in pins} == {DIGITS}
    assert all(pin.isdigit() for pin in pins)
