"""Passwords at rest: argon2id (RFC 9106), compared in constant time (security reference G6, C3).

What earlier versions stored, scrypt, is still verified; ``is_outdated`` then says that the password should be hashed
again, now that it is known.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

# 19 MiB and two passes (OWASP's first choice for argon2id): about 30 ms a guess, in the one thread of the store.
# Written into each hash, so it can be raised without breaking old ones.
MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
SALT_BYTES, KEY_BYTES = 16, 32
ARGON2 = "$argon2id$"
SCRYPT = "scrypt"


def hash_password(password: str) -> str:
    """``$argon2id$v=19$m=...,t=...,p=...$salt$key`` (the PHC string format)."""
    return _hasher().hash(_octets(password))


def password_matches(password: str, stored: str) -> bool:
    """Whether ``password`` is the one ``stored`` was made from; False for a hash of another scheme."""
    if stored.startswith(ARGON2):
        return _argon2_matches(password, stored)
    return _scrypt_matches(password, stored)


def is_outdated(stored: str) -> bool:
    """Whether ``stored`` was made in a way that is not today's."""
    return not stored.startswith(ARGON2) or _hasher().check_needs_rehash(stored)


@cache
def nobody() -> str:
    """What an unknown user's password is compared with, so that it takes as long as a known one's."""
    return hash_password(secrets.token_hex())


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher  # only those who check a password load it

    return PasswordHasher(
        time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, hash_len=KEY_BYTES, salt_len=SALT_BYTES
    )


def _argon2_matches(password: str, stored: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(stored, _octets(password))
    except (VerificationError, InvalidHashError):  # another password; a string that is no hash
        return False


def _scrypt_matches(password: str, stored: str) -> bool:
    """``scrypt$log2(N)$r$p$salt$key``, the last two in base 64."""
    parts = stored.split("$")
    if len(parts) != 6 or parts[0] != SCRYPT:
        return False
    log2_cost, block_size, parallel = (int(part) for part in parts[1:4])
    salt, key = (base64.b64decode(part) for part in parts[4:])
    derived = hashlib.scrypt(
        _octets(password),
        salt=salt,
        n=1 << log2_cost,
        r=block_size,
        p=parallel,
        maxmem=256 * (1 << log2_cost) * block_size * parallel,
        dklen=len(key),
    )
    return hmac.compare_digest(derived, key)


def _octets(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
