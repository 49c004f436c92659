"""Handing messages to the mail server (SMTP, RFC 5321; STARTTLS, RFC 3207; TLS from the start, RFC 8314). Blocks."""

from __future__ import annotations

import base64
import smtplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.config.mail_section import MailSection
    from engine.store.mails import Mail

LONGEST_ERROR = 200
AUTHENTICATED = 235
STOPPED = "the engine was stopped"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where messages go. Without TLS nobody logs in."""

    host: str
    port: int
    security: str
    sender: str
    timeout: float
    ca_file: str = ""
    username: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, section: MailSection) -> MailServer:
        """As configured. Raises OSError for a password file that cannot be read."""
        password = ""
        if section.password_file:
            with open(section.password_file, encoding="utf-8") as file:  # noqa: PTH123
                password = file.readline().rstrip("\r\n")
        return cls(
            section.host,
            section.server_port,
            section.security,
            section.sender,
            section.timeout,
            section.ca_file,
            section.username,
            password,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt. error: empty when the server took the message. permanent: it never will (5xx)."""

    mail: int
    error: str = ""
    permanent: bool = False

    @property
    def delivered(self) -> bool:
        """Whether the server has it."""
        return not self.error


class Unusable(Exception):
    """The server cannot be used as it is configured; nothing was sent."""


def deliver(server: MailServer, mails: Sequence[Mail], stopping: Callable[[], bool]) -> list[Outcome]:
    """Send what can be sent, over one connection; an outcome for each, in order. Raises nothing the server causes.

    Once ``stopping`` says so, the rest is not tried.
    """
    outcomes: list[Outcome] = []
    try:
        with _session(server) as session:
            for mail in mails:
                outcomes.append(
                    Outcome(mail.id, STOPPED) if stopping() else _send(session, server.sender, mail)
                )
    except (OSError, smtplib.SMTPException, Unusable) as error:  # ssl.SSLError is an OSError
        said = _said(error)
        outcomes += [Outcome(mail.id, said) for mail in mails[len(outcomes) :]]
    return outcomes


@contextmanager
def _session(server: MailServer) -> Iterator[smtplib.SMTP]:
    """A connection that is encrypted and logged in as configured, or no connection."""
    if server.username and server.security == "none":
        raise Unusable("no password is sent without TLS: mail.security is none")
    if server.security == "tls":
        session: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=server.timeout, context=_context(server)
        )
    else:
        session = smtplib.SMTP(server.host, server.port, timeout=server.timeout)
    with session:
        if server.security == "starttls":
            session.starttls(
                context=_context(server)
            )  # raises where the server, or who stands between, has none
        if server.username:
            _log_in(session, server.username, server.password)
        yield session


def _log_in(session: smtplib.SMTP, username: str, password: str) -> None:
    if (username + password).isascii():
        session.login(username, password)
        return
    # smtplib has no other letters; SASL PLAIN is in UTF-8 (RFC 4616 section 2)
    session.ehlo_or_helo_if_needed()
    secret = base64.b64encode(f"\0{username}\0{password}".encode()).decode("ascii")
    code, said = session.docmd("AUTH", f"PLAIN {secret}")
    if code != AUTHENTICATED:
        raise smtplib.SMTPAuthenticationError(code, said)


def _context(server: MailServer) -> ssl.SSLContext:
    """Certificate and host name are checked."""
    context = ssl.create_default_context(cafile=server.ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _send(session: smtplib.SMTP, sender: str, mail: Mail) -> Outcome:
    try:
        session.sendmail(sender, [mail.recipient], mail.content)
    except smtplib.SMTPRecipientsRefused as error:
        code, text = error.recipients[mail.recipient]
        return Outcome(mail.id, _line(f"{code} {_text(text)}"), 500 <= code < 600)
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPResponseException as error:
        return Outcome(mail.id, _line(_said(error)), 500 <= error.smtp_code < 600)
    return Outcome(mail.id)


def _said(error: Exception) -> str:
    """What went wrong in one line; never the password, which no server repeats and no error of ours holds."""
    if isinstance(error, smtplib.SMTPResponseException):
        return _line(f"{error.smtp_code} {_text(error.smtp_error)}")
    return _line(str(error) or type(error).__name__)


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said


def _line(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)[:LONGEST_ERROR]
