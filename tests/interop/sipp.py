"""SIPp (Debian) running one scenario, built in (``uac``, ``uas``, ...) or from ``scenarios/NAME.xml``.

Everything it writes (messages, errors, statistics, screen) lies in the test's folder, which pytest keeps when
a test fails; ``Outcome.check`` puts the errors into the failure itself.
"""

from __future__ import annotations

import csv
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.interop.ports import free_port, in_use
from tests.interop.process import ended

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCENARIOS = Path(__file__).parent / "scenarios"
TRANSPORTS = {"udp": "u1", "tcp": "t1", "tcp-per-call": "tn"}


@dataclass(frozen=True)
class Outcome:
    """How a run ended: SIPp's exit status (0 = every call as the scenario says) and its last statistics."""

    exit: int
    statistics: Mapping[str, str]
    errors: str
    messages: Path
    folder: Path

    @property
    def successful(self) -> int:
        return int(self.statistics.get("SuccessfulCall(C)", "0"))

    @property
    def failed(self) -> int:
        return int(self.statistics.get("FailedCall(C)", "0"))

    @property
    def retransmissions(self) -> int:
        return int(self.statistics.get("Retransmissions(C)", "0"))

    def check(self, calls: int | None = 1) -> None:
        """Fail the test, with SIPp's own words, unless that many calls (None: some) went as the scenario says."""
        told = f"{self.errors[:4000]}\n(messages: {self.messages})"
        assert self.exit == 0, f"sipp ended with {self.exit}: {told}"
        wanted = self.successful > 0 if calls is None else self.successful == calls
        assert wanted, f"{self.successful} of {calls} calls: {told}"
        assert not self.failed, f"{self.failed} calls failed: {told}"


class Sipp:
    """One SIPp process. ``start`` returns once it listens; ``wait`` gives the outcome."""

    def __init__(
        self,
        folder: Path,
        scenario: str,
        *,
        remote: str = "",
        service: str = "service",
        transport: str = "udp",
        calls: int = 1,
        rate: float = 10,
        duration_ms: int = 0,
        timeout: float = 30.0,
        host: str = "127.0.0.1",
        port: int = 0,
        user: str = "",
        password: str = "",
        keys: Mapping[str, str] | None = None,
        trace: bool = True,
        extra: Sequence[str] = (),
    ) -> None:
        self.port = port or free_port()
        self.host = host
        self.media_port = free_port(pair=True)
        self.folder = folder / f"sipp-{scenario}-{self.port}"
        self.folder.mkdir(parents=True)
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        path = SCENARIOS / f"{scenario}.xml"
        self._command = [
            "sipp",
            *(["-sf", str(path)] if path.exists() else ["-sn", scenario]),
            *("-i", host, "-p", str(self.port), "-cid_str", "%u-%p-%s"),
            *("-mi", host, "-mp", str(self.media_port), "-cp", str(free_port())),
            *("-t", TRANSPORTS[transport], "-s", service),
            *(["-m", str(calls)] if calls else []),
            *("-r", str(rate), "-d", str(duration_ms)),
            *("-timeout", f"{timeout:g}s", "-timeout_error", "-recv_timeout", f"{timeout * 1000:.0f}"),
            *("-trace_err", "-error_file", str(self.folder / "errors.log")),
            *("-trace_stat", "-stf", str(self.folder / "statistics.csv"), "-fd", "1s"),
            *(["-trace_msg", "-message_file", str(self.folder / "messages.log")] if trace else []),
            # Without -auth_uri SIPp signs sip:HOST:PORT, which is not the Request-URI (RFC 7616 section 3.4.6).
            *(["-au", user, "-ap", password, "-auth_uri", f"{service}@{remote}"] if user else []),
            *(
                part
                for name, value in {"caller": "sipp", **(keys or {})}.items()
                for part in ("-key", name, value)
            ),
            *("-nostdin", "-skip_rlimit", "-reconnect_close", "false"),
            *extra,
            *([remote] if remote else []),
        ]

    def start(self) -> None:
        with (self.folder / "screen.log").open("wb") as screen:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
            )
        end = time.monotonic() + 5
        while not in_use(self.port, self.host) and self._process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)

    def wait(self) -> Outcome:
        """Wait for the end of the run (SIPp's own time limit ends it)."""
        assert self._process is not None
        try:
            self._process.wait(self._timeout + 10)
        except subprocess.TimeoutExpired:
            ended(self._process, 2.0)
        return self._outcome(self._process.returncode)

    def finish(self) -> Outcome:
        """Take no new call, wait for the end of those there are: for a far end that does not count."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGUSR1)
        return self.wait()

    def run(self) -> Outcome:
        self.start()
        return self.wait()

    def stop(self) -> Outcome:
        """End it now (a UAS that waits for no more calls)."""
        assert self._process is not None
        return self._outcome(ended(self._process, 5.0))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            ended(self._process, 5.0)

    def _outcome(self, status: int) -> Outcome:
        errors = "\n".join(
            _text(self.folder / name) for name in ("errors.log", "screen.log" if status not in (0, 1) else "")
        )
        return Outcome(status, self._statistics(), errors, self.folder / "messages.log", self.folder)

    def _statistics(self) -> Mapping[str, str]:
        path = self.folder / "statistics.csv"
        if not path.exists():
            return {}
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file, delimiter=";"))
        return rows[-1] if rows else {}


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.is_file() else ""
