"""Users of a real directory in a real store: Active Directory's attributes, dead servers, a killed process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import engine
from engine.domain.actor import LOCAL
from engine.imports.turns import Turns
from engine.store import Store
from tests.engine.imports.importing import Importing, counts
from tests.ldap_server import GROUPS, PEOPLE, LdapServer, group, person, running_server

pytestmark = pytest.mark.needs("slapd")
ROOT = Path(engine.__file__).resolve().parent.parent

# Carries a run out up to the first statement that writes a user, says so, and stands still.
STOPS_IN_THE_MIDDLE = """
import sys
from sqlalchemy import event
from engine.imports.run import runner
from engine.store.database import Database

url, run = sys.argv[1:]
database = Database(url)

@event.listens_for(database.engine, "before_cursor_execute")
def stop(connection, cursor, statement, *_):
    if statement.startswith("INSERT INTO imported_users"):
        print("in the middle", flush=True)
        sys.stdin.read()

runner(database).run(int(run))
"""


@pytest.fixture(scope="module")
def server() -> Iterator[LdapServer]:
    """Three people, one of them disabled, one without a mail address."""
    people = [
        person("ann", givenName="Ann", sn="Doe", departmentNumber="Sales", title="Director"),
        person("bob", givenName="Bob", sn="Roe", enabled=False),
        person("cy", givenName="Cy", sn="Coe", mail=(), userPrincipalName="cy@corp.test"),
    ]
    nested = [group("all", f"cn=sales,{GROUPS}"), group("sales", f"cn=ann,{PEOPLE}")]
    with running_server([*people, *nested]) as running:
        yield running


@pytest.fixture
def importing(common_store: Store) -> Importing:
    return Importing(common_store)


def test_an_active_directory(importing: Importing, server: LdapServer) -> None:
    """Accounts with their state, the first attribute that has a value, a text of two."""
    source = importing.directory(server)
    assert counts(importing.run(source)) == (3, 0, 0, 0, 0, 0)
    users = importing.everybody()
    assert {login: (each.enabled, each.email, each.custom_1) for login, each in users.items()} == {
        "ann": (True, "ann@example.test", ""),
        "bob": (False, "bob@example.test", ""),
        "cy": (True, "cy@corp.test", ""),
    }
    assert counts(importing.run(source)) == (0, 0, 3, 0, 0, 0)


def test_disabled_accounts_left_out(importing: Importing, server: LdapServer) -> None:
    """They are no users of ours, and the report says so."""
    run = importing.run(importing.directory(server, disabled_accounts="leave-out"))
    assert counts(run) == (2, 0, 0, 0, 0, 1)
    assert importing.report(run)["bob"].reason == "account_disabled"


def test_members_of_a_group_in_a_group(importing: Importing, server: LdapServer) -> None:
    """Of a plain directory."""
    fields = {"login": "sAMAccountName"}
    source = importing.directory(server, kind="ldap", members_of=f"cn=all,{GROUPS}", fields=fields)
    importing.run(source)
    assert list(importing.everybody()) == ["ann"]


def test_a_dead_server(importing: Importing) -> None:
    """The run fails and says which; everybody is still there."""
    with running_server([person("ann"), person("bob")]) as server:
        source = importing.directory(server, largest_share=100)
        importing.run(source)
        before = importing.everybody()
        server.kill()
        run = importing.run(source)
    assert (run.state, run.reason, run.detail) == ("failed", "unreachable", f"localhost:{server.tls_port}")
    assert importing.everybody() == before


def test_a_new_name_of_the_same_person(importing: Importing) -> None:
    """Her GUID stays, so does the user, with her PIN."""
    with running_server([person("ann")]) as server:
        source = importing.directory(server)
        importing.run(source)
        before = importing.everybody()["ann"]
    with running_server([person("ann.roe", objectGUID=b"ann".ljust(16, b"\0"))]) as server:
        changed = {"port": server.tls_port, "authority": server.authority.read_text()}
        importing.imports.change(LOCAL, source.uid, importing.imports.patch(**changed))
        assert counts(importing.run(source)) == (0, 1, 0, 0, 0, 0)
    assert [(each.uid, each.login) for each in importing.everybody().values()] == [(before.uid, "ann.roe")]


@pytest.mark.slow
def test_killed_in_the_middle(importing: Importing, server: LdapServer) -> None:
    """Users were written and nothing was committed: nothing is there, and the next run does it all."""
    source = importing.directory(server)
    run = importing.ask(source)
    database = importing.store.database
    command = [sys.executable, "-c", STOPS_IN_THE_MIDDLE]
    url = database.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [*command, url, str(importing.key_of(run))], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"in the middle\n"
    finally:
        process.kill()
        process.communicate(timeout=60)
    assert importing.everybody() == {}
    assert importing.runs.get(LOCAL, run.uid).view.state == "running"
    turns = Turns(database, importing.store.events, importing.store.audit, lambda: 0.0)
    assert turns.interrupt() == 1
    assert importing.runs.get(LOCAL, run.uid).view.state == "interrupted"
    assert counts(importing.run(source)) == (3, 0, 0, 0, 0, 0)
