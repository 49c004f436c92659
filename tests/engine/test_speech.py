"""Texts spoken: once each, together, within bounds, and never as options."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from engine.speech import Speech
from media.prompt_file import load
from media.speech import ABSENT, MOST_CHARACTERS, PATIENCE_SECONDS, SpeechError, clean, speak


class Reactor(Clock):
    """Starts no process: the test ends them."""

    def __init__(self) -> None:
        super().__init__()
        self.children: list[tuple[Any, list[str]]] = []
        self.killed: list[str] = []
        self.written: list[bytes] = []

    def spawnProcess(self, child: Any, executable: str, args: list[str], env: Any) -> None:
        self.children.append((child, args))
        child.transport = self
        child.connectionMade()

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def closeStdin(self) -> None:
        pass

    def signalProcess(self, name: str) -> None:
        self.killed.append(name)

    def finish(self, index: int = -1, octets: int = 1000, code: int = 0) -> None:
        child, args = self.children[index]
        if code == 0:
            Path(args[-1]).write_bytes(bytes(octets))
        child.processEnded(Failure(ProcessTerminated(code) if code else ProcessDone(0)))


class Stage:
    def __init__(self, folder: Path, most: int = 10_000) -> None:
        self.reactor = Reactor()
        self.told: list[tuple[str, str]] = []
        self.speech = Speech(
            self.reactor,  # type: ignore[arg-type]
            folder / "speech",
            lambda name, path: self.told.append(("load", name)),
            lambda name: self.told.append(("forget", name)),
            most,
        )

    def say(self, text: str, language: str = "en") -> list[Any]:
        heard: list[Any] = []
        asked: Deferred[str] = self.speech.say(text, language)
        asked.addCallbacks(heard.append, lambda failure: heard.append(failure.value))
        return heard


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_a_text_is_spoken_once(stage: Stage) -> None:
    """Those who ask meanwhile wait for the same child; later it costs nothing. Another voice is another text."""
    first, second = stage.say("Hello  there"), stage.say("Hello there")
    assert (first, second, len(stage.reactor.children)) == ([], [], 1)
    stage.reactor.finish()
    assert first == second == stage.say("Hello there")
    assert stage.told == [("load", first[0])]
    assert stage.say("Hello there", "fr") == []
    assert len(stage.reactor.children) == 2


def test_the_text_is_no_argument(stage: Stage) -> None:
    """It goes to the child's standard input, whatever it looks like."""
    stage.say("--version; rm -rf $HOME")
    (_, arguments) = stage.reactor.children[0]
    assert not [each for each in arguments if "rm" in each]
    assert stage.reactor.written == [b"--version; rm -rf $HOME"]


def test_two_at_once(stage: Stage) -> None:
    """More wait for their turn."""
    for number in range(4):
        stage.say(f"text {number}")
    assert len(stage.reactor.children) == 2
    stage.reactor.finish(0)
    assert len(stage.reactor.children) == 3


def test_the_oldest_go(tmp_path: Path) -> None:
    """Over the bound, what was not asked for longest; the workers are told."""
    stage = Stage(tmp_path, most=2500)
    names = []
    for number, text in enumerate(("one", "two", "three")):
        heard = stage.say(text)
        if not heard:
            stage.reactor.finish()
        names += heard
        for path in (tmp_path / "speech").glob("*.wav"):
            if path.stem == heard[0].removeprefix("speech/"):
                os.utime(path, (number, number))
    assert ("forget", names[0]) in stage.told
    assert len(list((tmp_path / "speech").glob("*.wav"))) == 2


def test_failures_are_told(stage: Stage) -> None:
    """Absent, broken, too slow, nothing to say, nobody's language; the next who asks tries again."""
    heard = stage.say("a")
    stage.reactor.finish(code=ABSENT)
    broken = stage.say("a")
    stage.reactor.finish(code=1)
    slow = stage.say("b")
    stage.reactor.advance(PATIENCE_SECONDS)
    assert stage.reactor.killed == ["KILL"]
    stage.reactor.finish(code=9)
    others = [stage.say(" \r\n"), stage.say("x" * (MOST_CHARACTERS + 1)), stage.say("hallo", "de")]
    reasons = [each[0].reason for each in (heard, broken, slow, *others)]
    assert reasons == ["absent", "failed", "timeout", "text", "text", "language"]
    assert stage.reactor.getDelayedCalls() == []


def test_control_characters_are_spaces() -> None:
    """And spaces are one."""
    assert clean("a\x00b\n\tc") == "a b c"


@pytest.mark.needs("espeak-ng")
def test_espeak_speaks(tmp_path: Path) -> None:
    """A prompt as any other; a text like an option is spoken."""
    seconds = speak("--help is what I say", "en", tmp_path / "said.wav")
    assert 0.8 < seconds < 5
    assert len(load(tmp_path / "said.wav")) == pytest.approx(8000 * seconds, abs=1)


def test_without_espeak(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said plainly."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SpeechError, match="not installed"):
        speak("hello", "en", tmp_path / "said.wav")
