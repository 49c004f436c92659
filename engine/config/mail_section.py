"""The keys of the section ``mail``: the server invitations and reports go to, and what they say."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from engine.config.annotation import key

SUBMISSION = {"starttls": 587, "tls": 465, "none": 25}
"""The port of each kind of security: RFC 6409, RFC 8314 section 3.3, RFC 5321."""


class MailSection(msgspec.Struct, frozen=True, kw_only=True):
    """Outgoing mail: invitations to conferences and their reports."""

    host: Annotated[
        str,
        key(
            "Mail server messages are handed to (SMTP). Empty: no mail is sent.",
            check="host",
            example="smtp.example.com",
        ),
    ] = ""
    port: Annotated[
        int,
        key("Its port. 0: 587 with starttls, 465 with tls, 25 with none.", low=0, high=65_535),
    ] = 0
    security: Annotated[
        Literal["starttls", "tls", "none"],
        key(
            "starttls: TLS on a connection that began without, and nothing is sent if the server has none."
            " tls: TLS from the first octet. none: no TLS, for a server on this host; no password is sent.",
        ),
    ] = "starttls"
    ca_file: Annotated[
        str,
        key(
            "PEM file of the authorities the server's certificate is checked against. Empty: the system's.",
            check="file",
            example="/etc/ssl/polyphony/mail-ca.pem",
        ),
    ] = ""
    username: Annotated[
        str, key("User to log in as. Empty: no login.", check="line", example="polyphony@example.com")
    ] = ""
    password_file: Annotated[
        str,
        key("File whose first line is the password.", check="file", example="/etc/polyphony/mail-password"),
    ] = ""
    sender: Annotated[
        str,
        key(
            "E-mail address messages come from; answers go to the organiser. Without it no mail is sent.",
            check="mail_address",
            example="conferences@example.com",
        ),
    ] = ""
    timeout: Annotated[
        int, key("How long the server may take to answer.", unit="seconds", low=1, high=300)
    ] = 30
    give_up_hours: Annotated[
        int,
        key(
            "How long a message is tried again before it is given up and kept for an administrator to see.",
            unit="hours",
            low=1,
            high=240,
        ),
    ] = 48
    dial_in: Annotated[
        list[str],
        key(
            "Numbers invitations name to call from outside, each with what it is for.",
            check="lines",
            example='["+33 1 23 45 67 89 (France)"]',
        ),
    ] = msgspec.field(default_factory=list)
    link: Annotated[
        str,
        key(
            "Web address invitations lead to, {number} standing for the room's. Empty: none.",
            check="link",
            example="https://meet.example.com/{number}",
        ),
    ] = ""

    @property
    def server_port(self) -> int:
        """The port to connect to."""
        return self.port or SUBMISSION[self.security]

    @property
    def enabled(self) -> bool:
        """Whether mail can be sent at all."""
        return bool(self.host and self.sender)
