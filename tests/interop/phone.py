"""Real phones for tests: pjsua2 in a child process each, with sound files of their own."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from engine.softphone.driver import PhoneProcess
from engine.softphone.settings import PhoneSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

import contextlib


class Phone(PhoneProcess):
    """A phone whose log and recordings lie in ``folder`` (kept by pytest when a test fails)."""

    def __init__(self, folder: Path, name: str, **settings: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.name = folder, name
        chosen = dataclasses.replace(
            PhoneSettings(host="127.0.0.1", log_file=str(folder / f"{name}.log")),
            **settings,  # type: ignore[arg-type]  # checked by the dataclass of the child
        )
        super().__init__(chosen)

    @property
    def log(self) -> str:
        """The SIP messages and events pjsua2 wrote; complete after ``stop``."""
        return Path(self.settings.log_file).read_text(errors="replace")

    def hears(self, seconds: float, number: int | None = None, *, name: str = "heard") -> Path:
        """Record what the phone hears during that time; returns the WAV file."""
        path = self.folder / f"{self.name}-{name}.wav"
        self.record(path, number=number)
        self.rest(seconds)
        self.stop_recording(number)
        return path


@contextlib.contextmanager
def phones(folder: Path, *names: str, **settings: object) -> Iterator[tuple[Phone, ...]]:
    """Several phones with the same settings, started; stopped whatever happens."""
    with contextlib.ExitStack() as stack:
        started = []
        for name in names:
            phone = Phone(folder, name, **settings)
            stack.callback(phone.stop)
            phone.start()
            started.append(phone)
        yield tuple(started)
