"""How a webhook proves where it comes from: Standard Webhooks 1.0, HMAC-SHA256 over its id, its time and its body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re

from engine.store.errors import Invalid

SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{32,88}={0,2}")
SHORTEST, LONGEST = 24, 64  # octets


def key_of(secret: str) -> bytes:
    """The key of ``whsec_`` and base64. Raises Invalid."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if SECRET.fullmatch(secret) is None or not SHORTEST <= len(key) <= LONGEST:
        raise Invalid("secret", f"whsec_ and {SHORTEST} to {LONGEST} random octets in base64")
    return key


def headers(secret: str, identity: str, at: int, body: bytes) -> dict[str, str]:
    """What goes with a body. identity: the same whenever it is tried again; at: Unix seconds."""
    signed = f"{identity}.{at}.".encode() + body
    proof = base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()
    return {"webhook-id": identity, "webhook-timestamp": str(at), "webhook-signature": f"v1,{proof}"}
