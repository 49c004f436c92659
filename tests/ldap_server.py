"""A real slapd for the tests: a tree of one's own with attributes of Active Directory, over LDAP, StartTLS and LDAPS.

What it cannot be is Active Directory: it knows the rule of its bit masks (1.2.840.113556.1.4.803), not that of nested
groups (1.2.840.113556.1.4.1941), and ``memberOf`` is what the tree says, nothing computed.
"""

from __future__ import annotations

import base64
import socket
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import trustme

from tests.interop.ports import free_port
from tests.system_packages import find_program, reason

BASE = "dc=example,dc=test"
MANAGER, MANAGER_PASSWORD = f"cn=manager,{BASE}", "manager pass wörd"
PEOPLE, GROUPS = f"ou=people,{BASE}", f"ou=groups,{BASE}"
START_SECONDS = 60
ENABLED, DISABLED = 0x200, 0x202  # userAccountControl: NORMAL_ACCOUNT, ACCOUNTDISABLE
BIGGEST_MAP = 256 << 20  # bytes of address space, not of memory

# The definitions of [MS-ADA1..3] and [MS-ADSC], with the matching rules that slapd needs spelt out.
ACTIVE_DIRECTORY = """
attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' EQUALITY caseIgnoreMatch
  SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.656 NAME 'userPrincipalName' EQUALITY caseIgnoreMatch
  SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' EQUALITY octetStringMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.2.102 NAME 'memberOf' EQUALITY distinguishedNameMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.12 )
attributetype ( 1.2.840.113556.1.4.750 NAME 'groupType' EQUALITY integerMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP inetOrgPerson STRUCTURAL
  MAY ( sAMAccountName $ userPrincipalName $ userAccountControl $ objectGUID $ memberOf ) )
objectclass ( 1.2.840.113556.1.5.8 NAME 'group' SUP top STRUCTURAL
  MUST cn MAY ( member $ memberOf $ objectGUID $ groupType $ description ) )
"""

Values = str | bytes | Sequence[str | bytes]
Entry = tuple[str, Mapping[str, Values]]  # its DN, its attributes


def person(login: str, *, enabled: bool = True, **attributes: Values) -> Entry:
    """A user as Active Directory has one; ``attributes`` add to it or replace. The GUID follows from the login."""
    values: dict[str, Values] = {
        "objectClass": "user",
        "cn": login,
        "sn": login.capitalize(),
        "sAMAccountName": login,
        "userAccountControl": str(ENABLED if enabled else DISABLED),
        "objectGUID": login.encode().ljust(16, b"\0")[:16],
        "mail": f"{login}@example.test",
    }
    return f"cn={login},{PEOPLE}", values | attributes


def group(name: str, *members: str, **attributes: Values) -> Entry:
    """A group of the DNs ``members``."""
    values: dict[str, Values] = {"objectClass": "group", "cn": name}
    if members:
        values["member"] = members
    return f"cn={name},{GROUPS}", values | attributes


@dataclass
class LdapServer:
    """A running slapd. ``authority``: the PEM file of who signed its certificate, for localhost and 127.0.0.1."""

    process: subprocess.Popen[bytes]
    port: int
    tls_port: int
    authority: Path
    host: str = "127.0.0.1"
    base: str = BASE
    manager: str = MANAGER
    password: str = MANAGER_PASSWORD

    def kill(self) -> None:
        """Make it a dead server, in the middle of whatever it does."""
        self.process.kill()
        self.process.wait(30)


@contextmanager
def running_server(entries: Iterable[Entry] = (), *, size_limit: int | None = None) -> Iterator[LdapServer]:
    """Start one with ``entries`` below the two organisational units ``PEOPLE`` and ``GROUPS``; end it at the end.

    size_limit: how many entries of a search it answers at most, to all but its manager, in however many pages.
    """
    with tempfile.TemporaryDirectory(prefix="polyphony-ldap") as name:
        folder = Path(name)
        configuration = _configure(folder, size_limit)
        _fill(configuration, entries)
        port, tls_port = free_port(), free_port()
        urls = f"ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls_port}"
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [_path("slapd"), "-f", str(configuration), "-h", urls, "-d", "0"], stdout=log, stderr=log
            )
            try:
                _await(process, port, folder / "log")
                yield LdapServer(process, port, tls_port, folder / "authority.pem")
            finally:
                process.kill()  # its files are a test's own and are removed
                process.wait(30)


def _configure(folder: Path, size_limit: int | None) -> Path:
    (folder / "data").mkdir()
    (folder / "active_directory.schema").write_text(ACTIVE_DIRECTORY)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    schemas = "\n".join(
        f"include /etc/ldap/schema/{name}.schema" for name in ("core", "cosine", "inetorgperson")
    )
    limits = "" if size_limit is None else f"limits * size={size_limit} size.prtotal={size_limit}"
    text = f"""
{schemas}
include {folder}/active_directory.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile {folder}/authority.pem
TLSCertificateFile {folder}/certificate.pem
TLSCertificateKeyFile {folder}/key.pem
pidfile {folder}/pid
database mdb
maxsize {BIGGEST_MAP}
suffix "{BASE}"
rootdn "{MANAGER}"
rootpw "{MANAGER_PASSWORD}"
directory {folder}/data
dbnosync
index objectClass,sAMAccountName,uid,mail,memberOf,member eq
{limits}
"""
    path = folder / "slapd.conf"
    path.write_text(text)
    return path


def _fill(configuration: Path, entries: Iterable[Entry]) -> None:
    first: list[Entry] = [
        (BASE, {"objectClass": ["dcObject", "organization"], "dc": "example", "o": "Example"}),
        (PEOPLE, {"objectClass": "organizationalUnit", "ou": "people"}),
        (GROUPS, {"objectClass": "organizationalUnit", "ou": "groups"}),
    ]
    ldif = "\n".join(_ldif(*entry) for entry in (*first, *entries))
    subprocess.run(
        [_path("slapadd"), "-q", "-f", str(configuration)],
        input=ldif.encode(),
        check=True,
        capture_output=True,
        timeout=300,
    )


def _ldif(name: str, attributes: Mapping[str, Values]) -> str:
    """One entry (RFC 2849), every value in base 64: then none needs a look at its characters."""
    lines = [f"dn:: {_encoded(name)}"]
    for attribute, values in attributes.items():
        several = [values] if isinstance(values, str | bytes) else values
        lines += [f"{attribute}:: {_encoded(value)}" for value in several]
    return "\n".join([*lines, ""])


def _encoded(value: str | bytes) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up_at = monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            if process.poll() is not None or monotonic() > give_up_at:
                raise RuntimeError(f"slapd did not start: {log.read_text(errors='replace')}") from None
            sleep(0.02)
        else:
            return


def _path(name: str) -> str:
    path = find_program(name)
    assert path is not None, reason("slapd")
    return path
