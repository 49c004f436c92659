"""What a token is limited to: ``users:read``, ``users:write``, ``*:read``; writing includes reading."""

from __future__ import annotations

PATTERN = r"^(\*|[a-z][a-z0-9-]{0,39}):(read|write)$"
"""As a regular expression of JSON Schema."""
MOST = 64
"""Scopes of one token."""
