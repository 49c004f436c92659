"""Finding plug-ins by name: an entry point of the group ``polyphony.frames``, or ``module:factory``."""

from __future__ import annotations

import importlib
import logging
from typing import cast

from media.hooks import FramePlugin

GROUP = "polyphony.frames"

_log = logging.getLogger("media.hooks")


def load_plugin(name: str) -> FramePlugin | None:
    """Make the plug-in of that name; None, with the reason in the log, when it cannot be had."""
    try:
        return cast(FramePlugin, _factory(name)())
    except Exception:  # whatever somebody else's module raises while it is imported
        _log.exception("the plug-in %s cannot be loaded", name)
        return None


def _factory(name: str) -> type[object]:
    module, _, attribute = name.partition(":")
    if attribute:
        return cast(type[object], getattr(importlib.import_module(module), attribute))
    from importlib.metadata import entry_points  # takes 2 MB that a worker without plug-ins need not spend

    found = entry_points(group=GROUP, name=name)
    if not found:
        raise LookupError(f"no installed package has an entry point {name} in the group {GROUP}")
    return cast(type[object], next(iter(found)).load())
