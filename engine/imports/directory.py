"""Reading the users of an LDAP directory (RFC 4511) or of Active Directory, page by page (RFC 2696), to the very end.

Either every entry comes, or SourceError: a server that stops in the middle, a limit it keeps to, a group that is not
there. Whoever is missing for such a reason must not be taken for somebody who has left.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import ldap3
from ldap3.core import exceptions as problems
from ldap3.core import results

from engine.domain.directory_security import Security
from engine.domain.imports.entry import Entry, SourceError
from engine.domain.imports.filters import (
    ENABLED_ATTRIBUTE,
    KEY_ATTRIBUTES,
    Kind,
    account_enabled,
    of_members,
    whole,
)
from engine.imports.group_members import GROUP_ATTRIBUTES, GROUPS_FILTER, Groups, canonical, common_base

CONNECT_SECONDS, ANSWER_SECONDS = 10, 60  # whole ones: the library packs them for the socket
MOST_ENTRIES = 200_000
"""A base or a filter that is meant for something else must not fill the memory."""

Told = Callable[[int], None]
"""How many entries were read so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Where users are read from.

    bind_dn, password: empty for a directory that tells anybody. authority: certificates (PEM) that sign the server's
    own, empty for those of the system. group: DN of the group whose members are meant, nested ones too; empty: all.
    key: the attribute that lasts; empty: objectGUID or entryUUID. attributes: those to be read besides.
    """

    kind: Kind
    host: str
    port: int
    security: Security = Security.LDAPS
    authority: str = field(default="", repr=False)
    bind_dn: str = ""
    password: str = field(default="", repr=False)
    base: str
    filter: str = ""
    group: str = ""
    page_size: int = 500
    key: str = ""
    attributes: Collection[str] = ()

    @property
    def key_attribute(self) -> str:
        """The attribute that stays when everything else of a person changes."""
        return self.key or KEY_ATTRIBUTES[self.kind]


def read_directory(directory: Directory, told: Told = lambda _count: None) -> list[Entry]:
    """Every user of it. Raises SourceError."""
    with _session(directory) as session:
        people = whole(directory.filter, directory.kind)
        members: frozenset[str] | None = None
        if directory.group and directory.kind is Kind.ACTIVE_DIRECTORY:
            _require(session, directory.group)
            people = of_members(people, directory.group)
        elif directory.group:
            members = _members(session, directory)
        wanted = {*directory.attributes, directory.key_attribute, ENABLED_ATTRIBUTE}
        entries = []
        for count, found in enumerate(_pages(session, directory, directory.base, people, wanted), 1):
            if members is None or canonical(found["dn"]) in members:
                entries.append(_entry(found, directory))
            if count % directory.page_size == 0:
                told(count)
        told(len(entries))
        return entries


@contextmanager
def _session(directory: Directory) -> Iterator[ldap3.Connection]:
    """A bound connection; whatever goes wrong while it is used becomes a SourceError."""
    try:
        tls = _tls(directory)
        server = ldap3.Server(
            directory.host,
            directory.port,
            use_ssl=directory.security is Security.LDAPS,
            tls=tls,
            get_info=ldap3.NONE,
            connect_timeout=CONNECT_SECONDS,
        )
        session = ldap3.Connection(
            server,
            directory.bind_dn or None,
            directory.password or None,
            read_only=True,
            auto_referrals=False,  # we go where we were told to, and nowhere else with the password
            check_names=False,
            receive_timeout=ANSWER_SECONDS,
        )
        session.open()
        if directory.security is Security.STARTTLS and not session.start_tls():
            raise SourceError("tls", _word(session))
        if not session.bind():
            raise SourceError("refused", _word(session))
        try:
            yield session
        finally:
            session.unbind()
    except problems.LDAPInvalidFilterError as error:
        raise SourceError("filter", directory.filter) from error
    except (problems.LDAPStartTLSError, problems.LDAPSSLConfigurationError, ssl.SSLError) as error:
        raise SourceError("tls", type(error).__name__) from error
    except (problems.LDAPExceptionError, OSError) as error:
        raise SourceError("unreachable", f"{directory.host}:{directory.port}") from error


def _tls(directory: Directory) -> ldap3.Tls | None:
    if directory.security is Security.NONE:
        return None
    return ldap3.Tls(
        validate=ssl.CERT_REQUIRED,
        version=ssl.PROTOCOL_TLS_CLIENT,
        ca_certs_data=directory.authority or None,
    )


def _pages(
    session: ldap3.Connection,
    directory: Directory,
    base: str,
    text: str,
    attributes: Collection[str],
) -> Iterator[Mapping[str, Any]]:
    """The entries of a search, a page at a time; memory holds one page of the library's objects."""
    cookie: bytes | None = None
    count = 0
    while True:
        session.search(
            base,
            text,
            ldap3.SUBTREE,
            attributes=sorted(attributes),
            paged_size=directory.page_size,
            paged_cookie=cookie,
        )
        _check(session)
        for found in session.response or ():
            if found["type"] == "searchResEntry":  # others are references to other servers
                count += 1
                yield found
        if count > MOST_ENTRIES:
            raise SourceError("limited", str(MOST_ENTRIES))
        control = session.result.get("controls", {}).get("1.2.840.113556.1.4.319", {})
        cookie = control.get("value", {}).get("cookie")
        if not cookie:
            return


def _check(session: ldap3.Connection) -> None:
    """Raise SourceError unless the search is complete as far as it goes."""
    match session.result["result"]:
        case results.RESULT_SUCCESS:
            return
        case (
            results.RESULT_SIZE_LIMIT_EXCEEDED
            | results.RESULT_TIME_LIMIT_EXCEEDED
            | results.RESULT_ADMIN_LIMIT_EXCEEDED
        ):
            raise SourceError("limited", _word(session))
        case results.RESULT_NO_SUCH_OBJECT | results.RESULT_INVALID_DN_SYNTAX:
            raise SourceError("base", _word(session))
        case results.RESULT_INSUFFICIENT_ACCESS_RIGHTS | results.RESULT_STRONGER_AUTH_REQUIRED:
            raise SourceError("refused", _word(session))
        case _:
            raise SourceError("answer", _word(session))


def _word(session: ldap3.Connection) -> str:
    """The library's word for the result; what the server says beside it may hold anything."""
    return str(session.result["description"])


def _require(session: ldap3.Connection, group: str) -> None:
    """Raise SourceError when there is no such group: it has no members, and everybody would have left it."""
    session.search(group, "(objectClass=*)", ldap3.BASE, attributes=[ldap3.NO_ATTRIBUTES])
    if session.result["result"] != results.RESULT_SUCCESS or not session.response:
        raise SourceError("group", group)


def _members(session: ldap3.Connection, directory: Directory) -> frozenset[str]:
    """Who is in the group, and in groups in it; a server that knows no rule for chains is asked for all groups."""
    _require(session, directory.group)
    base = common_base(directory.base, directory.group)
    groups = Groups()
    for found in _pages(session, directory, base, GROUPS_FILTER, GROUP_ATTRIBUTES):
        values = found["raw_attributes"]
        groups.add(found["dn"], [_text(each) for name in values for each in values[name]])
    return groups.members(directory.group)


def _entry(found: Mapping[str, Any], directory: Directory) -> Entry:
    raw: Mapping[str, Sequence[bytes]] = {
        name.lower(): values for name, values in found["raw_attributes"].items()
    }
    key = _key(directory.key_attribute.lower(), raw)
    attributes = {name: tuple(map(_text, values)) for name, values in raw.items() if values}
    flags = attributes.get(ENABLED_ATTRIBUTE.lower(), ("",))[0]
    error = "" if key else "no_key"
    return Entry(found["dn"], key, attributes, account_enabled(flags), error)


def _key(attribute: str, raw: Mapping[str, Sequence[bytes]]) -> str:
    """A lasting key in text; objectGUID is 16 octets in the order of Windows ([MS-DTYP] 2.3.4.2)."""
    values = raw.get(attribute)
    if not values:
        return ""
    if attribute == "objectguid" and len(values[0]) == 16:
        return str(UUID(bytes_le=values[0]))
    return _text(values[0]).strip()


def _text(value: bytes) -> str:
    return value.decode("utf-8", errors="replace")
