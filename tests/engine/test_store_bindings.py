"""Registrations survive a restart of the engine, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from engine.store.bindings import Bindings
from engine.store.database import Database
from engine.store.migrate import upgrade
from engine.store.tables import BindingRow
from sip.bindings import Binding
from sip.flow import Address, Flow

UDP = Flow(Address("udp", "192.0.2.1", 5060), Address("udp", "198.51.100.7", 49152))
TLS = Flow(Address("tls", "192.0.2.1", 5061), Address("tls", "198.51.100.7", 49153), connection=12)
PHONE = Binding(
    aor="101",
    contact="sip:101@198.51.100.7:49152;ob",
    expires_at=1000.0 + 3600,
    call_id="a84b4c76e66710@phone",
    cseq=42,
    q=700,
    params=(("+sip.instance", '"<urn:uuid:1>"'), ("reg-id", "1"), ("flag", None)),
    path=("<sip:edge.example.com;lr>",),
    instance_id="<urn:uuid:1>",
    reg_id=1,
    flow=UDP,
    user_agent="Phöne/1",
    registered_at=1000.0,
)


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    upgrade(store_url)
    database = Database(store_url)
    yield database
    database.close()


def process(database: Database, wall: float) -> Bindings:
    """The bindings as a process sees them that looks at the wall clock at ``wall``."""
    return Bindings(database, lambda: wall)


def rows(database: Database) -> int:
    with database.reading() as session:
        return len(session.scalars(select(BindingRow)).all())


def test_everything_comes_back_in_the_time_of_the_next_process(database: Database) -> None:
    """A process whose clock began anew, 600 s later, finds the binding with 3000 s to live."""
    process(database, 50_000.0).replace("101", [PHONE], now=1000.0)
    [found] = process(database, 50_600.0).all(now=7.0)
    assert found == replace(PHONE, expires_at=7.0 + 3000, registered_at=7.0 - 600)
    assert isinstance(found.flow, Flow)
    assert isinstance(found.flow.remote, Address)


def test_replacing_is_by_address_of_record(database: Database) -> None:
    """All contacts of one address are replaced at once; another's stay; none forgets it."""
    bindings = process(database, 50_000.0)
    other = replace(PHONE, aor="102", contact="sip:102@198.51.100.8")
    second = replace(PHONE, contact="sip:101@198.51.100.9", reg_id=2)
    bindings.replace("101", [PHONE, second], now=1000.0)
    bindings.replace("102", [other], now=1000.0)
    assert bindings.all(now=1000.0) == [PHONE, second, other]
    bindings.replace("101", [second], now=1000.0)
    assert bindings.all(now=1000.0) == [other, second]
    bindings.replace("102", [], now=1000.0)
    assert bindings.all(now=1000.0) == [second]


def test_what_expired_meanwhile_is_forgotten(database: Database) -> None:
    """At the second of its end a binding is gone, from the table as well."""
    process(database, 50_000.0).replace("101", [PHONE], now=1000.0)
    assert process(database, 53_599.0).all(now=0.0) != []
    assert process(database, 53_600.0).all(now=0.0) == []
    assert rows(database) == 0


def test_a_contact_behind_a_connection_is_forgotten(database: Database) -> None:
    """A connection does not outlive its process; a contact without a flow is kept."""
    bindings = process(database, 50_000.0)
    bindings.replace("101", [replace(PHONE, flow=TLS)], now=1000.0)
    bindings.replace("102", [replace(PHONE, aor="102", flow=None)], now=1000.0)
    assert [binding.aor for binding in bindings.all(now=1000.0)] == ["102"]
    assert rows(database) == 1


def test_what_another_version_wrote_is_forgotten(database: Database) -> None:
    """A row that cannot be understood costs one registration, not the start."""
    bindings = process(database, 50_000.0)
    bindings.replace("101", [PHONE], now=1000.0)
    with database.writing() as session:
        session.add(BindingRow(aor="103", expires_at=60_000.0, content={"contact": 1}))
    assert bindings.all(now=1000.0) == [PHONE]
    assert rows(database) == 1
