"""Kamailio (Debian) as the PBX: registrar with digest and a record-routing proxy, users in memory only.

Any number may register; its password is ``password_of(number)``, or one for all of them. So a test can bring
100 automates without a database, and a restart forgets everybody, as a PBX that crashed does.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from tests.interop.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

MODULES = "/usr/lib/x86_64-linux-gnu/kamailio/modules"
TEMPLATE = Path(__file__).with_name("kamailio.cfg")
REALM = "pbx.test"
PASSWORD = "secret-of-"
REGISTER = re.compile(r"REGISTER (\S+) (\d+\.\d+) (\w+) (\S+) auth=(\S+)")


def password_of(number: str) -> str:
    """The password of any number."""
    return PASSWORD + number


class Registration(NamedTuple):
    """One REGISTER Kamailio received: Unix time, number, transport, whether it carried credentials."""

    at: float
    number: str
    transport: str
    authorised: bool


class Kamailio:
    """One Kamailio on fixed ports, so that it can be killed and come back where it was."""

    def __init__(
        self,
        folder: Path,
        *,
        tls: Mapping[str, str] | None = None,
        challenge_calls: bool = False,
        max_expires: int = 3600,
        algorithm: str = "MD5",
        password: str = PASSWORD + "$fU",  # of the number in From, which must be the user's own
    ) -> None:
        self.folder = folder / "kamailio"
        self.folder.mkdir(parents=True)
        self.port = free_port(pair=True)
        self.tls_port = self.port + 1
        self._process: subprocess.Popen[bytes] | None = None
        values = {
            "PORT": str(self.port),
            "TLS_PORT": str(self.tls_port),
            "MODULES": MODULES,
            "CERTIFICATE": (tls or {}).get("cert", ""),
            "KEY": (tls or {}).get("key", ""),
            "MAX_EXPIRES": str(max_expires),
            "ALGORITHM": algorithm,
            "REALM": REALM,
            "PASSWORD": password,
        }
        text = re.sub(r"@([A-Z_]+)@", lambda match: values[match[1]], TEMPLATE.read_text())
        (self.folder / "kamailio.cfg").write_text(text)
        self._defines = [
            *(["-A", "WITH_TLS"] if tls else []),
            *(["-A", "WITH_CALL_AUTH"] if challenge_calls else []),
        ]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def uri(self, user: str = "", transport: str = "udp") -> str:
        """``sip:user@`` this Kamailio over that transport."""
        port = self.tls_port if transport == "tls" else self.port
        return f"sip:{user + '@' if user else ''}127.0.0.1:{port};transport={transport}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def start(self, timeout: float = 10.0) -> None:
        """Start (or start again) in a process group of its own and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *("kamailio", "-DD", "-E", "-m", "64", "-M", "8"),
                    *("-f", str(self.folder / "kamailio.cfg"), "-w", str(self.folder)),
                    *("-Y", str(self.folder), "-L", MODULES),
                    *self._defines,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        end = time.monotonic() + timeout
        while True:
            try:
                self.rpc("core.version")
                return
            except (OSError, urllib.error.URLError):
                if self._process.poll() is not None or time.monotonic() > end:
                    self.kill()
                    raise RuntimeError(f"kamailio did not start:\n{self.log[-4000:]}") from None
                time.sleep(0.05)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """``kill -9`` of all its processes: nobody says goodbye."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        group, process, self._process = self._process.pid, self._process, None
        try:
            os.killpg(group, how)
            process.wait(10)
        except ProcessLookupError:
            process.wait()
        except subprocess.TimeoutExpired:
            os.killpg(group, signal.SIGKILL)
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def rpc(self, method: str, *parameters: object) -> Any:
        """A Kamailio RPC command, over HTTP on its SIP port."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)})
        request = urllib.request.Request(
            f"http://{self.address}/RPC", body.encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            reply = json.load(answer)
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']}")
        return reply["result"]

    def registered(self) -> set[str]:
        """The numbers that have a live contact now."""
        found = self.rpc("ul.dump")["Domains"]
        return {
            record["Info"]["AoR"].partition("@")[0]
            for domain in found
            for record in domain["Domain"].get("AoRs", [])
        }

    def wait_registered(self, numbers: set[str], timeout: float = 30.0) -> float:
        """Wait until all of them are registered; the seconds it took."""
        started = time.monotonic()
        while missing := numbers - self.registered():
            if time.monotonic() - started > timeout:
                raise AssertionError(
                    f"{len(missing)} not registered after {timeout:g} s: {sorted(missing)[:5]}"
                )
            time.sleep(0.1)
        return time.monotonic() - started

    def registrations(self, since: float = 0.0) -> list[Registration]:
        """Every REGISTER received since that Unix time, in order: how a storm would be seen."""
        found = (
            Registration(float(at), number, transport, authorised != "<null>")
            for number, at, transport, _, authorised in REGISTER.findall(self.log)
        )
        return [entry for entry in found if entry.at >= since]
