"""Whether a directory takes a login and a password: a simple bind (RFC 4513 section 5.1.3), and nothing is read."""

from __future__ import annotations

import re
import ssl
from typing import TYPE_CHECKING

from twisted.logger import Logger

from engine.domain.authentication.methods import Outcome
from engine.domain.directory_security import Security

if TYPE_CHECKING:
    from engine.domain.authentication.methods import Ldap

CONNECT_SECONDS, ANSWER_SECONDS = 5, 5  # whole ones: the library packs them for the socket
LONGEST_LOGIN, LONGEST_PASSWORD = 128, 256
_PLAIN = re.compile(r"[\w.+-]+")
"""What a login may be made of where the pattern is no DN (``?@example.com``): nothing that separates."""
_SPECIAL = re.compile(r'["#+,;<=>\\ ]')
"""What means something in a DN, somewhere or other (RFC 4514 section 2.4)."""
_WRONG = frozenset({"invalidCredentials", "noSuchObject", "inappropriateAuthentication"})
"""No such password, no such entry, an entry without any."""

log = Logger()


def bind_name(pattern: str, login: str) -> str | None:
    """Who binds; None for a login that cannot be put into the pattern without meaning something else."""
    if not login or len(login) > LONGEST_LOGIN or not login.isprintable():
        return None
    if "=" in pattern:
        return pattern.replace("?", _SPECIAL.sub(lambda found: f"\\{ord(found[0]):02x}", login))
    return pattern.replace("?", login) if _PLAIN.fullmatch(login) else None


def ldap_bind(method: Ldap, login: str, password: str) -> Outcome:
    """Ask the directory; it blocks for some seconds at most.

    An empty password is wrong: a directory takes such a bind for one without any name, and lets it in (RFC 4513
    section 5.1.2).
    """
    name = bind_name(method.pattern, login)
    if name is None or not password or len(password) > LONGEST_PASSWORD:
        return Outcome.WRONG
    from ldap3.core.exceptions import LDAPException

    try:
        return _asked(method, name, password)
    except (LDAPException, OSError, ValueError) as error:  # ValueError: certificates that are none
        log.warn("the directory {host} does not answer: {error}", host=method.host, error=error)
        return Outcome.UNANSWERED


def _asked(method: Ldap, name: str, password: str) -> Outcome:
    import ldap3

    tls = ldap3.Tls(
        validate=ssl.CERT_REQUIRED,
        version=ssl.PROTOCOL_TLS_CLIENT,
        ca_certs_data=method.authority or None,
    )
    server = ldap3.Server(
        method.host,
        method.port,
        use_ssl=method.security is Security.LDAPS,
        tls=None if method.security is Security.NONE else tls,
        get_info=ldap3.NONE,
        connect_timeout=CONNECT_SECONDS,
    )
    connection = ldap3.Connection(
        server,
        name,
        password,
        read_only=True,
        check_names=False,
        auto_referrals=False,  # nobody else is shown the password
        receive_timeout=ANSWER_SECONDS,
    )
    try:
        connection.open()
        if method.security is Security.STARTTLS and not connection.start_tls():
            raise OSError("it has no TLS")
        if connection.bind():
            return Outcome.RIGHT
        result = connection.result["description"]
        if result in _WRONG:
            return Outcome.WRONG
        log.warn("the directory {host} answers {result}", host=method.host, result=result)
        return Outcome.UNANSWERED
    finally:
        connection.unbind()
