"""The data directory: everything the engine keeps, under one folder only its owner can read."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass, field
from pathlib import Path


class DataDirectoryError(Exception):
    """The directory cannot be used; the text is for the administrator."""


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """Where things are; made by :meth:`prepare` on the first start."""

    root: Path
    _held: list[int] = field(default_factory=list, init=False, repr=False, compare=False)

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
    def run(self) -> Path:
        """Where media workers wait for the next engine when theirs has died."""
        return self.root / "run"

    @property
    def journal(self) -> Path:
        """The calls that are up, for that next engine."""
        return self.root / "calls.journal"

    @property
    def meetings(self) -> Path:
        """The journals of the meetings that are held, for that engine as well."""
        return self.root / "meetings"

    @property
    def names(self) -> Path:
        """Names that callers have recorded, as long as they may be said."""
        return self.root / "names"

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
        """Write our process id and hold the file locked as long as we live; refuse when another engine does.

        The lock, not the number, says whether somebody lives here: numbers are used again after a crash.

        Raises:
            DataDirectoryError: another engine runs on this directory.
        """
        while True:
            held = self._lock()
            if held is None:
                pid = self._written_pid()
                raise DataDirectoryError(
                    f"{self.root}: an engine with process id {pid} is running here already"
                )
            if self._is_pid_file(held):
                break
            os.close(held)  # whoever had it removed the file while we waited to open it
        os.ftruncate(held, 0)
        os.write(held, f"{os.getpid()}\n".encode())
        self._held.append(held)

    def release(self) -> None:
        """Forget our process id."""
        if not self._held:
            return
        self.pid_file.unlink(missing_ok=True)
        while self._held:
            os.close(self._held.pop())

    def running_pid(self) -> int | None:
        """The process id of the engine that runs here, if another process does."""
        if self._held or not self.pid_file.exists():
            return None
        held = self._lock()
        if held is not None:
            os.close(held)
            return None
        return self._written_pid()

    def _lock(self) -> int | None:
        """The pid file, locked; None when another process has it."""
        opened = os.open(self.pid_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(opened)
            return None
        return opened

    def _is_pid_file(self, opened: int) -> bool:
        try:
            return os.path.samestat(os.fstat(opened), self.pid_file.stat())
        except FileNotFoundError:
            return False

    def _written_pid(self) -> int | None:
        try:
            return int(self.pid_file.read_text("ascii"))
        except (OSError, ValueError):
            return None
