"""One-time codes by the clock (TOTP, RFC 6238), and the recovery codes for whoever has lost what makes them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from engine.domain.identity import ALPHABET

STEP_SECONDS, DIGITS = 30, 6
DRIFT = 1
"""Steps a clock may be wrong by, either way (RFC 6238 section 5.2)."""
SECRET_BYTES = 20  # the length of a SHA-1, RFC 4226 section 4
RECOVERY_CODES, RECOVERY_GROUPS, GROUP = 10, 4, 4  # 80 bits each


@dataclass(frozen=True, slots=True)
class Factor:
    """What an administrator's codes are checked by.

    secret: base 32. last_step: the step of the last code that was taken; none before the next one is. recovery: hashes
    of the codes that are left. confirmed: she has shown one; until then none is asked for.
    """

    secret: str = field(repr=False)
    confirmed: bool
    last_step: int
    recovery: frozenset[str] = field(repr=False)


def new_secret() -> str:
    """A new secret in base 32, as authenticator applications take it."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def otpauth_uri(secret: str, account: str, issuer: str) -> str:
    """What the QR code of an application says (the Key URI format)."""
    label = quote(f"{issuer}:{account}", safe="")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': issuer}, quote_via=quote)}"


def step_of(secret: str, code: str, now: float, after: int) -> int | None:
    """The step ``code`` is right for, later than ``after``; None for a wrong code, or one that was used. now: Unix."""
    import pyotp

    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        return None
    clock, this = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS), int(now // STEP_SECONDS)
    found = None
    for step in range(max(0, this - DRIFT), this + DRIFT + 1):  # all of them: the time taken tells nothing
        if hmac.compare_digest(clock.generate_otp(step), code) and step > after:
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Codes that are taken once each; shown once, and stored as hashes."""
    return [
        "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(RECOVERY_GROUPS))
        for _ in range(RECOVERY_CODES)
    ]


def recovery_digest(code: str) -> str:
    """What is stored of a recovery code, however it is written. Of 80 random bits nobody guesses any."""
    bare = "".join(each for each in code.lower() if each.isalnum())
    return hashlib.sha256(bare.encode("utf-8", "surrogatepass")).hexdigest()


def accepted(factor: Factor, code: str, now: float) -> Factor | None:
    """The factor once ``code`` has been taken, which it never is again; None for a wrong one."""
    bare = code.replace(" ", "")
    step = step_of(factor.secret, bare, now, factor.last_step)
    if step is not None:
        return Factor(factor.secret, True, step, factor.recovery)
    digest = recovery_digest(code)
    if factor.confirmed and digest in factor.recovery:
        return Factor(factor.secret, True, factor.last_step, factor.recovery - {digest})
    return None
