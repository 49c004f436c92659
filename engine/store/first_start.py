"""What an empty store is filled with: an administrator and the numbers of the demonstration."""

from __future__ import annotations

import secrets

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
)


def fill(store: Store) -> str | None:
    """Make the administrator and the demonstration, once.

    Answers the administrator's password, which is stored nowhere; None when there is one already.
    """
    if store.admins.all():
        return None
    if not store.automate_ranges.all():
        for automates in DEMONSTRATION:
            store.automate_ranges.add(automates)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    store.admins.create(ADMIN, password)
    return password
