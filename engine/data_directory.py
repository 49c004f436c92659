"""The data directory: everything the engine keeps, under one folder only its owner can read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


class DataDirectoryError(Exception):
    """The directory cannot be used; the text is for the administrator."""


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """Where things are; made by :meth:`prepare` on the first start."""

    root: Path

    @property
    def tls(self) -> Path:
        """The certificate and key of the first start."""
        return self.root / "tls"

    @property
    def prompts(self) -> Path:
        """Imported prompts."""
        return self.root / "prompts"

    @property
    def recordings(self) -> Path:
        """Recordings, unless ``media.recordings`` says otherwise."""
        return self.root / "recordings"

    @property
    def pid_file(self) -> Path:
        """The process id of the running engine."""
        return self.root / "engine.pid"

    @property
    def socket(self) -> Path:
        """The Unix socket on which commands on this host talk to the running engine."""
        return self.root / "engine.sock"

    def prepare(self) -> None:
        """Make what is missing, for the owner's eyes only.

        Raises:
            DataDirectoryError: it cannot be made or written.
        """
        try:
            for folder in (self.root, self.tls, self.prompts, self.recordings):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise DataDirectoryError(
                f"{self.root}: cannot be used as data directory: {error.strerror}"
            ) from None

    def claim(self) -> None:
        """Write our process id; refuse when another engine lives here.

        Raises:
            DataDirectoryError: another engine runs on this directory.
        """
        pid = self.running_pid()
        if pid is not None:
            raise DataDirectoryError(f"{self.root}: an engine with process id {pid} is running here already")
        self.pid_file.write_text(f"{os.getpid()}\n", "ascii")

    def release(self) -> None:
        """Forget our process id."""
        self.pid_file.unlink(missing_ok=True)

    def running_pid(self) -> int | None:
        """The process id of the engine that runs here, if one does."""
        try:
            pid = int(self.pid_file.read_text("ascii"))
            os.kill(pid, 0)
        except (OSError, ValueError):
            return None
        return None if pid == os.getpid() else pid
