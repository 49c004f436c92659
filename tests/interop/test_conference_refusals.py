"""Bad input to meetings on a running engine: each is told to whoever does it, and costs the others nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conference import commands as c
from conference.definition import HostLeaves, RoomDefinition
from conference.role import Role
from tests.interop.ears import loudness, said
from tests.interop.meetings import PATIENCE, MeetingEngine, Told, eventually
from tests.interop.quiet_log import assert_no_exception
from tests.interop.wire_phone import WirePhone
from tests.interop.wire_sound import Voice

pytestmark = pytest.mark.slow

GUEST_PIN, HOST_PIN = "4711", "081500"
QUIET_DB = -40.0
CLOSED, SMALL, OPEN, WAITING, ENDING = "9101", "9102", "9103", "9104", "9105"
ROOMS = (
    RoomDefinition(number=CLOSED, host_pin=HOST_PIN, guest_pin=GUEST_PIN),
    RoomDefinition(number=SMALL, max_participants=1),
    RoomDefinition(number=OPEN, music=False),
    RoomDefinition(number=WAITING, host_pin=HOST_PIN, host_leaves=HostLeaves.WAIT, music=False),
    RoomDefinition(number=ENDING, host_pin=HOST_PIN, host_leaves=HostLeaves.END, host_grace=0.5),
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MeetingEngine]:
    """One engine for all of them; none may have made it stumble."""
    with MeetingEngine(Path(tmp_path_factory.mktemp("engine")), ROOMS) as running:
        yield running
        assert_no_exception(running)


@contextmanager
def calling(
    engine: MeetingEngine, number: str, user: str, tone: int = 500
) -> Iterator[tuple[WirePhone, Voice]]:
    """A phone that has called a number and says its tone."""
    with WirePhone(engine.ready.address(), user=user) as phone:
        assert phone.call(number).status == 200
        with Voice(phone, tone) as voice:
            yield phone, voice
        if phone.up:
            assert phone.hang_up().status == 200


def joined(engine: MeetingEngine, room: str, *numbers: str) -> Told:
    """The room once these are in it."""

    def found() -> Told | None:
        told = engine.told(room)
        states = [(told.one(each) or {}).get("state") for each in numbers]
        return told if states == ["in"] * len(numbers) else None

    return eventually(found, f"{numbers} in {room}")


def hung_up(phone: WirePhone) -> str:
    """The Reason of the BYE that ends its call."""
    phone.listen(PATIENCE)
    bye = next((each for each in phone.asked if each.method == "BYE"), None)
    assert bye is not None, "no BYE came"
    return bye.headers.get("Reason") or ""


def counter(engine: MeetingEngine, name: str) -> int:
    return int(engine.status()["counters"].get(name, 0))


def test_a_wrong_pin_three_times(engine: MeetingEngine) -> None:
    """It is said each time, then the call ends with cause 403, and both are counted; nobody was on the list."""
    wrong, refused = counter(engine, "conference_wrong_pin"), counter(engine, "conference_pin_refused")
    with calling(engine, CLOSED, "101") as (phone, voice):
        for each in range(1, 4):
            phone.press("0000#")
            eventually(lambda each=each: counter(engine, "conference_wrong_pin") == wrong + each, "counted")
            assert engine.told(CLOSED).people == []
        assert "cause=403" in hung_up(phone)
        assert said(voice, "en/conference-wrong-pin") > 0.9
        assert said(voice, "en/conference-too-many-tries") > 0.9
    assert counter(engine, "conference_pin_refused") == refused + 1


def test_an_unknown_room(engine: MeetingEngine) -> None:
    """Asked for at the access number: it is said, and asked again; the third time the call ends with cause 404."""
    before = counter(engine, "conference_unknown_room")
    with calling(engine, "9000", "101") as (phone, voice):
        for each in range(1, 4):
            phone.press("1234#")
            eventually(
                lambda each=each: counter(engine, "conference_unknown_room") == before + each, "counted"
            )
        assert "cause=404" in hung_up(phone)
        assert said(voice, "en/conference-room-unknown") > 0.9


def test_a_full_room(engine: MeetingEngine) -> None:
    """Who comes when it is full is told so and ends with cause 486; who is in stays."""
    before = counter(engine, "conference_refused_full")
    with calling(engine, SMALL, "101"):
        joined(engine, SMALL, "101")
        with calling(engine, SMALL, "102") as (late, voice):
            assert "cause=486" in hung_up(late)
            assert said(voice, "en/conference-refused-full") > 0.9
        assert [each["number"] for each in engine.told(SMALL).people] == ["101"]
    assert counter(engine, "conference_refused_full") == before + 1


def test_a_number_that_may_not_be_called(engine: MeetingEngine) -> None:
    """Behind a link, for a room without an owner; no number at all; one of nobody: the host is told each time."""
    engine.cli("links", "add", "out", "--host", "127.0.0.1", "--port", "9", "--no-register", "--route", "4")
    engine.reload()
    before = counter(engine, "conference_dial_refused")
    with calling(engine, OPEN, "101") as (_, voice):
        told = joined(engine, OPEN, "101")
        (host,) = (each["id"] for each in told.people)
        engine.act(OPEN, c.SetRole(host, Role.HOST))

        def dial_ends(number: str) -> list[tuple[str, int]]:
            ends = [each for each in engine.told(OPEN).events if each["kind"] == "dial_ended"]
            return [
                (e["details"]["result"], e["details"]["status"])
                for e in ends
                if e["details"]["number"] == number
            ]

        assert engine.act(OPEN, c.DialOut("41234"), host).refused is None
        assert eventually(lambda: dial_ends("41234"), "dial_ended") == [("refused", 403)]
        assert counter(engine, "conference_dial_refused") == before + 1
        assert engine.act(OPEN, c.DialOut("1234567"), host).refused is None
        assert eventually(lambda: dial_ends("1234567"), "dial_ended") == [("unreachable", 404)]
        assert engine.act(OPEN, c.DialOut("sip:me@example.com"), host).refused == "bad_number"
        for words in ("refused", "unreachable"):
            eventually(lambda words=words: said(voice, f"en/conference-called-{words}") > 0.9, words)
        assert [each["id"] for each in engine.told(OPEN).people] == [host]


def test_a_busy_phone(engine: MeetingEngine) -> None:
    """A line that answers 486 is reported busy; one that declines is reported refused."""
    engine.add_line("201", "a-long-enough-password")
    engine.reload()
    with (
        calling(engine, OPEN, "101"),
        WirePhone(engine.ready.address(), user="201", password="a-long-enough-password") as called,
    ):
        joined(engine, OPEN, "101")
        eventually(lambda: called.register().status == 200, "registered")
        for answer, result in ((486, "busy"), (603, "refused")):
            called.answers["INVITE"] = answer
            called.asked.clear()
            begun = len(engine.told(OPEN).events)
            engine.act(OPEN, c.DialOut("201"))
            called.listen(PATIENCE, "ACK")
            ended = eventually(
                lambda begun=begun: [
                    each["details"]["result"]
                    for each in engine.told(OPEN).events[begun:]
                    if each["kind"] == "dial_ended"
                ],
                "dial_ended",
            )
            assert ended == [result]


def test_the_host_leaves_and_the_guests_wait(engine: MeetingEngine) -> None:
    """Guests hear one another until the host leaves, then nothing of the room, and again when a host is back."""
    with (
        calling(engine, WAITING, "101", 1300) as (one, hears),
        calling(engine, WAITING, "102", 1900) as (two, _),
    ):
        for each in (one, two):
            each.press("#")
        with calling(engine, WAITING, "100", 700) as (host, _):
            host.press(HOST_PIN)
            joined(engine, WAITING, "100", "101", "102")
            eventually(lambda: loudness(hears, 1900) > -3 and loudness(hears, 700) > -3, "heard")
        eventually(
            lambda: all(each["state"] == "lobby" for each in engine.told(WAITING).people), "in the lobby"
        )
        eventually(lambda: loudness(hears, 1900) < QUIET_DB and loudness(hears, 700) < QUIET_DB, "not heard")
        with calling(engine, WAITING, "100", 700) as (host, _):
            host.press(HOST_PIN)
            joined(engine, WAITING, "100", "101", "102")
            eventually(lambda: loudness(hears, 1900) > -3 and loudness(hears, 700) > -3, "heard again")
            kinds = [each["kind"] for each in engine.told(WAITING).events]
            assert kinds.index("host_awaited") < kinds.index("host_back")


def test_the_host_leaves_and_the_meeting_ends(engine: MeetingEngine) -> None:
    """The guest is told that the host has left, and that the meeting has ended; then its call ends."""
    with calling(engine, ENDING, "101") as (guest, voice):
        guest.press("#")
        with calling(engine, ENDING, "100") as (host, _):
            host.press(HOST_PIN)
            joined(engine, ENDING, "100", "101")
        hung_up(guest)
        assert said(voice, "en/conference-ended") > 0.9
    events = engine.told(ENDING).events
    assert [each["details"]["reason"] for each in events if each["kind"] == "closed"] == ["host_left"]


def test_a_worker_is_killed(engine: MeetingEngine) -> None:
    """``kill -9`` during the meeting: all hear one another again, who was muted stays so, and nobody has left."""
    with (
        calling(engine, OPEN, "101", 1300) as (_, first),
        calling(engine, OPEN, "102", 1900) as (_, second),
        calling(engine, OPEN, "103", 700),
    ):
        people = {each["number"]: each["id"] for each in joined(engine, OPEN, "101", "102", "103").people}
        engine.act(OPEN, c.Mute(people["103"]))

        def as_before() -> bool:
            return (
                loudness(first, 1900) > -3
                and loudness(second, 1300) > -3
                and max(loudness(each, 700) for each in (first, second)) < QUIET_DB
            )

        eventually(as_before, "before")
        events = len(engine.told(OPEN).events)
        lost = engine.status()["counters"].get("workers_lost", 0)
        for each in engine.status()["workers"]:
            os.kill(each["pid"], signal.SIGKILL)
        heard = first.arrivals, second.arrivals
        eventually(
            lambda: first.arrivals > heard[0] + 100 and second.arrivals > heard[1] + 100, "sound again"
        )
        eventually(
            as_before, lambda: [loudness(ear, tone) for ear in (first, second) for tone in (700, 1300, 1900)]
        )
        after = engine.told(OPEN)
        assert {each["number"]: each["id"] for each in after.people} == people
        assert not {each["kind"] for each in after.events[events:]} & {"left", "waiting", "closed"}
        assert engine.status()["counters"]["workers_lost"] == lost + 1
