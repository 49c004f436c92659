"""Golden invitations: all that is read of them, header by header and part by part."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from conference.role import Role
from engine.letters.invitation import Purpose, WayIn, invitation
from engine.store.conferences.records import Invitee
from tests.engine.conferences.test_meeting_store import MEETING
from tests.engine.letters.test_planning import BOB, EVE, ROOM, WAY

GOLDEN = Path(__file__).parent.parent.parent / "golden" / "letters"
MADE_AT = datetime(2026, 10, 1, 8, tzinfo=UTC)


def read_as(invitee: Invitee, purpose: Purpose, way: WayIn, recurrence: str) -> str:
    """What a mail program reads, as one text."""
    meeting = replace(MEETING, recurrence=recurrence, excluded=())
    letter = invitation(meeting, ROOM.definition, invitee, way, purpose, MADE_AT, "0123@example.com")
    read = message_from_bytes(letter.encode(), policy=default)
    headers = [f"{name}: {value}" for name, value in read.items() if name != "Content-Type"]
    parts = [
        f"--- {part.get_content_type()}\n{part.get_content()}"
        for part in read.walk()
        if not part.is_multipart()
    ]
    return "\n".join(headers + parts).replace("\r\n", "\n")


CASES = {
    "invite.en.txt": (BOB, Purpose.INVITE, WAY, "FREQ=WEEKLY;BYDAY=MO,TH;COUNT=10"),
    "invite.fr.txt": (EVE, Purpose.INVITE, WAY, "FREQ=MONTHLY;INTERVAL=2;BYDAY=3MO;UNTIL=20270601T000000Z"),
    "change.fr.txt": (replace(EVE, role=Role.GUEST), Purpose.CHANGE, WayIn("conferences@example.com"), ""),
    "cancel.en.txt": (BOB, Purpose.CANCEL, WAY, ""),
}


@pytest.mark.parametrize("name", CASES)
def test_golden_letters(name: str) -> None:
    """To the letter."""
    assert read_as(*CASES[name]) == (GOLDEN / name).read_text("utf-8")


def test_over_night() -> None:
    """A meeting that ends on another day says so."""
    late = replace(MEETING, start=MEETING.start.replace(hour=23), end=MEETING.end.replace(day=20, hour=1))
    letter = invitation(late, ROOM.definition, BOB, WAY, Purpose.INVITE, MADE_AT, "0123@example.com")
    assert "Monday 19 October 2026, 23:00, to Tuesday 20 October 2026, 01:00" in letter.text
