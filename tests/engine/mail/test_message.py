"""Messages on the wire: golden octets, and no text that adds a header."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.address import MAIL_ADDRESS
from engine.mail.message import Message, MessageError, Picture

MESSAGE = Message(
    sender=("Zoé", "conferences@example.com"),
    recipient=("Bob, Jr", "bob@example.com"),
    answers_to=("Zoé", "zoe@example.com"),
    subject="Réunion",
    text="Bonjour à tous\n",
    html="<p>Bonjour</p>\n",
    date=datetime(2026, 10, 1, 8, tzinfo=UTC),
    identity="0123@example.com",
    language="fr",
)


def test_parts_and_headers() -> None:
    """Text, HTML with its picture, calendar with its METHOD; equal messages are equal octets."""
    picture = replace(MESSAGE, picture=Picture("talk-time.png", b"\x89PNG"))
    full = replace(picture, calendar=(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "REQUEST"))
    wire = full.encode()
    assert wire == full.encode()
    read = message_from_bytes(wire, policy=default)
    assert [each.get_content_type() for each in read.walk()] == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "text/calendar",
    ]
    assert read["To"].addresses[0].display_name == "Bob, Jr"
    assert (read["Subject"], read["Content-Language"]) == ("Réunion", "fr")
    calendar = next(each for each in read.walk() if each.get_content_type() == "text/calendar")
    assert calendar["Content-Type"].params["method"] == "REQUEST"
    assert calendar.get_payload(decode=True) == b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
    image = next(each for each in read.walk() if each.get_content_type() == "image/png")
    assert (image["Content-ID"], image.get_content()) == ("<talk-time.png>", b"\x89PNG")
    assert wire.isascii()
    assert b"\n" not in wire.replace(b"\r\n", b"")
    assert max(map(len, wire.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "a\r\nBcc: eve@example.com"},
        {"subject": "a\nb"},
        {"subject": "\n"},
        {"recipient": ("", "bob@example.com\r\nBcc: eve@example.com")},
        {"recipient": ("a\r\nBcc: eve@example.com", "bob@example.com")},
        {"recipient": ("", "bob@example.com, eve@example.com")},
        {"sender": ("", "<a@b>")},
        {"answers_to": ("", "")},
    ],
)
def test_no_header_is_injected(change: dict[str, object]) -> None:
    """Such a message is not made at all."""
    with pytest.raises(MessageError):
        replace(MESSAGE, **change).encode()  # type: ignore[arg-type]  # the table is of all fields


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_a_name_or_subject_holds(name: str, subject: str) -> None:
    """It is refused, or the message has the headers it should have and one recipient."""
    try:
        wire = replace(MESSAGE, recipient=(name, "bob@example.com"), subject=subject).encode()
    except MessageError:
        return
    read = message_from_bytes(wire, policy=default)
    assert sorted(read.keys()) == sorted(message_from_bytes(MESSAGE.encode(), policy=default).keys())
    assert [each.addr_spec for each in read["To"].addresses] == ["bob@example.com"]


@pytest.mark.parametrize(
    "good", ["a@b", "zoe.d+x@mail.example.com", "x" * 64 + "@example.com", "o'hara@example.ie"]
)
def test_good_addresses(good: str) -> None:
    assert MAIL_ADDRESS.fullmatch(good)


@given(st.text())
def test_addresses_are_plain(text: str) -> None:
    """Nothing that is taken could end a header or hold a second address."""
    if MAIL_ADDRESS.fullmatch(text):
        assert text.isascii()
        assert not set(text) & set('\r\n \t,;<>"()[]:\\')
        assert text.count("@") == 1
