"""What a program or a browser shows instead of a password: 256 random bits, stored as their hash only."""

from __future__ import annotations

import hashlib
import secrets
from typing import Literal

Kind = Literal["token", "session"]

PREFIXES: dict[Kind, str] = {"token": "poly_", "session": "polysession_"}
"""What each begins with, so that one found in a file or a log is known for what it is."""
RANDOM_BYTES = 32
LONGEST = 80
"""Characters of one, at most: more is not even hashed."""


def new_secret(kind: Kind) -> str:
    """A new one; it is shown once and stored nowhere."""
    return PREFIXES[kind] + secrets.token_urlsafe(RANDOM_BYTES)


def kind_of(text: str) -> Kind | None:
    """What ``text`` is written as; None for neither."""
    if len(text) > LONGEST or not text.isascii():
        return None
    return next((kind for kind, prefix in PREFIXES.items() if text.startswith(prefix)), None)


def digest(secret: str) -> str:
    """What is stored of one: SHA-256 in hexadecimal. Of 256 random bits nobody guesses any, so it need not be slow.

    It is what the store is searched by; how long a search takes tells of the hash, from which nothing follows.
    """
    return hashlib.sha256(secret.encode()).hexdigest()
