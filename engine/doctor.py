"""The doctor: looks at the machine, finds the running engine, places real calls, and tells what works.

It knows nothing of the engine's inside: what it says is what a phone and a shell on this machine can see.
"""

from __future__ import annotations

import importlib.util
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.engine_client import EngineNotRunning, read
from engine.data_directory import DataDirectory
from engine.softphone import environment
from engine.softphone.findings import Finding, Verdict, fails, note, works
from engine.softphone.probe import Answer, probe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.softphone.settings import TransportName

ECHO, ANNOUNCEMENT, READBACK = "5000", "7000", "6999"  # the demo numbers of the first start


@dataclass(frozen=True, slots=True)
class Server:
    """One address the engine listens on."""

    host: str
    port: int
    transport: TransportName

    def __str__(self) -> str:
        return f"{self.host}:{self.port}/{self.transport.upper()}"


@dataclass(frozen=True, slots=True)
class Visit:
    """What to examine: the engine of a data directory, or any server by address."""

    data: Path | None
    server: Server | None
    rtp_ports: tuple[int, int]
    user: str = ""
    password: str = ""
    ca_file: str = ""


def examine(visit: Visit) -> Iterator[Finding]:
    """Every finding, as it is made. What hangs on something that fails is not examined."""
    yield from environment.libraries()
    yield environment.speech()
    yield environment.ports(*visit.rtp_ports)
    yield environment.clock()
    servers: list[Server] = [] if visit.server is None else [visit.server]
    if visit.data is not None:
        yield from environment.data_directory(visit.data)
        if visit.server is None:
            finding, servers = running_engine(visit.data)
            yield finding
    reached = []
    for server in servers:
        finding = listens(server)
        yield finding
        if finding.verdict is Verdict.WORKS:
            reached.append(server)
    if reached:
        yield from _calls(visit, reached[0])


def running_engine(data: Path) -> tuple[Finding, list[Server]]:
    """Ask the engine of a data directory where it listens."""
    try:
        status = read(DataDirectory(data.absolute()), "status")
    except EngineNotRunning:
        return fails("engine", "engine_not_running", path=data), []
    servers = [server for uri in status["sip"] if (server := server_of(uri)) is not None]
    found = works(
        "engine",
        "engine",
        version=status["version"],
        calls=status["calls"],
        workers=len(status["workers"]),
    )
    return found, sorted(servers, key=lambda server: ("udp", "tcp", "tls").index(server.transport))


def server_of(uri: str) -> Server | None:
    """A listening address, as the engine writes it, seen from this machine; None for what is not SIP."""
    scheme, _, rest = uri.partition(":")
    place, *parameters = rest.split(";")
    host, _, port = place.rpartition(":")
    names = dict(part.lower().partition("=")[::2] for part in parameters)
    transport = names.get("transport", "tls" if scheme == "sips" else "udp")
    if scheme not in ("sip", "sips") or not port.isdecimal() or transport not in ("udp", "tcp", "tls"):
        return None
    host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host).strip("[]")
    return Server(host, int(port), transport)  # type: ignore[arg-type]  # one of the three, seen above


def listens(server: Server) -> Finding:
    """Whether something that speaks SIP answers there."""
    result = probe(server.host, server.port, server.transport)
    where = str(server)
    match result.answer:
        case Answer.ANSWERS if result.status == 403:
            return fails("listening", "forbidden_options", where=where)
        case Answer.ANSWERS:
            return works("listening", "listening", where=where, milliseconds=round(result.delay_ms, 1))
        case Answer.REFUSED:
            return fails("listening", "nobody_listens", where=where)
        case Answer.SILENT:
            return fails("listening", "nobody_answers", where=where)
        case Answer.NOT_SIP:
            return fails("listening", "not_sip", where=where, reason=result.reason)
        case Answer.NO_TLS:
            return fails("listening", "no_tls", where=where, reason=result.reason)
        case Answer.UNREACHABLE:
            return fails("listening", "unreachable", where=where, reason=result.reason)


def _calls(visit: Visit, server: Server) -> Iterator[Finding]:
    if importlib.util.find_spec("pjsua2") is None:
        yield note("calls", "no_phone")
        return
    from engine.softphone.examination import Examination, in_uri, phone_settings

    settings = phone_settings(
        (server.host, server.port),
        server.transport,
        user=visit.user,
        password=visit.password,
        ca_file=visit.ca_file,
    )
    with tempfile.TemporaryDirectory(prefix="polyphony-doctor-") as folder:
        examination = Examination(in_uri(server.host, server.port), settings, Path(folder))
        if visit.user:
            yield examination.registration()
        found = examination.echo(ECHO)
        yield from found
        if found[0].verdict is Verdict.WORKS or found[0].key == "no_such_number":
            yield examination.announcement(ANNOUNCEMENT)
            yield from examination.digits(READBACK)


def well(findings: list[Finding]) -> bool:
    """Whether nothing failed."""
    return not any(finding.verdict is Verdict.FAILS for finding in findings)
