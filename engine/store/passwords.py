"""Passwords of administrators: scrypt at rest, compared in constant time (security reference G6, C3)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

# 16 MiB and about 50 ms a guess; written into each hash, so it can be raised without breaking old ones.
LOG2_COST, BLOCK_SIZE, PARALLEL = 14, 8, 1
SALT_BYTES, KEY_BYTES = 16, 32
SCHEME = "scrypt"


def hash_password(password: str) -> str:
    """``scrypt$log2(N)$r$p$salt$key``, the last two in base 64."""
    salt = secrets.token_bytes(SALT_BYTES)
    key = _derive(password, salt, LOG2_COST, BLOCK_SIZE, PARALLEL)
    encoded = (base64.b64encode(part).decode() for part in (salt, key))
    return "$".join((SCHEME, str(LOG2_COST), str(BLOCK_SIZE), str(PARALLEL), *encoded))


def password_matches(password: str, stored: str) -> bool:
    """Whether ``password`` is the one ``stored`` was made from; False for a hash of another scheme."""
    parts = stored.split("$")
    if len(parts) != 6 or parts[0] != SCHEME:
        return False
    log2_cost, block_size, parallel = (int(part) for part in parts[1:4])
    salt, key = (base64.b64decode(part) for part in parts[4:])
    return hmac.compare_digest(_derive(password, salt, log2_cost, block_size, parallel), key)


def _derive(password: str, salt: bytes, log2_cost: int, block_size: int, parallel: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=1 << log2_cost,
        r=block_size,
        p=parallel,
        maxmem=256 * (1 << log2_cost) * block_size * parallel,
        dklen=KEY_BYTES,
    )


# What an unknown user's password is compared with, so that it takes as long as a known one's.
NOBODY = hash_password(secrets.token_hex())
