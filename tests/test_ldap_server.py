"""The directory of the tests is what the tests of users and of passwords take it for."""

from __future__ import annotations

import ssl

import ldap3
import pytest

from tests.ldap_server import PEOPLE, LdapServer, person, running_server

pytestmark = pytest.mark.needs("slapd")


def test_it_answers_as_active_directory_would() -> None:
    """Logins without regard to case, the bit mask of disabled accounts, a GUID of 16 octets."""
    with running_server([person("jane"), person("joe", enabled=False)]) as server:
        session = ldap3.Connection(
            ldap3.Server(server.host, server.port), server.manager, server.password, auto_bind=True
        )
        session.search(PEOPLE, "(sAMAccountName=JANE)", attributes=["objectGUID"])
        assert session.response[0]["raw_attributes"]["objectGUID"] == [b"jane".ljust(16, b"\0")]
        session.search(PEOPLE, "(userAccountControl:1.2.840.113556.1.4.803:=2)")
        assert [entry["dn"] for entry in session.response] == [f"cn=joe,{PEOPLE}"]


@pytest.mark.parametrize("start_tls", [False, True])
def test_people_bind_over_tls(start_tls: bool) -> None:
    """By LDAPS and by StartTLS, with a certificate that can be checked."""
    with running_server([person("jane", userPassword="sécret")]) as server:
        assert _session(server, start_tls).bind()


def _session(server: LdapServer, start_tls: bool) -> ldap3.Connection:
    tls = ldap3.Tls(ca_certs_file=str(server.authority), validate=ssl.CERT_REQUIRED)
    port = server.port if start_tls else server.tls_port
    found = ldap3.Server(server.host, port, use_ssl=not start_tls, tls=tls)
    session = ldap3.Connection(found, f"cn=jane,{PEOPLE}", "sécret")
    session.open()
    assert not start_tls or session.start_tls()
    return session
