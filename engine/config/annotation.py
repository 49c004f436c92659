"""How a key of the configuration says what it means, beside its type."""

from __future__ import annotations

import ipaddress

from msgspec import Meta

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_SECONDS = 86_400
"""The longest time any key takes: a day."""


def key(
    description: str,
    *,
    unit: str = "",
    low: int | None = None,
    high: int | None = None,
    check: str = "",
    reloads: bool = False,
    example: str = "",
) -> Meta:
    """Say what a key means.

    ``check`` names a rule of ``engine.config.checks``; ``reloads`` means a change takes effect when the
    configuration is read again, without a restart; ``example`` is shown where the default is empty.
    """
    extra = {"unit": unit, "check": check, "reloads": reloads, "example": example}
    return Meta(description=description, ge=low, le=high, extra=extra)
