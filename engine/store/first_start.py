"""What an empty store is filled with: an administrator and the numbers of the demonstration."""

from __future__ import annotations

import secrets

from conference.definition import Lobby, RoomDefinition
from engine.store.conferences.pins import random_pin
from engine.store.conferences.records import ConferenceRoom, RoomRange
from engine.store.records import AutomateRange
from engine.store.store import Store

ADMIN = "admin"
PASSWORD_BYTES = 15  # 20 characters

DEMONSTRATION = (
    AutomateRange(first_number="5000", application="echo"),
    AutomateRange(
        first_number="7000", application="announcement", parameters={"prompt": "welcome", "loop": True}
    ),
    AutomateRange(
        first_number="7001", application="announcement", parameters={"prompt": "welcome", "loop": False}
    ),
    AutomateRange(first_number="6999", application="readback"),
    AutomateRange(first_number="6000", application="recorder"),
    AutomateRange(first_number="8000", application="room", count=1000),
    AutomateRange(first_number="9000", application="conference"),
)
ROOM_NUMBERS = RoomRange(first_number="9001", count=99)


def fill(store: Store) -> str | None:
    """Make the administrator and the demonstration, once.

    Answers the administrator's password, which is stored nowhere; None when there is one already.
    """
    if store.admins.all():
        return None
    if not store.automate_ranges.all():
        for automates in DEMONSTRATION:
            store.automate_ranges.add(automates)
        add_rooms(store)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    store.admins.create(ADMIN, password)
    return password


def add_rooms(store: Store) -> None:
    """The rooms of the demonstration: one open to whoever may call, one with PINs made now."""
    host_pin = random_pin()
    closed = RoomDefinition(
        number="9010",
        name="Meeting room",
        lobby=Lobby.UNTIL_HOST,
        host_pin=host_pin,
        guest_pin=random_pin(host_pin),
    )
    store.room_ranges.add(ROOM_NUMBERS)
    for definition in (RoomDefinition(number="9001", name="Open room"), closed):
        store.rooms.add(ConferenceRoom(definition=definition))
