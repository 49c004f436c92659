"""Drives a softphone that runs in a child process (``engine.softphone.agent``).

So several phones can be used at once, and an abort of pjsua2 costs one phone, not the program.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

import msgspec

from engine.softphone.agent_messages import Notice, Reply
from engine.softphone.settings import (
    CallStatus,
    DtmfMethod,
    PhoneEvent,
    PhoneSettings,
    SoftphoneError,
    WaitedTooLong,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]  # where the packages are when they are run from a checkout
GRACE = 5.0  # seconds beyond the phone's own limit before the phone itself is taken for dead
WAIT = 10.0


class PhoneProcess:
    """One phone in a child process. Commands block and raise SoftphoneError or WaitedTooLong."""

    def __init__(self, settings: PhoneSettings) -> None:
        self.settings = settings
        self.address = ""
        self.events: list[PhoneEvent] = []
        self.errors = ""  # the end of what the child wrote on standard error, known once it has ended
        self._replies: dict[int, Reply] = {}
        self._changed = threading.Condition()
        self._child: subprocess.Popen[bytes] | None = None
        self._threads: list[threading.Thread] = []
        self._ended = False
        self._last_id = 0

    # life

    def start(self, timeout: float = WAIT) -> str:
        """Start the child and its phone; returns the address the phone is reached at."""
        path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._child = subprocess.Popen(
            [sys.executable, "-m", "engine.softphone.agent"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._threads = [
            threading.Thread(target=target, args=(self._child,), daemon=True)
            for target in (self._read_answers, self._read_errors)
        ]
        for thread in self._threads:
            thread.start()
        try:
            self.address = cast("str", self.ask("start", timeout, **asdict(self.settings)))
        except SoftphoneError:
            self.stop()
            raise
        return self.address

    @property
    def pid(self) -> int:
        if self._child is None:
            raise SoftphoneError("the phone is not started")
        return self._child.pid

    def stop(self, timeout: float = WAIT) -> None:
        """Hang up, unregister and end the child; one that does not end is killed, by its own PID."""
        child = self._child
        if child is None:
            return
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended already, with a command unread
            child.stdin.close()
        try:
            child.wait(timeout)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        for thread in self._threads:
            thread.join()
        child.stdout.close()
        child.stderr.close()
        self._child = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # the channel

    def ask(self, do: str, patience: float = WAIT, /, **arguments: object) -> object:
        """Send one command and wait for its answer."""
        child = self._child
        if child is None or child.stdin is None:
            raise SoftphoneError("the phone is not started")
        self._last_id += 1
        number = self._last_id
        line = msgspec.json.encode({"id": number, "do": do, "with": arguments}) + b"\n"
        try:
            child.stdin.write(line)
            child.stdin.flush()
        except BrokenPipeError:
            raise SoftphoneError(f"{do}: {self._obituary(child)}") from None
        with self._changed:
            self._changed.wait_for(lambda: number in self._replies or self._ended, patience + GRACE)
            reply = self._replies.pop(number, None)
        if reply is None:
            what = self._obituary(child) if self._ended else "the phone process does not answer"
            raise SoftphoneError(f"{do}: {what}")
        if not reply.ok:
            raise WaitedTooLong(reply.error) if reply.late else SoftphoneError(reply.error, reply.status)
        return reply.result

    def _obituary(self, child: subprocess.Popen[bytes]) -> str:
        status = child.wait()
        lines = self.errors.strip().splitlines()
        return f"the phone process ended ({status}): {lines[-1] if lines else 'no word'}"

    def _read_answers(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None
        for line in child.stdout:
            message = msgspec.json.decode(line, type=Reply | Notice)
            with self._changed:
                if isinstance(message, Reply):
                    self._replies[message.id] = message
                else:
                    self.events.append(
                        PhoneEvent(message.event, message.call, message.text, message.code, message.extra)
                    )
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _read_errors(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stderr is not None
        for line in child.stderr:
            self.errors = (self.errors + line.decode("utf-8", "replace"))[-8192:]

    def wait_for_event(
        self, kind: str, timeout: float = WAIT, *, text: str = "", extra: str = ""
    ) -> PhoneEvent:
        """The first event of that kind (and text, and extra) since the last ``forget``."""

        def found() -> PhoneEvent | None:
            return next(
                (
                    event
                    for event in self.events
                    if event.kind == kind and text in ("", event.text) and extra in ("", event.extra)
                ),
                None,
            )

        with self._changed:
            event = self._changed.wait_for(found, timeout)
        if event is None:
            raise WaitedTooLong(f"{kind} {text}: not within {timeout:g} s")
        return event

    def forget(self) -> None:
        """Drop the events seen so far."""
        with self._changed:
            self.events.clear()

    # the commands of Softphone

    def register(self, timeout: float = WAIT) -> None:
        self.ask("register", timeout, timeout=timeout)

    def unregister(self, timeout: float = WAIT) -> None:
        self.ask("unregister", timeout, timeout=timeout)

    def call(self, uri: str, *, headers: Mapping[str, str] | None = None, late_offer: bool = False) -> int:
        return cast("int", self.ask("call", uri=uri, headers=dict(headers or {}), late_offer=late_offer))

    def wait_for(self, state: str, number: int | None = None, timeout: float = WAIT) -> CallStatus:
        return _status(self.ask("wait_for", timeout, state=state, number=number, timeout=timeout))

    def wait_for_media(self, media: str, number: int | None = None, timeout: float = WAIT) -> None:
        self.ask("wait_for_media", timeout, media=media, number=number, timeout=timeout)

    def wait_for_incoming(self, timeout: float = WAIT) -> int:
        return cast("int", self.ask("wait_for_incoming", timeout, timeout=timeout))

    def answer(self, number: int | None = None, status: int = 200) -> None:
        self.ask("answer", number=number, status=status)

    def hangup(self, number: int | None = None, status: int = 0, timeout: float = WAIT) -> None:
        self.ask("hangup", timeout, number=number, status=status, timeout=timeout)

    def hold(self, number: int | None = None, timeout: float = WAIT) -> None:
        self.ask("hold", timeout, number=number, timeout=timeout)

    def resume(self, number: int | None = None, timeout: float = WAIT) -> None:
        self.ask("resume", timeout, number=number, timeout=timeout)

    def reoffer(self, number: int | None = None, method: str = "INVITE") -> None:
        self.ask("reoffer", number=number, method=method)

    def send_dtmf(self, digits: str, method: DtmfMethod = "rfc4733", number: int | None = None) -> None:
        self.ask("send_dtmf", digits=digits, method=method, number=number)

    def digits(self, number: int | None = None) -> str:
        return cast("str", self.ask("digits", number=number))

    def wait_for_digits(self, digits: str, number: int | None = None, timeout: float = WAIT) -> None:
        """Wait until exactly these digits have been received on the call."""
        end = time.monotonic() + timeout
        while (heard := self.digits(number)) != digits:
            if time.monotonic() > end:
                raise WaitedTooLong(f"digits {digits}: heard {heard or 'none'} within {timeout:g} s")
            self.rest(0.05)

    def transfer(self, uri: str, number: int | None = None) -> None:
        self.ask("transfer", uri=uri, number=number)

    def attended_transfer(self, number: int, other: int) -> None:
        self.ask("attended_transfer", number=number, other=other)

    def request(self, method: str, content_type: str = "", body: str = "", number: int | None = None) -> None:
        self.ask("request", method=method, content_type=content_type, body=body, number=number)

    def play(self, path: Path, *, loop: bool = False, number: int | None = None) -> None:
        self.ask("play", path=str(path), loop=loop, number=number)

    def stop_playing(self, number: int | None = None) -> None:
        self.ask("stop_playing", number=number)

    def record(self, path: Path, *, both: bool = False, number: int | None = None) -> None:
        self.ask("record", path=str(path), both=both, number=number)

    def stop_recording(self, number: int | None = None) -> None:
        self.ask("stop_recording", number=number)

    def loop_back(self, number: int | None = None, *, on: bool = True) -> None:
        self.ask("loop_back", number=number, on=on)

    def status(self, number: int | None = None) -> CallStatus:
        return _status(self.ask("status", number=number))

    def rest(self, seconds: float) -> None:
        """Let the phone's calls run for a while."""
        self.ask("rest", seconds, seconds=seconds)


def _status(result: object) -> CallStatus:
    return msgspec.convert(result, CallStatus)
