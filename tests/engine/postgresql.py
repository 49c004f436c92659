"""A private PostgreSQL for the tests of one session, in a temporary folder, on a Unix socket only."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import psycopg
import pytest
from sqlalchemy.engine import make_url

from engine.store.migrate import upgrade
from tests.system_packages import find_program, reason

USER = "polyphony"
START_SECONDS = 180
UNPRIVILEGED = ("postgres", "nobody")  # PostgreSQL refuses to run as root


class PostgresqlServer:
    """A running server; ``new_database`` gives a URL nobody else uses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._migrated = False

    def new_database(self) -> str:
        """Create an empty database; answers its SQLAlchemy URL."""
        self._count += 1
        name = f"test{self._count}"
        with psycopg.connect(
            host=str(self._folder), user=USER, dbname="postgres", autocommit=True
        ) as session:
            session.execute(f"CREATE DATABASE {name}")
        return self._url(name)

    def migrate(self, url: str) -> None:
        """Bring an empty database to the tables of this version, as a copy of one that was once migrated."""
        name, template = make_url(url).database, "migrated"
        with psycopg.connect(
            host=str(self._folder), user=USER, dbname="postgres", autocommit=True
        ) as session:
            if not self._migrated:
                session.execute(f"CREATE DATABASE {template}")
                upgrade(self._url(template))
                self._migrated = True
            session.execute(f"DROP DATABASE {name}")
            session.execute(f"CREATE DATABASE {name} TEMPLATE {template}")

    def remove(self, url: str) -> None:
        """Forget a database, whoever may still be connected to it."""
        with psycopg.connect(
            host=str(self._folder), user=USER, dbname="postgres", autocommit=True
        ) as session:
            session.execute(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def _url(self, name: str) -> str:
        return f"postgresql://{USER}@/{name}?host={self._folder}"

    def answers(self) -> bool:
        """Whether it takes connections yet."""
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(host=str(self._folder), user=USER, dbname="postgres")


@contextmanager
def running_server() -> Iterator[PostgresqlServer]:
    """Start a server as this user, or as an unprivileged one when this is root; stop it at the end."""
    folder = Path(tempfile.mkdtemp(prefix="polyphony-pg"))  # short: a socket's path has at most 107 bytes
    owner = _owner()
    try:
        if owner is not None:
            shutil.chown(folder, owner)
        cluster = folder / "cluster"
        options = ("-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C", "-N")
        _run("initdb", "-D", str(cluster), *options, owner=owner)
        with _process(cluster, folder, owner) as process:
            server = PostgresqlServer(folder)
            _await(server, process)
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """The session's server; a test that asks for it is marked ``needs("postgresql")``."""
    with running_server() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """The URL of an empty database of this test's own."""
    url = postgresql_server.new_database()
    yield url
    postgresql_server.remove(url)


def _owner() -> str | None:
    if os.geteuid() != 0:
        return None
    import pwd

    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in UNPRIVILEGED if name in known)


def _run(name: str, *arguments: str, owner: str | None) -> None:
    subprocess.run(
        [_path(name), *arguments], check=True, user=owner, cwd="/", stdout=subprocess.DEVNULL, timeout=300
    )


@contextmanager
def _process(cluster: Path, sockets: Path, owner: str | None) -> Iterator[subprocess.Popen[bytes]]:
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        # nothing has to outlive this server
        "fsync": "off",
        "full_page_writes": "off",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "autovacuum": "off",
    }
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    with (sockets / "log").open("wb") as log:
        process = subprocess.Popen(
            [_path("postgres"), "-D", str(cluster), *settings], user=owner, cwd="/", stdout=log, stderr=log
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGQUIT)  # "immediate": what it has not written yet is thrown away
            process.wait(30)


def _await(server: PostgresqlServer, process: subprocess.Popen[bytes]) -> None:
    """Poll until it answers: PostgreSQL has no other sign of readiness that needs no sleep."""
    give_up_at = monotonic() + START_SECONDS
    while not server.answers():
        if process.poll() is not None or monotonic() > give_up_at:
            raise RuntimeError("PostgreSQL did not start")
        sleep(0.05)


def _path(name: str) -> str:
    path = find_program(name)
    assert path is not None, reason("postgresql")
    return path
