"""A call that passes another on counts its hops, so that a loop between two of us ends (RFC 3261 section 16.3)."""

from __future__ import annotations
