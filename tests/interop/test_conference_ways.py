"""Into a meeting, from one to another and out of it: a phone, a secure phone and a bot, heard at every step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conference import commands as c
from conference.role import Role
from tests.interop.ears import loudness
from tests.interop.meetings import PATIENCE, eventually
from tests.interop.tone_meeting import (
    BOT,
    EVERYBODY,
    GONE_DB,
    HOST,
    LOBBY,
    NEAR_DB,
    OTHER,
    PHONE,
    ROOM,
    SECURE,
    TONES,
    Meeting,
    away,
    tone_meeting,
    unheard,
)
from tests.interop.wire_phone import WirePhone
from tests.interop.wire_sound import Voice

pytestmark = [pytest.mark.needs("baresip"), pytest.mark.slow]


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meeting]:
    with tone_meeting(Path(tmp_path_factory.mktemp("meeting"))) as running:
        yield running


@pytest.mark.parametrize("who", EVERYBODY)
def test_the_lobby(meeting: Meeting, who: str) -> None:
    """Transferred to a room with a lobby it hears nothing of it until it is admitted; then back; then turned away."""
    engine = meeting.engine
    meeting.gather()
    meeting.hears()
    begun = len(engine.told(LOBBY).events)
    with WirePhone(engine.ready.address(), user="110") as phone:
        assert phone.call(LOBBY).status == 200
        with Voice(phone, 700) as there:
            meeting.wait(lambda told: told.one("110"), "the other is there", LOBBY)
            engine.act(LOBBY, c.Admit(meeting.id("110", LOBBY)))
            meeting.wait(lambda told: meeting.is_in(told, "110"), "the other is in", LOBBY)
            ear, tone = (there, 700) if who == BOT else (meeting.ears[who], 700)
            for admitted in (True, False):
                assert engine.act(ROOM, c.Transfer(meeting.id(who), LOBBY, room=True)).refused is None
                waits = meeting.wait(lambda told: told.one(who), "in the lobby", LOBBY).one(who)
                assert waits is not None
                assert waits["state"] == "lobby"
                assert engine.told(ROOM).one(who) is None
                for each in (PHONE, SECURE):
                    meeting.hears(away(who), only=each)
                assert loudness(ear, tone) < GONE_DB
                command = c.Admit(waits["id"]) if admitted else c.Deny(waits["id"])
                assert engine.act(LOBBY, command).refused is None
                if admitted:
                    eventually(lambda: loudness(ear, tone) > -NEAR_DB, "hears the other")
                    assert engine.act(LOBBY, c.Transfer(waits["id"], ROOM, room=True)).refused is None
                    meeting.gather()
                    meeting.hears()
            meeting.is_over(who)
            assert engine.told(LOBBY).one(who) is None
        assert phone.hang_up().status == 200
    told = engine.told(LOBBY)
    kinds = [each["kind"] for each in told.events[begun:] if each["participant"] == waits["id"]]
    assert [each for each in kinds if each not in ("talking", "silent")] == ["joined", "left"]


def test_a_line_is_called(meeting: Meeting) -> None:
    """Its phone rings, and answered it is in, under the name and role that were said: hears and is heard."""
    meeting.gather()
    engine, begun = meeting.engine, len(meeting.engine.told(ROOM).events)
    engine.add_line("201", "a-long-enough-password")
    engine.reload()
    with WirePhone(engine.ready.address(), user="201", password="a-long-enough-password") as called:
        eventually(lambda: called.register().status == 200, "registered")
        called.picks_up = True
        assert engine.act(ROOM, c.DialOut("201", "Zoé", Role.HOST), meeting.id(HOST)).refused is None
        called.listen(PATIENCE, "ACK")
        one = meeting.wait(lambda told: meeting.is_in(told, "201"), "in").one("201")
        assert one is not None
        assert (one["name"], one["role"], one["kind"]) == ("Zoé", "host", "phone")
        with Voice(called, 700) as voice:
            eventually(
                lambda: min(loudness(voice, tone) for tone in TONES.values()) > -NEAR_DB, "it hears them"
            )
            eventually(
                lambda: min(loudness(each, 700) for each in meeting.ears.values()) > -NEAR_DB, "is heard"
            )
        assert called.hang_up().status == 200
    meeting.wait(lambda told: told.one("201") is None, "gone")
    kinds = [each["kind"] for each in meeting.events(begun)]
    assert kinds == ["dialled", "dial_ended", "joined", "entered", "left"]
    bot = (engine.told(ROOM).one(BOT) or {})["kind"]
    assert bot == "bot"


@pytest.mark.parametrize("who", EVERYBODY)
def test_expelled(meeting: Meeting, who: str) -> None:
    """It is off the list and heard by nobody, and its call ends."""
    meeting.gather()
    meeting.hears()
    one, host = meeting.id(who), meeting.id(HOST)
    told = meeting.engine.act(ROOM, c.Expel(one), host)
    assert told.one(who) is None
    assert {"kind": "left", "participant": one, "actor": host, "details": {"reason": "expelled"}}.items() <= (
        told.events[-1].items()
    )
    for each in (PHONE, SECURE):
        if each != who:
            meeting.hears(away(who), only=each)
    meeting.is_over(who)


@pytest.mark.parametrize("who", [PHONE, SECURE])
def test_transferred_to_a_number(meeting: Meeting, who: str) -> None:
    """It is connected with the number (an echo: it hears itself, as loud as it speaks), and off the list."""
    meeting.gather()
    meeting.hears()
    assert meeting.engine.act(ROOM, c.Transfer(meeting.id(who), "5000"), meeting.id(HOST)).refused is None
    assert meeting.engine.told(ROOM).one(who) is None
    eventually(lambda: abs(loudness(meeting.ears[who], TONES[who])) < 1.5, "hears itself")
    meeting.hang_up(who)
    meeting.is_over(who)


def test_merged(meeting: Meeting) -> None:
    """Everybody goes over into the other room, with role and mute, and hears the same there; and back again."""
    meeting.gather()
    meeting.hears()
    meeting.engine.act(ROOM, c.Mute(meeting.id(SECURE)), meeting.id(HOST))
    meeting.hears(unheard(SECURE))
    for origin, into in ((ROOM, OTHER), (OTHER, ROOM)):
        assert meeting.engine.act(origin, c.Merge(into)).refused is None
        told = meeting.engine.told(into)
        assert {each["number"] for each in told.people} == {HOST, *EVERYBODY}
        assert (told.one(HOST) or {})["role"] == "host"
        assert (told.one(SECURE) or {})["muted_by_host"] is True
        assert meeting.engine.told(origin).people == []
        assert meeting.engine.told(origin).events[-1]["details"] == {"reason": "merged"}
        meeting.hears(unheard(SECURE))
    meeting.engine.act(ROOM, c.Unmute(meeting.id(SECURE)), meeting.id(HOST))
    meeting.hears()


def test_zz_ended_for_all(meeting: Meeting) -> None:
    """Every call ends, the meeting is closed, and the next one in that room is another."""
    meeting.gather()
    meeting.hears()
    told = meeting.engine.act(ROOM, c.End(), meeting.id(HOST))
    assert told.people == []
    assert (told.events[-1]["kind"], told.events[-1]["details"]) == ("closed", {"reason": "ended"})
    for who in (HOST, *EVERYBODY):
        meeting.is_over(who)
