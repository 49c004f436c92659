"""A meeting in which everybody can tell by a tone whom they hear: a host, a phone, a secure phone and a bot.

The phone (UDP, PCMU) and the secure one (TLS, SRTP, Opus) say a tone of their own, the bot (an automate that the room
has called) says back what it hears, softer, and the host says nothing: so every two of them have a sound by which to
tell whether one hears the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from conference import commands as c
from conference.definition import Lobby, RoomDefinition
from conference.role import Role
from tests.interop.baresip import Baresip
from tests.interop.ears import Ear, FileEar, blocks_of, loudness
from tests.interop.meetings import PATIENCE, MeetingEngine, Told, eventually
from tests.interop.quiet_log import assert_no_exception
from tests.interop.wire_phone import WirePhone
from tests.interop.wire_sound import AMPLITUDE, Voice

HOST, PHONE, SECURE, BOT = "100", "101", "bare", "5000"
EVERYBODY = (PHONE, SECURE, BOT)
TONES = {PHONE: 1300, SECURE: 1900}
BOT_GAIN = -12.0
SPOKEN = 300
"""Seconds of the secure phone's tone, longer than it is in any call."""
ROOM, LOBBY, OTHER = "9101", "9102", "9103"
ROOMS = (
    RoomDefinition(number=ROOM, music=False),
    RoomDefinition(number=LOBBY, lobby=Lobby.ADMIT, music=False),
    RoomDefinition(number=OTHER, music=False),
)
GONE_DB, NEAR_DB, SPEECH_DB = -28.0, 4.0, -20.0

Link = tuple[str, str]
"""Who hears whom. By the bot one hears oneself."""
LINKS: Mapping[Link, tuple[int, float]] = {
    (HOST, PHONE): (TONES[PHONE], 0.0),
    (HOST, SECURE): (TONES[SECURE], 0.0),
    (PHONE, SECURE): (TONES[SECURE], 0.0),
    (SECURE, PHONE): (TONES[PHONE], 0.0),
    (PHONE, BOT): (TONES[PHONE], BOT_GAIN),
    (SECURE, BOT): (TONES[SECURE], BOT_GAIN),
}
"""The tone by which that is heard, and how loud."""


def unheard(who: str) -> frozenset[Link]:
    """What is gone when nobody hears somebody: the bot has no sound but that of others."""
    return frozenset(link for link in LINKS if who in (link[1], *((link[0],) if link[1] == BOT else ())))


def away(who: str) -> frozenset[Link]:
    """What is gone when somebody is not in the room at all."""
    return frozenset(link for link in LINKS if who in link)


class SecurePhone:
    """Baresip over TLS with SRTP and Opus, which can call again."""

    def __init__(self, engine: MeetingEngine, folder: Path) -> None:
        self._engine, self._folder = engine, folder
        source = folder / "tone.wav"
        wave = AMPLITUDE / 32768 * np.sin(2 * np.pi * TONES[SECURE] * np.arange(SPOKEN * 48000) / 48000)
        soundfile.write(source, wave, 48000, "PCM_16")
        self.phone = Baresip(
            folder,
            source,
            transport="tls",
            ca_file=str(engine.data / "tls" / "cert.pem"),
            srtp="srtp-mand",
            codecs="opus/48000/1",
            source_rate=48000,
        )

    def call(self) -> None:
        self.phone.dial(self._engine.uri(ROOM, "tls"))
        self.phone.wait_for("CALL_ESTABLISHED", timeout=PATIENCE)

    def ear(self) -> Ear:
        """What it hears in its last call."""
        eventually(
            lambda: list((self._folder / "baresip" / "heard").glob("*-dec.wav")), "a file of what it hears"
        )
        return FileEar(self.phone.heard(), 48000)


class Meeting:
    """The room with the four of them in it."""

    def __init__(self, engine: MeetingEngine, stack: ExitStack, folder: Path) -> None:
        self.engine = engine
        self._stack = stack
        address = engine.ready.address()
        self.phones = {each: stack.enter_context(WirePhone(address, user=each)) for each in (HOST, PHONE)}
        self.voices: dict[str, Voice] = {}
        self.secure = SecurePhone(engine, folder)
        stack.enter_context(self.secure.phone)
        self.ears: dict[str, Ear] = {}

    def gather(self) -> None:
        """Have everybody in the room who is not."""
        told = self.engine.told(ROOM)
        for number, phone in self.phones.items():
            if told.one(number) is None:
                self._ring_off(number)
                assert phone.call(ROOM).status == 200
                silent = [b"\xff" * 160] if number == HOST else None
                voice = Voice(phone, TONES.get(number, 500), frames=silent)
                self.voices[number] = self._stack.enter_context(voice)
                self.ears[number] = voice
        if told.one(SECURE) is None:
            self.secure.call()
            self.ears[SECURE] = self.secure.ear()
        if told.one(BOT) is None:
            assert self.engine.act(ROOM, c.DialOut(BOT, "Echo")).refused is None
        self.wait(lambda told: all(self.is_in(told, each) for each in (HOST, *EVERYBODY)), "all are in")
        codecs = {each["number"]: each["codec"] for each in self.engine.told(ROOM).people}
        assert (codecs[PHONE], codecs[SECURE]) == ("PCMU/8000", "opus/48000")
        self.engine.act(ROOM, c.SetRole(self.id(HOST), Role.HOST))
        self.engine.act(ROOM, c.SetGain(self.id(BOT), BOT_GAIN), self.id(HOST))

    def events(self, begun: int) -> list[dict[str, Any]]:
        """Those since then, but for who talks."""
        found = self.engine.told(ROOM).events[begun:]
        return [each for each in found if each["kind"] not in ("talking", "silent")]

    def shows(self, who: str, told: Told) -> Any:
        """What the list says of one, after something that was not refused."""
        assert told.refused is None
        return (told.one(who) or {}).items()

    def hang_up(self, who: str) -> None:
        """A phone ends its call."""
        if who == SECURE:
            self.secure.phone.command("hangup")
        else:
            assert self.phones[who].hang_up().status == 200

    def is_over(self, who: str) -> None:
        """Wait for the end of a call."""
        if who == SECURE:
            self.secure.phone.wait_for("CALL_CLOSED", timeout=PATIENCE)
        elif who == BOT:
            automates = lambda: {each["number"]: each["calls"] for each in self.engine.listing("automates")}  # noqa: E731
            eventually(lambda: not automates().get(BOT), "the bot's call is over")
        else:
            if self.phones[who].up:
                self.phones[who].listen(PATIENCE)
            assert not self.phones[who].up

    def _ring_off(self, number: str) -> None:
        if number in self.voices:
            self.voices.pop(number).finish()
            self.phones[number].rtp.setblocking(True)

    @staticmethod
    def is_in(told: Told, number: str) -> bool:
        return (told.one(number) or {}).get("state") == "in"

    def id(self, number: str, room: str = ROOM) -> int:
        """Of a number on the list."""
        one = self.engine.told(room).one(number)
        assert one is not None, f"{number} is not in {room}"
        return int(one["id"])

    def wait(self, condition: Callable[[Told], object], what: str, room: str = ROOM) -> Told:
        """The room once that is so."""
        told = [self.engine.told(room)]

        def holds() -> bool:
            told[0] = self.engine.told(room)
            return bool(condition(told[0]))

        eventually(holds, lambda: f"{what}: {told[0].people}")
        return told[0]

    def hears(
        self,
        gone: frozenset[Link] = frozenset(),
        shifted: Mapping[Link, float] | None = None,
        *,
        only: str = "",
    ) -> None:
        """Wait until exactly these links are gone, these are as much louder, and all others as they were.

        only: whose ears are to be asked; else everybody's.
        """
        wrong: list[str] = []

        def as_wanted() -> bool:
            wrong.clear()
            for link, (tone, level) in LINKS.items():
                if only not in ("", link[0]):
                    continue
                heard = loudness(self.ears[link[0]], tone)
                wanted = level + (shifted or {}).get(link, 0.0)
                if heard > GONE_DB if link in gone else abs(heard - wanted) > NEAR_DB:
                    wrong.append(
                        f"{link[1]} to {link[0]}: {heard:.1f} dB, gone={link in gone}, wanted {wanted}"
                    )
            return not wrong

        eventually(as_wanted, lambda: "; ".join(wrong))


def speech(ear: Ear) -> float:
    """How loud everything is that is no tone of a phone, against a tone: the loudest of the last blocks, dB."""
    blocks = blocks_of(ear.lately(), ear.rate)
    spectrum = np.abs(np.fft.rfft(blocks, axis=1))[:, 10:400] * 2 / max(blocks.shape[1], 1)
    for tone in TONES.values():
        spectrum[:, tone // 10 - 13 : tone // 10 - 6] = 0.0
    return float(20 * np.log10(np.sqrt(np.square(spectrum).sum(axis=1)).max(initial=0.0) / AMPLITUDE + 1e-6))


def tones_in(path: Path) -> set[tuple[bool, ...]]:
    """Which of the tones sound together in blocks of a recording: of the phone, of the secure phone."""
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    blocks = blocks_of(samples[:, 0].astype(np.float64), rate)
    spectrum = np.abs(np.fft.rfft(blocks, axis=1)) * 2 / (rate // 10)
    loud = [spectrum[:, tone // 10] > AMPLITUDE / 2 for tone in TONES.values()]
    return set(zip(*(each.tolist() for each in loud), strict=True))


@contextmanager
def tone_meeting(folder: Path) -> Iterator[Meeting]:
    """The engine, and the phones of those who meet; the log must stay without exceptions."""
    codecs = {"media.codecs": '["opus", "PCMU"]'}
    with MeetingEngine(folder, ROOMS, codecs) as engine, ExitStack() as stack:
        yield Meeting(engine, stack, folder)
        assert_no_exception(engine)
