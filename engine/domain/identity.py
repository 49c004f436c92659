"""The identities that are shown: a prefix that says what it is, and 20 random characters.

They tell nothing: neither how many there are, nor in which order they were made, nor whose they are.
"""

from __future__ import annotations

import re
import secrets

ALPHABET = (
    "abcdefghijkmnpqrstuvwxyz23456789"  # 32 characters, without those taken for each other: l and 1, o and 0
)
LENGTH = 20  # 100 bits: nobody guesses one
LONGEST = 32
"""Characters of an identity with its prefix, at most."""
_UID = re.compile(rf"[a-z]{{3}}_[{ALPHABET}]{{{LENGTH}}}")


def new_uid(prefix: str) -> str:
    """A new identity, such as ``usr_x7k...``; ``prefix`` has three lower-case letters."""
    random = secrets.token_bytes(LENGTH)  # asked for once: an import makes thousands of these
    return f"{prefix}_{''.join(ALPHABET[octet % len(ALPHABET)] for octet in random)}"


def is_uid(text: str, prefix: str | None = None) -> bool:
    """Whether ``text`` is written as an identity (of this prefix, where one is given)."""
    return _UID.fullmatch(text) is not None and (prefix is None or text.startswith(f"{prefix}_"))
