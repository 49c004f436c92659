"""Loading prompts beside the tick: a thread reads and codes them, the worker's loop takes them over."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

from media.prompt_bank import Coded, code
from media.prompt_file import PromptError, load
from media.room_music import music
from media.spoken_name import load_spoken
from media.tones import tone_bank

SPOKEN_NAME = "name/"
"""Begins the name of a prompt that somebody has just spoken."""
MUSIC = "tone/music"
"""Not among the tones, for it takes a moment to make."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The outcome for one prompt: ``coded``, or the label of what was wrong with the file."""

    name: str
    coded: Coded | None
    reason: str = ""


def is_tone(name: str) -> bool:
    """Whether a prompt is computed and not read: ``tone/beep``."""
    return name.startswith("tone/")


def _read(name: str, path: str) -> Loaded:
    """Read and code one file, or compute a tone."""
    if is_tone(name):
        samples = music() if name == MUSIC else tone_bank().get(name)
        return Loaded(name, None, "tone") if samples is None else Loaded(name, code(samples))
    try:
        return Loaded(name, code(load_spoken(path) if name.startswith(SPOKEN_NAME) else load(path)))
    except PromptError as error:
        return Loaded(name, None, error.reason)


class PromptLoader:
    """One thread for one load at a time, in the order of the requests."""

    def __init__(self, read: Callable[[str, str], Loaded] = _read) -> None:
        self._read = read
        self._wanted: queue.SimpleQueue[tuple[str, str] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Loaded] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._pending = 0

    def request(self, name: str, path: str) -> None:
        """Begin to load a prompt."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="prompts", daemon=True)
            self._thread.start()
        self._pending += 1
        self._wanted.put((name, path))

    def take(self, *, wait: float = 0.0) -> list[Loaded]:
        """What was loaded since the last call; with ``wait``, all requested, waiting so many seconds each."""
        loaded: list[Loaded] = []
        while self._pending:
            try:
                loaded.append(self._done.get(timeout=wait) if wait else self._done.get_nowait())
            except queue.Empty:
                break
            self._pending -= 1
        return loaded

    def _run(self) -> None:
        while (request := self._wanted.get()) is not None:
            self._done.put(self._read(*request))

    def stop(self) -> None:
        """End the thread when it has done what it was asked."""
        self._wanted.put(None)
