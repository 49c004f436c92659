"""Users read from a real slapd: pages, groups, disabled accounts, TLS, and a server that is dead or dies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from engine.domain.imports.entry import SourceError
from engine.domain.imports.filters import Kind
from engine.imports.directory import Directory, Security, read_directory
from tests.ldap_server import BASE, GROUPS, PEOPLE, LdapServer, group, person, running_server

pytestmark = pytest.mark.needs("slapd")
NAMES = [f"user{number:03d}" for number in range(120)]


def dn(login: str) -> str:
    """Where a person stands."""
    return f"cn={login},{PEOPLE}"


@pytest.fixture(scope="module")
def server() -> Iterator[LdapServer]:
    """120 people, every tenth of them disabled, with groups in groups."""
    people = [
        person(name, enabled=number % 10 > 0, givenName="Hélène", memberOf=f"cn=staff,{GROUPS}")
        for number, name in enumerate(NAMES)
    ]
    groups = [
        group("staff", dn("user001"), f"cn=sales,{GROUPS}"),
        group("sales", dn("user002"), f"cn=staff,{GROUPS}"),
    ]
    with running_server([*people, *groups]) as running:
        yield running


def directory(server: LdapServer, **changes: object) -> Directory:
    """The people of ``server``."""
    found = Directory(
        kind=Kind.ACTIVE_DIRECTORY,
        host="localhost",
        port=server.tls_port,
        authority=server.authority.read_text(),
        bind_dn=server.manager,
        password=server.password,
        base=PEOPLE,
        filter="(objectClass=user)",
        page_size=50,
        attributes=("sAMAccountName", "givenName", "mail"),
    )
    return replace(found, **changes)  # type: ignore[arg-type]  # a field each


@pytest.mark.parametrize("size", [7, 50, 1000])
def test_all_pages(server: LdapServer, size: int) -> None:
    """Everybody comes once, however many fit into a page; how far it has come is told."""
    told: list[int] = []
    entries = read_directory(directory(server, page_size=size), told.append)
    assert [entry.first("sAMAccountName") for entry in entries] == NAMES
    assert told == [*range(size, len(NAMES) + 1, size), len(NAMES)]


def test_what_an_entry_holds(server: LdapServer) -> None:
    """Its GUID as Windows writes it, whether its account is enabled, its attributes."""
    first, second, *_ = read_directory(directory(server))
    assert first.key == str(UUID(bytes_le=b"user000".ljust(16, b"\0")))
    assert (first.enabled, second.enabled) == (False, True)
    assert (first.reference, first.first("GIVENNAME")) == (dn("user000"), "Hélène")


@pytest.mark.parametrize(
    ("security", "tls"), [(Security.LDAPS, True), (Security.STARTTLS, False), (Security.NONE, False)]
)
def test_how_it_is_kept_secret(server: LdapServer, security: Security, tls: bool) -> None:
    """Over TLS from the first octet, from StartTLS on, or in clear text where somebody wants that."""
    found = directory(server, security=security, port=server.tls_port if tls else server.port)
    assert len(read_directory(found)) == len(NAMES)


def test_nested_groups_of_a_plain_directory(server: LdapServer) -> None:
    """It knows no rule for chains, so they are followed here; these two are even in each other."""
    found = directory(server, kind=Kind.LDAP, group=f"cn=Staff, {GROUPS}")
    assert [entry.first("mail") for entry in read_directory(found)] == [
        "user001@example.test",
        "user002@example.test",
    ]


def test_the_key_of_a_plain_directory(server: LdapServer) -> None:
    """entryUUID (RFC 4530), or what is named; an attribute nobody has makes entries nobody's."""
    found = directory(server, kind=Kind.LDAP, filter="cn=user007")
    [entry] = read_directory(found)
    assert UUID(entry.key)
    [entry] = read_directory(replace(found, key="mail"))
    assert entry.key == "user007@example.test"
    [entry] = read_directory(replace(found, key="employeeNumber"))
    assert (entry.key, entry.error) == ("", "no_key")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": "wrong"}, "refused"),
        ({"filter": "(&(cn=a)"}, "filter"),
        ({"base": f"ou=nobody,{BASE}"}, "base"),
        ({"base": "people"}, "base"),
        ({"group": f"cn=none,{GROUPS}"}, "group"),
        ({"group": f"cn=none,{GROUPS}", "kind": Kind.LDAP}, "group"),
        ({"authority": ""}, "tls"),
        ({"host": "127.0.0.2"}, "unreachable"),
        ({"host": "nowhere.invalid"}, "unreachable"),
    ],
)
def test_what_stops_a_reading(server: LdapServer, changes: dict[str, object], reason: str) -> None:
    """One error with a reason a person can act on, and no password in it."""
    with pytest.raises(SourceError) as refused:
        read_directory(directory(server, **changes))
    assert refused.value.reason == reason
    assert server.password not in str(refused.value)


def test_a_dead_server() -> None:
    """Nobody answers any more, before a reading or in the middle of one: no entries, an error."""
    with running_server([person(name) for name in NAMES]) as server:
        found = directory(server, page_size=10)

        def dies(count: int) -> None:
            if count == 30:
                server.kill()

        for _ in range(2):
            with pytest.raises(SourceError) as refused:
                read_directory(found, dies)
            assert refused.value.reason == "unreachable"


def test_a_limit_of_the_server() -> None:
    """A list that was cut short is no list of users."""
    with (
        running_server([person(name) for name in NAMES], size_limit=50) as server,
        pytest.raises(SourceError) as refused,
    ):
        read_directory(directory(server, bind_dn="", password="", page_size=10))
    assert refused.value.reason == "limited"
