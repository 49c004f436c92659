"""Imports of users in a running engine: asked for by the API, carried out by a process, there at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from engine.cli.engine_client import request
from engine.data_directory import DataDirectory
from tests.interop.engine_process import ROOT, Engine
from tests.ldap_server import PEOPLE, person, running_server

pytestmark = [pytest.mark.slow, pytest.mark.needs("slapd")]
PATIENCE = 120.0
OVER = {"done", "failed", "interrupted"}


class Office:
    """What is administered through the socket of a running engine."""

    def __init__(self, engine: Engine) -> None:
        self._directory = DataDirectory(engine.data)

    def ask(self, method: str, path: str, **body: object) -> Any:
        status, answer = request(self._directory, method, path, body or None)
        assert status < 300, answer
        return answer

    def over(self, run: str) -> Any:
        """The run, when it is over."""
        give_up_at = monotonic() + PATIENCE
        while (told := self.ask("GET", f"user-import-runs/{run}"))["state"] not in OVER:
            assert monotonic() < give_up_at, told
            sleep(0.1)
        return told


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(Path(tmp_path_factory.mktemp("imports"))) as running:
        yield running


def test_from_the_directory_to_the_api(engine: Engine) -> None:
    """A run that is asked for is carried out; its users, its events and its report are there; then the server dies."""
    office = Office(engine)
    with running_server([person("ann", givenName="Ann"), person("bob", enabled=False)]) as server:
        source = office.ask(
            "POST",
            "user-imports",
            name="staff",
            kind="active-directory",
            mode="insert-update-delete",
            host="localhost",
            port=server.tls_port,
            authority=server.authority.read_text(),
            bind_dn=server.manager,
            password=server.password,
            base=PEOPLE,
            filter="(objectClass=user)",
            fields={"login": "sAMAccountName", "first_name": "givenName"},
        )
        run = office.over(office.ask("POST", "user-import-runs", user_import=source["uid"])["uid"])
        assert (run["state"], run["created"], run["started_by"]) == ("done", 2, "local")
        users = office.ask("GET", "users?order=login")["items"]
        assert [(each["login"], each["enabled"]) for each in users] == [("ann", True), ("bob", False)]
        outcomes = office.ask("GET", f"user-import-outcomes?run={run['uid']}")["items"]
        assert [each["action"] for each in outcomes] == ["created", "created"]
    run = office.over(office.ask("POST", "user-import-runs", user_import=source["uid"])["uid"])
    assert (run["state"], run["reason"]) == ("failed", "unreachable")
    assert office.ask("GET", "users?order=login")["items"] == users


def test_the_command_waits_for_the_engine(engine: Engine, tmp_path: Path) -> None:
    """It asks the engine that runs, and says what came of it."""
    fields = {"login": "login"}
    Office(engine).ask("POST", "user-imports", name="file", kind="csv", mode="insert-update", fields=fields)
    file = tmp_path / "users.csv"
    file.write_text("login\ncy\n")
    words = ("users", "import", "file", "--file", str(file), "--data", str(engine.data))
    done = subprocess.run(
        [sys.executable, "-m", "engine", *words], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert "1 created" in done.stdout
