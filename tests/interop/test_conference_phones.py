"""Ten real phones, five of pjsua2 and five of baresip, meet through Kamailio and work by keys alone."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
import soundfile

from conference.definition import Lobby, RecordKind, RoomDefinition
from tests.interop import sound
from tests.interop.baresip import Baresip
from tests.interop.ears import blocks_of
from tests.interop.kamailio import REALM, Kamailio, password_of
from tests.interop.meetings import PATIENCE, MeetingEngine, Told, eventually
from tests.interop.phone import Phone
from tests.interop.quiet_log import assert_no_exception

pytestmark = [pytest.mark.needs("kamailio", "pjsua2", "baresip"), pytest.mark.slow]

ACCESS, ROOM, HOST_PIN, GUEST_PIN = "3000", "9101", "081500", "4711"
TONES = tuple(range(500, 1500, 100))
"""Of each phone; the first is the host's, the even ones are said by pjsua2."""
LEVEL_DBFS = -22.0
LOUD = 400.0
"""A tone that is there: half of what the phones say, 16 bit values."""


class Member(Protocol):
    """A phone of either make."""

    def dial(self) -> None: ...
    def press(self, keys: str) -> None: ...
    def hang_up(self) -> None: ...
    def is_sent_away(self) -> None: ...


class PjsuaMember:
    """With a file for what it hears while it listens."""

    def __init__(self, phone: Phone, uri: str, tone: Path) -> None:
        self.phone, self._uri, self._tone = phone, uri, tone

    def dial(self) -> None:
        self.phone.call(self._uri)
        self.phone.wait_for("confirmed", timeout=PATIENCE)
        self.phone.play(self._tone, loop=True)

    def press(self, keys: str) -> None:
        self.phone.send_dtmf(keys)

    def hang_up(self) -> None:
        self.phone.hangup()

    def is_sent_away(self) -> None:
        self.phone.wait_for("disconnected", timeout=PATIENCE)

    def tones(self, name: str) -> set[int]:
        """Those it hears now."""
        path = self.phone.hears(0.6, name=name)
        samples, rate = soundfile.read(path, dtype="int16")
        return tones_in(blocks_of(samples.astype(np.float64), rate)[-4:])


class BaresipMember:
    """It says its tone as long as its file is."""

    def __init__(self, phone: Baresip, uri: str) -> None:
        self._phone, self._uri = phone, uri

    def dial(self) -> None:
        self._phone.dial(self._uri)
        self._phone.wait_for("CALL_ESTABLISHED", timeout=PATIENCE)

    def press(self, keys: str) -> None:
        self._phone.press(keys)

    def hang_up(self) -> None:
        self._phone.command("hangup")

    def is_sent_away(self) -> None:
        self._phone.wait_for("CALL_CLOSED", timeout=PATIENCE)


def tones_in(blocks: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> set[int]:
    """The tones that sound through most of these blocks of 100 ms."""
    if not len(blocks):
        return set()
    spectrum = np.abs(np.fft.rfft(blocks, axis=1)) * 2 / blocks.shape[1]
    return {tone for tone in TONES if np.median(spectrum[:, tone // 10]) > LOUD}


def members(stack: ExitStack, folder: Path, pbx: Kamailio) -> list[Member]:
    """Ten phones, the host's first."""
    found: list[Member] = []
    for index, tone in enumerate(TONES):
        own = folder / f"phone-{index}"
        own.mkdir()
        number = str(1000 + index)
        account = {"user": number, "password": password_of(number)}
        source = sound.tone_file(own, tone, 2.0 if index % 2 == 0 else 300.0, LEVEL_DBFS)
        uri = f"sip:{number}@127.0.0.1"
        if index % 2 == 0:
            phone = Phone(own, number, uri=uri, registrar=pbx.uri(), codecs=("PCMU",), **account)
            found.append(PjsuaMember(stack.enter_context(phone), pbx.uri(ACCESS), source))
        else:
            bare = Baresip(own, source, uri=uri, codecs="PCMU/8000/1", **account)
            found.append(BaresipMember(stack.enter_context(bare), pbx.uri(ACCESS)))
    return found


def test_ten_phones_meet(tmp_path: Path) -> None:
    """PIN, lobby, admitted, recorded, all muted, a hand raised and given the floor, one expelled: all by keys."""
    definition = RoomDefinition(
        number=ROOM, host_pin=HOST_PIN, guest_pin=GUEST_PIN, lobby=Lobby.ADMIT, record=RecordKind.TRACKS,
        music=False, loudest=0, max_participants=10,
    )  # fmt: skip
    with (
        Kamailio(tmp_path) as pbx,
        MeetingEngine(tmp_path, [definition]) as engine,
        ExitStack() as stack,
    ):
        engine.cli(
            "links", "add", "pbx", "--host", "127.0.0.1", "--port", str(pbx.port), "--realm", REALM,
        )  # fmt: skip
        engine.cli(
            "automates", "add", ACCESS, "conference", "--link", "pbx",
            "--password-file", engine.password_file(password_of(ACCESS)),
        )  # fmt: skip
        pbx.wait_registered({ACCESS})
        host, *guests = everybody = members(stack, tmp_path, pbx)

        def wait(condition: str, states: dict[str, int]) -> Told:
            """The room once so many are in each state."""

            def found() -> Told | None:
                told = engine.told(ROOM)
                now = [each["state"] for each in told.people]
                return told if {each: now.count(each) for each in now} == states else None

            return eventually(found, lambda: f"{condition}: {engine.told(ROOM).people}")

        assert isinstance(host, PjsuaMember)
        for count, each in enumerate(everybody):
            each.dial()
            each.press(f"{ROOM}#{GUEST_PIN if count else HOST_PIN}")
            told = wait("PIN and lobby", {"in": 1, **({"lobby": count} if count else {})})
        assert [each["role"] for each in told.people] == ["host", *["guest"] * 9]
        assert host.tones("alone") == set()

        host.press("#21")
        wait("one is admitted", {"in": 2, "lobby": 8})
        host.press("9")
        wait("all are admitted", {"in": 10})
        hears(host, set(TONES[1:]))
        listener = guests[1]
        assert isinstance(listener, PjsuaMember)
        hears(listener, {tone for tone in TONES if tone != TONES[2]})

        host.press("#5")
        eventually(lambda: engine.told(ROOM).recording, "recorded")
        time.sleep(2.0)

        host.press("#1")
        eventually(
            lambda: all(each["muted_by_host"] for each in engine.told(ROOM).people[1:]), "all are muted"
        )
        hears(listener, {TONES[0]})

        guests[4].press("*2")
        eventually(lambda: [each["hand"] for each in engine.told(ROOM).people].index(True) == 5, "a hand")
        host.press("#3")
        time.sleep(0.5)
        host.press("1")
        eventually(lambda: not engine.told(ROOM).people[5]["hand"], "has the floor")
        hears(listener, {TONES[0], TONES[5]})

        host.press("#7")
        time.sleep(0.5)
        host.press("2")
        wait("the first guest is expelled", {"in": 9})
        guests[0].is_sent_away()
        assert "1001" not in {each["number"] for each in engine.told(ROOM).people}

        host.press("*#5")
        eventually(lambda: not engine.told(ROOM).recording, "recorded no more")
        for each in (host, *guests[1:]):
            each.hang_up()
        eventually(lambda: engine.told(ROOM).people == [], "all have left")
        check_tracks(engine, tmp_path)
        assert_no_exception(engine)


def hears(member: PjsuaMember, tones: set[int]) -> None:
    """Wait until it hears just these."""
    heard: list[set[int]] = []

    def as_wanted() -> bool:
        heard.append(member.tones(f"heard-{time.monotonic_ns()}"))
        return heard[-1] == tones

    eventually(as_wanted, lambda: f"{heard[-1]} instead of {tones}")


def check_tracks(engine: MeetingEngine, folder: Path) -> None:
    """Ten tracks of one length, each with one phone's tone; the nine guests' end at once, when all are muted."""
    (recording,) = eventually(lambda: engine.listing("recordings"), "a recording")
    target = folder / "channels.wav"
    engine.cli("recordings", "export", str(recording["id"]), str(target), "--layout", "channels")
    samples, rate = soundfile.read(target, dtype="int16", always_2d=True)
    assert samples.shape[1] == 10
    muted: dict[int, int] = {}
    for channel in samples.T.astype(np.float64):
        blocks = blocks_of(channel, rate)
        found = tones_in(blocks[5:15])
        assert len(found) == 1, found
        (tone,) = found
        line = np.abs(np.fft.rfft(blocks, axis=1))[:, tone // 10] * 2 / blocks.shape[1]
        silent = np.flatnonzero(line < LOUD / 4)
        silent = silent[silent > 5]
        if tone != TONES[0]:
            muted[tone] = int(silent[0])
    assert set(muted) == set(TONES[1:])
    assert max(muted.values()) - min(muted.values()) <= 1, muted
