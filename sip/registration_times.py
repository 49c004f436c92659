"""When a registration is repeated: refresh, back-off and what Retry-After says."""

from __future__ import annotations

from dataclasses import dataclass

from sip.errors import ParseError
from sip.grammar import parse_integer

LONGEST_RETRY_AFTER = 3600.0  # seconds; a registrar that says more is asked again after that


@dataclass(frozen=True, slots=True)
class RegistrationSettings:
    """Times in seconds, and who we are to an outbound registrar."""

    expires: int = 3600
    longest_expires: int = 86400
    """A registrar that wants more (423 Min-Expires) is not obeyed."""
    refresh: tuple[float, float] = (0.5, 0.9)
    """Between which fractions of the granted time the refresh falls, at random."""
    first_retry: float = 2.0
    longest_retry: float = 20.0
    """Cap of the back-off from an unreachable registrar: with pacing, all are back within 30 s."""
    first_refused: float = 120.0
    """After a 403, 404 or a wrong password: three tries in ten minutes is what a PBX bears."""
    longest_refused: float = 3600.0
    instance_id: str | None = None
    """``urn:uuid:...`` of this installation; with it outbound is offered (RFC 5626)."""
    reg_id: int = 1


def retry_wait(settings: RegistrationSettings, refused: bool, failures: int, drawn: float) -> float:
    """Give the seconds to wait after ``failures`` earlier failures in a row; ``drawn`` is 0 to below 1.

    RFC 5626 section 4.5: doubled each time up to a cap, then between half and all of it at random.
    """
    first, longest = settings.first_retry, settings.longest_retry
    if refused:
        first, longest = settings.first_refused, settings.longest_refused
    wait = min(longest, first * 2.0 ** min(failures, 16))
    if refused:
        return min(longest, wait * (1 + drawn / 2))  # never sooner than what a PBX bears
    return wait * (1 + drawn) / 2


def retry_after(value: str | None) -> float | None:
    """Read the seconds of a Retry-After (RFC 3261 section 20.33); None when there are none to read."""
    if value is None:
        return None
    digits = value.partition("(")[0].partition(";")[0].strip(" \t")
    try:
        return min(float(parse_integer(digits, 2**32 - 1, "retry_after")), LONGEST_RETRY_AFTER)
    except ParseError:
        return None
