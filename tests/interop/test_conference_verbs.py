"""The table of verbs: each done to a phone (UDP, PCMU), a secure one (TLS, SRTP, Opus) and a bot (an automate).

A row does the verb and waits until exactly the sounds that must be gone are gone, then undoes it and waits until all
are back; the list and the events are compared as well. One meeting for all rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from conference import commands as c
from conference.definition import RecordKind
from conference.role import Role
from tests.interop.meetings import PATIENCE, eventually
from tests.interop.tone_meeting import (
    BOT,
    BOT_GAIN,
    EVERYBODY,
    HOST,
    LINKS,
    OTHER,
    PHONE,
    ROOM,
    SECURE,
    SPEECH_DB,
    Link,
    Meeting,
    away,
    speech,
    tone_meeting,
    tones_in,
    unheard,
)
from tests.interop.wire_phone import WirePhone

pytestmark = [pytest.mark.needs("baresip"), pytest.mark.slow]

SOME_BLOCKS = 0.7
"""Seconds: some blocks of 100 ms, and what a recording is late."""


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meeting]:
    with tone_meeting(Path(tmp_path_factory.mktemp("meeting"))) as running:
        yield running


@dataclass(frozen=True)
class Row:
    """A verb done to somebody. do, undo: by the id of whom it concerns. by: None: itself, else the host.

    gone, shifted: what is not heard then, and what otherwise. shows, later: fields of its entry then, and after undo.
    kinds: the events of doing and of undoing it; details: of the first. speaks: who is told of it in words.
    """

    name: str
    do: Callable[[int], c.Command]
    undo: Callable[[int], c.Command]
    kinds: tuple[str, ...]
    shows: Mapping[str, Any]
    later: Mapping[str, Any]
    gone: Callable[[str], frozenset[Link]] = lambda _: frozenset()
    shifted: Callable[[str], Mapping[Link, float]] = lambda _: {}
    by_host: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)
    speaks: Callable[[str], tuple[str, ...]] = lambda _: ()


def softer_to(who: str) -> Mapping[Link, float]:
    """Everything one hears is 10 dB softer; the bot says it back so."""
    return {link: -10.0 for link in LINKS if link[0] == who or (who == BOT and link[1] == BOT)}


def softer_from(who: str) -> Mapping[Link, float]:
    """Everything that is heard of one is 10 dB softer."""
    return dict.fromkeys(unheard(who), -10.0)


ROWS = (
    Row("mute itself", c.Mute, c.Unmute, ("muted", "unmuted"), {"muted": True}, {"muted": False}, unheard),
    Row(
        "be muted",
        c.Mute,
        c.Unmute,
        ("muted", "unmuted"),
        {"muted_by_host": True},
        {"muted_by_host": False},
        unheard,
        by_host=True,
        details={"by_host": True},
    ),
    Row(
        "only listen",
        lambda i: c.ListenOnly(i, True),
        lambda i: c.ListenOnly(i, False),
        ("listen_only", "listen_only"),
        {"listen_only": True},
        {"listen_only": False},
        unheard,
        details={"on": True},
    ),
    Row(
        "be made to listen",
        lambda i: c.ListenOnly(i, True),
        lambda i: c.ListenOnly(i, False),
        ("listen_only", "listen_only"),
        {"listen_only_by_host": True},
        {"listen_only_by_host": False},
        unheard,
        by_host=True,
        details={"by_host": True},
    ),
    Row(
        "hear softer",
        lambda i: c.SetVolume(i, -10.0),
        lambda i: c.SetVolume(i, 0.0),
        ("volume", "volume"),
        {"volume_db": -10.0},
        {"volume_db": 0.0},
        shifted=softer_to,
        details={"volume_db": -10.0},
    ),
    Row(
        "step aside",
        lambda i: c.StepAside((i,)),
        c.StepBack,
        ("aside", "back", "entered"),
        {"state": "aside"},
        {"state": "in", "aside": None},
        away,
        by_host=True,
    ),
    Row(
        "rename",
        lambda i: c.Rename(i, "Ève"),
        lambda i: c.Rename(i, "Adam"),
        ("renamed", "renamed"),
        {"name": "Ève"},
        {"name": "Adam"},
        details={"name": "Ève"},
    ),
    Row(
        "change role",
        lambda i: c.SetRole(i, Role.HOST),
        lambda i: c.SetRole(i, Role.GUEST),
        ("role", "role"),
        {"role": "host"},
        {"role": "guest"},
        by_host=True,
        details={"role": "host"},
    ),
    Row(
        "ask to speak",
        c.RaiseHand,
        c.LowerHand,
        ("hand_raised", "hand_lowered"),
        {"hand": True},
        {"hand": False},
        speaks=lambda who: (HOST, *((who,) if who != BOT else ())),
    ),
)
GAIN = Row(
    "be softer", lambda i: c.SetGain(i, -10.0), lambda i: c.SetGain(i, 0.0), ("gain", "gain"), {"gain_db": -10.0},
    {"gain_db": 0.0}, shifted=softer_from, by_host=True, details={"gain_db": -10.0},
)  # fmt: skip
BOT_GAIN_ROW = Row(
    "be softer", lambda i: c.SetGain(i, BOT_GAIN - 8), lambda i: c.SetGain(i, BOT_GAIN), ("gain", "gain"),
    {"gain_db": BOT_GAIN - 8}, {"gain_db": BOT_GAIN}, shifted=lambda who: dict.fromkeys(unheard(who), -8.0),
    by_host=True,
)  # fmt: skip
CASES = [
    *((who, row) for row in ROWS for who in EVERYBODY),
    (PHONE, GAIN),
    (SECURE, GAIN),
    (BOT, BOT_GAIN_ROW),
]


@pytest.mark.parametrize(("who", "row"), CASES, ids=[f"{row.name}-{who}" for who, row in CASES])
def test_a_verb(meeting: Meeting, who: str, row: Row) -> None:
    """Its effect is heard by everybody whom it concerns and nobody else, listed and told; undone it is as before."""
    meeting.gather()
    meeting.hears()
    one, host = meeting.id(who), meeting.id(HOST)
    by = host if row.by_host else one
    begun = len(meeting.engine.told(ROOM).events)
    assert meeting.shows(who, meeting.engine.act(ROOM, row.do(one), by)) >= row.shows.items()
    for each in row.speaks(who):
        eventually(lambda each=each: speech(meeting.ears[each]) > SPEECH_DB, f"{each} is told")
    meeting.hears(row.gone(who), row.shifted(who))
    assert meeting.shows(who, meeting.engine.act(ROOM, row.undo(one), by)) >= row.later.items()
    meeting.hears()
    events = [each for each in meeting.events(begun) if each["participant"] == one]
    assert tuple(each["kind"] for each in events) == row.kinds
    assert events[0]["actor"] == by
    assert events[0]["details"].items() >= row.details.items()


HOSTS_ONLY: tuple[Callable[[int], c.Command], ...] = (
    c.Mute, c.Unmute, lambda _: c.MuteAll(), lambda _: c.UnmuteAll(), c.LowerHand, c.Admit, c.Deny, c.Expel,
    lambda i: c.SetRole(i, Role.HOST), lambda i: c.Rename(i, "x"), lambda i: c.SetGain(i, 3.0),
    lambda i: c.ListenOnly(i, True), lambda i: c.StepAside((i,)), c.StepBack, lambda _: c.StartRecording(),
    lambda _: c.StopRecording(), lambda _: c.PauseRecording(), lambda _: c.ResumeRecording(), lambda _: c.Lock(),
    lambda _: c.Unlock(), lambda _: c.DialOut("5000"), lambda i: c.Transfer(i, "5000"),
    lambda _: c.Merge(OTHER), lambda _: c.End(),
)  # fmt: skip


@pytest.mark.parametrize("who", EVERYBODY)
def test_a_guest_may_not(meeting: Meeting, who: str) -> None:
    """What only hosts may is refused to guests of every kind, as is what one does only to oneself; nothing changes."""
    meeting.gather()
    one, host = meeting.id(who), meeting.id(HOST)
    before = meeting.engine.told(ROOM)
    for make in HOSTS_ONLY:
        assert meeting.engine.act(ROOM, make(host), one).refused == "not_host", make(host)
    for command in (c.SetVolume(one, 3.0), c.RaiseHand(one), c.GiveConsent(one, True)):
        assert meeting.engine.act(ROOM, command, host).refused == "not_yours", command
    assert [each["kind"] for each in meeting.events(len(before.events))] == []
    meeting.hears()


def test_everybody_is_muted(meeting: Meeting) -> None:
    """Guests of every kind, and who comes then; the host is not."""
    meeting.gather()
    meeting.hears()
    begun, host = len(meeting.engine.told(ROOM).events), meeting.id(HOST)
    told = meeting.engine.act(ROOM, c.MuteAll(), host)
    assert {each["number"]: each["muted_by_host"] for each in told.people} == {HOST: False} | dict.fromkeys(
        EVERYBODY, True
    )
    meeting.hears(frozenset(LINKS))
    meeting.engine.act(ROOM, c.UnmuteAll(), host)
    meeting.hears()
    assert [each["kind"] for each in meeting.events(begun)] == ["all_muted", "all_unmuted"]


def test_the_number_of_participants_is_said(meeting: Meeting) -> None:
    """To one who asks, and by the host to all."""
    meeting.gather()
    meeting.hears()
    begun = len(meeting.engine.told(ROOM).events)
    for who in (PHONE, SECURE):
        one = meeting.id(who)
        eventually(lambda who=who: speech(meeting.ears[who]) < SPEECH_DB - 10, "quiet")
        assert meeting.engine.act(ROOM, c.AnnounceCount(one), one).refused is None
        eventually(lambda who=who: speech(meeting.ears[who]) > SPEECH_DB, "the number is said")
    eventually(lambda: max(map(speech, meeting.ears.values())) < SPEECH_DB - 10, "quiet")
    assert meeting.engine.act(ROOM, c.AnnounceCount(), meeting.id(HOST)).refused is None
    eventually(lambda: min(map(speech, meeting.ears.values())) > SPEECH_DB, "all hear it")
    assert [each["details"]["count"] for each in meeting.events(begun)] == [4, 4, 4]


def test_the_meeting_is_recorded(meeting: Meeting) -> None:
    """Everybody is told; the file has both tones, and none of them from while it was paused."""
    meeting.gather()
    host = meeting.id(HOST)
    begun = len(meeting.engine.told(ROOM).events)
    assert meeting.engine.act(ROOM, c.StartRecording(RecordKind.MIX), host).refused is None
    meeting.wait(lambda told: told.recording, "recorded")
    meeting.hears()
    path = eventually(lambda: list((meeting.engine.data / "recordings").glob("*.wav")), "a file")[-1]
    time.sleep(SOME_BLOCKS)
    assert meeting.engine.act(ROOM, c.PauseRecording(), host).refused is None
    time.sleep(SOME_BLOCKS)
    assert meeting.engine.act(ROOM, c.ResumeRecording(), host).refused is None
    time.sleep(SOME_BLOCKS)
    assert meeting.engine.act(ROOM, c.StopRecording(), host).refused is None
    kinds = [each["kind"] for each in meeting.events(begun) if each["kind"].startswith("recording")]
    assert kinds == [f"recording_{each}" for each in ("asked", "started", "paused", "resumed", "stopped")]
    eventually(lambda: tones_in(path) >= {(True, True), (False, False)}, lambda: tones_in(path))


def test_a_locked_room(meeting: Meeting) -> None:
    """Nobody comes in, who tries is told so and ends with cause 403; those who are in go on; unlocked it is open."""
    meeting.gather()
    host = meeting.id(HOST)
    assert meeting.engine.act(ROOM, c.Lock(), host).locked
    with WirePhone(meeting.engine.ready.address(), user="102") as late:
        assert late.call(ROOM).status == 200
        late.listen(PATIENCE)
        (bye,) = (each for each in late.asked if each.method == "BYE")
        assert "cause=403" in (bye.headers.get("Reason") or "")
        assert meeting.engine.told(ROOM).one("102") is None
        assert not meeting.engine.act(ROOM, c.Unlock(), host).locked
        assert late.call(ROOM).status == 200
        meeting.wait(lambda told: told.one("102") is not None, "let in")
        assert late.hang_up().status == 200
    meeting.wait(lambda told: told.one("102") is None, "gone")
    meeting.hears()
