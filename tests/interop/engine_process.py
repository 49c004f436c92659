"""The engine under test: ``polyphony serve`` on free loopback ports, as its users start it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from tests.migrated_store import lay_out
from tests.port_share import port_share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
POLYPHONY = [sys.executable, "-m", "engine"]  # what the installed command runs
DEFAULTS = {
    "sip.port": "0",
    "sip.bind": '["127.0.0.1"]',
    "http.port": "0",
    "media.workers": "1",
    "log.level": "debug",
}
START = 60.0  # seconds until ``ready``: the first start makes keys, the store and the prompts
STOP = 5.0  # seconds from SIGTERM to exit 0, as promised


class EngineFailed(AssertionError):
    """The engine did not start or did not end as it should; the message holds the end of its log."""


@dataclass(frozen=True)
class Ready:
    """The ``ready`` line."""

    sip: tuple[str, ...]
    api: str
    console: str
    pid: int
    workers: tuple[int, ...]

    def address(self, transport: str = "udp") -> str:
        """``host:port`` of a transport, IPv4 first."""
        for uri in sorted(self.sip, key=lambda uri: "[" in uri):
            where, _, parameters = uri.partition(":")[2].partition(";")
            if f"transport={transport}" in parameters.lower():
                return where.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")
        raise KeyError(f"the engine does not listen on {transport}: {self.sip}")


class Engine:
    """One engine with its data directory. ``settings`` are ``--set`` keys; None leaves one to ``config``.

    migrated: its store has its tables already, for the sake of time; else it makes them, as at a user's first start.
    """

    program: ClassVar[Sequence[str]] = POLYPHONY

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str | None] | None = None,
        *,
        config: Path | None = None,
        migrated: bool = True,
    ) -> None:
        self.data = folder / "data"
        self.log_file = folder / "engine.log"
        self.first_lines: list[str] = []  # of standard output, before and after ``ready``
        self._settings = {**DEFAULTS, "media.ports": port_share().media_ports, **(settings or {})}
        self._config = config
        self._migrated = migrated and config is None and "store.url" not in self._settings
        self._process: subprocess.Popen[str] | None = None
        self._ready: Ready | None = None
        self._ended = False
        self._changed = threading.Condition()
        self._reader: threading.Thread | None = None

    @property
    def ready(self) -> Ready:
        assert self._ready is not None, "the engine is not started"
        return self._ready

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def uri(self, number: str = "", transport: str = "udp") -> str:
        """``sip:NUMBER@`` the engine over that transport."""
        user = f"{number}@" if number else ""
        return f"sip:{user}{self.ready.address(transport)};transport={transport}"

    def start(self, timeout: float = START) -> Ready:
        """Start and wait for ``ready``."""
        if self._migrated:
            lay_out(self.data)
        command = [*self.program, "serve", "--data", str(self.data)]
        command += ["--config", str(self._config)] if self._config else []
        for name, value in self._settings.items():
            command += ["--set", f"{name}={value}"] if value is not None else []
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT
            )
        self._ready, self._ended = None, False
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        with self._changed:
            self._changed.wait_for(lambda: self._ready is not None or self._ended, timeout)
            found: Ready | None = getattr(self, "_ready", None)  # the reader thread has set it
        if found is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(1.0 if self._ended else 0.0)  # its output ends a moment before it does
            status = self._process.poll()
            self.kill()
            raise EngineFailed(f"no ready line (exit {status}):\n{self.log[-4000:]}")
        return found

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with self._changed:
                self.first_lines.append(line.rstrip("\n"))
                if line.startswith("ready "):
                    found = json.loads(line.removeprefix("ready "))
                    self._ready = Ready(
                        tuple(found["sip"]),
                        found["api"],
                        found["console"],
                        found["pid"],
                        tuple(found["workers"]),
                    )
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def stop(self) -> None:
        """SIGTERM; the engine must exit 0 within its five seconds and leave no worker behind."""
        if self._process is None:
            return
        workers = self.ready.workers
        self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(STOP)
        except subprocess.TimeoutExpired:
            self.kill()
            raise EngineFailed(f"still running {STOP:g} s after SIGTERM:\n{self.log[-4000:]}") from None
        self._close()
        if status != 0:
            raise EngineFailed(f"exit {status} after SIGTERM:\n{self.log[-4000:]}")
        left = [pid for pid in workers if alive(pid)]
        if left:
            raise EngineFailed(f"workers {left} outlived the engine")

    def kill(self) -> None:
        """SIGKILL, of the control process only: workers without calls end, the others wait for the next one."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._close()

    def _close(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        if self._reader is not None:
            self._reader.join(2)
        self._process.stdout.close()
        self._process = None

    def reload(self) -> None:
        """SIGHUP."""
        os.kill(self.ready.pid, signal.SIGHUP)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.stop()
        else:  # the test's own failure is the one to show
            self.kill()
            for pid in self.ready.workers:  # else they carry its calls on, into the next test
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def cli(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """``polyphony ARGUMENTS --data DIR``, in English; with ``check`` its exit status must be 0."""
        result = subprocess.run(
            [*POLYPHONY, *arguments, "--data", str(self.data)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            timeout=120,
        )
        if check and result.returncode != 0:
            raise EngineFailed(
                f"polyphony {' '.join(arguments)}: exit {result.returncode}\n{result.stdout}{result.stderr}"
            )
        return result

    def password_file(self, password: str) -> str:
        """A file holding that password, for ``--password-file``."""
        path = self.log_file.parent / f"password-{abs(hash(password)):x}"
        path.touch(mode=0o600)
        path.write_text(password + "\n")
        return str(path)

    def add_line(self, number: str, password: str, name: str = "") -> None:
        """A number a phone may register here."""
        self.cli("lines", "add", number, "--password-file", self.password_file(password), "--name", name)

    def listing(self, what: str) -> Any:
        """``polyphony WHAT --json``: lines, links, automates."""
        return json.loads(self.cli(what, "--json").stdout)

    def status(self) -> Any:
        """The engine's snapshot of itself, read over its local socket."""
        from engine.cli.engine_client import read
        from engine.data_directory import DataDirectory

        return read(DataDirectory(self.data), "status")


def alive(pid: int) -> bool:
    """Whether a process still runs (a zombie does not)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
