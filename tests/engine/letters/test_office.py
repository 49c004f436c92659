"""From a meeting to a mailbox: a real store, the real queue, a real SMTP server under TLS with login."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, execute
from twisted.internet.task import Clock

from conference.definition import RoomDefinition
from engine.config.mail_section import MailSection
from engine.letters import office as office_module
from engine.letters.office import Office
from engine.mail import post as post_module
from engine.store import Store
from engine.store.conferences.records import ConferenceRoom, Invitee
from tests.engine.conferences.test_meeting_store import MEETING
from tests.engine.letters.test_report import MEETING as HELD
from tests.engine.mail.server import PASSWORD, Received, smtp_server

LONG_AGO = replace(MEETING, start=MEETING.start.replace(year=2001), end=MEETING.end.replace(year=2001))


class Here:
    """A reactor and a store thread in which everything happens at once."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.callLater = self.clock.callLater

    def callFromThread(self, function: Any, *arguments: Any) -> None:
        function(*arguments)

    def call(self, function: Any, *arguments: Any) -> Deferred[Any]:
        return execute(function, *arguments)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    store.open()
    definition = RoomDefinition(number="9010", host_pin="111111", guest_pin="222222")
    store.rooms.add(ConferenceRoom(definition=definition, owner_address="owner@example.com"))
    yield store
    store.close()


@pytest.fixture
def mailbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Received, MailSection]]:
    """A mail server, and the configuration that leads to it."""
    for module in (office_module, post_module):
        monkeypatch.setattr(module, "in_own_thread", lambda reactor, name, work: execute(work))
    (tmp_path / "password").write_text(PASSWORD + "\n")
    with smtp_server(tmp_path, "starttls", login=True) as (received, server):
        yield (
            received,
            MailSection(
                host=server.host,
                port=server.port,
                ca_file=server.ca_file,
                username=server.username,
                password_file=str(tmp_path / "password"),
                sender="conferences@example.com",
            ),
        )


def opened(store: Store, section: MailSection) -> Office:
    here: Any = Here()
    office = Office(here, here, store, section)
    office.start()
    return office


def test_an_invitation_arrives(store: Store, mailbox: tuple[Received, MailSection]) -> None:
    """Planned, queued, handed over, forgotten."""
    received, section = mailbox
    office = opened(store, section)
    office.planning().plan(MEETING, [Invitee(address="bob@example.com")])
    ((sender, recipients, content),) = received.mails
    assert (sender, recipients) == ("conferences@example.com", ["bob@example.com"])
    letter = message_from_bytes(content, policy=default)
    assert letter["Subject"] == "Invitation: Réunion"
    assert [each.get_content_type() for each in letter.walk()][1:] == [
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    assert store.mails.all() == []
    assert office.post.counters == {"mail_sent": 1}
    assert office.stop().called


def test_a_report_arrives_at_the_room_s_owner(store: Store, mailbox: tuple[Received, MailSection]) -> None:
    """With the picture, which the HTML shows."""
    received, section = mailbox
    opened(store, section).report(HELD)
    ((_, recipients, content),) = received.mails
    assert recipients == ["owner@example.com"]
    letter = message_from_bytes(content, policy=default)
    (picture,) = (each for each in letter.walk() if each.get_content_type() == "image/png")
    assert picture.get_payload(decode=True).startswith(b"\x89PNG")
    html = letter.get_body(("html",))
    assert html is not None
    assert f"cid:{picture['Content-ID'].strip('<>')}" in html.get_content()


def test_a_report_goes_to_who_planned_the_meeting(
    store: Store, mailbox: tuple[Received, MailSection], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the organiser's language and time zone; the picture that cannot be drawn is left out."""
    received, section = mailbox
    monkeypatch.setattr(office_module, "drawn", lambda picture: None)
    store.planned_meetings.add(
        replace(MEETING, recurrence="FREQ=DAILY", start=LONG_AGO.start, end=LONG_AGO.end)
    )
    at = LONG_AGO.start.replace(year=2026, tzinfo=MEETING.zone).timestamp()
    opened(store, section).report(replace(HELD, opened_at=at + 60, closed_at=at + 660))
    ((_, recipients, content),) = received.mails
    assert recipients == ["zoe@example.com"]
    text = message_from_bytes(content, policy=default).get_body(("plain",))
    assert text is not None
    assert "lundi 19 octobre 2026, de 10:01 à 10:11 (CEST)" in text.get_content()


def test_nobody_to_write_to(store: Store, mailbox: tuple[Received, MailSection]) -> None:
    """A room without an address, a room that is gone, or mail switched off: nothing is queued."""
    received, section = mailbox
    office = opened(store, section)
    office.report(replace(HELD, number="9999"))
    silent = opened(store, MailSection())
    silent.report(HELD)
    silent.planning().plan(MEETING, [Invitee(address="bob@example.com")])
    assert received.mails == []
    assert store.mails.all() == []


def test_what_waits_is_sent_by_the_next_process(store: Store, mailbox: tuple[Received, MailSection]) -> None:
    """The server was away; the engine was started again meanwhile."""
    received, section = mailbox
    away = MailSection(host="127.0.0.1", port=1, sender="conferences@example.com")
    opened(store, away).planning().plan(MEETING, [Invitee(address="bob@example.com")])
    (waiting,) = store.mails.all()
    assert waiting.error
    store.mails.try_again(waiting.id, time.time())
    opened(store, section)
    assert len(received.mails) == 1


def test_what_ends_with_the_engine_is_reported_by_the_next(
    store: Store, mailbox: tuple[Received, MailSection]
) -> None:
    """Without its picture, which would hold up the stop."""
    received, section = mailbox
    office = opened(store, section)
    office.stop()
    office.report(HELD)
    assert received.mails == []
    opened(store, section)
    ((_, _, content),) = received.mails
    assert b"image/png" not in content
