"""A real SMTP server (aiosmtpd) for the tests: TLS, login, and refusals on request."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from engine.mail.delivery import MailServer

USER, PASSWORD = "polyphony", "pass wörd"


@dataclass
class Received:
    """What the server took: (sender, recipients, content). ``refuse``: recipient -> answer."""

    mails: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    logins: list[str] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        answer = self.refuse.get(address)
        if answer is not None:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.original_content))
        return "250 Taken"

    def log_in(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(mechanism)
        good = (data.login.decode(), data.password.decode()) == (USER, PASSWORD)
        return AuthResult(success=good, handled=False)


class FreePort(Controller):
    """On a port the system chose; its own look whether it answers would look at port 0."""

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        assert self.server is not None
        host, port = self.server.sockets[0].getsockname()[:2]
        return host, port

    def _trigger_server(self) -> None:
        socket.create_connection(self.address, timeout=60).close()


@contextmanager
def smtp_server(
    folder: Path, security: str, *, login: bool = False, name: str = "localhost"
) -> Iterator[tuple[Received, MailServer]]:
    """A running server and how to reach it. name: whose certificate it has."""
    authority = trustme.CA()
    certificate = authority.issue_cert(name)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    received = Received()
    options: dict[str, Any] = {}
    if security == "tls":
        options["ssl_context"] = context
    if security == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    if login:
        # under TLS from the first octet aiosmtpd does not know that it is encrypted
        options |= {
            "authenticator": received.log_in,
            "auth_required": True,
            "auth_require_tls": security == "starttls",
        }
    controller = FreePort(received, hostname="127.0.0.1", port=0, ready_timeout=60, **options)
    controller.start()
    port = controller.address[1]
    reached = MailServer(
        host="localhost" if security != "none" else "127.0.0.1",
        port=port,
        security=security,
        sender="conferences@example.com",
        timeout=20,
        ca_file=str(folder / "ca.pem"),
        username=USER if login else "",
        password=PASSWORD if login else "",
    )
    try:
        yield received, reached
    finally:
        controller.stop()
