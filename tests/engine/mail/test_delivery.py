"""Handing messages to a real SMTP server: TLS that is checked, login, refusals one by one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from engine.config.mail_section import MailSection
from engine.mail.delivery import STOPPED, MailServer, Outcome, deliver
from engine.store.mails import Mail
from tests.engine.mail.server import PASSWORD, smtp_server


def a_mail(identity: int, recipient: str = "bob@example.com") -> Mail:
    content = f"Subject: {identity}\r\n\r\n.Hello\r\n".encode()
    return Mail(
        recipient=recipient, subject=str(identity), content=content, created_at=0, due_at=0, id=identity
    )


def go_on() -> bool:
    return False


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_messages_arrive_as_they_are(tmp_path: Path, security: str) -> None:
    """To one recipient each, from the configured sender, octet for octet, over one connection."""
    with smtp_server(tmp_path, security) as (received, server):
        assert deliver(server, [a_mail(1), a_mail(2, "eve@example.com")], go_on) == [Outcome(1), Outcome(2)]
    assert received.mails == [
        ("conferences@example.com", ["bob@example.com"], a_mail(1).content),
        ("conferences@example.com", ["eve@example.com"], a_mail(2).content),
    ]


def test_login_under_tls(tmp_path: Path) -> None:
    """With a password of any letters; a wrong one is told without the password in it, and is tried again later."""
    with smtp_server(tmp_path, "starttls", login=True) as (received, server):
        assert deliver(server, [a_mail(1)], go_on) == [Outcome(1)]
        for wrong in ("wrong secret", "wröng secret"):
            (outcome,) = deliver(replace(server, password=wrong), [a_mail(1)], go_on)
            assert outcome.error.startswith("535")
            assert not outcome.permanent
            assert "secret" not in outcome.error
    assert set(received.logins[:2]) == {"PLAIN"}
    assert PASSWORD not in repr(server)


def test_no_password_without_tls(tmp_path: Path) -> None:
    """Refused before anything is sent."""
    with smtp_server(tmp_path, "none") as (received, server):
        (outcome,) = deliver(replace(server, username="u", password="p"), [a_mail(1)], go_on)
    assert "no password is sent without TLS" in outcome.error
    assert received.mails == received.logins == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_another_certificate_is_refused(tmp_path: Path, security: str) -> None:
    """An authority nobody named, or another host's certificate: nothing is sent."""
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    with smtp_server(tmp_path, security) as (received, server):
        (outcome,) = deliver(replace(server, ca_file=str(other)), [a_mail(1)], go_on)
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.error
    assert not outcome.permanent
    with smtp_server(tmp_path, security, name="mail.example.com") as (elsewhere, server):
        (outcome,) = deliver(server, [a_mail(1)], go_on)
    assert "Hostname mismatch" in outcome.error
    assert received.mails == elsewhere.mails == []


def test_a_server_without_starttls_gets_nothing(tmp_path: Path) -> None:
    """Nor does one whose offer somebody in between took away."""
    with smtp_server(tmp_path, "none") as (received, server):
        (outcome,) = deliver(replace(server, security="starttls"), [a_mail(1)], go_on)
    assert "STARTTLS" in outcome.error
    assert received.mails == []


def test_refusals_one_by_one(tmp_path: Path) -> None:
    """Who is refused for good, and who for now, does not keep the others from their mail."""
    with smtp_server(tmp_path, "none") as (received, server):
        received.refuse = {"gone@example.com": "550 no such\tuser", "full@example.com": "452 mailbox full"}
        mails = [a_mail(1, "gone@example.com"), a_mail(2, "full@example.com"), a_mail(3)]
        assert deliver(server, mails, go_on) == [
            Outcome(1, "550 no such user", True),
            Outcome(2, "452 mailbox full", False),
            Outcome(3),
        ]
    assert len(received.mails) == 1


def test_nobody_there() -> None:
    """All are to be tried again."""
    nowhere = MailServer("127.0.0.1", 1, "none", "a@b", 5)
    outcomes = deliver(nowhere, [a_mail(1), a_mail(2)], go_on)
    assert [(each.mail, each.permanent) for each in outcomes] == [(1, False), (2, False)]
    assert all("refused" in each.error for each in outcomes)


def test_a_stop_between_two_messages(tmp_path: Path) -> None:
    """What was not tried is kept."""
    asked = iter([False, True])
    with smtp_server(tmp_path, "none") as (received, server):
        outcomes = deliver(server, [a_mail(1), a_mail(2)], lambda: next(asked))
    assert outcomes == [Outcome(1), Outcome(2, STOPPED)]
    assert len(received.mails) == 1


def test_the_server_as_configured(tmp_path: Path) -> None:
    """The port follows from the security, the password from the first line of its file."""
    file = tmp_path / "password"
    file.write_text("p w\nrest\n")
    section = MailSection(host="h", sender="a@b", username="u", password_file=str(file), security="tls")
    server = MailServer.of(section)
    assert (server.port, server.password) == (465, "p w")
    assert [MailSection(security=each).server_port for each in ("starttls", "none")] == [587, 25]
    assert MailSection(port=2525).server_port == 2525
    assert section.enabled
    assert not MailSection(host="h").enabled
