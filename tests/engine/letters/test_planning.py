"""Planning by mail: who is told what when a meeting is planned, changed and cancelled, in whose language."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from icalendar import Calendar

from conference.definition import RoomDefinition
from conference.role import Role
from engine.letters.invitation import WayIn
from engine.letters.planning import Planning, Told, new_identity
from engine.letters.texts import TEXTS
from engine.store import Invalid, NotFound, Store
from engine.store.conferences.records import ConferenceRoom, Invitee
from tests.engine.conferences.test_meeting_store import MEETING

WAY = WayIn("conferences@example.com", ("+33 1 23 45 67 89 (France)",), "https://meet.example.com/{number}")
BOB = Invitee(address="bob@example.com", name="Bob")
EVE = Invitee(address="eve@example.com", name="Ève", language="fr", role=Role.HOST)
ROOM = ConferenceRoom(definition=RoomDefinition(number="9010", host_pin="111111", guest_pin="222222"))


@pytest.fixture
def planning(store: Store) -> Planning:
    store.rooms.add(ROOM)
    return Planning(store, WAY, lambda: 1_790_000_000.5)


def letters(store: Store) -> dict[str, EmailMessage]:
    """What is queued, by recipient; the queue is then empty."""
    found = {}
    for each in store.mails.all():
        found[each.recipient] = message_from_bytes(each.content, policy=default)
        store.mails.remove(each.id)
    return found  # type: ignore[return-value]  # the default policy makes EmailMessage


def body(letter: EmailMessage, kind: str) -> str:
    part = letter.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def event(letter: EmailMessage) -> tuple[str, Calendar]:
    """Its METHOD and its event."""
    (part,) = (each for each in letter.walk() if each.get_content_type() == "text/calendar")
    calendar = Calendar.from_ical(part.get_payload(decode=True))
    assert part["Content-Type"].params["method"] == calendar["METHOD"]
    return calendar["METHOD"], calendar.walk("VEVENT")[0]


def test_everybody_is_invited_in_their_language(store: Store, planning: Planning) -> None:
    """The host is sent the host's PIN, the guest the guests' and nothing of the other; answers go to the organiser."""
    planned, told = planning.plan(MEETING, [BOB, EVE])
    assert told == Told(invited=2)
    assert [each.told for each in store.planned_meetings.invitees(planned.uid)] == [0, 0]
    sent = letters(store)
    bob, eve = sent["bob@example.com"], sent["eve@example.com"]
    assert (bob["Subject"], eve["Subject"]) == ("Invitation: Réunion", "Invitation : Réunion")
    assert bob["From"] == "Zoé <conferences@example.com>"
    assert bob["Reply-To"] == "Zoé <zoe@example.com>"
    text = body(bob, "plain")
    assert "Monday 19 October 2026, 10:00 to 11:00 (Europe/Paris)" in text
    assert "Repeated: every week" in text
    assert "PIN: 222222" in text
    assert "By telephone: +33 1 23 45 67 89 (France)" in text
    assert "You can come in 5 minutes before the start." in text
    french = body(eve, "html")
    assert "lundi 19 octobre 2026, de 10:00 à 11:00" in french
    assert "Code animateur (pour vous seul)" in french
    assert '<a href="https://meet.example.com/9010">' in french
    for letter, own, other in ((bob, "222222", "111111"), (eve, "111111", "222222")):
        method, about = event(letter)
        wire = str(letter)
        assert (method, about["SEQUENCE"], about["UID"]) == ("REQUEST", 0, MEETING.uid)
        assert own in about["DESCRIPTION"]
        assert other not in about["DESCRIPTION"]
        assert other not in wire + body(letter, "plain") + body(letter, "html")


def test_a_change_reaches_each_as_it_concerns_them(store: Store, planning: Planning) -> None:
    """Who stays is told of the change, who is new is invited, who is struck off is told it is cancelled."""
    planned, _ = planning.plan(MEETING, [BOB])
    letters(store)
    later = replace(planned, end=planned.end + timedelta(hours=1))
    changed, told = planning.change(later, [EVE])
    assert (changed.sequence, told) == (1, Told(invited=1, cancelled=1))
    sent = letters(store)
    assert sent["bob@example.com"]["Subject"] == "Cancelled: Réunion"
    method, about = event(sent["bob@example.com"])
    assert (method, about["STATUS"], about["SEQUENCE"]) == ("CANCEL", "CANCELLED", 1)
    assert about["DESCRIPTION"] == MEETING.description, "no PIN"
    assert "222222" not in body(sent["bob@example.com"], "plain")
    assert event(sent["eve@example.com"])[0] == "REQUEST"
    _, told = planning.change(changed, [EVE, BOB])
    assert told == Told(invited=1, changed=1)
    assert letters(store)["eve@example.com"]["Subject"] == "Modifiée : Réunion"


def test_cancelling(store: Store, planning: Planning) -> None:
    """Once, for all who were told; an unknown meeting is an error."""
    planning.plan(MEETING, [BOB, EVE])
    letters(store)
    cancelled, told = planning.cancel(MEETING.uid)
    assert (cancelled.cancelled, cancelled.sequence, told) == (True, 1, Told(cancelled=2))
    assert {event(each)[0] for each in letters(store).values()} == {"CANCEL"}
    assert planning.cancel(MEETING.uid)[1] == Told()
    with pytest.raises(NotFound):
        planning.cancel("nobody@example.com")
    with pytest.raises(NotFound):
        planning.change(replace(MEETING, uid="nobody@example.com"), [])


def test_without_mail_meetings_are_stored_all_the_same(store: Store) -> None:
    """Nobody is told, and that is known, so that a later change invites."""
    store.rooms.add(ROOM)
    silent = Planning(store, None, lambda: 0.0)
    planned, told = silent.plan(MEETING, [BOB])
    assert told == Told()
    assert store.mails.all() == []
    assert Planning(store, WAY, lambda: 0.0).change(planned, [BOB])[1] == Told(invited=1)


def test_bad_invitees_store_nothing(store: Store, planning: Planning) -> None:
    """The whole request is refused."""
    with pytest.raises(Invalid):
        planning.plan(MEETING, [replace(BOB, address="bob@example.com\r\nBcc: eve@example.com")])
    assert store.planned_meetings.all() == []
    assert store.mails.all() == []


def test_texts_in_both_languages() -> None:
    """Every text has both, with the same placeholders."""
    import string

    for key, text in TEXTS.items():
        names = [
            {name for _, name, _, _ in string.Formatter().parse(text[each]) if name} for each in ("en", "fr")
        ]
        assert names[0] == names[1], key


def test_identities() -> None:
    """In the sender's domain, never twice."""
    one, two = new_identity("a@example.com"), new_identity("a@example.com")
    assert one != two
    assert one.endswith("@example.com")
