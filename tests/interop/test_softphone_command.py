"""``polyphony softphone`` as a user has it: a program in a terminal, calling a phone that is not ours."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop import sound
from tests.interop.engine_process import POLYPHONY, ROOT
from tests.interop.phone import Phone
from tests.interop.ports import free_port

ENGLISH = {**os.environ, "LC_ALL": "C.UTF-8"}


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*POLYPHONY, "softphone", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        env={**ENGLISH, **environment},
    )


class Terminal:
    """The command in a pseudo-terminal: keys in, lines out."""

    def __init__(self, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [*POLYPHONY, "softphone", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env=ENGLISH,
            close_fds=True,
        )
        os.close(slave)
        self.shown = ""

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def expect(self, text: str, timeout: float = 10.0) -> None:
        end = time.monotonic() + timeout
        while text not in self.shown:
            ready, _, _ = select.select([self._master], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"{text!r} was not shown: {self.shown!r}"
            try:
                self.shown += os.read(self._master, 4096).decode("utf-8", "replace")
            except OSError:  # the program has ended
                break
        assert text in self.shown, self.shown
        self.shown = self.shown.partition(text)[2]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)


@contextlib.contextmanager
def terminal(*arguments: str) -> Iterator[Terminal]:
    with contextlib.closing(Terminal(*arguments)) as opened:
        yield opened


def test_a_call_with_files(tmp_path: Path) -> None:
    """Without a keyboard: calls, plays a file, sends digits, records, hangs up after the time, exits 0."""
    with Phone(tmp_path, "bob", answer_with=200) as bob:
        heard = tmp_path / "heard.wav"
        command = [*POLYPHONY, "softphone", bob.address, "--seconds", "2.5", "--digits", "42"]
        command += ["--play", str(sound.tone_file(tmp_path, 950, 1.0)), "--record", str(heard)]
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=ENGLISH
        ) as program:
            bob.wait_for("confirmed")
            bob.play(sound.tone_file(tmp_path, 650), loop=True)
            bob.wait_for_digits("42")
            sound.assert_hears_tone(bob.hears(0.7), 950, -12)
            bob.wait_for("disconnected")
            said, _ = program.communicate(timeout=10)
        assert program.returncode == 0, said
        assert "Connected." in said
        sound.assert_hears_tone(heard, 650, -12)


def test_a_call_that_is_refused(tmp_path: Path) -> None:
    """A refusal is shown with its status, and the exit status is 1."""
    with Phone(tmp_path, "bob", answer_with=486) as bob:
        result = run(bob.address, "--seconds", "5")
    assert result.returncode == 1
    assert "Ended: 486" in result.stdout


def test_keys(tmp_path: Path) -> None:
    """In a terminal digits are sent as pressed, h and r hold and resume, t transfers, q ends the call."""
    with Phone(tmp_path, "bob", answer_with=200) as bob, Phone(tmp_path, "carol", answer_with=200) as carol:
        with terminal(bob.address, "--dtmf", "info") as screen:
            screen.expect("Connected.")
            screen.press("7")
            bob.wait_for_digits("7")
            screen.press("h")
            screen.expect("On hold.")
            bob.wait_for_media("remote_hold")
            screen.press("r")
            bob.wait_for_media("active")
            screen.press("t")
            screen.expect("Transfer to")
            screen.press(carol.address + "\n")
            screen.expect("Transfer: 200")
            carol.wait_for("confirmed")
            screen.press("q")
            assert screen.process.wait(10) == 0
        bob.hangup(number=1)


def test_waiting_for_a_call(tmp_path: Path) -> None:
    """With --answer it answers a caller by itself; the caller's digits are shown."""
    port = str(free_port())
    waiting = terminal("--answer", "--local", "127.0.0.1", "--port", port)
    with Phone(tmp_path, "alice") as alice, waiting as screen:
        screen.expect(f"This phone is sip:phone@127.0.0.1:{port}")
        alice.call(f"sip:any@127.0.0.1:{port}")
        alice.wait_for("confirmed")
        screen.expect("Connected.")
        alice.send_dtmf("5")
        screen.expect("Digit received: 5 (rfc4733)")
        alice.hangup()
        screen.expect("Ended")
        screen.press("q")
        assert screen.process.wait(10) == 0


def test_without_the_extra(tmp_path: Path) -> None:
    """Where pjsua2 cannot be loaded the command says what to install, in the language asked for."""
    (tmp_path / "pjsua2.py").write_text("raise ImportError('no such library')\n")
    result = run("sip:5000@127.0.0.1", PYTHONPATH=str(tmp_path))
    assert result.returncode == 1
    assert "pip install 'polyphony[softphone]'" in result.stderr
    assert "Traceback" not in result.stderr
    french = run("sip:5000@127.0.0.1", "--language", "fr", PYTHONPATH=str(tmp_path))
    assert "absent d'ici" in french.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Whom shall I call?"),
        (["5000"], "5000 is not a SIP URI"),
        (["sip:5000@127.0.0.1", "--play", __file__], "is not a sound file"),
        (["sip:5000@127.0.0.1", "--local", "192.0.2.1"], "The phone cannot start"),
    ],
)
def test_what_it_cannot_do_is_said(arguments: list[str], said: str) -> None:
    """A mistake on the command line is one sentence, not a traceback."""
    result = run(*arguments)
    assert result.returncode != 0
    assert said in result.stderr
    assert "Traceback" not in result.stderr
