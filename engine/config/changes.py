"""What a reload changes, and which of it has to wait for a restart."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from engine.config.keys import keys
from engine.config.sections import Config


class Differences(NamedTuple):
    """Full names of the keys that differ between two configurations."""

    applied: tuple[str, ...]  # take effect at once
    need_restart: tuple[str, ...]


def taken_up(old: Config, new: Config) -> Config:
    """``old`` with what a reload may change taken from ``new``."""
    changed = {
        section: msgspec.structs.replace(
            getattr(old, section),
            **{
                key.name: getattr(getattr(new, section), key.name) for key in declared.values() if key.reloads
            },
        )
        for section, declared in keys().items()
    }
    return msgspec.structs.replace(old, **changed)


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
