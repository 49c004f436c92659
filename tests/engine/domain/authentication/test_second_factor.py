"""One-time codes by the clock: RFC 6238's own, those that were used, and recovery codes."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.authentication.second_factor import (
    DRIFT,
    STEP_SECONDS,
    Factor,
    accepted,
    new_recovery_codes,
    new_secret,
    otpauth_uri,
    recovery_digest,
    step_of,
)

SECRET = base64.b32encode(b"12345678901234567890").decode()  # RFC 6238, appendix B
VECTORS = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
    20000000000: "353130",
}


@pytest.mark.parametrize(("now", "code"), VECTORS.items())
def test_the_codes_of_the_rfc(now: int, code: str) -> None:
    """The last six digits of each; right a step before and after, and no longer."""
    step = now // STEP_SECONDS
    assert step_of(SECRET, code, now, 0) == step
    for steps in (-DRIFT, DRIFT):
        assert step_of(SECRET, code, now + steps * STEP_SECONDS, 0) == step
    for steps in (-DRIFT - 1, DRIFT + 1):
        assert step_of(SECRET, code, now + steps * STEP_SECONDS, 0) is None


def test_taken_once() -> None:
    """Whoever has looked over a shoulder is late; so is a code of before."""
    factor = Factor(SECRET, False, 0, frozenset())
    after = accepted(factor, "050 471", 1111111111)
    assert after == Factor(SECRET, True, 1111111111 // STEP_SECONDS, frozenset())
    assert accepted(after, "050471", 1111111111) is None
    assert accepted(after, "081804", 1111111111) is None


def test_recovery_codes() -> None:
    """However they are typed, once each, and only after the first one-time code."""
    codes = new_recovery_codes()
    assert len(set(codes)) == 10
    factor = Factor(SECRET, True, 0, frozenset(map(recovery_digest, codes)))
    after = accepted(factor, codes[3].upper().replace("-", " "), 0.0)
    assert after is not None
    assert len(after.recovery) == 9
    assert accepted(after, codes[3], 0.0) is None
    assert accepted(after, codes[4], 0.0) is not None
    unconfirmed = Factor(SECRET, False, 0, factor.recovery)
    assert accepted(unconfirmed, codes[3], 0.0) is None
    assert codes[3] not in repr(factor)
    assert SECRET not in repr(factor)


@given(st.text(max_size=40))
def test_nothing_else_is_right(text: str) -> None:
    """At a time whose codes are known, whatever the characters."""
    factor = Factor(SECRET, True, 0, frozenset({recovery_digest("abcd")}))
    right = {"050471", "081804", "266759"}
    if accepted(factor, text, 1111111111.0) is not None:
        assert text.replace(" ", "") in right or recovery_digest(text) in factor.recovery


def test_what_an_application_is_told() -> None:
    secret = new_secret()
    assert len(base64.b32decode(secret)) == 20
    parts = urlsplit(otpauth_uri(secret, "jane & co", "Polyphony"))
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/Polyphony%3Ajane%20%26%20co")
    assert parse_qs(parts.query) == {"secret": [secret], "issuer": ["Polyphony"]}
