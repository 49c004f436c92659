"""What a reload changes, and which of it has to wait for a restart."""

from __future__ import annotations

from typing import NamedTuple

from engine.config.keys import keys
from engine.config.sections import Config


class Differences(NamedTuple):
    """Full names of the keys that differ between two configurations."""

    applied: tuple[str, ...]  # take effect at once
    need_restart: tuple[str, ...]


def differences(old: Config, new: Config) -> Differences:
    """Compare two configurations key by key."""
    changed = [
        key
        for section, declared in keys().items()
        for key in declared.values()
        if getattr(getattr(old, section), key.name) != getattr(getattr(new, section), key.name)
    ]
    return Differences(
        applied=tuple(key.full_name for key in changed if key.reloads),
        need_restart=tuple(key.full_name for key in changed if not key.reloads),
    )
