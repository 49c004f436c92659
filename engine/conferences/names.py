"""Names that callers have recorded: files as long as their meeting may say them, and the prompts they become."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from media.pool import WorkerPool

PREFIX = "name/"
log = Logger()


class SpokenNames:
    """The names of those who are, or were, on the list of a meeting that goes on."""

    def __init__(self, folder: Path, media: WorkerPool) -> None:
        self._folder = folder
        self._media = media

    def begin(self) -> Path | None:
        """A file to record a name to; None where there is no place for it."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            log.error("no name can be recorded: {reason}", reason=error.strerror)
            return None
        return self._folder / f"{secrets.token_hex(8)}.wav"

    def keep(self, path: Path) -> str:
        """A name was said: the prompt that says it."""
        prompt = f"{PREFIX}{path.stem}"
        self._media.load_prompt(prompt, str(path))
        return prompt

    def again(self, prompt: str) -> None:
        """Know it in another process."""
        path = self._path(prompt)
        if path.exists():
            self._media.load_prompt(prompt, str(path))

    def forget(self, prompt: str) -> None:
        """Its meeting is over."""
        self._media.forget_prompt(prompt)
        self._path(prompt).unlink(missing_ok=True)

    def discard(self, path: Path) -> None:
        """Nothing was said."""
        path.unlink(missing_ok=True)

    def sweep(self, kept: Iterable[str]) -> None:
        """Remove what a process that was killed has left, but for the prompts that are still to be said."""
        stems = {each.removeprefix(PREFIX) for each in kept}
        for path in self._folder.glob("*.wav") if self._folder.is_dir() else ():
            if path.stem not in stems:
                path.unlink(missing_ok=True)

    def _path(self, prompt: str) -> Path:
        return self._folder / f"{prompt.removeprefix(PREFIX)}.wav"
