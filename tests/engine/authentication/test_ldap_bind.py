"""Passwords that a real slapd checks; what a login can never do to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import ldap3
import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from ldap3.utils.dn import parse_dn

from engine.authentication.ldap_bind import LONGEST_LOGIN, bind_name, ldap_bind
from engine.domain.authentication.methods import Ldap, Outcome
from engine.domain.directory_security import Security
from tests.ldap_server import PEOPLE, LdapServer, person, running_server

PATTERN = f"cn=?,{PEOPLE}"
ODD = 'Smith, "J" + <x>; #1\\'


@pytest.fixture(scope="module")
def server() -> Iterator[LdapServer]:
    people = [
        person("jane", userPassword="sécret"),
        (bind_name(PATTERN, ODD) or "", {**person("odd")[1], "cn": ODD, "userPassword": "odd one"}),
        person("nobody"),
    ]
    with running_server(people) as server:
        yield server


def method(server: LdapServer, **fields: object) -> Ldap:
    found = Ldap(
        host=server.host, port=server.tls_port, pattern=PATTERN, authority=server.authority.read_text()
    )
    return replace(found, **fields)  # type: ignore[arg-type]


@pytest.mark.needs("slapd")
class TestBind:
    @pytest.mark.parametrize("security", Security)
    def test_right_and_wrong(self, server: LdapServer, security: Security) -> None:
        """Over each kind of connection; a login that is not there is as wrong as a password."""
        port = server.tls_port if security is Security.LDAPS else server.port
        asked = method(server, port=port, security=security)
        assert ldap_bind(asked, "jane", "sécret") is Outcome.RIGHT
        assert ldap_bind(asked, "JANE", "sécret") is Outcome.RIGHT
        assert ldap_bind(asked, ODD, "odd one") is Outcome.RIGHT
        for login, password in (("jane", "secret"), ("joe", "sécret"), ("nobody", "x"), ("jane", "x" * 1000)):
            assert ldap_bind(asked, login, password) is Outcome.WRONG

    def test_without_a_password_nobody_binds(self, server: LdapServer) -> None:
        """The directory lets such a bind in, as nobody: that proves nothing of anybody."""
        anonymous = ldap3.Connection(ldap3.Server(server.host, server.port), authentication=ldap3.ANONYMOUS)
        assert anonymous.bind()
        assert ldap_bind(method(server), "jane", "") is Outcome.WRONG
        assert ldap_bind(method(server), "", "") is Outcome.WRONG

    def test_a_login_stays_one_value(self, server: LdapServer) -> None:
        """Whatever stands in it, it names an entry below the people, and none that it spells."""
        for login in (f"jane,{PEOPLE}", "jane,ou=people", "jane+sn=Jane", "*", "jane)(cn=*", "\\6aane\\"):
            assert ldap_bind(method(server), login, "sécret") is Outcome.WRONG
        manager = method(server, pattern="?")
        assert ldap_bind(manager, server.manager, server.password) is Outcome.WRONG

    def test_a_certificate_of_somebody_else(self, server: LdapServer) -> None:
        """No password is sent there."""
        other = trustme.CA().cert_pem.bytes().decode()
        for security, port in ((Security.LDAPS, server.tls_port), (Security.STARTTLS, server.port)):
            asked = method(server, authority=other, security=security, port=port)
            assert ldap_bind(asked, "jane", "sécret") is Outcome.UNANSWERED

    def test_nobody_there(self, server: LdapServer) -> None:
        """It says nothing of the password."""
        assert ldap_bind(method(server, port=1), "jane", "sécret") is Outcome.UNANSWERED
        assert ldap_bind(method(server, authority="no certificate"), "jane", "sécret") is Outcome.UNANSWERED
        assert ldap_bind(method(server, pattern="no=such"), "jane", "sécret") is not Outcome.RIGHT


logins = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(logins)
def test_a_pattern_keeps_its_parts(login: str) -> None:
    """A DN with a login in it has as many parts as one without, and the login's own value."""
    name = bind_name("cn=?,ou=people,dc=x", login)
    if name is None:
        assert not login.isprintable()
        return
    parts = parse_dn(name)
    assert [each[0] for each in parts] == ["cn", "ou", "dc"]
    assert [each[1] for each in parts[1:]] == ["people", "x"]


@pytest.mark.parametrize(
    ("pattern", "login", "name"),
    [
        ("?@example.com", "jane.doe", "jane.doe@example.com"),
        ("EXAMPLE\\?", "jané", "EXAMPLE\\jané"),
        ("?@example.com", "jane@evil.example", None),
        ("EXAMPLE\\?", "OTHER\\jane", None),
        ("cn=?,dc=x", "", None),
        ("cn=?,dc=x", "a" * (LONGEST_LOGIN + 1), None),
        ("cn=?,dc=x", "a\0b", None),
        ("cn=?,dc=x", "a,dc=y", "cn=a\\2cdc\\3dy,dc=x"),
    ],
)
def test_names(pattern: str, login: str, name: str | None) -> None:
    assert bind_name(pattern, login) == name
