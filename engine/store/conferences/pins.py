"""PINs made at random: nobody gets one that stands in a manual."""

from __future__ import annotations

import secrets

DIGITS = 6
"""With three tries a call, a thousand calls find a room's PIN with a chance of one in 300. Failures are counted."""


def random_pin(other: str | None = None) -> str:
    """A new PIN, which is not ``other``."""
    while True:
        pin = str(secrets.randbelow(10**DIGITS)).zfill(DIGITS)
        if pin != other:
            return pin
