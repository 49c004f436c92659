"""How a connection to a directory is kept secret."""

from __future__ import annotations

import enum


class Security(enum.Enum):
    """By TLS from the first octet, by StartTLS (RFC 4513 section 3), or not at all."""

    LDAPS = "ldaps"
    STARTTLS = "starttls"
    NONE = "none"
