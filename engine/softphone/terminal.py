"""The command-line phone: what happens is written line by line, and every key does something at once."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import time
import tty
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from engine.softphone.settings import DtmfMethod, PhoneEvent, SoftphoneError
from engine.softphone.texts import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.language import Language
    from engine.softphone.phone import Softphone

DIGITS = "0123456789*#ABCD"
SPOKEN_STATES = ("early", "confirmed")
SPOKEN_MEDIA = ("active", "local_hold", "remote_hold")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asked for. ``seconds``: the length of the call; None = until somebody ends it."""

    target: str = ""
    play: str = ""
    record: str = ""
    answer: bool = False
    seconds: float | None = None
    digits: str = ""
    method: DtmfMethod = "rfc4733"


class Terminal:
    """Runs one phone until its call (or the user) ends it."""

    def __init__(self, phone: Softphone, wishes: Wishes, language: Language) -> None:
        self._phone, self._wishes, self._language = phone, wishes, language
        self._current: int | None = None
        self._talked = False  # some call was connected: what the exit status says
        self._quit = False
        self._hang_up_at: float | None = None

    def run(self) -> bool:
        """Call or wait; returns whether a call was connected."""
        keys = sys.stdin.isatty() and self._wishes.seconds is None
        if self._wishes.target:
            self._say("calling", uri=self._wishes.target)
            self._current = self._phone.call(self._wishes.target)
        elif self._wishes.seconds is not None:
            self._hang_up_at = time.monotonic() + self._wishes.seconds
        if keys:
            self._say("keys")
        with _single_keys(keys):
            while not self._quit:
                self._phone.step(20)
                for event in self._phone.take_events():
                    self._tell(event)
                if keys and (key := _key()):
                    self._press(key)
                if self._hang_up_at is not None and time.monotonic() >= self._hang_up_at:
                    self._end()
        return self._talked

    def _say(self, key: str, **values: object) -> None:
        click.echo(say(f"softphone.{key}", self._language, **values))

    def _tell(self, event: PhoneEvent) -> None:
        match event.kind:
            case "incoming":
                self._arrived(event)
            case "state" if event.text in SPOKEN_STATES and event.call == self._current:
                self._say(event.text)
                if event.text == "confirmed":
                    self._connected()
            case "state" if event.text == "disconnected":
                self._ended(event)
            case "media" if event.text in SPOKEN_MEDIA and event.call == self._current:
                self._say(event.text)
            case "digit":
                self._say("digit", digit=event.text, method=event.extra)
            case "transfer":
                self._say("transfer", status=event.code, reason=event.text)
            case "replaced":
                self._current = event.code
            case "transfer_asked":
                self._current = self._phone.newest
            case _:
                pass

    def _arrived(self, event: PhoneEvent) -> None:
        self._say("incoming", who=event.text)
        if self._current is None:
            self._current = event.call
            self._phone.answer(event.call, 200 if self._wishes.answer else 180)

    def _connected(self) -> None:
        self._talked = True
        if self._wishes.play:
            self._phone.play(self._wishes.play, loop=True, number=self._current)
        if self._wishes.record:
            self._phone.record(self._wishes.record, number=self._current)
        if self._wishes.digits:
            self._phone.send_dtmf(self._wishes.digits, self._wishes.method, self._current)
        if self._wishes.seconds is not None:
            self._hang_up_at = time.monotonic() + self._wishes.seconds

    def _ended(self, event: PhoneEvent) -> None:
        if event.call != self._current:
            return
        self._say("disconnected", status=event.code, reason=event.extra)
        self._current, self._hang_up_at = None, None
        self._quit = not (self._wishes.answer and not self._wishes.target and self._wishes.seconds is None)

    def _end(self) -> None:
        if self._current is not None:
            self._phone.stop_recording(self._current)
            self._phone.hangup(self._current)
        self._quit = True

    def _press(self, key: str) -> None:
        try:
            if key.upper() in DIGITS and key not in "a":
                self._phone.send_dtmf(key.upper(), self._wishes.method, self._current)
            elif key in "qQ\x03\x04":
                self._end()
            elif key in "hr":
                (self._phone.hold if key == "h" else self._phone.resume)(self._current)
            elif key == "a":
                self._phone.answer(self._current)
            elif key == "t":
                self._ask_transfer()
        except SoftphoneError as error:
            self._say("refused", reason=error)

    def _ask_transfer(self) -> None:
        """Read a line by hand, so that the call goes on meanwhile."""
        click.echo(say("softphone.transfer_to", self._language), nl=False)
        target = ""
        while not target.endswith(("\r", "\n")):
            self._phone.step(20)
            key = _key()
            if key in ("\x7f", "\b"):
                target = target[:-1]
                click.echo("\b \b", nl=False)
            else:
                target += key
                click.echo(key, nl=False)
        click.echo()
        if target.strip():
            self._phone.transfer(target.strip(), self._current)


@contextlib.contextmanager
def _single_keys(wanted: bool) -> Iterator[None]:
    """Give every key at once and unechoed while this lasts, if the terminal is to be used."""
    if not wanted:
        yield
        return
    kept = termios.tcgetattr(0)
    tty.setcbreak(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, kept)


def _key() -> str:
    """The key that was pressed; empty without one, the end of input is a quit."""
    ready, _, _ = select.select([0], [], [], 0)
    if not ready:
        return ""
    return os.read(0, 1).decode("latin-1") or "q"
