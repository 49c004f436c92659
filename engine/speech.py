"""Texts spoken while the engine runs: each becomes a prompt, once, and is kept as long as there is room.

The prompts lie in a folder, named by a hash of voice and text, so a text that was spoken before costs nothing. What was
not asked for longest goes first. Whoever asks for a text that is being spoken waits for the same child process.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, DeferredSemaphore, fail, succeed
from twisted.internet.error import ProcessDone
from twisted.internet.protocol import ProcessProtocol

from media.speech import ABSENT, PATIENCE_SECONDS, WORDS_A_MINUTE, SpeechError, clean, voice_of

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorProcess, IReactorTime
    from twisted.python.failure import Failure

    class SpeechReactor(IReactorProcess, IReactorTime):
        """What is needed of the reactor."""


MOST_OCTETS = 64 << 20
"""Of all kept texts together: an hour of speech."""
MOST_AT_ONCE = 2


class Speech:
    """Says texts. ``load`` makes a prompt known to the workers by name and path, ``forget`` unknown."""

    def __init__(
        self,
        reactor: SpeechReactor,
        folder: Path,
        load: Callable[[str, str], None],
        forget: Callable[[str], None],
        most_octets: int = MOST_OCTETS,
    ) -> None:
        self._reactor = reactor
        self._folder = folder
        self._load = load
        self._forget = forget
        self._most_octets = most_octets
        self._loaded: set[str] = set()
        self._waiting: dict[str, list[Deferred[str]]] = {}
        self._turn = DeferredSemaphore(MOST_AT_ONCE)

    def say(self, text: str, language: str) -> Deferred[str]:
        """The name of the prompt that says ``text``, once there is one. Fails with SpeechError."""
        try:
            spoken, voice = clean(text), voice_of(language)
        except SpeechError as error:
            return fail(error)
        key = hashlib.sha256(f"{voice}\0{WORDS_A_MINUTE}\0{spoken}".encode()).hexdigest()[:32]
        path = self._path(key)
        if key not in self._waiting and path.exists():
            os.utime(path)
            return succeed(self._known(key))
        waiting = self._waiting.setdefault(key, [])
        asked: Deferred[str] = Deferred()
        waiting.append(asked)
        if len(waiting) == 1:
            spoken_out = self._turn.run(self._speak, spoken, language, path)
            spoken_out.addCallbacks(self._spoken, self._failed, callbackArgs=(key,), errbackArgs=(key,))
        return asked

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.wav"

    def _speak(self, text: str, language: str, path: Path) -> Deferred[None]:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        child = _Child(text.encode(), self._reactor)
        command = [sys.executable, "-m", "media.speech", language, str(path)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._reactor.spawnProcess(child, sys.executable, command, env=environment)
        return child.done

    def _spoken(self, _: None, key: str) -> None:
        self._make_room(key)
        for asked in self._waiting.pop(key):
            asked.callback(self._known(key))

    def _failed(self, failure: Failure, key: str) -> None:
        for asked in self._waiting.pop(key):
            asked.errback(failure)

    def _known(self, key: str) -> str:
        """The name, known to the workers."""
        name = f"speech/{key}"
        if name not in self._loaded:
            self._loaded.add(name)
            self._load(name, str(self._path(key)))
        return name

    def _make_room(self, newest: str) -> None:
        """Forget what was not asked for longest."""
        kept = [(each, each.stat()) for each in self._folder.glob("*.wav")]
        size = sum(about.st_size for _, about in kept)
        for path, about in sorted(kept, key=lambda each: each[1].st_mtime_ns):
            if size <= self._most_octets or path.stem == newest:
                continue
            size -= about.st_size
            path.unlink(missing_ok=True)
            name = f"speech/{path.stem}"
            if name in self._loaded:
                self._loaded.discard(name)
                self._forget(name)


class _Child(ProcessProtocol):
    """The process that speaks one text; ``done`` fires at its end."""

    def __init__(self, text: bytes, clock: IReactorTime) -> None:
        self.done: Deferred[None] = Deferred()
        self._text = text
        self._clock = clock
        self._said = b""
        self._late: IDelayedCall | None = None
        self._timed_out = False

    def connectionMade(self) -> None:
        """Hand it the text."""
        self._late = self._clock.callLater(PATIENCE_SECONDS, self._give_up)
        assert self.transport is not None
        self.transport.write(self._text)
        self.transport.closeStdin()

    def errReceived(self, data: bytes) -> None:
        """Its complaint, the beginning of it."""
        self._said = (self._said + data)[:500]

    def _give_up(self) -> None:
        self._late, self._timed_out = None, True
        assert self.transport is not None
        self.transport.signalProcess("KILL")

    def processEnded(self, reason: Failure) -> None:
        """Tell how it ended."""
        if self._late is not None:
            self._late.cancel()
        if reason.check(ProcessDone):
            self.done.callback(None)
        elif self._timed_out:
            self.done.errback(SpeechError("timeout"))
        else:
            absent = getattr(reason.value, "exitCode", None) == ABSENT
            detail = self._said.decode("utf-8", "replace").strip()
            self.done.errback(SpeechError("absent" if absent else "failed", detail))
