"""Imports users from a real slapd that holds Active Directory's attributes, and says what that costs.

    python -m bench.user_import [--users 8000] [--store postgresql://...]

First run: everybody is new. Second: nothing has changed. Third: one in ten has a new name, one in a hundred is gone.
Each in a process of its own, as in a running engine. Then a run against the dead server. Fails where a run takes
longer than it may.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from engine.administration.query import Query
from engine.administration.user_import_runs import COUNTS, UserImportRun
from engine.domain.actor import LOCAL
from engine.store import Store
from tests.engine.imports.importing import Importing
from tests.ldap_server import Entry, person, running_server

FIRST_SECONDS, AGAIN_SECONDS = 60.0, 15.0
FIELDS = {
    "login": "sAMAccountName",
    "first_name": "givenName",
    "last_name": "sn",
    "email": "mail|userPrincipalName",
    "mobile": "mobile",
    "custom_1": "{title}",
}


def people(count: int, *, changed: bool = False) -> list[Entry]:
    """Everybody, one in twenty disabled; ``changed``: as a year later."""
    found = []
    for number in range(count):
        if changed and number % 100 == 7:
            continue
        last = f"Dupont-{number}" + (" Roe" if changed and number % 10 == 0 else "")
        found.append(
            person(
                f"user{number:05d}",
                enabled=number % 20 > 0,
                givenName="Hélène",
                sn=last,
                mobile=f"+33 6 {number:08d}",
                title="Chargée d'affaires",
                userPrincipalName=f"user{number:05d}@corp.test",
            )
        )
    return found


def carry_out(importing: Importing, url: str, **changes: object) -> float:
    """Ask for a run and have a process carry it out; seconds that took."""
    [source] = importing.imports.page(LOCAL, Query()).items
    if changes:
        importing.imports.change(LOCAL, source.uid, importing.imports.patch(**changes))
    run = importing.ask(source)
    command = [sys.executable, "-m", "engine.imports.child", str(importing.key_of(run))]
    begun = time.perf_counter()
    subprocess.run(command, input=url.encode(), check=True, timeout=600)
    seconds = time.perf_counter() - begun
    told = importing.runs.get(LOCAL, run.uid).view
    print(f"{told.state:8} {seconds:7.2f} s  {told.entries:6} read  {_counted(told)} {told.reason}")
    return seconds


def _counted(run: UserImportRun) -> str:
    return ", ".join(f"{name} {getattr(run, name)}" for name in COUNTS[1:] if getattr(run, name))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit status says whether it was fast enough."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=8000)
    parser.add_argument("--store", help="URL of an empty database; without it, a SQLite file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        url = options.store or f"sqlite:///{Path(folder) / 'store.sqlite3'}"
        store = Store(url)
        store.open()
        url = store.database.url.render_as_string(hide_password=False)
        importing = Importing(store)
        with running_server(people(options.users)) as server:
            importing.directory(server, "insert-update-disable", fields=FIELDS)
            first, again = carry_out(importing, url), carry_out(importing, url)
        with running_server(people(options.users, changed=True)) as server:
            where = {"port": server.tls_port, "authority": server.authority.read_text()}
            carry_out(importing, url, **where)
        carry_out(importing, url)
        store.close()
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"largest process: {largest:.0f} MiB (slapd included)")
    return 0 if first <= FIRST_SECONDS and again <= AGAIN_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
