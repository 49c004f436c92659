"""DTMF digits in INFO bodies: application/dtmf-relay and application/dtmf, which no RFC defines.

The first is Cisco's ``Signal=5`` and ``Duration=160`` lines; the second holds the bare digit. Numbers 10 to
15 are the events of RFC 4733 (*, #, A-D); a hook flash (16) is no digit.
"""

from __future__ import annotations

from typing import NamedTuple

RELAY = "application/dtmf-relay"
BARE = "application/dtmf"
DIGITS = "0123456789*#ABCD"
DEFAULT_MS = 160
LONGEST_MS = 10000
MAX_BODY = 256


class Digit(NamedTuple):
    """One pressed key."""

    digit: str
    duration_ms: int = DEFAULT_MS


def read_digit(content_type: str, body: bytes) -> Digit | None:
    """The digit of an INFO body, None when there is none we know."""
    if content_type not in (RELAY, BARE) or len(body) > MAX_BODY or not body.isascii():
        return None
    digit: str | None = None
    duration_ms = DEFAULT_MS
    for line in body.decode("ascii").splitlines():
        name, equal, value = line.partition("=")
        key = name.strip().lower()
        if not equal:
            digit = digit or (_digit(name.strip()) if content_type == BARE else None)
        elif key == "signal":
            digit = digit or _digit(value.strip())
        elif key == "duration":
            duration_ms = _duration(value.strip())
    return None if digit is None else Digit(digit, duration_ms)


def write_digit(digit: Digit) -> bytes:
    """An application/dtmf-relay body."""
    return f"Signal={digit.digit}\r\nDuration={digit.duration_ms}\r\n".encode()


def _digit(text: str) -> str | None:
    text = text.upper()
    if len(text) == 1:
        return text if text in DIGITS else None
    if len(text) == 2 and text.isdigit() and 10 <= int(text) <= 15:
        return DIGITS[int(text)]
    return None


def _duration(text: str) -> int:
    if not text.isdigit() or len(text) > 6:
        return DEFAULT_MS
    return min(max(int(text), 1), LONGEST_MS)
